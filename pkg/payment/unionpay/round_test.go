package unionpay

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/payment"
)

// TestAPersonPays: a code, its page, the notice, the query, and the refund's way back.
func TestAPersonPays(t *testing.T) {
	r := newRig(t)
	ref, c := r.create()
	if got := r.query(ref); got != "not found" {
		t.Errorf("before it is scanned: %s", got)
	}
	res, err := http.Get(c.Action.Value)
	if err != nil || res.StatusCode != 200 {
		t.Fatal(res, err)
	}
	res.Body.Close()
	if got := r.query(ref); got != payment.ReportUnknown {
		t.Errorf("while the buyer looks at it: %s", got)
	}
	if res, err = http.Post(c.Action.Value, "application/x-www-form-urlencoded", strings.NewReader("decision=approve")); err != nil || res.StatusCode != 200 {
		t.Fatal(res, err)
	}
	res.Body.Close()
	n := r.next()
	if n.Payment == nil || n.Payment.Payment != ref.ID || n.Payment.Order != "o_1" || n.Payment.State != payment.ReportCaptured || n.Payment.Amount != yuan(1499) || !n.Payment.CreatedAt.Equal(ref.CreatedAt.Truncate(time.Second)) {
		t.Fatalf("%+v", n.Payment)
	}
	q, err := r.provider.Query(t.Context(), ref)
	if err != nil || q.State != payment.ReportCaptured || q.ProviderRef != n.Payment.ProviderRef || !q.At.Equal(n.Payment.At) {
		t.Errorf("%+v %v, told %+v", q, err, n.Payment)
	}
	ref.ProviderRef = q.ProviderRef
	r.refunds(ref)
}

// refunds gives back a part, then the rest, and no more.
func (r *rig) refunds(ref payment.Ref) {
	r.t.Helper()
	t := r.t
	req := payment.RefundRequest{ID: payment.RefundFor(ref.ID, 1), Payment: ref, Amount: yuan(500), RequestedAt: time.Now()}
	r.control("PUT", "defaults", `{"refund_delay_ms":600000}`)
	if got, err := r.provider.Refund(t.Context(), req); err != nil || got.State != payment.RefundPending {
		t.Fatalf("%+v %v", got, err)
	}
	if got, err := r.provider.Refund(t.Context(), req); err != nil || got.State != payment.RefundPending {
		t.Fatalf("while it is under way: %+v %v", got, err)
	}
	r.control("POST", "advance", `{"seconds":601}`)
	n := r.next()
	if n.Refund == nil || n.Refund.ID != req.ID || n.Refund.Payment != ref.ID || n.Refund.State != payment.RefundDone || n.Refund.Amount != yuan(500) {
		t.Fatalf("%+v", n.Refund)
	}
	got, err := r.provider.Refund(t.Context(), req)
	if err != nil || got.State != payment.RefundDone || got.ProviderRef != n.Refund.ProviderRef {
		t.Errorf("again: %+v %v", got, err)
	}
	other := req
	other.Amount = yuan(501)
	if got, err := r.provider.Refund(t.Context(), other); !errors.Is(err, payment.ErrRefused) {
		t.Errorf("another amount: %+v %v", got, err)
	}
	rest := req
	rest.ID, rest.Amount = payment.RefundFor(ref.ID, 2), yuan(1000)
	if got, err := r.provider.Refund(t.Context(), rest); !errors.Is(err, payment.ErrRefused) {
		t.Errorf("a fen too much: %+v %v", got, err)
	}
	r.control("PUT", "defaults", `{"refund_delay_ms":0,"refund_fails":true}`)
	rest.ID, rest.Amount = payment.RefundFor(ref.ID, 3), yuan(999)
	for range 2 {
		if got, err := r.provider.Refund(t.Context(), rest); err != nil || got.State != payment.RefundFailed {
			t.Errorf("that fails: %+v %v", got, err)
		}
	}
	r.control("PUT", "defaults", `{"refund_fails":false}`)
	rest.ID = payment.RefundFor(ref.ID, 4)
	for range 2 {
		if got, err := r.provider.Refund(t.Context(), rest); err != nil || got.State != payment.RefundDone {
			t.Errorf("the rest: %+v %v", got, err)
		}
	}
}

