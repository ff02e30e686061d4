package unionpay

import (
	"context"
	"crypto"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/payment/internal/fields"
	"github.com/fairseat/fairseat/pkg/payment/internal/rsakey"
)

// desk answers as UnionPay does: each request by what say makes of it, signed with
// UnionPay's key. It keeps what it was sent.
type desk struct {
	t      testing.TB
	v      vectors
	say    func(path string, m message) message
	bend   func(body string) string // of the answer, when it is signed
	status int
	asked  []message
	paths  []string
	bodies []string
}

func (d *desk) RoundTrip(r *http.Request) (*http.Response, error) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	m, err := fields.Parse(raw)
	if err != nil {
		return nil, err
	}
	d.asked, d.paths, d.bodies = append(d.asked, m), append(d.paths, r.URL.Path), append(d.bodies, string(raw))
	body := answerText(d.v.signed(d.t, "platform", d.say(r.URL.Path, m)))
	if d.bend != nil {
		body = d.bend(body)
	}
	return &http.Response{StatusCode: max(d.status, 200), Body: io.NopCloser(strings.NewReader(body)), Request: r, Header: http.Header{}}, nil
}

// answerText is a message as UnionPay answers it: not encoded.
func answerText(m message) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, k+"="+m[k])
	}
	return strings.Join(parts, "&")
}

// signed completes a message as the owner of a certificate would.
func (v vectors) signed(t testing.TB, who string, m message) message {
	t.Helper()
	key, err := rsakey.Private(v.Keys[who].Private)
	if err != nil {
		t.Fatal(err)
	}
	out := message{"version": version, "signMethod": signMethod, "encoding": "UTF-8", "signPubKeyCert": v.Keys[who].Cert}
	maps.Copy(out, m)
	delete(out, "signature")
	sig, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest(out))
	if err != nil {
		t.Fatal(err)
	}
	out["signature"] = base64.StdEncoding.EncodeToString(sig)
	return out
}

// echo is an answer to a request with some more fields.
func echo(m message, more ...string) message {
	out := message{"merId": m["merId"], "orderId": m["orderId"], "txnTime": m["txnTime"], "txnType": m["txnType"]}
	for i := 0; i < len(more); i += 2 {
		out[more[i]] = more[i+1]
	}
	return out
}

func newDesk(t testing.TB, say func(path string, m message) message) (*desk, *Provider) {
	t.Helper()
	v := load(t)
	d := &desk{t: t, v: v, say: say}
	o := v.options()
	o.Client = &http.Client{Transport: d}
	return d, with(t, o)
}

var sent = time.Date(2026, 1, 15, 4, 0, 0, 123e6, time.UTC)

func intent() payment.Intent {
	return payment.Intent{
		ID: "ORD2026000001", OrderID: "o_1", Amount: yuan(1499), NotifyURL: "https://pay.example.test/pay/notify/unionpay",
		CreatedAt: sent, ExpiresAt: sent.Add(15 * time.Minute),
	}
}

func ref() payment.Ref {
	return payment.Ref{ID: "ORD2026000001", OrderID: "o_1", Amount: yuan(1499), CreatedAt: sent, ExpiresAt: sent.Add(15 * time.Minute)}
}

const code = "https://qr.95516.com/00010000/62123456789012345678901234567890"

// TestCreateSendsTheVector: what is asked for is the vector, byte by byte, and our order
// goes along to come back.
func TestCreateSendsTheVector(t *testing.T) {
	d, p := newDesk(t, func(_ string, m message) message { return echo(m, "respCode", "00", "qrCode", code) })
	in := intent()
	in.OrderID = ""
	if _, err := p.Create(t.Context(), in); err != nil || d.bodies[0] != d.v.Requests[0].Body || d.paths[0] != "/gateway/api/backTransReq.do" {
		t.Errorf("sent to %s %s, %v", d.paths[0], d.bodies[0], err)
	}
	c, err := p.Create(t.Context(), intent())
	if err != nil || c.Action != (payment.Action{Kind: payment.ActionQR, Value: code}) || c.Report.State != payment.ReportPending || c.Report.Order != "o_1" {
		t.Fatalf("%+v %v", c, err)
	}
	if d.asked[1]["reqReserved"] != "o_1" {
		t.Errorf("the order goes along as %q", d.asked[1]["reqReserved"])
	}
	if _, err := p.Query(t.Context(), ref()); err == nil || d.bodies[2] != d.v.Requests[1].Body || d.paths[2] != "/gateway/api/queryTrans.do" {
		t.Errorf("queried at %s %s", d.paths[2], d.bodies[2])
	}
	in.OrderID = "{o}"
	if _, err := p.Create(t.Context(), in); err != nil || d.bodies[3] != d.bodies[0] {
		t.Errorf("an order with brackets is sent as %s, %v", d.bodies[3], err)
	}
}

