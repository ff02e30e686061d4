package sim

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// Options of a simulator. All but Wire, Title, Data and Transport are required.
type Options struct {
	Wire      Wire          // nil is the sandbox's own
	Title     string        // whose page a buyer sees; "Sandbox" if empty
	Secret    string        // shared with the client by the sandbox's wire, and of the pages' addresses
	Grace     time.Duration // added to expires_at before a late capture
	Now       func() time.Time
	Random    func(n int64) int64 // a number in [0, n)
	Log       *slog.Logger
	URL       string            // where the handler is reached, for the buyer's page
	Data      string            // journal file; "" keeps everything in memory
	Transport http.RoundTripper // for callbacks; nil is net/http's own
}

// Defaults are what a payment gets that asks for nothing, and how refunds and
// answers behave. Fault spoils signed calls: "unavailable" answers 503 and does
// nothing, "lost" does it and answers 500 without a signature.
type Defaults struct {
	Outcome       Outcome `json:"outcome"`
	Callback      Manner  `json:"callback"`
	RefundDelayMS int64   `json:"refund_delay_ms"` // 0: refunds are decided at once, without a callback
	RefundFails   bool    `json:"refund_fails"`    // refunds end without money
	Fault         string  `json:"fault"`
}

func (d Defaults) check() *Problem {
	if !d.Outcome.valid() || !d.Callback.valid() || d.RefundDelayMS < 0 || d.RefundDelayMS > 86_400_000 {
		return badRequest("defaults are out of range")
	}
	if d.Fault != "" && d.Fault != "unavailable" && d.Fault != "lost" {
		return badRequest("fault is unavailable, lost or empty")
	}
	return nil
}

// settings outlive a restart with the rest.
type settings struct {
	Defaults Defaults      `json:"defaults"`
	Holding  bool          `json:"holding"`
	Ahead    time.Duration `json:"ahead"` // how far Advance has put the clock forward
}

const callbackDelay = 50 * time.Millisecond

// Sim is the simulator's state. Its methods are safe for concurrent use.
type Sim struct {
	opt    Options
	client *http.Client
	slots  chan struct{} // callbacks in flight
	wake   chan struct{}

	mu        sync.Mutex
	payments  map[string]*Payment
	refunds   map[string]*Refund
	callbacks []*Callback
	set       settings
	due       agenda
	journal   *journal
}

// New makes a simulator and reads its journal, if it has one.
func New(opt Options) (*Sim, error) {
	if opt.Secret == "" || opt.Now == nil || opt.Random == nil || opt.Log == nil {
		return nil, errors.New("sandbox: secret, clock, random source or log is missing")
	}
	if opt.Wire == nil {
		opt.Wire = own{opt.Secret}
	}
	opt.Title = cmp.Or(opt.Title, "Sandbox")
	s := &Sim{
		opt:      opt,
		client:   &http.Client{Transport: opt.Transport, Timeout: 10 * time.Second, CheckRedirect: noRedirect},
		slots:    make(chan struct{}, 32),
		wake:     make(chan struct{}, 1),
		payments: map[string]*Payment{},
		refunds:  map[string]*Refund{},
		set:      settings{Defaults: Defaults{Outcome: Person}},
		journal:  &journal{},
	}
	if opt.Data != "" {
		if err := s.open(opt.Data); err != nil {
			return nil, fmt.Errorf("open %s: %w", opt.Data, err)
		}
	}
	return s, nil
}

func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Close gives up the journal. Run must have returned.
func (s *Sim) Close() error { return s.journal.close() }

// now is the simulator's time; signatures use the true one.
func (s *Sim) now() time.Time {
	return s.opt.Now().Add(s.set.Ahead).UTC().Truncate(time.Millisecond)
}

// create is idempotent by the payment's number.
func (s *Sim) create(o Order) (*Payment, error) {
	if bad := o.check(); bad != nil {
		return nil, bad
	}
	if p, ok := s.payments[o.ID]; ok {
		if !p.same(o) {
			return nil, ErrOther
		}
		return p, nil
	}
	p := &Payment{
		ID: o.ID, Order: o.Order, Amount: o.Amount, Description: o.Description, NotifyURL: o.NotifyURL,
		ExpiresAt: o.ExpiresAt.UTC(), Outcome: o.Outcome, Callback: s.set.Defaults.Callback,
		Ref: s.opt.Wire.Ref(OfPayment, o.ID), Extra: o.Extra, State: Pending, CreatedAt: s.now(), At: s.now(),
	}
	if p.Outcome == "" {
		p.Outcome = s.set.Defaults.Outcome
	}
	if o.Callback != nil {
		p.Callback = *o.Callback
	}
	s.payments[p.ID] = p
	s.begin(p)
	return p, nil
}

