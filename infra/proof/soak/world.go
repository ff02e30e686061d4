package main

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/fairseat/fairseat/infra/proof/agenda"
	"github.com/fairseat/fairseat/infra/proof/bank"
	"github.com/fairseat/fairseat/pkg/api"
	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/relay"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
	"github.com/fairseat/fairseat/pkg/ticket"
	"github.com/fairseat/fairseat/pkg/work"
)

const (
	grace      = 5 * time.Second
	lineCloses = 15 * time.Minute
	ttlEvery   = 20 * time.Minute // between two rounds of the database's own expiry
)

var epoch = time.Date(2030, 5, 1, 0, 0, 0, 0, time.UTC)

// plan is how large a soak is.
type plan struct {
	Seed       uint64
	Shows      int
	Days       int
	FaultEvery int // one transaction in so many goes wrong, and one read in five times as many
	LoseEvery  int // one message in so many gets lost, another is late, a third comes twice
}

// world is the product over everything that surrounds it, in one process.
type world struct {
	plan       plan
	rng        *rand.Rand
	now        time.Time
	agenda     agenda.Agenda[func()]
	cur        *task
	back       chan struct{}
	faultEvery int
	loseEvery  int

	db       *memstore.DB
	store    *store.Store
	idle     map[string][]*boxoffice.Office
	rest     map[string]func(*boxoffice.Office) api.Handler
	queues   map[relay.Queue]*queue
	mappings []*mapping
	seen     map[store.Table]string
	bank     *bank.Bank
	ledger   *ledger
	shows    map[catalog.ShowID]*evening
	people   map[string]*person // by the place in line that they have
	keys     int
	tickets  *ticket.Signer

	figures
	broken *violation
}

// figures count what happened since the beginning.
type figures struct {
	invocations, calls, faulted, killed, messages, lostMessages, deadLetters int
	walkUps, refused, begun, over                                            int
}

// violation is a broken promise.
type violation struct{ promise, text string }

func (v *violation) Error() string { return v.promise + ": " + v.text }

func (w *world) fail(promise, format string, args ...any) {
	if w.broken == nil {
		w.broken = &violation{promise, fmt.Sprintf("at %s: ", w.now.Sub(epoch)) + fmt.Sprintf(format, args...)}
	}
}

func newWorld(p plan) (*world, error) {
	w := &world{
		plan: p, rng: rand.New(rand.NewPCG(p.Seed, 1)), now: epoch, back: make(chan struct{}), faultEvery: p.FaultEvery, loseEvery: p.LoseEvery,
		idle: map[string][]*boxoffice.Office{}, seen: map[store.Table]string{}, shows: map[catalog.ShowID]*evening{}, people: map[string]*person{},
	}
	w.db = memstore.New(memstore.Options{Clock: w.Now, Window: func(memstore.Op, int) {}})
	w.store = store.New(tables{w}, w.policy())
	w.ledger = newLedger(w)
	var err error
	if w.bank, err = bank.New(w, "a secret of the soak's provider", grace); err != nil {
		return nil, err
	}
	if w.tickets, err = ticket.NewSigner("a secret of the soak's tickets"); err != nil {
		return nil, err
	}
	if err := w.programme(); err != nil {
		return nil, err
	}
	w.wire()
	w.After(ttlEvery, w.expire)
	return w, nil
}

func (*world) policy() booking.Policy {
	return booking.Policy{Hold: 5 * time.Minute, Grace: grace, MaxSeats: 10}
}

// wire builds the functions as boot does.
func (w *world) wire() {
	open := api.Edge{Clock: w.Now, Log: slog.New(slog.DiscardHandler)}
	guarded := open
	guarded.Buyer = func(token string, _ time.Time) (booking.Buyer, error) { return booking.Buyer(token), nil }
	w.rest = map[string]func(*boxoffice.Office) api.Handler{
		"reserve-seats": func(o *boxoffice.Office) api.Handler { return api.ReserveSeats(guarded, o) },
		"read-hold":     func(o *boxoffice.Office) api.Handler { return api.ReadHold(guarded, o) },
		"release-hold":  func(o *boxoffice.Office) api.Handler { return api.ReleaseHold(guarded, o) },
		"pay-hold":      func(o *boxoffice.Office) api.Handler { return api.PayHold(guarded, o) },
		"read-order":    func(o *boxoffice.Office) api.Handler { return api.ReadOrder(guarded, o) },
		"join-line":     func(o *boxoffice.Office) api.Handler { return api.JoinLine(guarded, o) },
		"read-place":    func(o *boxoffice.Office) api.Handler { return api.ReadPlace(guarded, o) },
		"answer-offer":  func(o *boxoffice.Office) api.Handler { return api.AnswerOffer(guarded, o) },
		"read-seatmap":  func(o *boxoffice.Office) api.Handler { return api.ReadSeatmap(open, o) },

		"receive-callback": func(o *boxoffice.Office) api.Handler { return api.ReceiveCallback(open, o) },
	}
	post := sender{w}
	w.queues = map[relay.Queue]*queue{
		relay.Timers:   {handler: "expire-hold", run: func(o *boxoffice.Office) work.QueueHandler { return work.ExpireHold(o, post) }, loses: true},
		relay.Payments: {handler: "ask-provider", run: work.AskProvider},
		relay.Lane:     {handler: "advance-line", run: work.AdvanceLine, fifo: true, loses: true, groups: map[string]*group{}, heard: map[string]time.Time{}},
	}
	for shard := range uint32(streamShards) {
		for _, m := range w.streams(post) {
			m.shard = shard
			w.mappings = append(w.mappings, &m)
		}
	}
}

