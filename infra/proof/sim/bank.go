package main

import (
	"bytes"
	"context"
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

	"github.com/aws/aws-lambda-go/events"

	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/payment/sandbox"
)

// provider is the sandbox's real client, signatures and all, over the simulated
// line to an account book in memory.
type provider struct {
	*sandbox.Provider
	w     *world
	book  map[string]*deal
	order []*deal // as they came
}

// deal is one payment as the provider knows it.
type deal struct {
	id, order string
	amount    money.Amount
	expires   time.Time
	outcome   string
	state     string
	created   time.Time
	captures  int
	refund    *moneyBack
}

type moneyBack struct {
	id     string
	amount money.Amount
	state  string
	times  int // that money moved
}

func newProvider(w *world) *provider {
	b := &provider{w: w, book: map[string]*deal{}}
	b.Provider = newSandbox(w, b)
	return b
}

// over is the frame of every request to the provider. late is what arrives when the
// caller has given up.
func over[T any](b *provider, call string, do func() (T, error)) (nothing T, err error) {
	w := b.w
	w.cur.call = call
	f, alive := w.enter(bank)
	if !alive {
		return nothing, errDead
	}
	switch f {
	case throttle:
		return nothing, payment.ErrProviderDown
	case lost:
		return nothing, payment.ErrOutcome
	case late:
		wait := time.Duration(of(w.tape, 100, 2000, 9000)) * time.Millisecond
		w.spawn(network, "", wait, func(context.Context) { _, _ = do() }, nil)
		return nothing, payment.ErrOutcome
	}
	v, err := do()
	w.trace(w.cur, "provider", err)
	if !w.leave(f) {
		return nothing, errDead
	}
	if f == replyLost {
		return nothing, payment.ErrOutcome
	}
	return v, err
}

func (b *provider) Create(ctx context.Context, in payment.Intent) (payment.Created, error) {
	return over(b, "Create", func() (payment.Created, error) { return b.Provider.Create(ctx, in) })
}

func (b *provider) Query(ctx context.Context, r payment.Ref) (payment.Report, error) {
	return over(b, "Query", func() (payment.Report, error) { return b.Provider.Query(ctx, r) })
}

func (b *provider) Close(ctx context.Context, r payment.Ref) (payment.Report, error) {
	return over(b, "Close", func() (payment.Report, error) { return b.Provider.Close(ctx, r) })
}

func (b *provider) Refund(ctx context.Context, r payment.RefundRequest) (payment.RefundReport, error) {
	return over(b, "Refund", func() (payment.RefundReport, error) { return b.Provider.Refund(ctx, r) })
}

// RoundTrip is the other end: it answers as the sandbox does, signed.
func (b *provider) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	ts, asked := req.Header.Get("X-Sandbox-Timestamp"), req.Header.Get("X-Sandbox-Signature")
	status, answer := http.StatusUnauthorized, any(nil)
	if asked == sign(ts+".request."+req.Method+"."+req.URL.RequestURI()+".", body) {
		status, answer = b.answer(req, body)
	}
	text, err := json.Marshal(answer)
	if err != nil {
		return nil, err
	}
	h := http.Header{}
	h.Set("X-Sandbox-Timestamp", ts)
	h.Set("X-Sandbox-Signature", sign(ts+".answer."+strconv.Itoa(status)+"."+asked+".", text))
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(bytes.NewReader(text)), Request: req}, nil
}

