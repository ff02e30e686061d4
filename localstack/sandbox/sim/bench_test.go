package sim

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

const testSecret = "golden secret of the sandbox"

var testWire = own{testSecret}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// arrival is a callback as the shop sees it.
type arrival struct {
	at     time.Time
	header http.Header
	body   string
}

// shop receives callbacks and answers them with the next of its statuses, the
// last one for ever.
type shop struct {
	mu       sync.Mutex
	statuses []int
	got      []arrival
}

func (s *shop) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, arrival{time.Now(), r.Header, string(body)})
	status := 200
	if len(s.statuses) > 0 {
		status = s.statuses[0]
		if len(s.statuses) > 1 {
			s.statuses = s.statuses[1:]
		}
	}
	if status == 0 {
		return nil, io.ErrUnexpectedEOF
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader("")), Request: r}, nil
}

func (s *shop) arrivals() []arrival {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]arrival(nil), s.got...)
}

func (s *shop) states() []string {
	var out []string
	for _, a := range s.arrivals() {
		var n notice
		if err := json.Unmarshal([]byte(a.body), &n); err != nil {
			panic(err)
		}
		switch {
		case n.Payment != nil:
			out = append(out, n.Payment.ID+" "+string(n.Payment.State))
		default:
			out = append(out, n.Refund.ID+" "+string(n.Refund.State))
		}
	}
	return out
}

// bench is a running simulator in a bubble of synctest, and its shop.
type bench struct {
	t    *testing.T
	sim  *Sim
	shop *shop
	t0   time.Time
	stop func()
}

func newBench(t *testing.T, data string) *bench {
	t.Helper()
	b := &bench{t: t, shop: &shop{}, t0: time.Now()}
	s, err := New(Options{
		Secret: testSecret, Grace: 5 * time.Second, Now: time.Now, URL: "http://sandbox.test", Data: data,
		Random: func(n int64) int64 { return n / 2 }, Log: discard(), Transport: b.shop,
	})
	if err != nil {
		t.Fatal(err)
	}
	b.sim = s
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { s.Run(ctx); close(ended) }()
	b.stop = sync.OnceFunc(func() { cancel(); <-ended; s.Close() })
	return b
}

// inBubble runs a test with a simulator whose time is synctest's.
func inBubble(t *testing.T, f func(b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, "")
		defer b.stop()
		f(b)
	})
}

// pass lets time pass and everything settle.
func (b *bench) pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func (b *bench) send(method, path, body string, signed bool) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if signed {
		ts := strconv.FormatInt(time.Now().Unix(), 10)
		r.Header.Set(timestampHeader, ts)
		r.Header.Set(signatureHeader, testWire.sign(ts, "request."+method+"."+path+".", []byte(body)))
	}
	w := httptest.NewRecorder()
	b.sim.Handler().ServeHTTP(w, r)
	return w
}

func (b *bench) call(method, path, body string) (int, string) {
	w := b.send(method, path, body, true)
	return w.Code, w.Body.String()
}

func (b *bench) control(method, path, body string) string {
	b.t.Helper()
	w := b.send(method, "/control/"+path, body, false)
	if w.Code != 200 {
		b.t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
	return w.Body.String()
}

// create makes a payment of 1499 USD that expires in five minutes; more is
// added to its body.
func (b *bench) create(id, more string) createdView {
	b.t.Helper()
	status, body := b.call("POST", "/v1/payments", b.order(id, more))
	var v createdView
	if err := json.Unmarshal([]byte(body), &v); status != 200 || err != nil {
		b.t.Fatalf("create %s: %d %s", id, status, body)
	}
	return v
}

func (b *bench) order(id, more string) string {
	expires := b.t0.Add(5 * time.Minute).UTC().Format(time.RFC3339)
	return fmt.Sprintf(`{"id":%q,"order_id":"o1","amount":{"amount":1499,"currency":"USD"},"description":"2 seats","notify_url":"http://shop.test/callback","expires_at":%q%s}`, id, expires, more)
}

func (b *bench) state(id string) State {
	b.t.Helper()
	status, body := b.call("GET", "/v1/payments/"+id, "")
	var v paymentAnswer
	if err := json.Unmarshal([]byte(body), &v); status != 200 || err != nil {
		b.t.Fatalf("query %s: %d %s", id, status, body)
	}
	return v.Payment.State
}

func (b *bench) refund(payment, id string, amount int) (int, string) {
	return b.call("POST", "/v1/payments/"+payment+"/refunds", fmt.Sprintf(`{"id":%q,"amount":{"amount":%d,"currency":"USD"}}`, id, amount))
}