func TestCreateOutcomes(t *testing.T) {
	for _, c := range []struct {
		name  string
		more  []string
		after time.Duration
		state payment.ReportState
		err   error
	}{
		{"a code", []string{"respCode", "00", "qrCode", code}, 0, payment.ReportPending, nil},
		{"no code", []string{"respCode", "00"}, 0, "", payment.ErrOutcome},
		{"a code that runs", []string{"respCode", "00", "qrCode", "javascript:alert(1)"}, 0, "", payment.ErrOutcome},
		{"no word", []string{"qrCode", code}, 0, "", payment.ErrOutcome},
		{"unknown", []string{"respCode", "03"}, 0, "", payment.ErrOutcome},
		{"accepted", []string{"respCode", "05"}, 0, "", payment.ErrOutcome},
		{"closed for now", []string{"respCode", "02"}, 0, "", payment.ErrProviderDown},
		{"busy", []string{"respCode", "06"}, 0, "", payment.ErrProviderDown},
		{"our signature", []string{"respCode", "11"}, 0, "", payment.ErrRefused},
		{"the merchant's state", []string{"respCode", "31"}, 0, "", payment.ErrRefused},
		{"twice, at once", []string{"respCode", "12"}, 9 * time.Second, "", payment.ErrOutcome},
		{"twice, its code lost", []string{"respCode", "12"}, 11 * time.Second, payment.ReportFailed, nil},
	} {
		_, p := newDesk(t, func(_ string, m message) message { return echo(m, c.more...) })
		p.now = func() time.Time { return sent.Add(c.after) }
		got, err := p.Create(t.Context(), intent())
		if got.Report.State != c.state || !errors.Is(err, c.err) || (c.err == nil) != (err == nil) {
			t.Errorf("%s: %+v %v", c.name, got, err)
		}
	}
}

func TestCreateAsksForYuanAlone(t *testing.T) {
	d, p := newDesk(t, func(_ string, m message) message { return m })
	in := intent()
	in.Amount.Currency = "USD"
	if c, err := p.Create(t.Context(), in); !errors.Is(err, payment.ErrRefused) || c != (payment.Created{}) {
		t.Errorf("dollars: %+v %v", c, err)
	}
	for name, change := range map[string]func(*payment.Intent){
		"number":  func(in *payment.Intent) { in.ID = "a-b" },
		"nothing": func(in *payment.Intent) { in.Amount.Minor = 0 },
		"time":    func(in *payment.Intent) { in.CreatedAt = time.Time{} },
		"end":     func(in *payment.Intent) { in.ExpiresAt = time.Time{} },
	} {
		in := intent()
		change(&in)
		if c, err := p.Create(t.Context(), in); !errors.Is(err, payment.ErrMalformed) {
			t.Errorf("%s: %+v %v", name, c, err)
		}
	}
	if len(d.asked) != 0 {
		t.Errorf("sent %v", d.asked)
	}
}

func TestQueryOutcomes(t *testing.T) {
	good := []string{"respCode", "00", "origRespCode", "00", "txnAmt", "1499", "currencyCode", "156", "queryId", "2026011512000012345", "traceTime", "0115120307"}
	but := func(more ...string) []string { return append(slices.Clone(good), more...) }
	for _, c := range []struct {
		name  string
		more  []string
		after time.Duration
		state payment.ReportState
		err   error
	}{
		{"paid", good, 0, payment.ReportCaptured, nil},
		{"paid after its time", good, time.Hour, payment.ReportCaptured, nil},
		{"another's price", but("txnAmt", "1"), 0, payment.ReportCaptured, nil}, // for Settle to judge
		{"no amount", but("txnAmt", ""), 0, "", payment.ErrOutcome},
		{"yuan for fen", but("txnAmt", "14.99"), 0, "", payment.ErrOutcome},
		{"no queryId", but("queryId", ""), 0, "", payment.ErrOutcome},
		{"no such hour", but("traceTime", "0115250000"), 0, "", payment.ErrOutcome},
		{"about a refund", but("txnType", "04"), 0, "", payment.ErrOutcome},
		{"no code", but("origRespCode", ""), 0, "", payment.ErrOutcome},
		{"time out", but("origRespCode", "03"), time.Hour, payment.ReportUnknown, nil},
		{"unknown", but("origRespCode", "04"), time.Hour, payment.ReportUnknown, nil},
		{"under way", but("origRespCode", "05"), time.Hour, payment.ReportUnknown, nil},
		{"with a defect", but("origRespCode", "A6"), time.Hour, payment.ReportUnknown, nil},
		{"paid past its time", but("origRespCode", "42"), time.Hour, payment.ReportUnknown, nil},
		{"failed once", but("origRespCode", "01"), 0, payment.ReportFailed, nil},
		{"failed for good", but("origRespCode", "01"), time.Hour, payment.ReportClosed, nil},
		{"not scanned yet", but("origRespCode", "34"), 0, "", payment.ErrNotFound},
		{"the query is unknown", []string{"respCode", "04"}, 0, payment.ReportUnknown, nil},
		{"no such order", []string{"respCode", "34"}, 0, "", payment.ErrNotFound},
		{"no such order, late", []string{"respCode", "34"}, time.Hour, "", payment.ErrNotFound},
		{"too often", []string{"respCode", "37"}, 0, "", payment.ErrProviderDown},
		{"our signature", []string{"respCode", "11"}, 0, "", payment.ErrRefused},
		{"nothing", nil, 0, "", payment.ErrOutcome},
	} {
		_, p := newDesk(t, func(_ string, m message) message { return echo(m, c.more...) })
		p.now = func() time.Time { return sent.Add(c.after) }
		for what, ask := range map[string]func(context.Context, payment.Ref) (payment.Report, error){"query": p.Query, "close": p.Close} {
			got, err := ask(t.Context(), ref())
			if got.State != c.state || !errors.Is(err, c.err) || (c.err == nil) != (err == nil) {
				t.Errorf("%s, %s: %+v %v", c.name, what, got, err)
			}
			if err == nil && (got.Payment != "ORD2026000001" || got.Order != "o_1") {
				t.Errorf("%s: about %+v", c.name, got)
			}
		}
	}
	_, p := newDesk(t, func(_ string, m message) message { return echo(m, good...) })
	for named, want := range map[string]money.Amount{"": yuan(1499), "840": {Minor: 1499, Currency: "XXX"}} {
		_, p := newDesk(t, func(_ string, m message) message {
			a := echo(m, good...)
			if a["currencyCode"] = named; named == "" {
				delete(a, "currencyCode")
			}
			return a
		})
		if got, err := p.Query(t.Context(), ref()); err != nil || got.Amount != want {
			t.Errorf("currency %q: %+v %v", named, got, err)
		}
	}
	got, err := p.Query(t.Context(), ref())
	if err != nil || got.Amount != yuan(1499) || got.ProviderRef != "2026011512000012345" || !got.At.Equal(time.Date(2026, 1, 15, 4, 3, 7, 0, time.UTC)) {
		t.Errorf("%+v %v", got, err)
	}
}

