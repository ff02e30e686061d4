package alipay

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/payment/internal/fields"
)

// vectors were made with Alipay's SDKs for Java and Node; testdata says more.
type vectors struct {
	Now       time.Time
	Order     payment.ID
	AmountFen int64 `json:"amount_fen"`
	Config    struct {
		AppID    string `json:"app_id"`
		SellerID string `json:"seller_id"`
	}
	Keys struct {
		App    string `json:"app_private_pkcs8_pem"`
		Own    string `json:"app_public_pem"`
		Theirs string `json:"platform_public_pem"`
		Signer string `json:"platform_private_pkcs8_pem"`
	}
	Requests []struct {
		Name, Canonical, Sign string
		Params                map[string]string
		Body                  string `json:"form_body"`
	}
	Responses []struct{ Canonical, Body string }
	Callbacks []struct {
		Name, Canonical string
		Request         message
	}
	Mutations []struct {
		Name, Expect, Why string
		Request           message
	}
}

type message struct{ Body string }

func load(t testing.TB) vectors {
	t.Helper()
	raw, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// provider is ours with the keys of the vectors; it can call nobody.
func (v vectors) provider(t testing.TB) *Provider {
	t.Helper()
	p, err := New(v.options())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (v vectors) options() Options {
	return Options{
		Client: &http.Client{Transport: deaf{}}, Gateway: "https://gateway.example/gateway.do", AppID: v.Config.AppID,
		Seller: v.Config.SellerID, Key: v.Keys.App, Theirs: []string{v.Keys.Theirs}, Now: func() time.Time { return v.Now },
	}
}

// alipay signs as Alipay does.
func (v vectors) alipay(t testing.TB) *Provider {
	t.Helper()
	opt := v.options()
	opt.Key, opt.Theirs = v.Keys.Signer, []string{v.Keys.Own}
	p, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// deaf fails the test that calls out.
type deaf struct{}

func (deaf) RoundTrip(*http.Request) (*http.Response, error) { panic("a call to the outside") }

func TestRequestVectors(t *testing.T) {
	v := load(t)
	p := v.provider(t)
	for _, r := range v.Requests {
		if got := requestText(r.Params); got != r.Canonical {
			t.Errorf("%s: %s", r.Name, got)
		}
		if got, err := p.sign(r.Canonical); err != nil || got != r.Sign {
			t.Errorf("%s: %s %v", r.Name, got, err)
		}
		sent, err := fields.Parse([]byte(r.Body))
		if err != nil || sent["sign"] != r.Sign {
			t.Fatalf("%s: %v", r.Name, err)
		}
		delete(sent, "sign")
		if requestText(sent) != r.Canonical {
			t.Errorf("%s: what is sent is not what was signed", r.Name)
		}
		again, err := p.request(r.Params["method"], json.RawMessage(r.Params["biz_content"]), r.Params["notify_url"])
		delete(again, "sign")
		if err != nil || !maps.Equal(again, nonempty(r.Params)) {
			t.Errorf("%s: we would send %v, %v", r.Name, again, err)
		}
	}
	if len(v.Requests) != 3 {
		t.Errorf("%d requests", len(v.Requests))
	}
}

func nonempty(in map[string]string) map[string]string {
	out := maps.Clone(in)
	maps.DeleteFunc(out, func(_, v string) bool { return v == "" })
	return out
}

func TestAnswerVectors(t *testing.T) {
	v := load(t)
	p := v.provider(t)
	for i, method := range []string{"alipay.trade.precreate", "alipay.trade.query"} {
		in, err := p.open(method, []byte(v.Responses[i].Body))
		if err != nil || in.Text("out_trade_no") != string(v.Order) {
			t.Errorf("%s: %v", method, err)
		}
		if _, err := p.open("alipay.trade.refund", []byte(v.Responses[i].Body)); err == nil {
			t.Errorf("%s passed for the answer to a refund", method)
		}
	}
}

// settled is what our books make of a notice: the payment's state is pending, or
// captured by the trade of the vectors where it is to be heard again.
func (v vectors) settled(t *testing.T, body string, state payment.State) (payment.Verdict, error) {
	n, err := v.provider(t).ParseCallback(nil, []byte(body), v.Now)
	if err != nil {
		return 0, err
	}
	n = n.By(payment.Alipay)
	price := money.Amount{Minor: v.AmountFen, Currency: "CNY"}
	p := payment.Payment{ID: v.Order, HoldID: "h1", OrderID: "o1", Provider: payment.Alipay, State: state, Amount: price}
	o, hold := payment.OrderView{ID: "o1", Total: price}, payment.HoldPayable
	if state == payment.Captured {
		p.ProviderRef, o.PaidBy, hold = "2055959845540698034343649697", p.ID, payment.HoldSoldByThis
	}
	if n.Refund != nil {
		_, err := payment.SettleRefund(p, "RF2026000001", *n.Refund)
		return 0, err
	}
	return payment.Settle(p, o, hold, *n.Payment)
}

func TestCallbackVectors(t *testing.T) {
	v := load(t)
	for _, c := range v.Callbacks {
		in, err := fields.Parse([]byte(c.Request.Body))
		if err != nil || noticeText(in) != c.Canonical {
			t.Errorf("%s: %s %v", c.Name, noticeText(in), err)
		}
	}
	p := v.provider(t)
	yuan := func(fen int64) money.Amount { return money.Amount{Minor: fen, Currency: "CNY"} }
	at := time.Date(2026, 1, 15, 3, 59, 58, 0, time.UTC)
	got, err := p.ParseCallback(nil, []byte(v.Callbacks[0].Request.Body), v.Now)
	if want := (payment.Report{Payment: v.Order, ProviderRef: "2055959845540698034343649697", State: payment.ReportCaptured, Amount: yuan(1499), At: at}); err != nil || got.Refund != nil || *got.Payment != want {
		t.Errorf("payment: %+v %v", got, err)
	}
	for i, want := range []payment.RefundReport{
		{ID: "RF2026000001", State: payment.RefundPending}, // 5.00 so far: this refund's part is not told
		{ID: "RF2026000002", State: payment.RefundDone, Amount: yuan(1499)},
	} {
		want.Payment, want.ProviderRef, want.At = v.Order, "2055959845540698034343649697", v.Now
		got, err := p.ParseCallback(nil, []byte(v.Callbacks[1+i].Request.Body), v.Now)
		if err != nil || got.Payment != nil || *got.Refund != want {
			t.Errorf("%s: %+v %v", v.Callbacks[1+i].Name, got.Refund, err)
		}
	}
}

// TestMutationVectors: 43 notices that were made right or wrong on purpose, judged as
// far as our books would.
func TestMutationVectors(t *testing.T) {
	v := load(t)
	for _, m := range v.Mutations {
		state, want := payment.Pending, payment.Confirm
		if m.Expect == "idempotent" || m.Name == "second-trade-no" {
			state, want = payment.Captured, payment.Nothing
		}
		got, err := v.settled(t, m.Request.Body, state)
		ok := false
		switch m.Expect {
		case "accept", "idempotent", "either": // an empty field is as good as none
			ok = got == want && err == nil
		case "reject-signature":
			ok = errors.Is(err, payment.ErrSignature) || errors.Is(err, payment.ErrMalformed)
		case "reject-business": // nothing is sold, and what cannot be right is told
			ok = errors.Is(err, payment.ErrMismatch) || m.Name == "status-wait" && got == payment.Wait || m.Name == "status-closed" && got == payment.MarkFailed
		}
		if !ok {
			t.Errorf("%s, to %s: %v %v (%s)", m.Name, m.Expect, got, err, m.Why)
		}
		if ack := v.provider(t).Acknowledge(err); (string(ack.Body) == "success") != (err == nil) {
			t.Errorf("%s: answered %s", m.Name, ack.Body)
		}
	}
	if len(v.Mutations) != 43 {
		t.Errorf("%d mutations", len(v.Mutations))
	}
}
