package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
)

var regular = []seatmap.SeatType{seatmap.Regular}

// wid names the same waiter in no two tests: his row has no show in its key.
func (r *rig) wid(who string) line.WaiterID { return line.WaiterID("w_" + who + "_" + string(r.show)) }

func (r *rig) asking(who string, party int) line.Waiter {
	return line.Waiter{
		ID: r.wid(who), Show: r.show, Buyer: booking.Buyer(who), State: line.Asked, Party: party, Types: regular,
		BodyHash: "body", AskedAt: evening, ExpiresAt: evening.Add(time.Hour),
	}
}

func (r *rig) asked(who string, party int) line.Waiter {
	r.t.Helper()
	w := r.asking(who, party)
	r.must(r.Ask(r.t.Context(), w, keep, time.Time{}))
	return w
}

func (r *rig) line() line.State {
	r.t.Helper()
	s, err := r.LineState(r.t.Context(), r.show, line.Reading{Front: -1})
	r.must(err)
	return s
}

// plan makes a transaction of what is read now; it is carried out when called.
func (r *rig) plan(p line.Plan, place *line.Place) func() error {
	r.t.Helper()
	s := r.line()
	return func() error {
		return r.CommitLine(r.t.Context(), r.show, s, p, line.Stamp{Now: evening, KeepUntil: keep, Place: place})
	}
}

func (r *rig) numbering(to line.WaiterState, ws ...line.Waiter) line.Plan {
	r.t.Helper()
	p := line.Plan{Gates: true, Wanted: regular, Next: max(r.line().Next, 1)}
	for _, w := range ws {
		w.State, w.Number = to, p.Next
		p.Next++
		p.Number = append(p.Number, w)
	}
	return p
}

// numbered have asked and have a number now.
func (r *rig) numbered(to line.WaiterState, ws ...line.Waiter) []line.Waiter {
	r.t.Helper()
	p := r.numbering(to, ws...)
	r.must(r.plan(p, nil)())
	return p.Number
}

func (r *rig) in(st line.WaiterState, who string, party int) line.Waiter {
	r.t.Helper()
	return r.numbered(st, r.asked(who, party))[0]
}

// pooled are seats set aside for nobody.
func (r *rig) pooled(ids ...string) []line.Aside {
	r.t.Helper()
	h := r.hold(booking.Buyer(fmt.Sprint("had-", ids[0])), ids...)
	r.must(r.Release(r.t.Context(), r.ending(h, booking.ByOwner, evening, seatmap.Regular), nil))
	return asides("", ids...)
}

func asides(who line.WaiterID, ids ...string) []line.Aside {
	all := make([]line.Aside, len(ids))
	for i, id := range ids {
		all[i] = line.Aside{Seat: seatmap.SeatID(id), Type: seatmap.Regular, Block: "0", For: who}
	}
	return all
}

func (r *rig) offering(w line.Waiter, ids ...string) line.Plan {
	o := &line.Offering{Was: w, Waiter: w}
	o.Waiter.State = line.Offered
	o.Waiter.Offer = line.Offer{Seats: asides(w.ID, ids...), Choice: regular, ExpiresAt: evening.Add(2 * time.Minute)}
	return line.Plan{Offer: o}
}

// offered waits for the seats and has them proposed.
func (r *rig) offered(who string, ids ...string) line.Waiter {
	r.t.Helper()
	w := r.in(line.Waiting, who, len(ids))
	r.pooled(ids...)
	p := r.offering(w, ids...)
	r.must(r.plan(p, nil)())
	return p.Offer.Waiter
}

func (r *rig) ended(w line.Waiter, to line.WaiterState) line.End {
	e := line.End{Was: w, Waiter: w, Refused: to == line.Lapsed, Back: w.Offer.Seats}
	e.Waiter.State, e.Waiter.EndedAt = to, evening
	if to == line.Lapsed {
		e.Waiter.EndedAt = w.Offer.ExpiresAt.Add(policy.Grace)
	}
	return e
}

