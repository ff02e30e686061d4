package main

import (
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/fairseat/fairseat/localstack/sandbox/sim"
	"github.com/fairseat/fairseat/localstack/sandbox/wechat"
)

// Who the shop is at the WeChat Pay that is played here; template.yaml is given the same.
const (
	wechatMerchant = "1900000001"
	wechatApp      = "wx0000000000000001"
)

func drawWechat() (any, error) { return wechat.NewKeys() }

// wechatShop is what a merchant has who moves from certificates to the public key.
func wechatShop(keys []byte) (any, error) {
	var k wechat.Keys
	if err := json.Unmarshal(keys, &k); err != nil {
		return nil, err
	}
	secret, err := k.Secret(true, true)
	return json.RawMessage(secret), err
}

func wechatWire(keys []byte, url string, log *slog.Logger) (sim.Wire, string, error) {
	var k wechat.Keys
	if err := json.Unmarshal(keys, &k); err != nil {
		return nil, "", err
	}
	w, err := wechat.New(wechat.Options{Keys: k, Merchant: wechatMerchant, App: wechatApp, URL: url, Now: time.Now, Nonce: rand.Text, Log: log})
	if err != nil {
		return nil, "", err
	}
	return w, w.Salt(), nil
}
