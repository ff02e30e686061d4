package e2e_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/localstack/apiclient"
	"github.com/fairseat/fairseat/localstack/sandbox/sim"
	"github.com/fairseat/fairseat/pkg/payment"
)

// payWith begins a payment with a provider that is played, and answers the address of
// the page behind it.
func (b *buyer) payWith(hold, name string) (apiclient.Payment, string) {
	b.t.Helper()
	var p apiclient.Payment
	must(b.t, b.Call(b.ctx(), http.MethodPost, "/holds/"+hold+"/payments", "", map[string]string{"provider": name}, &p))
	var action payment.Action
	must(b.t, json.Unmarshal(p.Action, &action))
	if !strings.HasPrefix(action.Value, provider.url+"/"+name+"/") || p.State != "pending" {
		b.t.Fatalf("to pay with %s: %+v", name, p)
	}
	return p, action.Value
}

// visit opens a page and, with a decision, presses its button.
func visit(t *testing.T, page, decision string) {
	t.Helper()
	res, err := http.Get(page)
	if err == nil && decision != "" {
		res.Body.Close()
		res, err = http.PostForm(page, url.Values{"decision": {decision}})
	}
	must(t, err)
	defer res.Body.Close()
	if text, err := io.ReadAll(res.Body); err != nil || res.StatusCode != http.StatusOK || !strings.Contains(string(text), "no money moves here") {
		t.Fatalf("%s: %d %s %v", page, res.StatusCode, text, err)
	}
}

// TestAlipay: a person scans, reads and approves; the notice sells the seats.
func TestAlipay(t *testing.T) {
	parallel(t)
	s, b := shop.open(t, "standard-90"), guest(t)
	p, page := b.payWith(b.hold(s, s.regular(t, 2, 0)...).ID, "alipay")
	visit(t, page, "approve")
	o := b.await(p.OrderID, "PAID", 10*time.Second)
	verify(b, string(s.ID), o)
	paidFor(t, o)
	eventually(t, 5*time.Second, func() error {
		for _, c := range provider.at("/alipay").callbacks(t, p.ID) {
			if c.Progress != sim.Delivered {
				return yet("notice %d is %s", c.N, c.Progress)
			}
		}
		return nil
	})
	shop.balanced(t, s)
}

// TestAlipayForged: nothing that anybody else signs is believed, in words that Alipay
// takes for a refusal; nor is the word of another provider of the house.
func TestAlipayForged(t *testing.T) {
	parallel(t)
	s, b := shop.open(t, "standard-90"), guest(t)
	h := b.hold(s, s.regular(t, 2, 0)...)
	p, _ := b.payWith(h.ID, "alipay")
	form := url.Values{
		"app_id": {"2021000000000001"}, "seller_id": {"2088000000000001"}, "charset": {"utf-8"}, "notify_type": {"trade_status_sync"}, "out_trade_no": {p.ID},
		"trade_no": {"2026000000000001"}, "total_amount": {"20.00"}, "trade_status": {"TRADE_SUCCESS"}, "sign_type": {"RSA2"}, "sign": {strings.Repeat("A", 342) + "=="},
	}
	for name, c := range map[string]struct {
		body   string
		status int
	}{
		"another key": {form.Encode(), 401}, "no signature": {"out_trade_no=" + p.ID, 401}, "twice": {form.Encode() + "&total_amount=0.01", 400}, "nothing": {"", 400},
	} {
		got, err := client().Do(t.Context(), "POST", "/callbacks/alipay", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, []byte(c.body))
		must(t, err)
		if got.Status != c.status || string(got.Body) != "fail" {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
	word, err := json.Marshal(notice{ID: "ev-1", Event: "payment", Payment: &payView{p.ID, p.OrderID, "sb-1", "captured", amount{h.Total.Amount, h.Total.Currency}, "2026-01-01T00:00:00Z"}})
	must(t, err)
	if got, err := client().Do(t.Context(), "POST", "/callbacks/sandbox", signed(sandboxSecret, time.Now(), word), word); err != nil || got.Status != 409 {
		t.Errorf("the sandbox about Alipay's: %d %v", got.Status, err)
	}
	if o := read[apiclient.Order](b, "/orders/"+p.OrderID); o.Status != "PENDING" {
		t.Errorf("the order is %s", o.Status)
	}
	b.release(h.ID)
	shop.balanced(t, s)
}

// TestAlipaySilent: asking finds the money before the notice comes; what it says then
// changes nothing. Money for seats that are another's goes back, once.
func TestAlipaySilent(t *testing.T) {
	parallel(t)
	bank := provider.at("/alipay")
	s, b, other := shop.open(t, "standard-90"), guest(t), guest(t)
	p, page := b.payWith(b.hold(s, s.regular(t, 2, 0)...).ID, "alipay")
	gone := b.hold(s, s.regular(t, 2, 1)...)
	late, latePage := b.payWith(gone.ID, "alipay")
	b.release(gone.ID)
	mine := other.hold(s, gone.Seats[0].ID)
	visit(t, page, "")
	must(t, bank.call(http.MethodPost, "pay", map[string]string{"payment": p.ID}, nil))
	visit(t, latePage, "approve")
	paidFor(t, b.await(p.OrderID, "PAID", holdTime-time.Second))
	b.await(late.OrderID, "REFUNDED", 10*time.Second)
	oneRefund(t, late.ID, gone.Total.Amount)
	before := read[apiclient.Order](b, "/orders/"+p.OrderID)
	bank.deliver(t, p.ID, 2, 0)
	eventually(t, 5*time.Second, func() error {
		all := bank.callbacks(t, p.ID)
		if n := len(all); n != 3 || all[1].Progress != sim.Delivered || all[2].Progress != sim.Delivered {
			return yet("%d notices", n)
		}
		return nil
	})
	if after := read[apiclient.Order](b, "/orders/"+p.OrderID); after.Status != "PAID" || len(after.Tickets) != len(before.Tickets) {
		t.Errorf("after the notices the order is %+v", after)
	}
	other.release(mine.ID)
	shop.balanced(t, s)
}