func sign(what string, body []byte) string {
	m := hmac.New(sha256.New, []byte(secret))
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

type backView struct {
	ID      string       `json:"id"`
	Payment string       `json:"payment_id"`
	Ref     string       `json:"provider_ref"`
	State   string       `json:"state"`
	Amount  money.Amount `json:"amount"`
	At      string       `json:"at"`
}

func (b *provider) viewOf(d *deal) dealView {
	return dealView{d.id, d.order, "sb-" + d.id, d.state, d.amount, b.w.now.Format(time.RFC3339Nano)}
}

func (b *provider) backOf(d *deal) backView {
	return backView{d.refund.id, d.id, "sbr-" + d.refund.id, d.refund.state, d.refund.amount, b.w.now.Format(time.RFC3339Nano)}
}

func (b *provider) answer(req *http.Request, body []byte) (int, any) {
	path := strings.Split(strings.TrimPrefix(req.URL.Path, "/v1/payments"), "/")
	if len(path) == 1 {
		return b.create(body)
	}
	d := b.book[path[1]]
	switch {
	case d == nil:
		return http.StatusNotFound, nil
	case len(path) == 2:
		return http.StatusOK, map[string]any{"payment": b.viewOf(d)}
	case path[2] == "close":
		if d.state == "pending" || d.state == "failed" {
			d.state = "closed"
		}
		return http.StatusOK, map[string]any{"payment": b.viewOf(d)}
	}
	return b.giveBack(d, body)
}

func (b *provider) create(body []byte) (int, any) {
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
	d := b.book[in.ID]
	if d == nil {
		d = &deal{id: in.ID, order: in.Order, amount: in.Amount, expires: in.Expires, outcome: in.Outcome, state: "pending", created: b.w.now}
		b.book[d.id] = d
		b.order = append(b.order, d)
		b.begin(d)
	}
	if d.amount != in.Amount || d.order != in.Order {
		return http.StatusConflict, nil
	}
	v := b.viewOf(d)
	if v.State == "captured" {
		v.State = "pending" // money is told by callback or on being asked
	}
	return http.StatusOK, map[string]any{"action": map[string]string{"kind": "url", "value": "http://bank.example/pay/" + d.id}, "payment": v}
}

func (b *provider) begin(d *deal) {
	w := b.w
	end := d.expires.Add(grace).Sub(w.now)
	soon := time.Duration(of(w.tape, 0, 0, 50, 900, 5000, 30_000)) * time.Millisecond
	switch d.outcome {
	case "success", "never":
		if soon == 0 {
			b.capture(d)
			return
		}
		w.after(soon, func() { b.capture(d) })
	case "late":
		w.after(max(end, 0)+time.Duration(w.tape.pick(6)*1000)*time.Millisecond, func() { b.capture(d) })
	case "decline":
		d.state = "failed"
		b.call(d, "payment")
		if w.tape.oneIn(4) { // the provider lets the buyer try again
			w.after(time.Duration(of(w.tape, 1, 5, 40))*time.Second, func() { b.capture(d) })
		}
	}
}

// capture is the moment at which money is ours.
func (b *provider) capture(d *deal) {
	if d.state == "closed" || d.state == "captured" {
		return
	}
	d.state = "captured"
	d.captures++
	b.w.note(nil, "the provider captures "+d.id)
	if d.outcome != "never" {
		b.call(d, "payment")
	}
}

func (b *provider) giveBack(d *deal, body []byte) (int, any) {
	var in struct {
		ID     string       `json:"id"`
		Amount money.Amount `json:"amount"`
	}
	if json.Unmarshal(body, &in) != nil || d.state != "captured" || in.Amount != d.amount || d.refund != nil && d.refund.id != in.ID {
		return http.StatusConflict, nil
	}
	if d.refund == nil {
		d.refund = &moneyBack{id: in.ID, amount: in.Amount, state: "pending"}
		w := b.w
		if wait := of(w.tape, 0, 0, 3, 90); wait > 0 {
			w.after(time.Duration(wait)*time.Second, func() {
				b.moveBack(d)
				b.call(d, "refund")
			})
		} else {
			b.moveBack(d)
		}
	}
	return http.StatusOK, map[string]any{"refund": b.backOf(d)}
}

func (b *provider) moveBack(d *deal) {
	d.refund.state = "done"
	d.refund.times++
	b.w.note(nil, "the provider gives "+d.id+" back")
	b.w.judge.refunded(d)
}

// call sends the callbacks of an event: several, late, or none; each is repeated
// until it is acknowledged, at most so often.
func (b *provider) call(d *deal, event string) {
	w := b.w
	view := any(b.viewOf(d))
	if event == "refund" {
		view = b.backOf(d)
	}
	body, err := json.Marshal(map[string]any{"id": fmt.Sprintf("ev-%d", w.agenda.Planned()), "event": event, event: view})
	if err != nil {
		panic(err) // only our own views come here
	}
	copies := of(w.tape, 1, 1, 1, 2, 3, 0)
	if w.silent() {
		copies = 0
	}
	for range copies {
		wait := time.Duration(of(w.tape, 20, 50, 300, 2000, 20_000, 120_000)) * time.Millisecond
		w.after(wait, func() { b.deliver(string(body), 1) })
	}
}

const maxCalls = 12

func (b *provider) deliver(body string, try int) {
	w := b.w
	ts := strconv.FormatInt(w.now.Unix(), 10)
	ev := events.APIGatewayProxyRequest{
		Resource: "/callbacks/{provider}", Path: "/callbacks/sandbox", HTTPMethod: http.MethodPost, PathParameters: map[string]string{"provider": "sandbox"},
		Headers: map[string]string{"X-Sandbox-Timestamp": ts, "X-Sandbox-Signature": sign(ts+".", []byte(body))}, Body: body,
	}
	w.serve("receive-callback", "", ev, func(r *events.APIGatewayProxyResponse) {
		if r != nil && r.StatusCode == http.StatusOK {
			w.judge.acknowledged(body)
			if w.calm || !w.tape.oneIn(16) {
				return // else the acknowledgement gets lost
			}
		}
		if try < maxCalls {
			gap := min(time.Second<<(try-1), 5*time.Minute)
			w.after(gap, func() { b.deliver(body, try+1) })
		}
	})
}
