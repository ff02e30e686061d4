// Package bank is the other end of a payment in a simulated world: the sandbox's
// real client, signatures and all, over an account book in memory. Time, chance and
// the way of its callbacks are the world's.
package bank

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/payment/sandbox"
)

// World is what surrounds a bank. All calls come one at a time.
type World interface {
	Now() time.Time
	After(d time.Duration, do func())
	Pick(n int) int // one of n
	// Deliver sends a callback once; done hears whether it was acknowledged.
	Deliver(header map[string]string, body string, done func(acknowledged bool))
}

// Bank is a provider's books and its client.
type Bank struct {
	*sandbox.Provider
	world  World
	secret string
	grace  time.Duration // added to the time of a hold, before late money
	events int

	Deals    map[string]*Deal // by payment
	Captured int64            // of all deals ever, in minor units
	Refunded int64
	Payments int // how many captures
	Refunds  int
}

// Deal is one payment as the provider knows it.
type Deal struct {
	ID, Order string
	Amount    money.Amount
	Expires   time.Time
	Outcome   string
	State     string // pending, captured, failed or closed
	Captures  int
	Refund    *Refund
}

// Refund is money that goes back.
type Refund struct {
	ID     string
	Amount money.Amount
	State  string // pending or done
	Times  int    // that money moved
}

// New opens an account book.
func New(w World, secret string, grace time.Duration) (*Bank, error) {
	b := &Bank{world: w, secret: secret, grace: grace, Deals: map[string]*Deal{}}
	p, err := sandbox.New(&http.Client{Transport: b}, "http://bank.example", secret, w.Now)
	b.Provider = p
	return b, err
}

// RoundTrip answers as the sandbox does, signed.
func (b *Bank) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		var err error
		if body, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
	}
	ts, asked := req.Header.Get("X-Sandbox-Timestamp"), req.Header.Get("X-Sandbox-Signature")
	status, answer := http.StatusUnauthorized, any(nil)
	if asked == b.sign(ts+".request."+req.Method+"."+req.URL.RequestURI()+".", body) {
		status, answer = b.answer(req, body)
	}
	text, err := json.Marshal(answer)
	if err != nil {
		return nil, err
	}
	h := http.Header{}
	h.Set("X-Sandbox-Timestamp", ts)
	h.Set("X-Sandbox-Signature", b.sign(ts+".answer."+strconv.Itoa(status)+"."+asked+".", text))
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(bytes.NewReader(text)), Request: req}, nil
}

func (b *Bank) sign(what string, body []byte) string {
	m := hmac.New(sha256.New, []byte(b.secret))
	m.Write([]byte(what))
	m.Write(body)
	return hex.EncodeToString(m.Sum(nil))
}

type dealView struct {
	ID     string       `json:"id"`
	Order  string       `json:"order_id"`
	Ref    string       `json:"provider_ref"`
	State  string       `json:"state"`
	Amount money.Amount `json:"amount"`
	At     string       `json:"at"`
}

type refundView struct {
	ID      string       `json:"id"`
	Payment string       `json:"payment_id"`
	Ref     string       `json:"provider_ref"`
	State   string       `json:"state"`
	Amount  money.Amount `json:"amount"`
	At      string       `json:"at"`
}

func (b *Bank) viewOf(d *Deal) dealView {
	return dealView{d.ID, d.Order, "sb-" + d.ID, d.State, d.Amount, b.world.Now().Format(time.RFC3339Nano)}
}

func (b *Bank) refundOf(d *Deal) refundView {
	return refundView{d.Refund.ID, d.ID, "sbr-" + d.Refund.ID, d.Refund.State, d.Refund.Amount, b.world.Now().Format(time.RFC3339Nano)}
}

func (b *Bank) answer(req *http.Request, body []byte) (int, any) {
	path := strings.Split(strings.TrimPrefix(req.URL.Path, "/v1/payments"), "/")
	if len(path) == 1 {
		return b.create(body)
	}
	d := b.Deals[path[1]]
	switch {
	case d == nil:
		return http.StatusNotFound, nil
	case len(path) == 2:
		return http.StatusOK, map[string]any{"payment": b.viewOf(d)}
	case path[2] == "close":
		if d.State == "pending" || d.State == "failed" {
			d.State = "closed"
		}
		return http.StatusOK, map[string]any{"payment": b.viewOf(d)}
	}
	return b.giveBack(d, body)
}

