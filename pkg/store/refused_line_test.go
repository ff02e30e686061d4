package store_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
)

// keep this in step with keys.go: these tests change rows behind the store's back.
func (r *rig) kWaiter(who string) store.Key {
	return store.Key{Table: store.Line, PK: "WAITER#" + string(r.wid(who)), SK: "WAITER"}
}
func (r *rig) kPlace(who string) store.Key {
	return store.Key{Table: store.Line, PK: "PLACE#" + who, SK: "SHOW#" + string(r.show)}
}
func (r *rig) kLine(sk string) store.Key {
	return store.Key{Table: store.Line, PK: "LINE#" + string(r.show), SK: sk}
}
func (r *rig) kClaim(seat string) store.Key {
	return store.Key{Table: store.Claims, PK: "SHOW#" + string(r.show) + "#0", SK: seat}
}
func (r *rig) kCap(who string) store.Key {
	return store.Key{Table: store.Claims, PK: "CAP#" + who, SK: "SHOW#" + string(r.show)}
}

func (r *rig) set(k store.Key, attr string, to any) {
	r.t.Helper()
	r.must(r.tables.Transact(r.t.Context(), []store.Write{{Key: k, Update: []store.Change{{Attr: attr, Op: store.SetTo, To: to}}}}, ""))
}

func (r *rig) unset(k store.Key, attr string) {
	r.t.Helper()
	r.must(r.tables.Transact(r.t.Context(), []store.Write{{Key: k, Update: []store.Change{{Attr: attr, Op: store.Unset}}}}, ""))
}

func (r *rig) gone(k store.Key) {
	r.t.Helper()
	r.must(r.tables.Transact(r.t.Context(), []store.Write{{Key: k, Delete: true}}, ""))
}

// watched takes down the rows that a transaction is about, as they were before it.
type watched struct {
	store.Tables
	was map[store.Key]store.Item
}

func (w *watched) Transact(ctx context.Context, ws []store.Write, token string) error {
	keys := make([]store.Key, len(ws))
	for i := range ws {
		keys[i] = ws[i].Key
	}
	var err error
	if w.was, err = w.BatchGet(ctx, keys, true); err != nil {
		return err
	}
	return w.Tables.Transact(ctx, ws, token)
}

// untouched: a refused transaction has changed none of its rows.
func (w *watched) untouched(t *testing.T) {
	t.Helper()
	is, err := w.BatchGet(t.Context(), slices.Collect(maps.Keys(w.was)), true)
	if err != nil || len(is) != len(w.was) {
		t.Errorf("%d of %d rows, %v", len(is), len(w.was), err)
	}
	for k, it := range w.was {
		if !it.Equal(is[k]) {
			t.Errorf("%s %s was %v and is %v", k.PK, k.SK, it, is[k])
		}
	}
}

// spoil changes one row between what a transaction was decided from and its commit.
type spoil struct {
	what string
	do   func(*rig)
}

// transaction of the line, what it stands on, and each thing that refuses it.
type transaction struct {
	name   string
	given  func(*rig) func() error
	spoils []spoil
}

func fenced(more ...spoil) []spoil {
	return append(more, spoil{"another run was faster", func(r *rig) { r.set(r.kLine("STATE"), "v", r.line().Version+1) }})
}

func is(who string, st line.WaiterState) spoil {
	return spoil{fmt.Sprintf("%s is %s", who, st), func(r *rig) { r.set(r.kWaiter(who), "state", st.String()) }}
}

func gone(who string) spoil {
	return spoil{who + " is gone", func(r *rig) { r.gone(r.kWaiter(who)) }}
}

func placed(who string) []spoil {
	return []spoil{
		{"another place of " + who, func(r *rig) { r.set(r.kPlace(who), "live", "w_other") }},
		{"no place of " + who, func(r *rig) { r.unset(r.kPlace(who), "live") }},
	}
}

func promised(seat, who string) spoil {
	return spoil{seat + " is for " + who, func(r *rig) { r.set(r.kLine("S#"+seat), "for", string(r.wid(who))) }}
}

func open(seat string) spoil {
	return spoil{seat + " is for nobody", func(r *rig) { r.unset(r.kLine("S#"+seat), "for") }}
}

func unpooled(seat string) spoil {
	return spoil{seat + " is not set aside", func(r *rig) { r.gone(r.kLine("S#" + seat)) }}
}

func claimed(seat string) spoil {
	return spoil{seat + " has a hold", func(r *rig) { r.set(r.kClaim(seat), "owner", "h_other") }}
}

func unclaimed(seat string) spoil {
	return spoil{seat + " has no claim", func(r *rig) { r.gone(r.kClaim(seat)) }}
}

