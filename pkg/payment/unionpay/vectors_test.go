package unionpay

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/payment/internal/beijing"
	"github.com/fairseat/fairseat/pkg/payment/internal/fields"
)

// vectors follow UnionPay's SDKs for Java and PHP; testdata says more.
type vectors struct {
	Now           time.Time
	MutationsUnix int64 `json:"mutations_unix"`
	Order         payment.ID
	AmountFen     int64  `json:"amount_fen"`
	Merchant      string `json:"mer_id"`
	Keys          map[string]struct {
		Private string `json:"private_pem"`
		Cert    string `json:"cert_pem"`
		ID      string `json:"cert_id_decimal"`
	}
	Requests []struct {
		Name, Canonical, Signature string
		Params                     message
		Digest                     string `json:"digest_hex"`
		Body                       string `json:"form_body"`
	}
	Responses []struct{ Canonical, Body string }
	Callbacks []struct {
		Name, Canonical string
		Digest          string `json:"digest_hex"`
		Request         request
	}
	Mutations []struct {
		Name, Expect, Why string
		Request           request
	}
}

type request struct{ Body string }

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

// options are ours with the keys of the vectors; nobody can be called.
func (v vectors) options() Options {
	return Options{
		Client: &http.Client{Transport: deaf{}}, Gateway: "https://gateway.example", Files: "https://files.example",
		Merchant: v.Merchant, Key: v.Keys["merchant"].Private, Certificate: v.Keys["merchant"].Cert,
		Authorities: []string{v.Keys["root"].Cert, v.Keys["middle"].Cert},
		NotifyURL:   "https://pay.example.test/pay/notify/unionpay", Now: func() time.Time { return v.Now },
	}
}

func (v vectors) provider(t testing.TB) *Provider {
	t.Helper()
	return with(t, v.options())
}

func with(t testing.TB, o Options) *Provider {
	t.Helper()
	p, err := New(o)
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
		m := maps.Clone(r.Params)
		if err := p.sign(m); err != nil || m["signature"] != r.Signature || m["certId"] != v.Keys["merchant"].ID {
			t.Errorf("%s: %v %v", r.Name, m, err)
		}
		sum := sha256.Sum256([]byte(m.text()))
		if m.text() != r.Canonical || hex.EncodeToString(sum[:]) != r.Digest {
			t.Errorf("%s: %s", r.Name, m.text())
		}
		if got := string(fields.Encode(m)); got != r.Body {
			t.Errorf("%s: %s", r.Name, got)
		}
	}
	if len(v.Requests) != 3 {
		t.Errorf("%d requests", len(v.Requests))
	}
}

func TestAnswerVectors(t *testing.T) {
	v := load(t)
	p := v.provider(t)
	for i, r := range v.Responses {
		m, err := parseAnswer([]byte(r.Body))
		if err != nil || m.text() != r.Canonical {
			t.Errorf("%d: %v %v", i, m, err)
			continue
		}
		if err := p.verify(m, v.Now); err != nil || m["orderId"] != string(v.Order) {
			t.Errorf("%d: %v", i, err)
		}
		m["respMsg"] += " "
		if err := p.verify(m, v.Now); !errors.Is(err, payment.ErrSignature) {
			t.Errorf("%d, changed: %v", i, err)
		}
	}
	if len(v.Responses) == 0 {
		t.Error("no answers")
	}
}

func yuan(fen int64) money.Amount { return money.Amount{Minor: fen, Currency: "CNY"} }

func TestCallbackVectors(t *testing.T) {
	v := load(t)
	p := v.provider(t)
	for _, c := range v.Callbacks {
		m, err := fields.Parse([]byte(c.Request.Body))
		sum := sha256.Sum256([]byte(message(m).text()))
		if err != nil || message(m).text() != c.Canonical || hex.EncodeToString(sum[:]) != c.Digest {
			t.Errorf("%s: %v %v", c.Name, m, err)
		}
	}
	made, at := v.Now.Add(-time.Minute), v.Now
	got, err := p.ParseCallback(nil, []byte(v.Callbacks[0].Request.Body), v.Now)
	if want := (payment.Report{
		Payment: v.Order, ProviderRef: "205595984554069803434", State: payment.ReportCaptured, Amount: yuan(1499), CreatedAt: made, At: at,
	}); err != nil || got.Refund != nil || *got.Payment != want {
		t.Errorf("payment: %+v %v", got, err)
	}
	for i, want := range []payment.RefundReport{{ID: "RF2026000001", Amount: yuan(500)}, {ID: "RF2026000002", Amount: yuan(1499)}} {
		want.ProviderRef, want.State, want.At = "205595984554069803434", payment.RefundDone, at
		got, err := p.ParseCallback(nil, []byte(v.Callbacks[1+i].Request.Body), v.Now)
		if err != nil || got.Payment != nil || *got.Refund != want {
			t.Errorf("%s: %+v %v", v.Callbacks[1+i].Name, got.Refund, err)
		}
	}
}

