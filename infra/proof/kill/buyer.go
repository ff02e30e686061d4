package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/fairseat/fairseat/infra/proof/stage"
	"github.com/fairseat/fairseat/localstack/apiclient"
	"github.com/fairseat/fairseat/pkg/catalog"
)

// promise is what the shop has acknowledged to a buyer.
type promise struct {
	client  *apiclient.Client
	show    catalog.ShowID
	hold    apiclient.Hold
	payment apiclient.Payment // zero while nothing was acknowledged
	outcome string
	tickets []string // seat, id and code of each, sorted, as they were first seen
	gone    bool     // paying was refused: it was too late

	released bool // by himself, in time or not
}

const (
	again     = 50 * time.Millisecond // between two tries of one request
	tickIn    = 40 * time.Second      // how long a buyer waits for tickets before he buys something else
	perGuest  = 4                     // holds of one session
	mostSeats = 2                     // of one hold: four holds of two stay below ten
)

type buyer struct {
	*run
	n      int
	dice   *rand.Rand
	client *apiclient.Client
	show   catalog.ShowID
	left   int // holds that this session may still make
	mine   []*promise
}

// insist repeats a request under one key until the shop answers it, like a good client.
func (b *buyer) insist(ctx context.Context, function, method, path, key string, in, out any) error {
	for began := time.Now(); ; {
		sent := time.Now()
		c := *b.client
		c.Base = b.base()
		err := c.Call(ctx, method, path, key, in, out)
		var p *apiclient.Problem
		if err == nil || errors.As(err, &p) && p.Status < 500 {
			b.deaths.answered(function, sent, time.Now())
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if b.unanswered.Add(1); time.Since(began) > b.patience {
			return fmt.Errorf("no answer within %v: %w", b.patience, err)
		}
		pause(ctx, again)
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

func code(err error) string {
	var p *apiclient.Problem
	if errors.As(err, &p) {
		return p.Code
	}
	return ""
}

func (b *buyer) key() string { return strconv.FormatUint(b.dice.Uint64(), 36) }

// shop buys until stop is closed; ctx ends everything.
func (b *buyer) shop(ctx context.Context, stop <-chan struct{}) error {
	for {
		select {
		case <-stop:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		default:
		}
		if err := b.once(ctx); err != nil {
			return fmt.Errorf("buyer %d: %w", b.n, err)
		}
	}
}

func (b *buyer) once(ctx context.Context) error {
	if err := b.enter(ctx); err != nil {
		return err
	}
	p, err := b.reserve(ctx)
	if p == nil || err != nil {
		return err
	}
	if err := b.pay(ctx, p); err != nil || p.gone {
		return err
	}
	if p.outcome == "success" {
		err = b.await(ctx, p)
	}
	if err == nil {
		err = b.lookBack(ctx)
	}
	return err
}

// enter goes to the show that sells now, with a session that may still hold seats.
func (b *buyer) enter(ctx context.Context) error {
	show, err := b.onSale(ctx)
	if err != nil || show == b.show && b.left > 0 {
		return err
	}
	return b.become(ctx, show, perGuest)
}

// become takes a new session, for so many holds of the show.
func (b *buyer) become(ctx context.Context, show catalog.ShowID, holds int) error {
	guest := apiclient.Client{Base: b.base(), Key: stage.DeveloperKey, HTTP: b.wire}
	for ctx.Err() == nil {
		if guest.Base = b.base(); guest.Session(ctx) == nil {
			b.client, b.show, b.left = &guest, show, holds
			return nil
		}
		pause(ctx, again)
	}
	return ctx.Err()
}

func (b *buyer) reserve(ctx context.Context) (*promise, error) {
	row := b.hall.Row(b.dice.IntN(len(b.hall.Layout.Sections()[0].Rows)))
	n := 1 + b.dice.IntN(mostSeats)
	from := b.dice.IntN(len(row) - n + 1)
	path, key, body := "/shows/"+string(b.show)+"/holds", b.key(), map[string]any{"seats": row[from : from+n]}
	var h apiclient.Hold
	err := b.insist(ctx, "ReserveSeats", http.MethodPost, path, key, body, &h)
	switch code(err) {
	case "seats_unavailable", "seat_limit_reached":
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reserve: %w", err)
	}
	b.left--
	if b.dice.IntN(4) == 0 {
		var same apiclient.Hold
		if err := b.insist(ctx, "ReserveSeats", http.MethodPost, path, key, body, &same); err != nil || same.ID != h.ID || !slices.Equal(same.Seats, h.Seats) {
			b.object("the same request to hold %s was answered %s, %v", h.ID, same.ID, err)
		}
	}
	p := &promise{client: b.client, show: b.show, hold: h}
	b.mine = append(b.mine, p)
	b.keep(p)
	return p, nil
}

func (b *buyer) pay(ctx context.Context, p *promise) error {
	p.outcome = []string{"success", "success", "success", "success", "never", "late", "decline"}[b.dice.IntN(7)]
	path, key, body := "/holds/"+p.hold.ID+"/payments", b.key(), map[string]string{"provider": "sandbox", "outcome": p.outcome}
	var got apiclient.Payment
	err := b.insist(ctx, "PayHold", http.MethodPost, path, key, body, &got)
	switch code(err) {
	case "hold_expired":
		p.gone = true
		return nil
	case "already_paid": // under another key of his there is none
		b.object("hold %s is paid by nobody", p.hold.ID)
		return nil
	}
	if err != nil {
		return fmt.Errorf("pay: %w", err)
	}
	p.payment = got
	if b.dice.IntN(4) == 0 {
		var same apiclient.Payment
		if err := b.insist(ctx, "PayHold", http.MethodPost, path, key, body, &same); err != nil || same.ID != got.ID || same.OrderID != got.OrderID {
			b.object("the same request to pay hold %s was answered %+v, %v, after %+v", p.hold.ID, same, err, got)
		}
	}
	return nil
}

// await waits for tickets, for a time.
func (b *buyer) await(ctx context.Context, p *promise) error {
	for end := time.Now().Add(tickIn); time.Now().Before(end); pause(ctx, 2*again) {
		o, err := b.order(ctx, p)
		if err != nil || o.Status != "PENDING" && o.Status != "CANCELLED" {
			return err
		}
	}
	return nil
}

// order reads a promise's, and compares it with what was seen before.
func (b *buyer) order(ctx context.Context, p *promise) (apiclient.Order, error) {
	was := b.client
	b.client = p.client
	defer func() { b.client = was }()
	var o apiclient.Order
	if err := b.insist(ctx, "ReadOrder", http.MethodGet, "/orders/"+p.payment.OrderID, "", nil, &o); err != nil {
		return o, fmt.Errorf("order %s: %w", p.payment.OrderID, err)
	}
	b.compare(p, o)
	return o, nil
}

// lookBack reads what was acknowledged long ago.
func (b *buyer) lookBack(ctx context.Context) error {
	p := b.mine[b.dice.IntN(len(b.mine))]
	if p.payment.OrderID == "" {
		return nil
	}
	b.lookedBack.Add(1)
	_, err := b.order(ctx, p)
	return err
}
