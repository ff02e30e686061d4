package main

import (
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"log/slog"

	"github.com/fairseat/fairseat/localstack/sandbox/alipay"
	"github.com/fairseat/fairseat/localstack/sandbox/sim"
)

// Who the shop is at the Alipay that is played here; template.yaml is given the same.
const (
	alipayApp    = "2021000000000001"
	alipaySeller = "2088000000000001"
)

func drawAlipay() (any, error) {
	_, app, err := drawKey()
	if err != nil {
		return nil, err
	}
	_, own, err := drawKey()
	return alipay.Keys{App: app, Alipay: own}, err
}

// alipayShop is our private key and Alipay's public one, in bare base64 as Alipay's
// pages show it.
func alipayShop(keys []byte) (any, error) {
	var k alipay.Keys
	if err := json.Unmarshal(keys, &k); err != nil {
		return nil, err
	}
	block, _ := pem.Decode([]byte(k.Alipay))
	if block == nil {
		return nil, errors.New("not PEM")
	}
	private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	public, err := x509.MarshalPKIXPublicKey(private.(crypto.Signer).Public())
	return map[string]any{"app_private_key": k.App, "alipay_public_keys": []string{base64.StdEncoding.EncodeToString(public)}}, err
}

func alipayWire(keys []byte, url string, log *slog.Logger) (sim.Wire, string, error) {
	var k alipay.Keys
	if err := json.Unmarshal(keys, &k); err != nil {
		return nil, "", err
	}
	w, err := alipay.New(alipay.Options{Keys: k, AppID: alipayApp, Seller: alipaySeller, URL: url, Log: log})
	if err != nil {
		return nil, "", err
	}
	return w, w.Salt(), nil
}
