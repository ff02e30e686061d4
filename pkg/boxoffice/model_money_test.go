package boxoffice_test

import (
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/payment"
)

// learn takes over from the tables that a hold has ended; that it was allowed to
// is what the invariants judge.
func (m *machine) learn(id booking.HoldID, h *naiveHold) {
	if now := m.holdNow(id); !now.State.Live() {
		m.over(h, now.State)
	}
}

func (m *machine) begin(rt *rapid.T) {
	id, h := m.some(rt)
	if h == nil {
		return
	}
	w := payWish(booking.Hold{ID: id, Buyer: h.buyer}, fmt.Sprint("p", m.begun))
	m.begun++
	var p payment.Payment
	err := m.insist(rt, func() (err error) { p, err = m.Pay(m.ctx(), w); return err })
	in := h.state == booking.Held && m.clock.Now().Before(h.expires.Add(policy.Grace))
	m.learn(id, h)
	if in != (err == nil) {
		rt.Fatalf("pay for a %v hold: %v", h.state, err)
	}
	if err == nil && m.naive.pays[p.ID] == nil {
		m.naive.pays[p.ID] = &naivePay{id, payment.Pending}
	}
}

func (m *machine) payment(rt *rapid.T) (payment.ID, *naivePay) {
	ids := make([]payment.ID, 0, len(m.naive.pays))
	for id := range m.naive.pays {
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		return "", nil
	}
	slices.Sort(ids)
	id := rapid.SampledFrom(ids).Draw(rt, "payment")
	return id, m.naive.pays[id]
}

// callback is what the provider says, perhaps for the third time.
func (m *machine) callback(rt *rapid.T) {
	id, _ := m.payment(rt)
	if id == "" {
		return
	}
	captured := m.bank.pays[id].state == payment.ReportCaptured
	r := m.bank.report(m.bank.pays[id])
	switch say := rapid.SampledFrom([]string{"captured", "captured", "failed", "again"}).Draw(rt, "says"); {
	case say == "captured":
		r = m.bank.capture(id)
	case say == "failed" && !captured:
		r = m.bank.decline(id)
	}
	if err := m.insist(rt, func() error { return m.Settle(m.ctx(), r) }); err != nil {
		rt.Fatalf("callback %+v: %v", r, err)
	}
	m.settled(rt, id)
}

// settled compares what became of a payment with the naive rules.
func (m *machine) settled(rt *rapid.T, id payment.ID) {
	np := m.naive.pays[id]
	h := m.naive.holds[np.hold]
	p, err := m.store.PaymentByID(m.ctx(), id)
	if err != nil {
		rt.Fatal(err)
	}
	now := m.clock.Now()
	if np.state != payment.Pending && np.state != payment.Failed || p.State == np.state {
		if p.State != np.state && p.State != payment.Refunded {
			rt.Fatalf("payment %s went from %s to %s", id, np.state, p.State)
		}
		np.state = p.State
		m.learn(np.hold, h)
		return
	}
	np.state = p.State
	inTime := h.state == booking.Held && now.Before(h.expires.Add(policy.Grace))
	m.learn(np.hold, h)
	switch {
	case p.State == payment.Captured && inTime:
		h.state, h.paidBy = booking.Sold, id
	case p.State == payment.Captured:
		if h.state == booking.Sold || h.again || !m.naive.free(h.seats, now) || m.isAside(h.seats) || m.naive.has(h.buyer, now)+len(h.seats) > policy.MaxSeats {
			rt.Fatalf("late payment %s bought seats that were not free", id)
		}
		h.again, h.paidBy = true, id
	case p.State == payment.Refunding || p.State == payment.Refunded:
		if inTime {
			rt.Fatalf("payment %s was in time and goes back", id)
		}
	}
}

func (m *machine) ask(rt *rapid.T) {
	id, _ := m.payment(rt)
	if id == "" {
		return
	}
	p, err := m.store.PaymentByID(m.ctx(), id)
	if err != nil || p.NextAskAt.IsZero() || p.NextAskAt.Sub(m.clock.Now()) > time.Minute {
		return
	}
	if m.clock.Now().Before(p.NextAskAt) && rapid.Bool().Draw(rt, "wait") {
		m.clock.set(p.NextAskAt)
	}
	if err := m.insist(rt, func() error { return m.Ask(m.ctx(), id, p.NextAskAt) }); err != nil {
		rt.Fatalf("ask: %v", err)
	}
	m.settled(rt, id)
}
