package boxoffice_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
)

// news are the records of holds and pool items that nobody has projected yet.
type news struct {
	d       *desk
	seen    map[store.Table]string
	open    []memstore.Record
	refused int
}

func (n *news) hear() {
	for _, table := range []store.Table{store.Holds, store.Line} {
		for _, r := range n.d.db.Records(table, n.seen[table]) {
			n.seen[table] = r.Sequence
			n.open = append(n.open, r)
		}
	}
}

// project tries those open records alone that are let; what is refused stays.
func (n *news) project(let func() bool) {
	n.hear()
	n.open = slices.DeleteFunc(n.open, func(r memstore.Record) bool {
		if !let() {
			return false
		}
		it := r.New
		if it == nil {
			it = r.Old
		}
		var err error
		if show, seat, ok := store.PoolSeat(it); ok {
			err = n.d.Project(n.d.ctx(), show, []seatmap.SeatID{seat})
		} else if store.IsHold(it) {
			h := must(store.HoldFromItem(it))
			var alive []booking.HoldID
			if h.State.Live() {
				alive = append(alive, h.ID)
			}
			var seats []seatmap.SeatID
			for _, s := range h.Seats {
				seats = append(seats, s.ID)
			}
			err = n.d.Project(n.d.ctx(), h.Show, seats, alive...)
		}
		if err != nil && !fault.Is(err, fault.Busy) {
			n.d.t.Errorf("%s of %s: %v", r.Event, r.Key.PK, err)
		} else if err != nil {
			n.refused++
		}
		return err == nil
	})
}

// TestRecordBeforeItsTransaction: the records of a transaction come while others of
// its items, in any order, are still landing, and older ones about the same seats come
// in between. When each record was acknowledged once, the map is true.
func TestRecordBeforeItsTransaction(t *testing.T) {
	refused := 0
	for name, act := range map[string]struct {
		before func(*desk) booking.Hold
		do     func(*desk, booking.Hold)
		want   string
	}{
		"hold": {func(d *desk) booking.Hold {
			h := d.hold("bob", "k", "A-1", "A-2", "B-1")
			d.giveBack(h)
			return h
		}, func(d *desk, _ booking.Hold) { d.hold("ann", "k", "A-1", "A-2", "B-1") }, "hh.... h..... ...... ......"},
		"given back": {
			func(d *desk) booking.Hold { return d.hold("ann", "k", "A-1", "A-2", "B-1") },
			func(d *desk, h booking.Hold) { d.giveBack(h) }, "...... ...... ...... ......",
		},
		"given back to the line": {
			func(d *desk) booking.Hold {
				h := d.hold("ann", "k", "A-1", "A-2", "B-1")
				d.want(seatmap.Regular)
				return h
			},
			func(d *desk, h booking.Hold) { d.giveBack(h) }, "ll.... l..... ...... ......",
		},
		"drained": {
			func(d *desk) booking.Hold { d.setAside("ann", "A-1", "A-2", "B-1"); return booking.Hold{} },
			func(d *desk, _ booking.Hold) {
				if err := d.RunLane(d.ctx(), matinee, boxoffice.Wake{}); err != nil {
					t.Error(err)
				}
			}, "...... ...... ...... ......",
		},
		"blocked": {nil, func(d *desk, _ booking.Hold) {
			if _, err := d.Block(d.ctx(), boxoffice.Wish{Key: "h", Show: matinee, Seats: []seatmap.SeatID{"C-1", "C-2"}}); err != nil {
				t.Error(err)
			}
		}, "...... ...... bb.... ......"},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(200) {
				d := newDesk(t)
				d.wantMap("...... ...... ...... ......")
				n := &news{d: d, seen: map[store.Table]string{}}
				var h booking.Hold
				if act.before != nil {
					h = act.before(d)
				}
				rng := rand.New(rand.NewPCG(seed, 1))
				maybe := func() bool { return rng.IntN(3) == 0 }
				d.landing(rng, func() { n.project(maybe) })
				act.do(d, h)
				d.window, d.swaps = nil, nil
				refused += n.refused
				if n.project(func() bool { return true }); len(n.open) > 0 {
					t.Errorf("seed %d: %d records refused at rest", seed, len(n.open))
				}
				if d.wantMap(act.want); t.Failed() {
					t.Fatal(fmt.Sprint("seed ", seed))
				}
			}
		})
	}
	if refused == 0 {
		t.Error("no record ever came before its transaction")
	}
}

// TestNoOrderYet: while a payment begins, its items land in any order, and its own buyer
// asks again or gives the hold back. He may be told to wait; not that his hold, which
// names an order and a payment already, is not there.
func TestNoOrderYet(t *testing.T) {
	busy := 0
	for seed := range uint64(60) {
		d := newDesk(t)
		h := d.hold("ann", "k", "A-1")
		rng := rand.New(rand.NewPCG(seed, 1))
		d.landing(rng, func() {
			_, paid := d.Pay(d.ctx(), payWish(h, "another"))
			for act, err := range map[string]error{"pay": paid, "give back": d.GiveBack(d.ctx(), h.Buyer, h.ID)} {
				if fault.Is(err, fault.NotFound) {
					t.Errorf("seed %d: %s: %v", seed, act, err)
				}
				if fault.Is(err, fault.Busy) {
					busy++
				}
			}
		})
		_, _ = d.Pay(d.ctx(), payWish(h, "p"))
		d.window, d.swaps = nil, nil
	}
	if busy == 0 {
		t.Error("nobody ever met a payment that was landing")
	}
}

// TestDoubleClickRefused: while a payment begins, its items land in any order, and the
// same click comes again; the provider refuses the buyer at once. That is what both are
// told, or to wait; not that the hold is not there.
func TestDoubleClickRefused(t *testing.T) {
	busy := 0
	for seed := range uint64(60) {
		d := newDesk(t)
		h := d.hold("ann", "k", "A-1")
		d.bank.limit = true
		d.landing(rand.New(rand.NewPCG(seed, 1)), func() {
			_, err := d.Pay(d.ctx(), payWish(h, "p"))
			if fault.Is(err, fault.Busy) {
				busy++
			} else if err != nil {
				t.Errorf("seed %d: %v", seed, explain(err))
			}
		})
		_, err := d.Pay(d.ctx(), payWish(h, "p"))
		d.window, d.swaps = nil, nil
		if err != nil && !fault.Is(err, fault.Busy) {
			t.Errorf("seed %d: the first: %v", seed, explain(err))
		}
	}
	if busy == 0 {
		t.Error("nobody ever met a payment that was landing")
	}
}

// landing lets the items of transactions land in any order, and something happen
// between any two of them.
func (d *desk) landing(rng *rand.Rand, meanwhile func()) {
	d.swaps = func(n int) []int {
		js := make([]int, n)
		for i := range js {
			js[i] = rng.IntN(i + 1)
		}
		return js
	}
	nested := false
	d.window = func(memstore.Op, int) {
		if nested {
			return
		}
		nested = true
		meanwhile()
		nested = false
	}
}