// transactions of the line: T5 to T7 and L1 to L8.
func transactions() []transaction {
	answering := func(r *rig) line.Waiter {
		w := r.offered("ann", "C-1", "C-2")
		r.pooled("C-3")
		return w
	}
	var all []transaction
	add := func(name string, given func(*rig) func() error, spoils ...spoil) {
		all = append(all, transaction{name, given, spoils})
	}
	add("T7 ask", func(r *rig) func() error {
		w := r.asking("ann", 1)
		return func() error { return r.Ask(r.t.Context(), w, keep, time.Time{}) }
	}, spoil{"the waiter exists", func(r *rig) { r.set(r.kWaiter("ann"), "state", "left") }},
		spoil{"a place", func(r *rig) { r.set(r.kPlace("ann"), "live", "w_other") }},
		spoil{"a cool-down", func(r *rig) { r.set(r.kPlace("ann"), "cool", evening.UnixMilli()+1) }})
	add("T5 accept", func(r *rig) func() error {
		a := r.accepting(answering(r), evening, []string{"C-1"}, []string{"C-3"})
		return func() error { return r.Accept(r.t.Context(), a, keep) }
	}, append(placed("ann"), is("ann", line.Waiting), is("ann", line.Lapsed), is("ann", line.Accepted), gone("ann"),
		spoil{"the offer is over", func(r *rig) { r.set(r.kWaiter("ann"), "oexp", evening.Add(-policy.Grace).UnixMilli()) }},
		spoil{"the hold exists", func(r *rig) {
			r.set(store.Key{Table: store.Holds, PK: "HOLD#" + string(booking.IDFor("ann", string(r.wid("ann")))), SK: "HOLD"}, "state", "released")
		}},
		spoil{"nine seats already", func(r *rig) { r.set(r.kCap("ann"), "n", int64(9)) }},
		promised("C-1", "bob"), open("C-1"), unpooled("C-1"), claimed("C-1"), unclaimed("C-1"),
		promised("C-3", "bob"), promised("C-3", "ann"), unpooled("C-3"), claimed("C-3"), unclaimed("C-3"),
		promised("C-2", "bob"), open("C-2"), unpooled("C-2"))...)
	add("T6 leave", func(r *rig) func() error {
		w := r.in(line.Waiting, "ann", 1)
		return func() error {
			return r.Leave(r.t.Context(), line.Leaving{Was: w, Waiter: r.ended(w, line.Left).Waiter}, nil)
		}
	}, append(placed("ann"), is("ann", line.Offered), is("ann", line.TimedOut), is("ann", line.Asked), gone("ann"))...)
	add("T6 decline", func(r *rig) func() error {
		w := answering(r)
		e := r.ended(w, line.Declined)
		return func() error {
			return r.Leave(r.t.Context(), line.Leaving{Was: w, Waiter: e.Waiter, Refused: true, Back: e.Back}, &line.Place{Lapses: 1})
		}
	}, append(placed("ann"), is("ann", line.Accepted), is("ann", line.Lapsed), promised("C-1", "bob"), open("C-2"), unpooled("C-2"))...)
	add("L1 set aside", func(r *rig) func() error {
		w := r.in(line.Entering, "ann", 3)
		next := w
		next.State = line.Waiting
		return r.plan(line.Plan{Aside: &line.SettingAside{Was: w, Waiter: next, Seats: asides("", "C-1", "C-2")}, Dry: regular}, nil)
	}, fenced(is("ann", line.Left), is("ann", line.Asked), is("ann", line.Waiting), gone("ann"), claimed("C-1"), claimed("C-2"),
		spoil{"C-2 is set aside", func(r *rig) { r.set(r.kClaim("C-2"), "owner", "LINE") }})...)
	add("L1 offer at once", func(r *rig) func() error {
		w := r.in(line.Entering, "ann", 2)
		next := r.offering(w, "C-1", "C-2").Offer.Waiter
		return r.plan(line.Plan{Aside: &line.SettingAside{Was: w, Waiter: next, Seats: next.Offer.Seats}}, nil)
	}, fenced(is("ann", line.Left), claimed("C-1"), claimed("C-2"))...)
	add("L2 lapse", func(r *rig) func() error {
		e := r.ended(answering(r), line.Lapsed)
		return r.plan(line.Plan{End: &e}, &line.Place{Lapses: 1})
	}, fenced(append(placed("ann"), is("ann", line.Accepted), is("ann", line.Declined), gone("ann"), promised("C-1", "bob"), open("C-2"), unpooled("C-1"),
		spoil{"the offer stands", func(r *rig) {
			r.set(r.kWaiter("ann"), "oexp", evening.Add(2*time.Minute).UnixMilli()+1)
		}})...)...)
	add("L3 time out, several", func(r *rig) func() error {
		ann, bob, cat := r.in(line.Waiting, "ann", 1), r.in(line.Entering, "bob", 1), r.asked("cat", 1)
		first := r.ended(ann, line.TimedOut)
		return r.plan(line.Plan{End: &first, Along: []line.End{r.ended(bob, line.TimedOut), r.ended(cat, line.TimedOut)}}, nil)
	}, fenced(slices.Concat(placed("ann"), placed("cat"), []spoil{is("ann", line.Offered), is("ann", line.Left), is("bob", line.Left), is("cat", line.Entering), gone("cat")})...)...)
	add("L4 infeasible", func(r *rig) func() error {
		e := r.ended(r.in(line.Waiting, "ann", 1), line.Infeasible)
		return r.plan(line.Plan{End: &e}, nil)
	}, fenced(append(placed("ann"), is("ann", line.Offered), is("ann", line.Left))...)...)
	add("L5 offer", func(r *rig) func() error {
		big, w := r.in(line.Waiting, "big", 3), r.in(line.Waiting, "ann", 2)
		r.pooled("C-1", "C-2")
		p := r.offering(w, "C-1", "C-2")
		big.Passed = 1
		p.Offer.Passed = []line.Waiter{big}
		return r.plan(p, nil)
	}, fenced(is("ann", line.Left), is("ann", line.Offered), gone("ann"), is("big", line.Left), gone("big"),
		promised("C-1", "bob"), promised("C-2", "ann"), unpooled("C-1"), unpooled("C-2"))...)
	add("L6 gates and tidy", func(r *rig) func() error {
		w := r.in(line.Waiting, "ann", 1)
		return r.plan(line.Plan{Gates: true, Tidy: []line.Waiter{w}}, nil)
	}, fenced()...)
	add("L6 tidy", func(r *rig) func() error {
		return r.plan(line.Plan{Tidy: []line.Waiter{r.in(line.Waiting, "ann", 1)}}, nil)
	}, fenced()...)
	add("L7 drain", func(r *rig) func() error {
		r.in(line.Waiting, "ann", 1)
		return r.plan(line.Plan{Drain: r.pooled("C-1", "C-2")}, nil)
	}, fenced(promised("C-1", "ann"), promised("C-2", "bob"), unpooled("C-1"), unpooled("C-2"), claimed("C-1"), claimed("C-2"), unclaimed("C-2"))...)
	add("L8 number the first", func(r *rig) func() error {
		return r.plan(r.numbering(line.Entering, r.asked("ann", 1)), nil)
	}, spoil{"another run was faster", func(r *rig) { r.set(r.kLine("STATE"), "v", int64(1)) }}, is("ann", line.Left))
	for to, name := range map[line.WaiterState]string{line.Entering: "L8 number", line.Waiting: "L8 acknowledge"} {
		add(name, func(r *rig) func() error {
			r.in(line.Waiting, "first", 1)
			return r.plan(r.numbering(to, r.asked("ann", 1), r.asked("bob", 1)), nil)
		}, fenced(is("ann", line.Left), is("bob", line.Left), is("bob", line.Entering), is("ann", line.TimedOut), gone("bob"),
			spoil{"an entry", func(r *rig) { r.set(r.kLine(fmt.Sprintf("W#%013d", 3)), "w", "w_other") }})...)
	}
	return all
}