// TestRefundAfterAnOutage: the gateway does not take a time of hours ago. A refund of the
// whole goes on as of now; one of a part might be a second one.
func TestRefundAfterAnOutage(t *testing.T) {
	r := newRig(t)
	r.outcome("success")
	ref, _ := r.create()
	ref.ProviderRef = r.next().Payment.ProviderRef
	req := payment.RefundRequest{ID: payment.RefundFor(ref.ID, 1), Payment: ref, Amount: yuan(1), RequestedAt: time.Now().Add(-3 * time.Hour)}
	if got, err := r.provider.Refund(t.Context(), req); !errors.Is(err, payment.ErrRefused) {
		t.Errorf("a part: %+v %v", got, err)
	}
	r.control("PUT", "defaults", `{"refund_delay_ms":600000}`)
	req.Amount = ref.Amount
	for range 2 {
		if got, err := r.provider.Refund(t.Context(), req); err != nil || got.State != payment.RefundPending {
			t.Fatalf("%+v %v", got, err)
		}
	}
	r.control("POST", "advance", `{"seconds":601}`)
	if n := r.next(); n.Refund == nil || n.Refund.State != payment.RefundDone || n.Refund.ID != req.ID || n.Refund.Amount != ref.Amount {
		t.Errorf("%+v", n.Refund)
	}
}

func TestVoidOnTheDayItself(t *testing.T) {
	r := newRig(t)
	r.outcome("success")
	ref, _ := r.create()
	ref.ProviderRef = r.next().Payment.ProviderRef
	req := payment.RefundRequest{ID: payment.RefundFor(ref.ID, 1), Payment: ref, Amount: ref.Amount, RequestedAt: time.Now()}
	for range 2 {
		if got, err := r.provider.Void(t.Context(), req); err != nil || got.State != payment.RefundDone {
			t.Fatalf("%+v %v", got, err)
		}
	}
}

// TestWhatAProviderDoes: late, silent, double, declined, paid after the end.
func TestWhatAProviderDoes(t *testing.T) {
	r := newRig(t)
	r.control("PUT", "defaults", `{"outcome":"success","callback":{"copies":3}}`)
	ref, _ := r.create()
	for range 3 {
		if n := r.next(); n.Payment == nil || n.Payment.Payment != ref.ID || n.Payment.State != payment.ReportCaptured {
			t.Errorf("%+v", n.Payment)
		}
	}
	r.control("PUT", "defaults", `{"outcome":"never","callback":{"copies":1}}`)
	ref, _ = r.create()
	if got := r.query(ref); got != payment.ReportCaptured {
		t.Errorf("silent: %s", got)
	}
	r.outcome("decline")
	declined, _ := r.create()
	if got := r.query(declined); got != payment.ReportFailed {
		t.Errorf("declined: %s", got)
	}
	late := declined
	late.ExpiresAt = time.Now().Add(-time.Second)
	if got := r.query(late); got != payment.ReportClosed {
		t.Errorf("declined, its time over: %s", got)
	}
	r.control("POST", "pay", `{"payment":"`+string(declined.ID)+`"}`)
	if n := r.next(); n.Payment == nil || n.Payment.Payment != declined.ID || n.Payment.State != payment.ReportCaptured {
		t.Errorf("paid after all: %+v", n.Payment)
	}
	if got, err := r.provider.Close(t.Context(), declined); err != nil || got.State != payment.ReportCaptured {
		t.Errorf("close after it: %+v %v", got, err)
	}
	if len(r.notices) != 0 {
		t.Errorf("%d notices more", len(r.notices))
	}
}

// TestANoticeIsRepeatedUntilItIsTaken, with the same words.
func TestANoticeIsRepeatedUntilItIsTaken(t *testing.T) {
	r := newRig(t)
	tries := 0
	r.refuse = func(payment.Notice) error {
		if tries++; tries == 1 {
			return payment.ErrMismatch
		}
		return nil
	}
	r.outcome("success")
	r.create()
	if a, b := r.next(), r.next(); *a.Payment != *b.Payment {
		t.Errorf("%+v, then %+v", a.Payment, b.Payment)
	}
	if said := r.control("GET", "callbacks", ""); !strings.Contains(said, `"status":409`) {
		t.Error(said)
	}
}