func (b *Bank) create(body []byte) (int, any) {
	var in struct {
		ID      string       `json:"id"`
		Order   string       `json:"order_id"`
		Amount  money.Amount `json:"amount"`
		Expires time.Time    `json:"expires_at"`
		Outcome string       `json:"outcome"`
	}
	if json.Unmarshal(body, &in) != nil {
		return http.StatusBadRequest, nil
	}
	d := b.Deals[in.ID]
	if d == nil {
		d = &Deal{ID: in.ID, Order: in.Order, Amount: in.Amount, Expires: in.Expires, Outcome: in.Outcome, State: "pending"}
		b.Deals[d.ID] = d
		b.begin(d)
	}
	if d.Amount != in.Amount || d.Order != in.Order {
		return http.StatusConflict, nil
	}
	v := b.viewOf(d)
	if v.State == "captured" {
		v.State = "pending" // money is told by callback or on being asked
	}
	return http.StatusOK, map[string]any{"action": map[string]string{"kind": "url", "value": "http://bank.example/pay/" + d.ID}, "payment": v}
}

func (b *Bank) begin(d *Deal) {
	w := b.world
	switch d.Outcome {
	case "success", "never":
		soon := of(w, 50*time.Millisecond, 900*time.Millisecond, 5*time.Second, 30*time.Second)
		w.After(soon, func() { b.capture(d) })
	case "late":
		end := max(d.Expires.Add(b.grace).Sub(w.Now()), 0)
		w.After(end+time.Duration(w.Pick(6))*time.Second, func() { b.capture(d) })
	case "decline":
		d.State = "failed"
		b.tell(d, "payment")
		if w.Pick(4) == 0 { // the provider lets the buyer try again
			w.After(of(w, time.Second, 5*time.Second, 40*time.Second), func() { b.capture(d) })
		}
	}
}

// of picks one of them.
func of(w World, ds ...time.Duration) time.Duration { return ds[w.Pick(len(ds))] }

// capture is the moment at which money is ours.
func (b *Bank) capture(d *Deal) {
	if d.State == "closed" || d.State == "captured" {
		return
	}
	d.State = "captured"
	d.Captures++
	b.Captured += d.Amount.Minor
	b.Payments++
	if d.Outcome != "never" {
		b.tell(d, "payment")
	}
}

func (b *Bank) giveBack(d *Deal, body []byte) (int, any) {
	var in struct {
		ID     string       `json:"id"`
		Amount money.Amount `json:"amount"`
	}
	if json.Unmarshal(body, &in) != nil || d.State != "captured" || in.Amount != d.Amount || d.Refund != nil && d.Refund.ID != in.ID {
		return http.StatusConflict, nil
	}
	if d.Refund == nil {
		d.Refund = &Refund{ID: in.ID, Amount: in.Amount, State: "pending"}
		b.world.After(of(b.world, 0, 3*time.Second, 90*time.Second), func() { b.moveBack(d) })
	}
	return http.StatusOK, map[string]any{"refund": b.refundOf(d)}
}

func (b *Bank) moveBack(d *Deal) {
	d.Refund.State = "done"
	d.Refund.Times++
	b.Refunded += d.Refund.Amount.Minor
	b.Refunds++
	b.tell(d, "refund")
}

// tell sends the callbacks of an event: one, several, late, or none.
func (b *Bank) tell(d *Deal, event string) {
	view := any(b.viewOf(d))
	if event == "refund" {
		view = b.refundOf(d)
	}
	b.events++
	body, err := json.Marshal(map[string]any{"id": fmt.Sprint("ev-", b.events), "event": event, event: view})
	if err != nil {
		panic(err) // only our own views come here
	}
	for range [...]int{1, 1, 1, 1, 1, 1, 1, 2, 3, 0}[b.world.Pick(10)] {
		wait := of(b.world, 20*time.Millisecond, 300*time.Millisecond, 2*time.Second, 20*time.Second, 2*time.Minute)
		b.world.After(wait, func() { b.deliver(string(body), 1) })
	}
}

const maxTries = 12

// deliver repeats a callback until it is acknowledged, at most so often.
func (b *Bank) deliver(body string, try int) {
	ts := strconv.FormatInt(b.world.Now().Unix(), 10)
	header := map[string]string{"X-Sandbox-Timestamp": ts, "X-Sandbox-Signature": b.sign(ts+".", []byte(body))}
	b.world.Deliver(header, body, func(acknowledged bool) {
		if !acknowledged && try < maxTries {
			b.world.After(min(time.Second<<(try-1), 5*time.Minute), func() { b.deliver(body, try+1) })
		}
	})
}