// TestRefused: each condition of the line's transactions, broken alone, refuses the
// whole of it; nothing broken, it is carried out, and not a second time.
func TestRefused(t *testing.T) {
	for name, tables := range map[string]store.Tables{"memstore": memory(), "ddb": service} {
		for _, tx := range transactions() {
			t.Run(name+"/"+tx.name, func(t *testing.T) {
				t.Parallel()
				for _, sp := range tx.spoils {
					w := &watched{Tables: tables}
					r := newRig(t, w)
					commit := tx.given(r)
					sp.do(r)
					err := commit()
					var full *boxoffice.Taken
					if sp.what == "nine seats already" {
						if !errors.As(err, &full) || !full.Full || full.Holding != 9 {
							t.Errorf("%s: %v", sp.what, err)
						}
					} else if !fault.Is(err, fault.Stale) {
						t.Errorf("%s: %v", sp.what, err)
					}
					w.untouched(t)
					if t.Failed() {
						t.Fatal(sp.what)
					}
				}
				r := newRig(t, tables)
				commit := tx.given(r)
				r.must(commit())
				r.stale(commit())
			})
		}
	}
}

// TestTwoAtOnce: of two that both were decided from the same rows one is carried out.
func TestTwoAtOnce(t *testing.T) {
	for _, tx := range []transaction{
		{name: "two requests of one buyer", given: func(r *rig) func() error {
			var n sync.Mutex
			keys := 0
			return func() error {
				n.Lock()
				keys++
				w := r.asking("ann", 1)
				w.ID += line.WaiterID(fmt.Sprint(keys))
				n.Unlock()
				return r.Ask(r.t.Context(), w, keep, time.Time{})
			}
		}},
		{name: "two runs", given: func(r *rig) func() error { return r.plan(r.numbering(line.Entering, r.asked("ann", 1)), nil) }},
		{name: "accept and decline", given: func(r *rig) func() error {
			w := r.offered("ann", "C-1")
			a, e := r.accepting(w, evening, []string{"C-1"}, nil), r.ended(w, line.Declined)
			var once sync.Once
			return func() (err error) {
				err = errAgain
				once.Do(func() { err = r.Accept(r.t.Context(), a, keep) })
				if err == errAgain {
					err = r.Leave(r.t.Context(), line.Leaving{Was: w, Waiter: e.Waiter, Refused: true, Back: e.Back}, &line.Place{Lapses: 1})
				}
				return err
			}
		}},
		{name: "accept and lapse", given: func(r *rig) func() error {
			w := r.offered("ann", "C-1")
			a, e := r.accepting(w, w.Offer.ExpiresAt, []string{"C-1"}, nil), r.ended(w, line.Lapsed)
			lapse := r.plan(line.Plan{End: &e}, &line.Place{Lapses: 1})
			var once sync.Once
			return func() (err error) {
				err = errAgain
				once.Do(func() { err = r.Accept(r.t.Context(), a, keep) })
				if err == errAgain {
					err = lapse()
				}
				return err
			}
		}},
	} {
		t.Run(tx.name, func(t *testing.T) {
			both(t, func(r *rig) {
				for range 5 {
					r := newRig(r.t, r.tables)
					commit := tx.given(r)
					errs := make(chan error, 2)
					for range 2 {
						go func() { errs <- commit() }()
					}
					done := 0
					for range 2 {
						switch err := <-errs; {
						case err == nil:
							done++
						case !fault.Is(err, fault.Stale) && !fault.Is(err, fault.Contended):
							r.t.Error(err)
						}
					}
					if done > 1 {
						r.t.Errorf("%d of two were carried out", done)
					}
				}
			})
		})
	}
}