// TestFaults: each failure has the port's word, and the same request again is safe.
func TestFaults(t *testing.T) {
	r := newRig(t)
	r.outcome("person")
	in := r.intent()
	r.provider.now = func() time.Time { return in.CreatedAt.Add(time.Second) }
	r.control("PUT", "defaults", `{"fault":"unavailable"}`)
	if c, err := r.provider.Create(t.Context(), in); !errors.Is(err, payment.ErrProviderDown) {
		t.Errorf("busy: %+v %v", c, err)
	}
	r.control("PUT", "defaults", `{"fault":"lost"}`)
	if c, err := r.provider.Create(t.Context(), in); !errors.Is(err, payment.ErrOutcome) {
		t.Errorf("lost: %+v %v", c, err)
	}
	r.control("PUT", "defaults", `{"fault":""}`)
	if c, err := r.provider.Create(t.Context(), in); !errors.Is(err, payment.ErrOutcome) {
		t.Errorf("again, at once: %+v %v", c, err)
	}
	r.provider.now = func() time.Time { return in.CreatedAt.Add(time.Minute) }
	if c, err := r.provider.Create(t.Context(), in); err != nil || c.Report.State != payment.ReportFailed {
		t.Errorf("again, a minute later: %+v %v", c, err)
	}
	r.provider.now = time.Now
	if got, err := r.provider.Query(t.Context(), payment.Ref{ID: "nobodys1", CreatedAt: time.Now()}); !errors.Is(err, payment.ErrNotFound) {
		t.Errorf("nobody's: %+v %v", got, err)
	}
	done, cancel := context.WithCancel(t.Context())
	cancel()
	if c, err := r.provider.Create(done, r.intent()); !errors.Is(err, payment.ErrOutcome) {
		t.Errorf("no time left: %+v %v", c, err)
	}
	nobody := httptest.NewServer(http.NotFoundHandler())
	nobody.Close()
	p := *r.provider
	p.gateway = p.gateway.JoinPath()
	p.gateway.Host = strings.TrimPrefix(nobody.URL, "http://")
	if c, err := p.Create(t.Context(), r.intent()); !errors.Is(err, payment.ErrProviderDown) {
		t.Errorf("nobody there: %+v %v", c, err)
	}
}

// TestGatewayRefuses what is not signed or shaped as it wants.
func TestGatewayRefuses(t *testing.T) {
	r := newRig(t)
	p := r.provider
	in := r.intent()
	for name, c := range map[string]struct {
		change func(message)
		code   string
	}{
		"as it is":        {func(message) {}, "00"},
		"an old time":     {func(m message) { m["orderId"] = "other0001"; m["txnTime"] = "20200101000000" }, "39"},
		"another kind":    {func(m message) { m["orderId"] = "other0002"; m["txnType"] = "02" }, "10"},
		"dollars":         {func(m message) { m["orderId"] = "other0003"; m["currencyCode"] = "840" }, "10"},
		"yuan":            {func(m message) { m["orderId"] = "other0004"; m["txnAmt"] = "14.99" }, "10"},
		"no end":          {func(m message) { m["orderId"] = "other0005"; delete(m, "payTimeout") }, "10"},
		"a query behind":  {func(m message) { m["orderId"] = "other0006"; m["backUrl"] += "?a=1" }, "10"},
		"a dash":          {func(m message) { m["orderId"] = "other-0007" }, "10"},
		"another version": {func(m message) { m["orderId"] = "other0008"; m["version"] = "5.0.0" }, "10"},
		"one field more":  {func(m message) { m["orderId"] = "other0009"; m["fileType"] = "00" }, "10"},
		"a field in vain": {func(m message) { m["orderId"] = "other0010"; m["origQryId"] = "1" }, "10"},
		"another's":       {func(m message) { m["merId"] = "777290058110049" }, "11"},
	} {
		if got := r.raw(p.request(in), c.change); got != c.code {
			t.Errorf("%s: %s, want %s", name, got, c.code)
		}
	}
	for _, price := range []string{"1499", "1"} {
		if got := r.raw(p.request(in), func(m message) { m["txnAmt"] = price }); got != "12" {
			t.Errorf("twice at %s: %s", price, got)
		}
	}
	m := p.request(in)
	if err := p.sign(m); err != nil {
		t.Fatal(err)
	}
	m["txnAmt"] = "1"
	if got := r.post(m); got != "11" {
		t.Errorf("changed after it was signed: %s", got)
	}
}

