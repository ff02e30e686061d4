package main

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fairseat/fairseat/localstack/apiclient"
	"github.com/fairseat/fairseat/pkg/booking"
)

// row records what is done to one row of one show.
type row struct {
	show   string
	ids    []string
	policy booking.Policy

	mu    sync.Mutex
	h     history
	until map[seats][]int64 // deadlines that were told in refusals, by single seat
	sales int               // seats that money was offered for
}

func newRow(show string, ids []string, p booking.Policy, l limits, seed uint64) *row {
	name := show + " " + strings.TrimRight(ids[0], "-0123456789")
	return &row{show: show, ids: ids, policy: p, until: map[seats][]int64{}, h: history{limits: l, seed: seed, name: name}}
}

func (w *row) set(ids []string) (s seats) {
	for _, id := range ids {
		if i := slices.Index(w.ids, id); i >= 0 {
			s |= 1 << i
		}
	}
	return s
}

func (w *row) add(o operation) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.h.ops = append(w.h.ops, o)
}

func (w *row) object(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.h.objects = append(w.h.objects, fmt.Sprintf(format, args...))
}

// count is how many requests have been judged or will be.
func (w *row) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.requests()
}

func (w *row) requests() int {
	n := len(w.h.lost)
	for _, o := range w.h.ops {
		if o.verb != owned { // a refusal is one request, whatever it tells
			n++
		}
	}
	return n
}

// reserve notes a hold that was answered, and what is wrong with the answer itself.
func (w *row) reserve(o operation, asked []string, got apiclient.Hold) int {
	made, until := got.ExpiresAt.Add(-w.policy.Hold).UnixNano(), got.ExpiresAt.Add(w.policy.Grace).UnixNano()
	var names []string
	for _, s := range got.Seats {
		names = append(names, s.ID)
	}
	told := got.ServerTime.UnixNano()
	b := w.h.limits.budget
	switch {
	case w.set(names) != w.set(asked) || len(names) != len(asked):
		w.object("client %d asked for %v and holds %v", o.client, asked, names)
	case made < o.call-b || made > o.ret+b:
		w.object("client %d: hold %s says that it was made %v before its request, or after its answer", o.client, got.ID, time.Duration(o.call-made))
	case told < o.call-b || told > o.ret+b:
		w.object("client %d: hold %s tells a server time outside of its request", o.client, got.ID)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	o.verb, o.hold, o.call = reserved, len(w.h.holds), max(o.call, min(made-b, o.ret))
	w.h.holds = append(w.h.holds, hold{seats: w.set(names), made: made, until: until})
	w.h.ops = append(w.h.ops, o)
	return o.hold
}

// refuse notes that seats are taken: all of them at one moment, and of each, at one
// that may be another, by whom.
func (w *row) refuse(o operation, asked []string, conflicts []apiclient.Conflict) {
	o.verb, o.wanted = refused, w.set(asked)
	for _, c := range conflicts {
		o.taken |= w.set([]string{c.Seat})
	}
	if o.taken == 0 || o.taken&^o.wanted != 0 {
		w.object("client %d asked for %v and is told of %v", o.client, asked, conflicts)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.h.ops = append(w.h.ops, o)
	for _, c := range conflicts {
		one := operation{verb: owned, client: o.client, call: o.call, ret: o.ret, taken: w.set([]string{c.Seat}), is: standing(c.Reason)}
		if at, err := time.Parse(time.RFC3339, c.Until); err == nil {
			one.until = at.UnixNano()
			w.until[one.taken] = append(w.until[one.taken], one.until)
		}
		if one.is != isHeld && one.is != isSold {
			w.h.objects = append(w.h.objects, fmt.Sprintf("client %d: seat %s is said to be %q", o.client, c.Seat, c.Reason))
			continue
		}
		w.h.ops = append(w.h.ops, one)
	}
}

// lose notes a reserve that nobody answered.
func (w *row) lose(o operation, asked []string) {
	o.wanted = w.set(asked)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.h.lost = append(w.h.lost, o)
}

func (w *row) seats(h int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for rest := w.h.holds[h].seats; rest != 0; rest &= rest - 1 {
		n++
	}
	return n
}

// letGo and money note requests that may have had, or will have, a later effect.
func (w *row) letGo(h int, call int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if f := &w.h.holds[h]; f.letGo == 0 || call < f.letGo {
		f.letGo = call
	}
}

func (w *row) money(h int, call int64, late bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f := &w.h.holds[h]
	f.late = late && (f.money == 0 || f.late)
	if f.money == 0 || call < f.money {
		f.money = call
	}
}

// spend takes so many seats from those that may be sold: a row that is sold out
// proves little more.
func (w *row) spend(n, most int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.sales+n > most {
		return false
	}
	w.sales += n
	return true
}

// finish gives the history with its unanswered reserves: one hold for each deadline
// that was told of their seats and belongs to no hold that is known.
func (w *row) finish() history {
	w.mu.Lock()
	defer w.mu.Unlock()
	known := len(w.h.holds)
	for n, l := range w.h.lost {
		var deadlines []int64
		for seat, all := range w.until {
			for _, at := range all {
				made := at - int64(w.policy.Hold+w.policy.Grace)
				mine := slices.ContainsFunc(w.h.holds[:known], func(h hold) bool { return h.until == at && h.seats&seat != 0 })
				if !mine && seat&l.wanted != 0 && made >= l.call-w.h.limits.budget && !slices.Contains(deadlines, at) {
					deadlines = append(deadlines, at)
				}
			}
		}
		slices.Sort(deadlines)
		for _, at := range deadlines {
			w.h.holds = append(w.h.holds, hold{
				seats: l.wanted, made: at - int64(w.policy.Hold+w.policy.Grace), until: at, unsure: n + 1,
			})
		}
	}
	return w.h
}

// judge implements judged.
func (w *row) judge(folder string) error { return verdict(w.finish(), folder) }
