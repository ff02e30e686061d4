package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/localstack/sandbox/sim"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/payment"
)

const secret = "golden secret of the sandbox"

var price = money.Amount{Minor: 2998, Currency: "USD"}

// call is a callback as it came.
type call struct {
	header http.Header
	body   []byte
	at     time.Time
}

// rig is the real simulator behind a socket, a shop that takes its callbacks,
// and the provider between them.
type rig struct {
	t        *testing.T
	provider *Provider
	url      string // of the simulator
	shop     string
	calls    chan call
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, calls: make(chan call, 100)}
	shop := httptest.NewServer(http.HandlerFunc(r.take))
	t.Cleanup(shop.Close)
	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { handler.ServeHTTP(w, req) }))
	t.Cleanup(server.Close)
	s, err := sim.New(sim.Options{
		Secret: secret, Grace: 5 * time.Second, Now: time.Now, URL: server.URL,
		Random: func(n int64) int64 { return 0 }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	handler = s.Handler()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { s.Run(ctx); close(ended) }()
	t.Cleanup(func() { cancel(); <-ended })
	r.url, r.shop = server.URL, shop.URL
	r.provider = r.newProvider(secret)
	return r
}

func (r *rig) newProvider(secret string) *Provider {
	r.t.Helper()
	p, err := New(&http.Client{Timeout: 5 * time.Second}, r.url, secret, time.Now)
	if err != nil {
		r.t.Fatal(err)
	}
	return p
}

func (r *rig) take(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	_, err = r.provider.ParseCallback(req.Header, body, time.Now())
	ack := r.provider.Acknowledge(err)
	w.Header().Set("Content-Type", ack.ContentType)
	w.WriteHeader(ack.Status)
	w.Write(ack.Body)
	r.calls <- call{req.Header, body, time.Now()}
}

// next waits for a callback, five seconds at most.
func (r *rig) next() call {
	r.t.Helper()
	select {
	case c := <-r.calls:
		return c
	case <-time.After(5 * time.Second):
		r.t.Fatal("no callback came")
		return call{}
	}
}

func (r *rig) control(method, path, body string) string {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.url+"/control/"+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	out, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != 200 {
		r.t.Fatalf("%s %s: %d %s", method, path, res.StatusCode, out)
	}
	return string(out)
}

func (r *rig) intent(id payment.ID, hints map[string]string) payment.Intent {
	now := time.Now()
	return payment.Intent{
		ID: id, OrderID: "o1", Amount: price, Description: "2 seats", NotifyURL: r.shop + "/callback",
		CreatedAt: now, ExpiresAt: now.Add(5 * time.Minute), Hints: hints,
	}
}

func (r *rig) create(outcome string) payment.Ref {
	r.t.Helper()
	in := r.intent(payment.IDFor(outcome), map[string]string{"outcome": outcome})
	if _, err := r.provider.Create(r.t.Context(), in); err != nil {
		r.t.Fatal(err)
	}
	return payment.Ref{ID: in.ID, OrderID: in.OrderID, Amount: in.Amount, CreatedAt: in.CreatedAt}
}

func TestEveryOutcome(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct {
		outcome          string
		created, queried payment.ReportState
	}{
		{"success", payment.ReportPending, payment.ReportCaptured},
		{"decline", payment.ReportFailed, payment.ReportFailed},
		{"never", payment.ReportPending, payment.ReportCaptured},
		{"late", payment.ReportPending, payment.ReportPending},
		{"person", payment.ReportPending, payment.ReportPending},
	} {
		in := r.intent(payment.IDFor(c.outcome), map[string]string{"outcome": c.outcome})
		made, err := r.provider.Create(t.Context(), in)
		if err != nil || made.Report.State != c.created || made.Report.Amount != price || made.Report.Order != "o1" {
			t.Errorf("%s: %+v %v", c.outcome, made, err)
		}
		if made.Action.Kind != payment.ActionURL || !strings.HasPrefix(made.Action.Value, r.url) {
			t.Errorf("%s: action %+v", c.outcome, made.Action)
		}
		again, err := r.provider.Create(t.Context(), in)
		if err != nil || again.Action != made.Action || again.Report.ProviderRef != made.Report.ProviderRef {
			t.Errorf("%s again: %+v %v", c.outcome, again, err)
		}
		got, err := r.provider.Query(t.Context(), payment.Ref{ID: in.ID, OrderID: "o1"})
		if err != nil || got.State != c.queried || got.ProviderRef == "" || got.At.IsZero() {
			t.Errorf("%s: %+v %v", c.outcome, got, err)
		}
	}
}

func TestCallbackIsReadAsItWasMeant(t *testing.T) {
	r := newRig(t)
	for outcome, want := range map[string]payment.ReportState{"success": payment.ReportCaptured, "decline": payment.ReportFailed} {
		ref := r.create(outcome)
		c := r.next()
		n, err := r.provider.ParseCallback(c.header, c.body, c.at)
		if err != nil || n.Refund != nil || n.Payment == nil {
			t.Fatalf("%s: %+v %v", outcome, n, err)
		}
		asked, err := r.provider.Query(t.Context(), ref)
		if err != nil || *n.Payment != asked || asked.State != want {
			t.Errorf("%s: callback %+v, asked %+v %v", outcome, *n.Payment, asked, err)
		}
	}
}

func TestHintsReachTheCallbacks(t *testing.T) {
	r := newRig(t)
	in := r.intent("p0000001", map[string]string{"outcome": "success", "copies": "2", "delay_ms": "10"})
	if _, err := r.provider.Create(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	if a, b := r.next(), r.next(); string(a.body) != string(b.body) {
		t.Errorf("%s and %s are not copies", a.body, b.body)
	}
	in = r.intent("p0000002", map[string]string{"outcome": "success", "drop": "true"})
	if _, err := r.provider.Create(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	if got := r.control("GET", "callbacks?payment=p0000002", ""); !strings.Contains(got, "dropped") {
		t.Error(got)
	}
	for k, v := range map[string]string{"outcome": "maybe", "copies": "x", "delay_ms": "-1", "drop": "perhaps", "colour": "red"} {
		if _, err := r.provider.Create(t.Context(), r.intent("p0000003", map[string]string{k: v})); !errors.Is(err, payment.ErrMalformed) {
			t.Errorf("%s=%s: %v", k, v, err)
		}
	}
}

func TestRefunds(t *testing.T) {
	r := newRig(t)
	ref := r.create("never")
	req := func(n int, minor int64) payment.RefundRequest {
		return payment.RefundRequest{
			ID: payment.RefundFor(ref.ID, n), Payment: ref, Reason: "seats are gone",
			Amount: money.Amount{Minor: minor, Currency: "USD"}, RequestedAt: time.Now(),
		}
	}
	first, err := r.provider.Refund(t.Context(), req(1, 1000))
	if err != nil || first.State != payment.RefundDone || first.Amount.Minor != 1000 {
		t.Fatalf("%+v %v", first, err)
	}
	if again, err := r.provider.Refund(t.Context(), req(1, 1000)); err != nil || !reflect.DeepEqual(again, first) {
		t.Errorf("%+v %v", again, err)
	}
	for name, bad := range map[string]payment.RefundRequest{"other amount": req(1, 999), "past the sum": req(2, 1999)} {
		if _, err := r.provider.Refund(t.Context(), bad); !errors.Is(err, payment.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if rest, err := r.provider.Refund(t.Context(), req(2, 1998)); err != nil || rest.State != payment.RefundDone {
		t.Errorf("%+v %v", rest, err)
	}
	if got := r.control("GET", "refunds?payment="+string(ref.ID), ""); strings.Count(got, `"provider_ref"`) != 2 {
		t.Error(got)
	}
}

func TestRefundByCallback(t *testing.T) {
	r := newRig(t)
	r.control("PUT", "defaults", `{"refund_delay_ms":20}`)
	ref := r.create("success")
	r.next()
	req := payment.RefundRequest{ID: payment.RefundFor(ref.ID, 1), Payment: ref, Amount: price}
	if got, err := r.provider.Refund(t.Context(), req); err != nil || got.State != payment.RefundPending {
		t.Fatalf("%+v %v", got, err)
	}
	c := r.next()
	n, err := r.provider.ParseCallback(c.header, c.body, c.at)
	if err != nil || n.Payment != nil || n.Refund == nil {
		t.Fatalf("%+v %v", n, err)
	}
	if asked, err := r.provider.Refund(t.Context(), req); err != nil || asked != *n.Refund || asked.State != payment.RefundDone {
		t.Errorf("callback %+v, asked %+v %v", *n.Refund, asked, err)
	}
}

func TestClose(t *testing.T) {
	r := newRig(t)
	for outcome, want := range map[string]payment.ReportState{
		"success": payment.ReportCaptured, "decline": payment.ReportFailed, "late": payment.ReportClosed, "person": payment.ReportClosed,
	} {
		if got, err := r.provider.Close(t.Context(), r.create(outcome)); err != nil || got.State != want {
			t.Errorf("%s: %+v %v", outcome, got, err)
		}
	}
}

func TestWhatTheProviderRefuses(t *testing.T) {
	r := newRig(t)
	ref := r.create("success")
	other := r.intent(ref.ID, nil)
	other.Amount.Minor++
	_, err := r.provider.Create(t.Context(), other)
	if !errors.Is(err, payment.ErrRefused) {
		t.Errorf("other amount: %v", err)
	}
	for _, do := range []func(payment.Ref) error{
		func(ref payment.Ref) error { _, err := r.provider.Query(t.Context(), ref); return err },
		func(ref payment.Ref) error { _, err := r.provider.Close(t.Context(), ref); return err },
		func(ref payment.Ref) error {
			_, err := r.provider.Refund(t.Context(), payment.RefundRequest{ID: "r0000001", Payment: ref, Amount: price})
			return err
		},
	} {
		if err := do(payment.Ref{ID: "p0000009"}); !errors.Is(err, payment.ErrNotFound) {
			t.Errorf("unknown: %v", err)
		}
		if err := do(payment.Ref{ID: "../control"}); !errors.Is(err, payment.ErrMalformed) {
			t.Errorf("no number: %v", err)
		}
	}
}

func TestAnswersThatProveNothing(t *testing.T) {
	r := newRig(t)
	ref := r.create("never")
	if _, err := r.newProvider("another secret").Query(t.Context(), ref); !errors.Is(err, payment.ErrOutcome) {
		t.Errorf("another secret: %v", err)
	}
	r.control("PUT", "defaults", `{"fault":"unavailable"}`)
	if _, err := r.provider.Create(t.Context(), r.intent("p0000001", nil)); !errors.Is(err, payment.ErrProviderDown) {
		t.Errorf("unavailable: %v", err)
	}
	r.control("PUT", "defaults", `{"fault":"lost"}`)
	req := payment.RefundRequest{ID: payment.RefundFor(ref.ID, 1), Payment: ref, Amount: price}
	if _, err := r.provider.Refund(t.Context(), req); !errors.Is(err, payment.ErrOutcome) {
		t.Errorf("lost: %v", err)
	}
	r.control("PUT", "defaults", `{"fault":""}`)
	if got, err := r.provider.Refund(t.Context(), req); err != nil || got.State != payment.RefundDone {
		t.Errorf("repeated: %+v %v", got, err)
	}
	if got := r.control("GET", "refunds", ""); strings.Count(got, `"provider_ref"`) != 1 {
		t.Errorf("refunded more than once: %s", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.provider.Query(ctx, ref); !errors.Is(err, payment.ErrOutcome) {
		t.Errorf("cancelled: %v", err)
	}
	nobody, err := New(http.DefaultClient, unused(t), secret, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := nobody.Query(t.Context(), ref); !errors.Is(err, payment.ErrProviderDown) {
		t.Errorf("nobody there: %v", err)
	}
}

// unused is an address that nobody listens on.
func unused(t *testing.T) string {
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	return s.URL
}

// A signed answer to one question must not serve as the answer to another.
func TestAnswersAreBoundToTheirQuestion(t *testing.T) {
	r := newRig(t)
	captured, pending := r.create("never"), r.create("late")
	var body []byte
	var header http.Header
	swap := false
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		out := req.Clone(req.Context())
		out.RequestURI, out.URL.Scheme, out.URL.Host = "", "http", strings.TrimPrefix(r.url, "http://")
		if !swap {
			res, err := http.DefaultTransport.RoundTrip(out)
			if err != nil {
				return
			}
			defer res.Body.Close()
			body, _ = io.ReadAll(res.Body)
			header = res.Header
		}
		for _, k := range []string{timestampHeader, signatureHeader} {
			w.Header().Set(k, header.Get(k))
		}
		w.Write(body)
	}))
	defer proxy.Close()
	p, err := New(http.DefaultClient, proxy.URL, secret, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := p.Query(t.Context(), captured); err != nil || got.State != payment.ReportCaptured {
		t.Fatalf("%+v %v", got, err)
	}
	swap = true
	if got, err := p.Query(t.Context(), pending); !errors.Is(err, payment.ErrOutcome) {
		t.Errorf("%+v %v", got, err)
	}
}

func TestNewRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		base, secret string
		client       *http.Client
		now          func() time.Time
	}{
		"no secret": {"http://127.0.0.1:1", "", http.DefaultClient, time.Now},
		"no client": {"http://127.0.0.1:1", "s", nil, time.Now},
		"no clock":  {"http://127.0.0.1:1", "s", http.DefaultClient, nil},
		"no host":   {"http://", "s", http.DefaultClient, time.Now},
		"a path":    {"http://127.0.0.1:1/x", "s", http.DefaultClient, time.Now},
		"scheme":    {"ftp://127.0.0.1:1", "s", http.DefaultClient, time.Now},
	} {
		if _, err := New(c.client, c.base, c.secret, c.now); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func TestAcknowledge(t *testing.T) {
	p := &Provider{}
	for _, c := range []struct {
		err    error
		status int
	}{
		{nil, 200},
		{payment.ErrSignature, 401},
		{fmt.Errorf("callback: %w", payment.ErrReplayWindow), 401},
		{payment.ErrMalformed, 400},
		{payment.ErrNotFound, 404},
		{payment.ErrMismatch, 409},
		{payment.ErrProviderDown, 503},
		{errors.New("anything else"), 503},
	} {
		if got := p.Acknowledge(c.err); got.Status != c.status || got.ContentType != "application/json" || strings.Contains(string(got.Body), "payment:") {
			t.Errorf("%v: %d %s", c.err, got.Status, got.Body)
		}
	}
}