// settled is what our books make of a notice: the payment's state is pending, or
// captured by the money of the vectors where it is to be heard again.
func (v vectors) settled(t testing.TB, p *Provider, body string, state payment.State) (payment.Verdict, error) {
	n, err := p.ParseCallback(nil, []byte(body), time.Unix(v.MutationsUnix, 0))
	if err != nil {
		return 0, err
	}
	n = n.By(payment.UnionPay)
	if n.Refund != nil {
		q := payment.Payment{ID: v.Order, Provider: payment.UnionPay, State: payment.Refunding, Amount: yuan(v.AmountFen)}
		_, err := payment.SettleRefund(q, "RF2026000001", *n.Refund)
		return 0, err
	}
	made, err := beijing.Parse(beijing.Compact, "20261121091414")
	if err != nil {
		t.Fatal(err)
	}
	q := payment.Payment{
		ID: v.Order, HoldID: "h1", OrderID: "o1", Provider: payment.UnionPay, State: state,
		Amount: yuan(v.AmountFen), CreatedAt: made.Add(321 * time.Millisecond),
	}
	o, hold := payment.OrderView{ID: "o1", Total: q.Amount}, payment.HoldPayable
	if state == payment.Captured {
		q.ProviderRef, o.PaidBy, hold = "205595984554069803434", q.ID, payment.HoldSoldByThis
	}
	return payment.Settle(q, o, hold, *n.Payment)
}

// TestMutationVectors: 52 notices that were made right or wrong on purpose, judged as
// far as our books would.
func TestMutationVectors(t *testing.T) {
	v := load(t)
	p := v.provider(t)
	quiet := map[string]payment.Verdict{
		"resp-01": payment.MarkFailed, "resp-34": payment.MarkFailed,
		"resp-03": payment.Wait, "resp-05": payment.Wait, "resp-a6": payment.Wait,
	}
	for _, m := range v.Mutations {
		state, want := payment.Pending, payment.Confirm
		if m.Expect == "idempotent" || m.Name == "second-query-id" {
			state, want = payment.Captured, payment.Nothing
		}
		got, err := v.settled(t, p, m.Request.Body, state)
		ok := false
		switch m.Expect {
		case "accept", "idempotent":
			ok = got == want && err == nil
		case "reject-signature", "either": // SHA-1 is refused unless it is allowed
			ok = errors.Is(err, payment.ErrSignature) || errors.Is(err, payment.ErrMalformed)
		case "reject-business": // nothing is sold, and what cannot be right is told
			verdict, said := quiet[m.Name]
			if m.Name == "unknown-order" { // its report is of another number, which the store looks for
				said = false
			}
			ok = !said && errors.Is(err, payment.ErrMismatch) || said && got == verdict && err == nil
		}
		if !ok {
			t.Errorf("%s, to %s: %v %v (%s)", m.Name, m.Expect, got, err, m.Why)
		}
		if ack := p.Acknowledge(err); (ack.Status == 200) != (err == nil) {
			t.Errorf("%s: answered %d", m.Name, ack.Status)
		}
	}
	if len(v.Mutations) != 52 {
		t.Errorf("%d mutations", len(v.Mutations))
	}
}

// TestAllowances: what is let in by a setting is let in by that one alone.
func TestAllowances(t *testing.T) {
	v := load(t)
	for _, m := range v.Mutations {
		for name, change := range map[string]func(*Options){
			"test-environment-cn": func(o *Options) { o.Test = true },
			"sha1-signed-cert":    func(o *Options) { o.SHA1 = true },
		} {
			o := v.options()
			change(&o)
			got, err := v.settled(t, with(t, o), m.Request.Body, payment.Pending)
			plain, perr := v.settled(t, v.provider(t), m.Request.Body, payment.Pending)
			if m.Name == name && (got != payment.Confirm || err != nil) {
				t.Errorf("%s is not let in: %v", name, err)
			}
			if m.Name != name && (got != plain || (err == nil) != (perr == nil)) {
				t.Errorf("%s lets in %s", name, m.Name)
			}
		}
	}
}