// accepting is T5 of seats proposed and of seats open to anybody, at a moment.
func (r *rig) accepting(w line.Waiter, now time.Time, mine, open []string) line.Acceptance {
	a := line.Acceptance{Was: w, Waiter: w, Mine: asides(w.ID, mine...), Open: asides("", open...)}
	for _, s := range w.Offer.Seats {
		if !slices.Contains(mine, string(s.Seat)) {
			a.Back = append(a.Back, s)
		}
	}
	a.Hold = booking.Hold{
		ID: booking.IDFor(w.Buyer, string(w.ID)), Show: r.show, Buyer: w.Buyer, Seats: seats(slices.Concat(mine, open)...), State: booking.Held,
		ExpiresAt: now.Add(policy.Hold), Rev: 1, BodyHash: "answer", MadeAt: now,
	}
	a.Waiter.State, a.Waiter.EndedAt, a.Waiter.Hold = line.Accepted, now, a.Hold.ID
	return a
}

func (r *rig) wantWaiter(want line.Waiter) {
	r.t.Helper()
	got, err := r.Waiter(r.t.Context(), want.ID)
	r.must(err)
	if want.State.Ended() {
		want.Offer.Seats = asides("", names(want.Offer.Seats)...)
		if len(want.Offer.Seats) == 0 {
			want.Offer.Seats = nil
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		r.t.Errorf("waiter (-want +got):\n%s", diff)
	}
}

func names(seats []line.Aside) []string {
	ids := make([]string, len(seats))
	for i, a := range seats {
		ids[i] = string(a.Seat)
	}
	return ids
}

func (r *rig) wantPlace(who string, want line.Place) {
	r.t.Helper()
	got, err := r.Place(r.t.Context(), r.show, booking.Buyer(who))
	if err != nil || !got.CoolUntil.Equal(want.CoolUntil) || got.Live != want.Live || got.Lapses != want.Lapses {
		r.t.Errorf("place of %s is %+v, %v; want %+v", who, got, err, want)
	}
}

// wantPool compares with "C-1 C-2=ann": for whom each seat is.
func (r *rig) wantPool(want string) {
	r.t.Helper()
	var got []string
	for _, a := range r.line().Pool {
		s := string(a.Seat)
		if a.For != "" {
			who, _, _ := strings.Cut(strings.TrimPrefix(string(a.For), "w_"), "_")
			s += "=" + who
		}
		got = append(got, s)
	}
	if strings.Join(got, " ") != want {
		r.t.Errorf("set aside is %v, want %q", got, want)
	}
}

// wantWaits compares the deadlines of those who wait, "ann@3600" in seconds.
func (r *rig) wantWaits(want ...string) {
	r.t.Helper()
	var got []string
	for k := range boxoffice.Shards {
		items, _, err := r.tables.Query(r.t.Context(), store.Query{Table: store.Timers, PK: fmt.Sprintf("WAIT#%s#%d", r.show, k), Consistent: true})
		r.must(err)
		for _, it := range items {
			timer, err := store.TimerFromItem(it)
			r.must(err)
			who, _, _ := strings.Cut(strings.TrimPrefix(string(timer.Waiter), "w_"), "_")
			got = append(got, fmt.Sprintf("%s@%g", who, timer.ExpiresAt.Sub(evening).Seconds()))
			if ttl, due := it["ttl"].(int64), timer.ExpiresAt.Add(policy.Grace).Unix(); ttl < due || timer.Hold != "" || timer.Show != r.show {
				r.t.Errorf("timer %+v goes at %d, due %d", timer, ttl, due)
			}
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		r.t.Errorf("waits %q, want %q", got, want)
	}
}

// both runs a test on the database in memory and on the service.
func both(t *testing.T, run func(*rig)) {
	t.Helper()
	for name, tables := range map[string]store.Tables{"memstore": memory(), "ddb": service} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(newRig(t, tables))
		})
	}
}