// raw signs a request that was changed, and answers the gateway's word for it.
func (r *rig) raw(m message, change func(message)) string {
	r.t.Helper()
	change(m)
	if err := r.provider.sign(m); err != nil {
		r.t.Fatal(err)
	}
	return r.post(m)
}

func (r *rig) post(m message) string {
	r.t.Helper()
	var form []string
	for k, v := range m {
		form = append(form, k+"="+strings.NewReplacer("+", "%2B", "=", "%3D", "&", "%26", "?", "%3F").Replace(v))
	}
	res, err := http.Post(r.url+"/gateway/api/backTransReq.do", "application/x-www-form-urlencoded", strings.NewReader(strings.Join(form, "&")))
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	a, err := parseAnswer(body)
	if err == nil {
		err = r.provider.verify(a, time.Now())
	}
	if err != nil {
		r.t.Fatalf("%v: %s", err, body)
	}
	return a["respCode"]
}

// TestBillOfTheGateway: what moved is in the bill, once it is ready.
func TestBillOfTheGateway(t *testing.T) {
	r := newRig(t)
	r.outcome("success")
	ref, _ := r.create()
	told := r.next().Payment
	ref.ProviderRef = told.ProviderRef
	req := payment.RefundRequest{ID: payment.RefundFor(ref.ID, 1), Payment: ref, Amount: yuan(500), RequestedAt: time.Now()}
	if _, err := r.provider.Refund(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	day := told.At
	if _, err := r.provider.Bill(t.Context(), day); !errors.Is(err, payment.ErrNotFound) {
		t.Errorf("on the day itself: %v", err)
	}
	r.control("POST", "advance", `{"seconds":259200}`)
	r.provider.now = func() time.Time { return time.Now().Add(72 * time.Hour) }
	rows, err := r.provider.Bill(t.Context(), day)
	if err != nil || len(rows) != 2 {
		t.Fatalf("%+v %v", rows, err)
	}
	p, b := rows[0], rows[1]
	if p.Kind != payment.BillPayment || p.Payment != ref.ID || p.ProviderRef != ref.ProviderRef || p.Amount != yuan(1499) {
		t.Errorf("%+v", p)
	}
	if b.Kind != payment.BillRefund || b.Payment != ref.ID || b.Refund != req.ID || b.Amount != yuan(500) || b.At.Before(p.At) {
		t.Errorf("%+v", b)
	}
}

// TestManyAtOnce: a provider is safe for concurrent use.
func TestManyAtOnce(t *testing.T) {
	r := newRig(t)
	r.outcome("success")
	var all sync.WaitGroup
	in := make([]payment.Intent, 20)
	for i := range in {
		in[i] = r.intent()
		all.Go(func() {
			if _, err := r.provider.Create(t.Context(), in[i]); err != nil {
				t.Error(err)
			}
			ref := payment.Ref{ID: in[i].ID, OrderID: "o_1", CreatedAt: in[i].CreatedAt}
			if q, err := r.provider.Query(t.Context(), ref); err != nil || q.State != payment.ReportCaptured || q.Payment != in[i].ID {
				t.Errorf("%+v %v", q, err)
			}
		})
	}
	all.Wait()
	told := map[payment.ID]bool{}
	for range in {
		told[r.next().Payment.Payment] = true
	}
	if len(told) != len(in) {
		t.Errorf("%d of %d were told", len(told), len(in))
	}
}

// TestKeysAreTheirOwners: what the shop is given holds nothing of the gateway's.
func TestKeysAreTheirOwners(t *testing.T) {
	keys, err := theirs()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(keys.Shop)
	if err != nil || bytes.Contains(text, []byte("gateway")) || strings.Contains(keys.Key, keys.Gateway) {
		t.Errorf("%s %v", text, err)
	}
	o := Options{
		Client: http.DefaultClient, Gateway: "http://127.0.0.1:1", Merchant: keys.Merchant, Key: keys.Gateway,
		Certificate: keys.Certificate, Authorities: keys.Authorities, Now: time.Now,
	}
	if _, err := New(o); err == nil {
		t.Error("the gateway's key passes for the shop's")
	}
}
