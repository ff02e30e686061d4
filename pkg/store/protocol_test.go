package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/order"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
	"github.com/fairseat/fairseat/pkg/store/meter"
)

var (
	policy  = booking.Policy{Hold: 5 * time.Minute, Grace: 5 * time.Second, MaxSeats: 10}
	evening = time.Date(2030, 5, 1, 20, 0, 0, 0, time.UTC)
	keep    = evening.Add(72 * time.Hour)
	shows   atomic.Int64
)

// rig is the store over counted tables, with a show that no other test uses.
type rig struct {
	*store.Store
	t      *testing.T
	tables *meter.Meter
	show   catalog.ShowID
	n      int
}

func newRig(t *testing.T, tables store.Tables) *rig {
	m := meter.New(tables)
	show := catalog.ShowID(fmt.Sprintf("show-%d-%d", time.Now().UnixNano(), shows.Add(1)))
	return &rig{Store: store.New(m, policy), t: t, tables: m, show: show}
}

func memory() *memstore.DB {
	return memstore.New(memstore.Options{Clock: func() time.Time { return evening }})
}

// TestProtocol runs every transaction of the protocol on both databases: what it
// does, and what refuses it.
func TestProtocol(t *testing.T) {
	suite := []struct {
		name string
		run  func(*rig)
	}{
		{"hold", hold}, {"hold twice", holdTwice}, {"hold what is taken", holdTaken}, {"hold beyond the allowance", holdFull},
		{"hold refused leaves nothing", holdNothing}, {"hold in two blocks", holdInTwoBlocks}, {"block", block},
		{"release by the owner", releaseOwner}, {"release by expiry", releaseExpiry}, {"release of a sold hold", releaseRefund},
		{"release into the line", releaseLine}, {"release under a gate", releaseGate}, {"release refused", releaseRefused}, {"release into the line refused", releaseLineRefused},
		{"start a payment", startPayment}, {"confirm", confirm}, {"confirm refused", confirmRefused},
		{"grant anew", regrant}, {"grant anew refused", regrantRefused}, {"grant anew over itself", regrantOverItself},
		{"change a payment", changePayment}, {"wake a payment", wakePayment}, {"answer with a payment", answerPayment},
		{"gates", gates}, {"drain", drain}, {"drain refused", drainRefused}, {"no transaction", noTransaction},
		{"ask", ask}, {"number", number}, {"set aside", setAside}, {"offered at once", offeredAtOnce}, {"offer", offer}, {"offer under the bounded rule", offerPassing},
		{"lapse", lapse}, {"end many", endMany}, {"tidy", tidy}, {"accept", accept}, {"accept others", acceptOthers}, {"leave", leave}, {"cool down", coolDown},
		{"read a line", readLine}, {"read nothing of a line", readNoLine}, {"saw a line", sawLine},
		{"snapshot", snapshot}, {"postpone", postpone}, {"statuses", statuses},
		{"timers in order", timersInOrder}, {"timers outlive the grace", timersOutlive}, {"nothing there", nothingThere},
	}
	for name, tables := range map[string]store.Tables{"memstore": memory(), "ddb": service} {
		t.Run(name, func(t *testing.T) {
			for _, tt := range suite {
				t.Run(tt.name, func(t *testing.T) {
					t.Parallel()
					tt.run(newRig(t, tables))
				})
			}
		})
	}
}

func usd(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: "USD"} }

// seats are of block 0; "P-…" are premium, all others regular.
func seats(ids ...string) []booking.Seat {
	all := make([]booking.Seat, len(ids))
	for i, id := range ids {
		typ := seatmap.Regular
		if strings.HasPrefix(id, "P-") {
			typ = seatmap.Premium
		}
		all[i] = booking.Seat{ID: seatmap.SeatID(id), Type: typ, Block: "0", Price: usd(1499)}
	}
	return all
}