// begin starts a payment on the way to its outcome.
func (s *Sim) begin(p *Payment) {
	end := p.ExpiresAt.Add(s.opt.Grace)
	switch p.Outcome {
	case Success:
		s.turn(p, Captured)
	case Decline:
		s.turn(p, Failed)
	case Never:
		p.Callback.Drop = true
		s.turn(p, Captured)
	case Late:
		s.appoint(p, end.Add(time.Duration(s.opt.Random(int64(5*time.Second)))))
	case Person:
		s.appoint(p, end)
	}
}

func (s *Sim) appoint(p *Payment, at time.Time) {
	p.DueAt = at
	s.plan(entry{at: at, payment: p.ID})
	s.save(record{Payment: p})
}

// turn changes a payment's state and tells the shop, as far as its provider would.
func (s *Sim) turn(p *Payment, to State) {
	p.State, p.At, p.DueAt = to, s.now(), time.Time{}
	if to == Captured {
		p.Seen, p.PaidAt = true, p.At
	}
	s.save(record{Payment: p})
	s.opt.Log.Info("payment", "payment", p.ID, "order", p.Order, "state", p.State, "outcome", p.Outcome)
	s.notify(p, nil)
}

// ripen is what happens to a payment by itself when its time has come.
func (s *Sim) ripen(p *Payment) {
	if p.Outcome == Late {
		s.turn(p, Captured)
		return
	}
	s.turn(p, Closed)
}

// decide is what a person does on the page.
func (s *Sim) decide(id, decision string) (*Payment, error) {
	p, ok := s.payments[id]
	if !ok {
		return nil, ErrNotFound
	}
	to, ok := map[string]State{"approve": Captured, "decline": Failed}[decision]
	if !ok {
		return nil, badRequest("decision is approve or decline")
	}
	if p.State != Pending {
		return p, errNotPending
	}
	s.turn(p, to)
	return p, nil
}

// pay is money that no rule stands against: after a refusal, or after the close.
func (s *Sim) pay(id string) (*Payment, error) {
	p, ok := s.payments[id]
	if !ok {
		return nil, ErrNotFound
	}
	if p.State == Captured {
		return p, errNotPending
	}
	s.turn(p, Captured)
	return p, nil
}

// shut ends a pending payment; of any other it tells how it stands.
func (s *Sim) shut(id string) (*Payment, error) {
	p, ok := s.payments[id]
	if !ok {
		return nil, ErrNotFound
	}
	if p.State == Pending {
		s.turn(p, Closed)
	}
	return p, nil
}

// refund is idempotent by the refund's number.
func (s *Sim) refund(payment string, want Refund) (*Refund, error) {
	if !number(want.ID) || !want.Amount.Valid() || want.Amount.Minor == 0 {
		return nil, badRequest("id or amount has not the form of one")
	}
	p, ok := s.payments[payment]
	if !ok {
		return nil, ErrNotFound
	}
	if r, ok := s.refunds[want.ID]; ok {
		if r.Payment != payment || r.Amount != want.Amount {
			return nil, ErrOther
		}
		return r, nil
	}
	if p.State != Captured {
		return nil, ErrNotPaid
	}
	if want.Amount.Currency != p.Amount.Currency || want.Amount.Minor > p.Amount.Minor-p.Refunded {
		return nil, ErrTooMuch
	}
	return s.giveBack(p, want), nil
}

func (s *Sim) giveBack(p *Payment, want Refund) *Refund {
	r := &want
	r.Payment, r.Ref, r.State, r.At = p.ID, s.opt.Wire.Ref(OfRefund, want.ID), Pending, s.now()
	r.CreatedAt, r.DueAt = r.At, time.Time{}
	s.refunds[r.ID] = r
	p.Refunded += r.Amount.Minor
	if delay := time.Duration(s.set.Defaults.RefundDelayMS) * time.Millisecond; delay > 0 {
		r.DueAt = s.now().Add(delay)
		s.plan(entry{at: r.DueAt, refund: r.ID})
	} else {
		s.end(p, r)
	}
	// One record for both: a refund without its sum could be overdrawn after a crash.
	s.save(record{Payment: p, Refund: r})
	s.opt.Log.Info("refund", "refund", r.ID, "payment", p.ID, "state", r.State)
	return r
}

// end decides a refund; one that fails leaves its part to be given back.
func (s *Sim) end(p *Payment, r *Refund) {
	r.State, r.At, r.DueAt = Done, s.now(), time.Time{}
	if s.set.Defaults.RefundFails {
		r.State = Failed
		p.Refunded -= r.Amount.Minor
	}
}

func (s *Sim) finish(r *Refund) {
	p := s.payments[r.Payment]
	s.end(p, r)
	s.save(record{Payment: p, Refund: r})
	s.opt.Log.Info("refund", "refund", r.ID, "payment", r.Payment, "state", r.State)
	s.notify(p, r)
}
