package main

import (
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/fairseat/fairseat/localstack/sandbox/sim"
	"github.com/fairseat/fairseat/localstack/sandbox/unionpay"
)

// unionpayMerchant is who the shop is at the UnionPay that is played here; template.yaml
// is given the same.
const unionpayMerchant = "777290058110048"

func drawUnionPay() (any, error) { return unionpay.Make(time.Now(), unionpayMerchant) }

// unionpayShop is our key and certificate, and the authorities above UnionPay's.
func unionpayShop(keys []byte) (any, error) {
	k, err := unionpayKeys(keys)
	return map[string]any{"ours": map[string]string{"key": k.Key, "certificate": k.Certificate}, "authorities": k.Authorities}, err
}

func unionpayWire(keys []byte, _ string, log *slog.Logger) (sim.Wire, string, error) {
	k, err := unionpayKeys(keys)
	if err != nil {
		return nil, "", err
	}
	w, err := unionpay.New(k, log)
	if err != nil {
		return nil, "", err
	}
	return w, w.Salt(), nil
}

func unionpayKeys(text []byte) (unionpay.Keys, error) {
	var k unionpay.Keys
	if json.Unmarshal(text, &k) != nil || k.Gateway == "" {
		return k, errors.New("not UnionPay's keys") // the cause could quote them
	}
	return k, nil
}