func (r *rig) draft(b booking.Buyer, ids ...string) booking.Hold {
	r.n++
	return booking.Hold{
		ID: booking.IDFor(b, fmt.Sprint(r.show, r.n)), Show: r.show, Buyer: b, Seats: seats(ids...), State: booking.Held,
		ExpiresAt: evening.Add(policy.Hold), Rev: 1, BodyHash: "body", MadeAt: evening,
	}
}

func (r *rig) hold(b booking.Buyer, ids ...string) booking.Hold {
	r.t.Helper()
	h := r.draft(b, ids...)
	r.must(r.Hold(r.t.Context(), h, keep, booking.Terms{}))
	return h
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) stale(err error) {
	r.t.Helper()
	if !fault.Is(err, fault.Stale) {
		r.t.Errorf("error %v, want stale", err)
	}
}

func (r *rig) taken(err error) *boxoffice.Taken {
	r.t.Helper()
	var tk *boxoffice.Taken
	if !errors.As(err, &tk) {
		r.t.Fatalf("error %v, want *Taken", err)
	}
	return tk
}

// wantClaims compares with what the seats' claims say.
func (r *rig) wantClaims(want map[seatmap.SeatID]boxoffice.Owner, ids ...string) {
	r.t.Helper()
	var ks []boxoffice.SeatKey
	for _, id := range ids {
		ks = append(ks, boxoffice.SeatKey{Seat: seatmap.SeatID(id), Block: "0"})
	}
	got, err := r.Claims(r.t.Context(), r.show, ks)
	r.must(err)
	if want == nil {
		want = map[seatmap.SeatID]boxoffice.Owner{}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		r.t.Errorf("claims (-want +got):\n%s", diff)
	}
}

func (r *rig) wantHold(want booking.Hold) {
	r.t.Helper()
	got, err := r.HoldByID(r.t.Context(), want.ID)
	r.must(err)
	if diff := cmp.Diff(want, got); diff != "" {
		r.t.Errorf("hold (-want +got):\n%s", diff)
	}
}

func (r *rig) wantAllowance(b booking.Buyer, want int) {
	r.t.Helper()
	got, err := r.Allowance(r.t.Context(), r.show, b)
	if err != nil || got != want {
		r.t.Errorf("allowance %d (%v), want %d", got, err, want)
	}
}

// timers of all shards, in order of expiry.
func (r *rig) timers(upTo time.Time) []boxoffice.Timer {
	r.t.Helper()
	var all []boxoffice.Timer
	for k := range boxoffice.Shards {
		ts, err := r.Timers(r.t.Context(), r.show, k, upTo, 0)
		r.must(err)
		if !slices.IsSortedFunc(ts, func(a, b boxoffice.Timer) int { return a.ExpiresAt.Compare(b.ExpiresAt) }) {
			r.t.Errorf("shard %d is not in order: %v", k, ts)
		}
		all = append(all, ts...)
	}
	slices.SortFunc(all, func(a, b boxoffice.Timer) int { return a.ExpiresAt.Compare(b.ExpiresAt) })
	return all
}

func (r *rig) wantTimers(want ...booking.HoldID) {
	r.t.Helper()
	got := r.timers(time.Time{})
	ids := make([]booking.HoldID, len(got))
	for i, t := range got {
		ids[i] = t.Hold
	}
	slices.Sort(ids)
	slices.Sort(want)
	if !slices.Equal(ids, want) {
		r.t.Errorf("timers of %v, want %v", ids, want)
	}
}

func (r *rig) item(table store.Table, pk, sk string) store.Item {
	r.t.Helper()
	it, err := r.tables.Get(r.t.Context(), store.Key{Table: table, PK: pk, SK: sk}, true)
	r.must(err)
	return it
}

func (r *rig) pool(seat string) store.Item {
	r.t.Helper()
	return r.item(store.Line, "LINE#"+string(r.show), "S#"+seat)
}

