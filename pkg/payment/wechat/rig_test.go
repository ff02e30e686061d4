package wechat

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/fairseat/fairseat/localstack/sandbox/sim"
	gateway "github.com/fairseat/fairseat/localstack/sandbox/wechat"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/payment"
)

// heard is a callback that came, with the time of its coming.
type heard struct {
	header http.Header
	body   []byte
	at     time.Time
}

// rig is the simulator behind a socket, a shop that takes its callbacks, and the
// provider between them.
type rig struct {
	t     *testing.T
	p     *Provider
	keys  gateway.Keys
	url   string // of the simulator
	shop  string
	calls chan heard
	fail  chan struct{} // a token makes the shop refuse one callback
}

const mchid, appid = "1900000001", "wx0000000000000001"

var price = money.Amount{Minor: 2998, Currency: "CNY"}

func newRig(t *testing.T, public, certificate bool) *rig {
	t.Helper()
	keys, err := gateway.NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, keys: keys, calls: make(chan heard, 100), fail: make(chan struct{}, 1)}
	shop := httptest.NewServer(http.HandlerFunc(r.take))
	t.Cleanup(shop.Close)
	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { handler.ServeHTTP(w, req) }))
	t.Cleanup(server.Close)
	r.url = server.URL + "/wechat" // as one of several behind one address
	w, err := gateway.New(gateway.Options{
		Keys: keys, Merchant: mchid, App: appid, URL: r.url, Now: time.Now, Nonce: rand.Text, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	s, err := sim.New(sim.Options{
		Wire: w, Title: "WeChat Pay", Secret: w.Salt(), Grace: 5 * time.Second, Now: time.Now, URL: r.url,
		Random: func(int64) int64 { return 0 }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	handler = http.StripPrefix("/wechat", s.Handler())
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { s.Run(ctx); close(ended) }()
	t.Cleanup(func() { cancel(); <-ended })
	r.shop = shop.URL + "/callbacks/wechat"
	r.p = r.provider(func(*Options) {}, public, certificate)
	return r
}

func (r *rig) provider(change func(*Options), public, certificate bool) *Provider {
	r.t.Helper()
	secret, err := r.keys.Secret(public, certificate)
	if err != nil {
		r.t.Fatal(err)
	}
	k, err := ParseKeys(secret)
	if err != nil {
		r.t.Fatal(err)
	}
	opt := Options{
		Client: &http.Client{Timeout: 5 * time.Second}, Base: r.url, Merchant: mchid, App: appid, Keys: k,
		NotifyURL: r.shop, Now: time.Now, Nonce: rand.Text,
	}
	change(&opt)
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
	r.calls <- heard{req.Header, body, time.Now()}
	select {
	case <-r.fail:
		err = errors.New("try again")
	default:
	}
	ack := r.p.Acknowledge(err)
	w.Header().Set("Content-Type", ack.ContentType)
	w.WriteHeader(ack.Status)
	w.Write(ack.Body)
}

// next waits for a callback, and parses it.
func (r *rig) next() payment.Notice {
	r.t.Helper()
	select {
	case c := <-r.calls:
		n, err := r.p.ParseCallback(c.header, c.body, c.at)
		if err != nil {
			r.t.Fatalf("%v: %v %s", err, c.header, c.body)
		}
		return n
	case <-time.After(10 * time.Second):
		r.t.Fatal("no callback came")
	}
	return payment.Notice{}
}

func (r *rig) control(method, path string, in, out any) {
	r.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		r.t.Fatal(err)
	}
	req, err := http.NewRequest(method, r.url+"/control/"+path, bytes.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	raw, _ := io.ReadAll(res.Body)
	if res.StatusCode != 200 {
		r.t.Fatalf("%s %s: %d %s", method, path, res.StatusCode, raw)
	}
	if out != nil {
		if err := json.Unmarshal(raw, out); err != nil {
			r.t.Fatal(err)
		}
	}
}

type set = map[string]any

func (r *rig) intent(id payment.ID) payment.Intent {
	now := time.Now()
	return payment.Intent{
		ID: id, OrderID: "o_" + string(id), Amount: price, Description: "Fairseat o_" + string(id), NotifyURL: r.shop,
		CreatedAt: now, ExpiresAt: now.Add(5 * time.Minute),
	}
}

func refTo(in payment.Intent) payment.Ref {
	return payment.Ref{ID: in.ID, OrderID: in.OrderID, Amount: in.Amount, CreatedAt: in.CreatedAt, ExpiresAt: in.ExpiresAt}
}

func (r *rig) create(in payment.Intent) payment.Created {
	r.t.Helper()
	c, err := r.p.Create(r.t.Context(), in)
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

func number(n int) payment.ID { return payment.ID(fmt.Sprintf("pay%05d", n)) }
