package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
)

// TestAnswersOfTheService: what a transaction that was not refused by a condition
// means to its caller, for each method that writes.
func TestAnswersOfTheService(t *testing.T) {
	var fail memstore.Fault
	db := memstore.New(memstore.Options{
		Clock: func() time.Time { return evening },
		Faults: func(op memstore.Op) memstore.Fault {
			if op.Kind == memstore.OpTransact && fail != 0 {
				return fail
			}
			return memstore.NoFault
		},
	})
	r := newRig(t, db)
	ctx := t.Context()
	h := r.hold("ann", "C-1")
	b := r.pay(h)
	late, sold := r.late("C-2")
	p, o := r.sale(late, sold)
	next, second := r.draftBill(b.hold, 2)
	confirmed, err := booking.Confirm(b.hold, policy, string(b.pay.ID), evening)
	r.must(err)
	cp, co := r.sale(b, confirmed)
	house := r.draft(booking.House, "C-8")
	house.State = booking.Blocked
	calls := map[string]func() error{
		"hold":    func() error { return r.Hold(ctx, r.draft("bob", "C-9"), keep, booking.Terms{}) },
		"block":   func() error { return r.Block(ctx, house) },
		"release": func() error { return r.Release(ctx, r.ending(b.hold, booking.ByOwner, evening), nil) },
		"start":   func() error { return r.StartPayment(ctx, b.hold, next, second.pay, second.ord, false, evening) },
		"confirm": func() error { return r.Confirm(ctx, b.hold, confirmed, cp, co, evening) },
		"regrant": func() error { return r.Regrant(ctx, late.hold, sold, keep, p, o) },
		"change":  func() error { return r.ChangePayment(ctx, boxoffice.PaymentChange{Was: late.pay, Next: p.Next}, nil) },
		"wake":    func() error { return r.WakePayment(ctx, b.pay) },
		"lane": func() error {
			return r.CommitLine(ctx, r.show, line.State{Version: 0}, line.Plan{Gates: true}, line.Stamp{})
		},
	}
	for _, tt := range []struct {
		fault memstore.Fault
		kind  fault.Kind
	}{
		{memstore.Conflict, fault.Contended}, {memstore.Throttle, fault.Busy}, {memstore.LoseRequest, fault.Unknown},
	} {
		for name, call := range calls {
			fail = tt.fault
			if err := call(); !fault.Is(err, tt.kind) {
				t.Errorf("%s with fault %d: error %v, want kind %d", name, tt.fault, err, tt.kind)
			}
			fail = 0
		}
	}
	r.wantHold(b.hold)
	r.wantPayment(b.pay)
	r.wantPayment(late.pay)
}

// TestPartialRefusal: some seats are taken and another is in a foreign
// transaction's hands, so the list of what is taken may lack some.
func TestPartialRefusal(t *testing.T) {
	db := memory()
	r := newRig(t, db)
	h := r.hold("ann", "C-1")
	release, ok := db.Hold(store.Key{Table: store.Claims, PK: "SHOW#" + string(r.show) + "#0", SK: "C-2"})
	if !ok {
		t.Fatal("not held")
	}
	wish := r.draft("bob", "C-1", "C-2")
	tk := r.taken(r.Hold(t.Context(), wish, keep, booking.Terms{}))
	if !tk.Partial || tk.Claims["C-1"].Hold != h.ID || len(tk.Claims) != 1 {
		t.Errorf("taken %+v, want seat 1 and partial", tk)
	}
	r.must(r.Release(t.Context(), r.ending(h, booking.ByOwner, evening), nil))
	if err := r.Hold(t.Context(), wish, keep, booking.Terms{}); !fault.Is(err, fault.Contended) {
		t.Errorf("error %v, want contended", err)
	}
	release()
	r.must(r.Hold(t.Context(), wish, keep, booking.Terms{}))
}

// TestThrottledPartition: over its rate a partition refuses, and nothing is taken.
func TestThrottledPartition(t *testing.T) {
	db := memstore.New(memstore.Options{Clock: func() time.Time { return evening }, Rate: 4})
	r := newRig(t, db)
	r.must(r.Hold(t.Context(), r.draft("ann", "C-1", "C-2"), keep, booking.Terms{}))
	err := r.Hold(t.Context(), r.draft("bob", "C-3"), keep, booking.Terms{})
	if !fault.Is(err, fault.Busy) {
		t.Errorf("error %v, want busy", err)
	}
	r.wantAllowance("bob", 0)
}

// TestReadsThatFail are faults of their own, never "not found".
func TestReadsThatFail(t *testing.T) {
	db := memstore.New(memstore.Options{
		Clock: func() time.Time { return evening }, Faults: func(memstore.Op) memstore.Fault { return memstore.Throttle },
	})
	r := newRig(t, db)
	ctx := t.Context()
	for name, read := range map[string]func() error{
		"hold":  func() error { _, err := r.HoldByID(ctx, "h"); return err },
		"holds": func() error { _, err := r.HoldsByID(ctx, []booking.HoldID{"h"}); return err },
		"claims": func() error {
			_, err := r.Claims(ctx, r.show, []boxoffice.SeatKey{{Seat: "C-1", Block: "0"}})
			return err
		},
		"block":      func() error { _, err := r.BlockClaims(ctx, r.show, "0"); return err },
		"gate":       func() error { _, err := r.Wanted(ctx, r.show, "h"); return err },
		"allowance":  func() error { _, err := r.Allowance(ctx, r.show, "b"); return err },
		"timers":     func() error { _, err := r.Timers(ctx, r.show, 0, time.Time{}, 0); return err },
		"payment":    func() error { _, err := r.PaymentByID(ctx, "p"); return err },
		"order":      func() error { _, err := r.OrderByID(ctx, "o"); return err },
		"map":        func() error { _, err := r.Snapshot(ctx, r.show); return err },
		"fresh map":  func() error { _, err := r.FreshSnapshot(ctx, r.show); return err },
		"statuses":   func() error { _, err := r.Statuses(ctx, "c", "m"); return err },
		"line state": func() error { _, err := r.LineState(ctx, r.show, line.Reading{}); return err },
	} {
		if err := read(); !errors.Is(err, store.ErrThrottled) {
			t.Errorf("%s: %v, want throttled", name, err)
		}
	}
}
