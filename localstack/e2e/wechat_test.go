package e2e_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/localstack/apiclient"
	"github.com/fairseat/fairseat/localstack/sandbox/sim"
)

// TestWechat: a person scans and approves; the sealed callback sells the seats, signed
// by either of the keys that a merchant holds who moves from one to the other.
func TestWechat(t *testing.T) {
	parallel(t)
	s, b, bank := shop.open(t, "standard-90"), guest(t), provider.at("/wechat")
	for i, mode := range []string{"certificate", "public"} {
		must(t, bank.call(http.MethodPost, "keys", map[string]string{"callbacks": mode}, nil))
		p, page := b.payWith(b.hold(s, s.regular(t, 2, i)...).ID, "wechat")
		visit(t, page, "approve")
		o := b.await(p.OrderID, "PAID", 10*time.Second)
		verify(b, string(s.ID), o)
		paidFor(t, o)
		eventually(t, 5*time.Second, func() error {
			for _, c := range bank.callbacks(t, p.ID) {
				if c.Progress != sim.Delivered {
					return yet("callback %d is %s", c.N, c.Progress)
				}
			}
			return nil
		})
	}
	shop.balanced(t, s)
}

// TestWechatForged: nothing that anybody else signs is believed, not the probes that
// WeChat sends itself, not under a serial that nobody holds; each is answered as WeChat
// wants a failure told.
func TestWechatForged(t *testing.T) {
	parallel(t)
	s, b := shop.open(t, "standard-90"), guest(t)
	h := b.hold(s, s.regular(t, 2, 0)...)
	p, _ := b.payWith(h.ID, "wechat")
	body := `{"id":"EV-1","create_time":"2026-01-15T12:00:00+08:00","resource_type":"encrypt-resource","event_type":"TRANSACTION.SUCCESS","summary":"x","resource":{"original_type":"transaction","algorithm":"AEAD_AES_256_GCM","ciphertext":"AAAA","associated_data":"transaction","nonce":"sixteen letters."}}`
	head := func(serial, signature string) http.Header {
		return http.Header{
			"Content-Type": {"application/json"}, "Wechatpay-Timestamp": {strconv.FormatInt(time.Now().Unix(), 10)}, "Wechatpay-Nonce": {"n"},
			"Wechatpay-Serial": {serial}, "Wechatpay-Signature": {signature}, "Wechatpay-Signature-Type": {"WECHATPAY2-SHA256-RSA2048"},
		}
	}
	forged := strings.Repeat("A", 342) + "=="
	for name, c := range map[string]struct {
		header http.Header
		body   string
		status int
	}{
		"unknown serial": {head("5E7286BD0496E30E1F80865F00BFB8FAE49927B1", forged), body, 401},
		"a probe":        {head("PUB_KEY_ID_0119000000012026010100000000000001", "WECHATPAY/SIGNTEST/"+forged), body, 401},
		"unsigned":       {http.Header{"Content-Type": {"application/json"}}, body, 401},
		"nothing":        {http.Header{}, "", 400},
	} {
		got, err := client().Do(t.Context(), "POST", "/callbacks/wechat", c.header, []byte(c.body))
		must(t, err)
		if got.Status != c.status || !strings.Contains(string(got.Body), `"code":"FAIL"`) {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
	if o := read[apiclient.Order](b, "/orders/"+p.OrderID); o.Status != "PENDING" {
		t.Errorf("the order is %s", o.Status)
	}
	b.release(h.ID)
	shop.balanced(t, s)
}

// TestWechatLate: money for seats that are another's goes back, once, and what is told
// again then changes nothing.
func TestWechatLate(t *testing.T) {
	parallel(t)
	bank := provider.at("/wechat")
	s, b, other := shop.open(t, "standard-90"), guest(t), guest(t)
	gone := b.hold(s, s.regular(t, 2, 1)...)
	late, latePage := b.payWith(gone.ID, "wechat")
	b.release(gone.ID)
	mine := other.hold(s, gone.Seats[0].ID)
	visit(t, latePage, "approve")
	b.await(late.OrderID, "REFUNDED", 10*time.Second)
	oneRefund(t, late.ID, gone.Total.Amount)
	bank.deliver(t, late.ID, 2, 0)
	eventually(t, 5*time.Second, func() error {
		all := bank.callbacks(t, late.ID)
		if n := len(all); n < 3 || all[n-1].Progress != sim.Delivered || all[n-2].Progress != sim.Delivered {
			return yet("%d callbacks", n)
		}
		return nil
	})
	if o := read[apiclient.Order](b, "/orders/"+late.OrderID); o.Status != "REFUNDED" {
		t.Errorf("after the callbacks the order is %s", o.Status)
	}
	oneRefund(t, late.ID, gone.Total.Amount)
	other.release(mine.ID)
	shop.balanced(t, s)
}