// TestAnswersMustBeAuthentic: an answer counts when UnionPay signed it and it is about
// what was asked.
func TestAnswersMustBeAuthentic(t *testing.T) {
	paid := []string{"respCode", "00", "origRespCode", "00", "txnAmt", "1499", "currencyCode", "156", "queryId", "1"}
	for name, c := range map[string]struct {
		say    func(message) message
		bend   func(string) string
		status int
	}{
		"another order":    {say: func(m message) message { m["orderId"] = "ORD2026000002"; return m }},
		"another time":     {say: func(m message) message { m["txnTime"] = "20260115120001"; return m }},
		"another merchant": {say: func(m message) message { m["merId"] = "777290058110049"; return m }},
		"changed":          {bend: func(s string) string { return strings.Replace(s, "txnAmt=1499", "txnAmt=1498", 1) }},
		"one field more":   {bend: func(s string) string { return s + "&x=" }},
		"a field twice":    {bend: func(s string) string { return s + "&txnAmt=1499" }},
		"not signed":       {bend: func(s string) string { return s[:strings.Index(s, "&signature=")] }},
		"cut":              {bend: func(s string) string { return s[:len(s)/2] }},
		"nothing":          {bend: func(string) string { return "" }},
		"a page":           {bend: func(string) string { return "<html>504 Gateway Time-out</html>" }},
		"too long":         {bend: func(s string) string { return s + "&x=" + strings.Repeat("x", maxBody) }},
		"another status":   {status: 502},
	} {
		d, p := newDesk(t, func(_ string, m message) message {
			a := echo(m, paid...)
			if c.say != nil {
				a = c.say(a)
			}
			return a
		})
		d.bend, d.status = c.bend, c.status
		if got, err := p.Query(t.Context(), ref()); !errors.Is(err, payment.ErrOutcome) || got != (payment.Report{}) {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
}

// TestNewRefuses: what could never work does not start.
func TestNewRefuses(t *testing.T) {
	v := load(t)
	for name, change := range map[string]func(*Options){
		"no client":            func(o *Options) { o.Client = nil },
		"no clock":             func(o *Options) { o.Now = nil },
		"no merchant":          func(o *Options) { o.Merchant = "" },
		"merchant with a sign": func(o *Options) { o.Merchant = "777&x=1" },
		"no gateway":           func(o *Options) { o.Gateway = "" },
		"a test for real":      func(o *Options) { o.Gateway, o.Test = "https://gateway.95516.com", true },
		"a file's address":     func(o *Options) { o.Files = "ftp://files" },
		"no key":               func(o *Options) { o.Key = "" },
		"another's key":        func(o *Options) { o.Key = v.Keys["platform"].Private },
		"no certificate":       func(o *Options) { o.Certificate = v.Keys["merchant"].Private },
		"no authorities":       func(o *Options) { o.Authorities = nil },
		"a root alone":         func(o *Options) { o.Authorities = o.Authorities[:1] },
		"a middle alone":       func(o *Options) { o.Authorities = o.Authorities[1:] },
		"a merchant above all": func(o *Options) { o.Authorities = append(o.Authorities, v.Keys["merchant"].Cert) },
		"not PEM":              func(o *Options) { o.Authorities = append(o.Authorities, "x") },
	} {
		o := v.options()
		change(&o)
		if p, err := New(o); err == nil || p != nil {
			t.Errorf("%s: %v", name, p)
		} else if strings.Contains(err.Error(), "BEGIN") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
