package alipay

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	simulated "github.com/fairseat/fairseat/localstack/sandbox/alipay"
	"github.com/fairseat/fairseat/localstack/sandbox/sim"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/payment"
)

const (
	testApp    = "2021000000000001"
	testSeller = "2088000000000001"
)

var price = money.Amount{Minor: 2998, Currency: "CNY"}

func fresh() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
}

var appKey, bankKey = fresh(), fresh()

func private(k *rsa.PrivateKey) string {
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// public is as Alipay's pages show it: bare base64.
func public(k *rsa.PrivateKey) string {
	der, err := x509.MarshalPKIXPublicKey(&k.PublicKey)
	if err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(der)
}

// call is a notice as it came, and what was made of it.
type call struct {
	body   []byte
	notice payment.Notice
	err    error
}

// rig is the simulator behind a socket, a shop that takes its notices, and the
// provider between them.
type rig struct {
	t        *testing.T
	provider *Provider
	hears    atomic.Pointer[Provider] // who takes the notices
	url      string                   // of the simulator
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
	quiet := slog.New(slog.DiscardHandler)
	wire, err := simulated.New(simulated.Options{
		Keys: simulated.Keys{App: private(appKey), Alipay: private(bankKey)}, AppID: testApp, Seller: testSeller, URL: server.URL, Log: quiet,
	})
	if err != nil {
		t.Fatal(err)
	}
	s, err := sim.New(sim.Options{
		Wire: wire, Secret: wire.Salt(), Grace: 5 * time.Second, Now: time.Now, URL: server.URL, Random: func(int64) int64 { return 0 }, Log: quiet,
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
	r.provider = r.newProvider(nil)
	r.hears.Store(r.provider)
	return r
}

func (r *rig) newProvider(change func(*Options)) *Provider {
	r.t.Helper()
	opt := Options{
		Client: &http.Client{Timeout: 5 * time.Second}, Gateway: r.url + "/gateway.do", AppID: testApp, Seller: testSeller,
		Key: private(appKey), Theirs: []string{public(bankKey)}, Now: time.Now,
	}
	if change != nil {
		change(&opt)
	}
	p, err := New(opt)
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
	p := r.hears.Load()
	n, err := p.ParseCallback(req.Header, body, time.Now())
	ack := p.Acknowledge(err)
	w.Header().Set("Content-Type", ack.ContentType)
	w.WriteHeader(ack.Status)
	w.Write(ack.Body)
	r.calls <- call{body, n, err}
}

// next waits for a notice, twenty seconds at most.
func (r *rig) next() payment.Notice {
	r.t.Helper()
	select {
	case c := <-r.calls:
		if c.err != nil {
			r.t.Fatal(c.err)
		}
		return c.notice
	case <-time.After(20 * time.Second):
		r.t.Fatal("no notice came")
		return payment.Notice{}
	}
}

func (r *rig) control(method, path, body string) string {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.url+"/control/"+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	return r.do(req)
}

func (r *rig) do(req *http.Request) string {
	r.t.Helper()
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	out, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != 200 {
		r.t.Fatalf("%s %s: %d %s", req.Method, req.URL.Path, res.StatusCode, out)
	}
	return string(out)
}

// person opens the page behind a QR code and, with a decision, presses a button.
func (r *rig) person(qr, decision string) string {
	r.t.Helper()
	method, body := http.MethodGet, ""
	if decision != "" {
		method, body = http.MethodPost, url.Values{"decision": {decision}}.Encode()
	}
	req, err := http.NewRequestWithContext(r.t.Context(), method, qr, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r.do(req)
}

func (r *rig) intent(name string) payment.Intent {
	now := time.Now()
	return payment.Intent{
		ID: payment.IDFor(name), OrderID: "o_" + name, Amount: price, Description: "2 seats / A=1 & B", NotifyURL: r.shop + "/callbacks/alipay",
		CreatedAt: now, ExpiresAt: now.Add(5 * time.Minute), Hints: map[string]string{"outcome": "none of a real provider's business"},
	}
}

func (r *rig) create(name string) (ref payment.Ref, qr string) {
	r.t.Helper()
	in := r.intent(name)
	made, err := r.provider.Create(r.t.Context(), in)
	if err != nil {
		r.t.Fatal(err)
	}
	return payment.Ref{ID: in.ID, OrderID: in.OrderID, Amount: in.Amount, CreatedAt: in.CreatedAt, ExpiresAt: in.ExpiresAt}, made.Action.Value
}

// paid is a payment that a person has approved, and its notice was heard.
func (r *rig) paid(name string) payment.Ref {
	r.t.Helper()
	ref, qr := r.create(name)
	r.person(qr, "approve")
	if n := r.next(); n.Payment == nil || n.Payment.Payment != ref.ID || n.Payment.State != payment.ReportCaptured {
		r.t.Fatalf("%+v", n)
	}
	return ref
}

// unmarshal reads a control's answer.
func unmarshal[T any](t *testing.T, text string) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}