func (w *world) streams(post sender) []mapping {
	written := func(is func(memstore.Record) bool) func(memstore.Record) bool {
		return func(r memstore.Record) bool { return r.Event != memstore.Remove && is(r) }
	}
	project := func(o *boxoffice.Office) work.StreamHandler { return work.ProjectSeatmap(o, post) }
	return []mapping{
		{handler: "relay-holds", table: store.Holds, wants: written(prefixed("HOLD#")), run: func(o *boxoffice.Office) work.StreamHandler {
			return work.RelayHolds(post, o.Store, o.Policy, w.Now)
		}},
		{handler: "project-seatmap", table: store.Holds, wants: written(prefixed("HOLD#")), run: project},
		{handler: "project-seatmap", table: store.Line, wants: isPool, run: project},
		{handler: "relay-line", table: store.Line, run: func(o *boxoffice.Office) work.StreamHandler { return work.RelayLine(post, o.Policy, w.Now) },
			wants: written(func(r memstore.Record) bool { return isPool(r) || prefixed("WAITER#")(r) })},
		{handler: "expire-timer", table: store.Timers, run: work.ExpireTimer,
			wants: func(r memstore.Record) bool { return r.Event == memstore.Remove && r.Service }},
		{handler: "relay-payments", table: store.Orders, wants: written(prefixed("PAY#")),
			run: func(*boxoffice.Office) work.StreamHandler { return work.RelayPayments(post, w.Now) }},
	}
}

// officeOf a function: one that is idle, or a new one. What it has seen it
// remembers for the next invocation.
func (w *world) officeOf(handler string) *boxoffice.Office {
	if idle := w.idle[handler]; len(idle) > 0 {
		w.idle[handler] = idle[:len(idle)-1]
		return idle[len(idle)-1]
	}
	o := &boxoffice.Office{
		Store: w.store, Lane: w.store, Catalog: w, Policy: w.policy(), Clock: w.Now, Pause: w.pause, Rand: w.rng.Uint64,
		Line: line.Standard, LineCloses: lineCloses, Tickets: w.tickets,
		NotifyURL: func(payment.Name) string { return "https://shop.example/callbacks/sandbox" },
		Provider:  func(n payment.Name) (payment.Provider, bool) { return w.bank, n == payment.Sandbox },
	}
	if handler == "read-place" {
		o.Nudge = w.nudge
	}
	return o
}

func (w *world) nudge(ctx context.Context, show catalog.ShowID, named []line.WaiterID) error {
	var first line.WaiterID
	if len(named) > 0 {
		first = named[0]
	}
	ms, err := relay.Nudge(show, first, w.now)
	for _, m := range ms {
		if err == nil {
			err = sender{w}.Send(ctx, m)
		}
	}
	return err
}

// Show and Layout are the catalogue.
func (w *world) Show(_ context.Context, id catalog.ShowID) (catalog.Show, error) {
	e, ok := w.shows[id]
	if !ok {
		return catalog.Show{}, catalog.ErrNoShow
	}
	return e.show, nil
}

func (w *world) Layout(_ context.Context, id catalog.LayoutID) (*seatmap.Layout, error) {
	return halls[id], nil
}

// serve runs a function of the API on a request. got is called once, with nil where
// no answer comes.
func (w *world) serve(handler string, ev events.APIGatewayProxyRequest, got func(*events.APIGatewayProxyResponse)) {
	var answer events.APIGatewayProxyResponse
	w.spawn(handler, func(ctx context.Context, o *boxoffice.Office) { answer, _ = w.rest[handler](o)(ctx, ev) }, func(ok bool) {
		if !ok || w.oneIn(w.faultEvery*2) {
			got(nil)
			return
		}
		got(&answer)
	})
}

// Deliver is the provider's callback.
func (w *world) Deliver(header map[string]string, body string, done func(bool)) {
	ev := events.APIGatewayProxyRequest{
		Resource: "/callbacks/{provider}", Path: "/callbacks/sandbox", HTTPMethod: "POST", PathParameters: map[string]string{"provider": "sandbox"}, Headers: header, Body: body,
	}
	w.serve("receive-callback", ev, func(r *events.APIGatewayProxyResponse) { done(r != nil && r.StatusCode == 200) })
}

// expire is one round of the database's TTL.
func (w *world) expire() {
	if len(w.db.Expire(w.now)) > 0 {
		w.collect()
	}
	w.After(ttlEvery, w.expire)
}
