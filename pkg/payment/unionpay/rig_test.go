package unionpay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fairseat/fairseat/localstack/sandbox/sim"
	gateway "github.com/fairseat/fairseat/localstack/sandbox/unionpay"
	"github.com/fairseat/fairseat/pkg/payment"
)

// theirs are the keys of the gateway on this machine, drawn once.
var theirs = sync.OnceValues(func() (gateway.Keys, error) { return gateway.Make(time.Now(), "777290058110048") })

// rig is the simulated gateway behind a socket, a shop that takes its notices, and the
// provider between them.
type rig struct {
	t        *testing.T
	provider *Provider
	url      string
	shop     string
	notices  chan payment.Notice
	refuse   func(payment.Notice) error // how the shop answers
}

func newRig(t *testing.T) *rig {
	t.Helper()
	keys, err := theirs()
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, notices: make(chan payment.Notice, 100)}
	shop := httptest.NewServer(http.HandlerFunc(r.take))
	t.Cleanup(shop.Close)
	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { handler.ServeHTTP(w, req) }))
	t.Cleanup(server.Close)
	log := slog.New(slog.DiscardHandler)
	wire, err := gateway.New(keys, log)
	if err != nil {
		t.Fatal(err)
	}
	s, err := sim.New(sim.Options{
		Wire: wire, Title: "UnionPay", Secret: "pages", Grace: 5 * time.Second, Now: time.Now, URL: server.URL,
		Random: func(int64) int64 { return 0 }, Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	handler = s.Handler()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { s.Run(ctx); close(ended) }()
	t.Cleanup(func() { cancel(); <-ended })
	r.url, r.shop = server.URL, shop.URL+"/callbacks/unionpay"
	r.provider = with(t, Options{
		Client: &http.Client{Timeout: 20 * time.Second}, Gateway: r.url, Files: r.url, Merchant: keys.Merchant, Key: keys.Key,
		Certificate: keys.Certificate, Authorities: keys.Authorities, NotifyURL: r.shop, Now: time.Now,
	})
	return r
}

func (r *rig) take(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	n, err := r.provider.ParseCallback(req.Header, body, time.Now())
	if err == nil && r.refuse != nil {
		err = r.refuse(n)
	}
	ack := r.provider.Acknowledge(err)
	w.Header().Set("Content-Type", ack.ContentType)
	w.WriteHeader(ack.Status)
	w.Write(ack.Body)
	r.notices <- n
}

// next waits for a notice, twenty seconds at most.
func (r *rig) next() payment.Notice {
	r.t.Helper()
	select {
	case n := <-r.notices:
		return n
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
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	out, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != 200 {
		r.t.Fatalf("%s %s: %d %s %v", method, path, res.StatusCode, out, err)
	}
	return string(out)
}

func (r *rig) outcome(o string) { r.control("PUT", "defaults", `{"outcome":"`+o+`"}`) }

var count int

// intent is a new payment's.
func (r *rig) intent() payment.Intent {
	count++
	now := time.Now()
	return payment.Intent{
		ID: payment.IDFor(r.t.Name(), fmt.Sprint(count)), OrderID: "o_1", Amount: yuan(1499), Description: "2 seats",
		NotifyURL: r.shop, CreatedAt: now, ExpiresAt: now.Add(5 * time.Minute),
	}
}

func (r *rig) create() (payment.Ref, payment.Created) {
	r.t.Helper()
	in := r.intent()
	c, err := r.provider.Create(r.t.Context(), in)
	if err != nil || c.Report.State != payment.ReportPending || c.Action.Kind != payment.ActionQR {
		r.t.Fatalf("%+v %v", c, err)
	}
	return payment.Ref{ID: in.ID, OrderID: in.OrderID, Amount: in.Amount, CreatedAt: in.CreatedAt, ExpiresAt: in.ExpiresAt}, c
}

func (r *rig) query(ref payment.Ref) payment.ReportState {
	r.t.Helper()
	q, err := r.provider.Query(r.t.Context(), ref)
	if errors.Is(err, payment.ErrNotFound) {
		return "not found"
	}
	if err != nil {
		r.t.Fatal(err)
	}
	return q.State
}