var errAgain = errors.New("the other one")

// TestUnknownOutcome: the reply is lost. The truth is read; the same once more is
// refused and changes nothing, whether it arrived or comes late.
func TestUnknownOutcome(t *testing.T) {
	for _, tx := range transactions() {
		for _, f := range []memstore.Fault{memstore.LoseReply, memstore.LoseRequest, memstore.DelayRequest} {
			var lose bool
			db := memstore.New(memstore.Options{Clock: func() time.Time { return evening }, Faults: func(op memstore.Op) memstore.Fault {
				if lose && op.Kind == memstore.OpTransact {
					return f
				}
				return memstore.NoFault
			}})
			w := &watched{Tables: db}
			r := newRig(t, w)
			commit := tx.given(r)
			lose = true
			if err := commit(); !fault.Is(err, fault.Unknown) {
				t.Errorf("%s: %v", tx.name, err)
			}
			lose = false
			switch f {
			case memstore.LoseRequest:
				w.untouched(t)
				r.must(commit())
			case memstore.DelayRequest:
				r.must(commit())
				is, err := w.BatchGet(t.Context(), slices.Collect(maps.Keys(w.was)), true)
				r.must(err)
				db.Deliver()
				w.was = is
				w.untouched(t)
			}
			r.stale(commit())
			w.untouched(t)
			if t.Failed() {
				t.Fatalf("%s, fault %d", tx.name, f)
			}
		}
	}
}

// TestLateAccept stands on the offer's deadline in the table, not on that which was
// read: to the last millisecond of the grace, and not after.
func TestLateAccept(t *testing.T) {
	both(t, func(r *rig) {
		for _, tt := range []struct {
			after time.Duration
			ok    bool
		}{{2*time.Minute + policy.Grace - time.Millisecond, true}, {2*time.Minute + policy.Grace, false}} {
			r := newRig(r.t, r.tables)
			w := r.offered("ann", "C-1")
			now := evening.Add(tt.after)
			a := r.accepting(w, now, []string{"C-1"}, nil)
			e := r.ended(w, line.Lapsed)
			e.Waiter.EndedAt = now
			lapse := r.plan(line.Plan{End: &e}, &line.Place{Lapses: 1})
			if !tt.ok {
				r.stale(r.Accept(r.t.Context(), a, keep))
				r.must(lapse())
				r.wantClaims(map[seatmap.SeatID]boxoffice.Owner{"C-1": {}}, "C-1")
				continue
			}
			r.stale(lapse())
			r.must(r.Accept(r.t.Context(), a, keep))
			r.wantClaims(ownedBy(a.Hold), "C-1")
		}
	})
}