// ownedBy is the claims of all the hold's seats.
func ownedBy(h booking.Hold) map[seatmap.SeatID]boxoffice.Owner {
	m := map[seatmap.SeatID]boxoffice.Owner{}
	for _, s := range h.Seats {
		m[s.ID] = boxoffice.Owner{Hold: h.ID, House: h.Buyer == booking.House}
	}
	return m
}

func (r *rig) ending(h booking.Hold, cause booking.Cause, now time.Time, wanted ...seatmap.SeatType) booking.Ending {
	r.t.Helper()
	e, err := booking.Release(h, policy, cause, wanted, now)
	r.must(err)
	return e
}

// want opens the gates for the types.
func (r *rig) want(types ...seatmap.SeatType) {
	r.t.Helper()
	s, err := r.LineState(r.t.Context(), r.show, line.Reading{})
	r.must(err)
	r.must(r.CommitLine(r.t.Context(), r.show, line.State{Version: s.Version}, line.Plan{Gates: true, Wanted: types}, line.Stamp{}))
}

// bill is a payment that has begun, with its order and its hold as they are then.
type bill struct {
	hold booking.Hold
	pay  payment.Payment
	ord  order.Order
}

func (r *rig) draftBill(h booking.Hold, n int) (booking.Hold, bill) {
	r.t.Helper()
	total, err := h.Total()
	r.must(err)
	o := order.Order{
		ID: order.ID("o_" + string(h.ID)), HoldID: string(h.ID), ShowID: string(h.Show), Buyer: string(h.Buyer),
		Status: order.Pending, Total: total, CreatedAt: evening,
	}
	for _, s := range h.Seats {
		o.Seats = append(o.Seats, order.Seat{ID: string(s.ID), Type: string(s.Type), Price: s.Price})
	}
	p := payment.Payment{
		ID: payment.IDFor(string(h.ID), fmt.Sprint(n)), HoldID: string(h.ID), OrderID: string(o.ID), Buyer: string(h.Buyer),
		Provider: payment.Sandbox, State: payment.Pending, Amount: total, Hints: map[string]string{"outcome": "success"},
		BodyHash: "body", CreatedAt: evening, ExpiresAt: h.ExpiresAt, NextAskAt: evening.Add(2 * time.Second),
	}
	next, err := booking.StartPayment(h, policy, string(o.ID), string(p.ID), nil, evening)
	r.must(err)
	return next, bill{next, p, o}
}

func (r *rig) pay(h booking.Hold) bill {
	r.t.Helper()
	next, b := r.draftBill(h, 1)
	r.must(r.StartPayment(r.t.Context(), h, next, b.pay, b.ord, true, evening))
	return b
}

// sale is how a bill is settled by money.
func (r *rig) sale(b bill, hold booking.Hold) (boxoffice.PaymentChange, boxoffice.OrderChange) {
	r.t.Helper()
	p := b.pay
	p.State, p.CapturedAt, p.NextAskAt, p.ProviderRef = payment.Captured, evening, time.Time{}, "ref"
	var tickets []order.Ticket
	for _, s := range hold.Seats {
		tickets = append(tickets, order.Ticket{ID: "T", Seat: string(s.ID), Code: "code of " + string(s.ID)})
	}
	o, err := b.ord.Pay(p.ID, string(hold.ID), tickets, evening)
	r.must(err)
	return boxoffice.PaymentChange{Was: b.pay, Next: p}, boxoffice.OrderChange{Was: b.ord.Status, Next: o}
}

func (r *rig) wantOrder(want order.Order) {
	r.t.Helper()
	got, err := r.OrderByID(r.t.Context(), want.ID)
	r.must(err)
	if diff := cmp.Diff(want, got); diff != "" {
		r.t.Errorf("order (-want +got):\n%s", diff)
	}
}

func (r *rig) wantPayment(want payment.Payment) {
	r.t.Helper()
	got, err := r.PaymentByID(r.t.Context(), want.ID)
	r.must(err)
	if diff := cmp.Diff(want, got); diff != "" {
		r.t.Errorf("payment (-want +got):\n%s", diff)
	}
}
