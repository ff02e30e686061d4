package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/localstack/apiclient"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
)

// small opens a show in a hall of our own: one row of so many regular seats.
func small(t *testing.T, seats int, change ...func(*catalog.Show)) *show {
	t.Helper()
	return shop.row(t, strings.Repeat("R", seats), change...)
}

// row opens a show in a hall with one row of regular (R) and premium seats (P).
func (w *world) row(t *testing.T, seats string, change ...func(*catalog.Show)) *show {
	t.Helper()
	id := "own-row-" + strings.ToLower(seats)
	types := fmt.Sprintf(`"R":%d`, strings.Count(seats, "R"))
	if n := strings.Count(seats, "P"); n > 0 {
		types += fmt.Sprintf(`,"P":%d`, n)
	}
	text := fmt.Appendf(nil, `{"id":%q,"name":"Own row","kind":"cinema","numbering":"ltr","seats":%d,"by_type":{%s},"rows":["A: %s"]}`, id, len(seats), types, seats)
	w.mu.Lock()
	if w.layouts[id] == nil {
		halls, err := seatmap.ParseHalls(fmt.Appendf(nil, `{"halls":[%s]}`, text))
		must(t, err)
		w.layouts[id], err = seatmap.Expand(halls[0])
		must(t, err)
		_, err = w.catalog.Load(t.Context(), []store.CatalogRow{store.LayoutRow(catalog.LayoutID(id), text)})
		must(t, err)
	}
	w.mu.Unlock()
	return w.open(t, id, change...)
}

// held is a seat in somebody's hands.
type held struct {
	*buyer
	apiclient.Hold
}

func (h held) giveBack() { h.buyer.release(h.Hold.ID) }

// full has every seat of the show in hands, so many by each.
func full(t *testing.T, s *show, each int) []held {
	t.Helper()
	var all []held
	for i := 0; i+each <= s.layout.Len(); i += each {
		var seats []string
		for k := range each {
			seats = append(seats, string(s.layout.At(i+k).ID))
		}
		b := guest(t)
		all = append(all, held{b, b.hold(s, seats...)})
	}
	return all
}

// waiter is a buyer with a place in line.
type waiter struct {
	*buyer
	apiclient.Place
}

func (b *buyer) tryJoin(s *show, seats int, types ...string) (apiclient.Place, error) {
	var p apiclient.Place
	body := map[string]any{"seats": seats}
	if len(types) > 0 {
		body["types"] = types
	}
	err := b.Call(b.ctx(), http.MethodPost, "/shows/"+string(s.ID)+"/line", "", body, &p)
	return p, err
}

// join must get a number at once.
func (b *buyer) join(s *show, seats int, types ...string) *waiter {
	b.t.Helper()
	return b.asks(s, seats, types...).awaits("waiting", "offered", "infeasible")
}

// asks asks for a place, whether its number is written or not.
func (b *buyer) asks(s *show, seats int, types ...string) *waiter {
	b.t.Helper()
	p, err := b.tryJoin(s, seats, types...)
	must(b.t, err)
	return &waiter{b, p}
}

func (w *waiter) path() string { return "/line/" + w.Place.ID }

// look reads the place anew.
func (w *waiter) look() *waiter {
	w.t.Helper()
	w.Place = read[apiclient.Place](w.buyer, w.path())
	return w
}

// awaits polls as a client does until the place has one of the states.
func (w *waiter) awaits(states ...string) *waiter {
	w.t.Helper()
	end := time.Now().Add(30 * time.Second)
	for !slices.Contains(states, w.State) {
		if time.Now().After(end) {
			w.t.Fatalf("place %d of %s is %s, not %v", w.Number, w.Place.ID, w.State, states)
		}
		w.Place = read[apiclient.Place](w.buyer, w.path()+"?wait_seconds=5&since="+w.Version)
	}
	return w
}

func (w *waiter) tryAccept(seats ...string) (apiclient.Hold, error) {
	var h apiclient.Hold
	body := map[string]any{}
	if len(seats) > 0 {
		body["seats"] = seats
	}
	err := w.Call(w.ctx(), http.MethodPost, w.path()+"/accept", "", body, &h)
	return h, err
}

func (w *waiter) accept(seats ...string) apiclient.Hold {
	w.t.Helper()
	h, err := w.tryAccept(seats...)
	must(w.t, err)
	return h
}

func (w *waiter) decline() {
	w.t.Helper()
	must(w.t, w.Call(w.ctx(), http.MethodPost, w.path()+"/decline", "", nil, nil))
}

func (w *waiter) leave() {
	w.t.Helper()
	must(w.t, w.Call(w.ctx(), http.MethodDelete, w.path(), "", nil, nil))
}

// stands must have the number and so many ahead.
func (w *waiter) stands(number, ahead int) {
	w.t.Helper()
	if w.Number != number || w.Ahead != ahead || w.Rule != "strict" || w.RuleText == "" {
		w.t.Errorf("number %d with %d ahead under %q, wanted %d with %d", w.Number, w.Ahead, w.Rule, number, ahead)
	}
}

// inLine lets the test run while all sources are on.
func inLine(t *testing.T) { parallelWithout(t, nil, append(stack.Sources(), callbacks)...) }

// TestLineInOrder: who came first is offered first, a party that does not fit yet
// blocks those behind it, and nobody else can have what is set aside.
func TestLineInOrder(t *testing.T) {
	inLine(t)
	s := small(t, 4)
	seats := full(t, s, 1)
	a, b, c := guest(t).join(s, 1), guest(t).join(s, 2), guest(t).join(s, 1)
	a.stands(1, 0)
	b.stands(2, 1)
	c.stands(3, 2)

	sent := time.Now()
	seats[0].giveBack()
	a.awaits("offered")
	if took := time.Since(sent); took > 2*time.Second {
		t.Errorf("the seat reached the first in line after %s", took)
	}
	if !slices.Equal(a.Offer.Proposed, []string{"A-1"}) || !slices.Equal(a.Offer.Free, []string{"A-1"}) || a.Offer.ExpiresAt.Sub(a.ServerTime) > offerTime {
		t.Errorf("offered %+v", a.Offer)
	}
	_, err := guest(t).try(s, "A-1")
	if p := refused(t, err, 409, "seats_unavailable"); p.Next != "wait" || p.Conflicts[0].Reason != "line" {
		t.Errorf("a walk-up is told %+v", p)
	}
	h := a.accept()
	if got := seatsOf(h); !slices.Equal(got, []string{"A-1"}) || h.State != "held" || h.ExpiresAt.Sub(h.ServerTime) < holdTime-time.Second {
		t.Errorf("accepted %+v", h)
	}
	if got := a.look(); got.State != "accepted" || got.HoldID != h.ID {
		t.Errorf("%+v", got.Place)
	}

	seats[1].giveBack()
	eventually(t, 5*time.Second, func() error {
		if w := c.look().WaitingFor; w == nil || w.SetAside != 1 || w.Number != 2 || w.Needs != 2 || c.Ahead != 1 {
			return yet("the last one waits for %+v with %d ahead", w, c.Ahead)
		}
		return nil
	})
	if b.look().State != "waiting" || c.State != "waiting" {
		t.Errorf("with one seat set aside: %s, %s", b.State, c.State)
	}
	seats[2].giveBack()
	b.awaits("offered")
	if !slices.Equal(b.Offer.Proposed, []string{"A-2", "A-3"}) {
		t.Errorf("offered %+v", b.Offer)
	}
	if got := seatsOf(b.accept()); len(got) != 2 {
		t.Errorf("accepted %v", got)
	}
	seats[3].giveBack()
	c.awaits("offered")
	c.accept("A-4")
	shop.balanced(t, s)
}

// TestLineChoice: whatever is set aside for nobody may be taken instead of what is
// proposed, and what another is faster to take is told.
func TestLineChoice(t *testing.T) {
	inLine(t)
	s := small(t, 5)
	seats := full(t, s, 1)
	a, b, c := guest(t).join(s, 1), guest(t).join(s, 1), guest(t).join(s, 4)
	for _, h := range seats[:3] {
		h.giveBack()
	}
	a.awaits("offered")
	b.awaits("offered")
	eventually(t, 5*time.Second, func() error {
		if free := a.look().Offer.Free; len(free) != 2 || free[0] != a.Offer.Proposed[0] {
			return yet("he may choose from %v", free)
		}
		return nil
	})
	open := a.Offer.Free[1]
	_, err := a.tryAccept(b.Offer.Proposed...)
	if p := refused(t, err, 409, "seats_unavailable"); !slices.Equal(p.Seats, b.Offer.Proposed) || len(p.Conflicts) != 1 || p.Conflicts[0].Reason != "line" {
		t.Errorf("%+v", p)
	}
	_, err = a.tryAccept("A-5")
	if p := refused(t, err, 409, "seats_unavailable"); len(p.Conflicts) != 1 || p.Conflicts[0].Reason != "held" {
		t.Errorf("%+v", p)
	}
	_, err = a.tryAccept(a.Offer.Free...)
	refused(t, err, 422, "party_size")
	if got := seatsOf(a.accept(open)); !slices.Equal(got, []string{open}) {
		t.Errorf("took %v", got)
	}
	_, err = b.tryAccept(open)
	refused(t, err, 409, "seats_unavailable")
	b.accept()
	if c.look().State != "waiting" {
		t.Errorf("the party of four is %s", c.State)
	}
	c.leave()
	shop.balanced(t, s)
}

// TestLineLimit: an offer runs on for who has ten seats already.
func TestLineLimit(t *testing.T) {
	inLine(t)
	s := small(t, 11)
	b := guest(t)
	var own []string
	for i := range 10 {
		own = append(own, string(s.layout.At(i).ID))
	}
	mine := b.hold(s, own...)
	other := guest(t)
	last := held{other, other.hold(s, "A-11")}
	w := b.join(s, 1)
	last.giveBack()
	w.awaits("offered")
	_, err := w.tryAccept()
	if p := refused(t, err, 409, "seat_limit_reached"); p.Holding != 10 || p.Limit != 10 {
		t.Errorf("%+v", p)
	}
	if w.look().State != "offered" {
		t.Errorf("the place is %s", w.State)
	}
	b.release(mine.ID)
	w.accept()
}

// TestLineLeaves: from the middle, again, and back to the end.
func TestLineLeaves(t *testing.T) {
	inLine(t)
	s := small(t, 2)
	seats := full(t, s, 1)
	a, b, c := guest(t).join(s, 1), guest(t).join(s, 1), guest(t).join(s, 1)
	_, err := b.tryJoin(s, 1)
	refused(t, err, 409, "already_waiting")
	b.leave()
	b.leave()
	if b.look().State != "left" {
		t.Errorf("who left is %s", b.State)
	}
	eventually(t, 5*time.Second, func() error {
		if c.look().Ahead != 1 {
			return yet("%d are ahead", c.Ahead)
		}
		return nil
	})
	again := b.buyer.join(s, 1)
	again.stands(4, 2)
	seats[0].giveBack()
	seats[1].giveBack()
	a.awaits("offered")
	c.awaits("offered")
	if again.look().State != "waiting" {
		t.Errorf("who joined again is %s", again.State)
	}
	a.leave() // which declines
	again.awaits("offered")
	if a.look().State != "left" {
		t.Errorf("who left an offer is %s", a.State)
	}
	_, err = a.tryAccept()
	refused(t, err, 409, "no_offer")
	again.accept()
	c.accept()
}

// TestLineCoolDown: a declined offer goes to the next, one that lapses too; who has
// had two of them waits before he joins again.
func TestLineCoolDown(t *testing.T) {
	inLine(t)
	s := small(t, 1)
	a, b := guest(t), guest(t)
	first := full(t, s, 1)[0]
	w := a.join(s, 1)
	next := b.join(s, 1)
	first.giveBack()
	w.awaits("offered").decline()
	w.decline()
	next.awaits("offered")
	if w.look().State != "declined" {
		t.Errorf("who declined is %s", w.State)
	}
	h := held{b, next.accept()}
	w = a.join(s, 1)
	h.giveBack()
	end := w.awaits("offered").Offer.ExpiresAt.Add(graceTime)
	until(t, end)
	_, err := w.tryAccept()
	refused(t, err, 409, "hold_expired")
	w.awaits("lapsed")
	eventually(t, 5*time.Second, func() error { _, err := b.try(s, "A-1"); return err }) // nobody waits: it is drained
	_, err = a.tryJoin(s, 1)
	p := refused(t, err, 409, "cool_down")
	if left := time.Until(p.Until); left <= 0 || left > coolDown {
		t.Errorf("cool-down until %s, in %s", p.Until, left)
	}
	until(t, p.Until.Add(100*time.Millisecond))
	a.join(s, 1).leave()
}

// TestLineRefuses: who need not wait, or would in vain, or too early or too late.
func TestLineRefuses(t *testing.T) {
	inLine(t)
	s := small(t, 3)
	_, err := guest(t).tryJoin(s, 2)
	refused(t, err, 409, "seats_free")
	_, err = guest(t).tryJoin(s, 4)
	refused(t, err, 409, "infeasible")
	_, err = guest(t).tryJoin(s, 11)
	refused(t, err, 422, "party_size")
	full(t, s, 3)
	b := guest(t)
	for code, change := range map[string]func(*catalog.Show){
		"sales_closed": func(c *catalog.Show) { c.StartsAt = time.Now().Add(lineCloses - time.Second) },
		"no_line":      func(c *catalog.Show) { c.NoLine = true },
	} {
		other := small(t, 2, change)
		full(t, other, 2)
		_, err := b.tryJoin(other, 1)
		refused(t, err, 409, code)
	}
	w := b.join(s, 1)
	r := b.ask(request{name: "wrong wait", path: w.path() + "?wait_seconds=26"})
	if r.Status != 400 {
		t.Errorf("%d %s", r.Status, r.Body)
	}
	w.leave()
}

// TestLineInVain: a sale leaves too few seats for a party that waits.
func TestLineInVain(t *testing.T) {
	inLine(t)
	s := small(t, 2)
	seats := full(t, s, 1)
	w, one := guest(t).join(s, 2), guest(t).join(s, 1)
	p := seats[0].pay(seats[0].Hold.ID, "success")
	seats[0].await(p.OrderID, "PAID", 10*time.Second)
	w.awaits("infeasible")
	if one.look().State != "waiting" {
		t.Errorf("who waits for one seat is %s", one.State)
	}
	_, err := guest(t).tryJoin(s, 2)
	refused(t, err, 409, "infeasible")
	seats[1].giveBack()
	one.awaits("offered").accept()
}

// TestLinePoll: a kept poll is answered by a change, and by nothing else.
func TestLinePoll(t *testing.T) {
	inLine(t)
	s := small(t, 1)
	seat := full(t, s, 1)[0]
	w := guest(t).join(s, 1)
	sent := time.Now()
	if got := read[apiclient.Place](w.buyer, w.path()+"?wait_seconds=2&since="+w.Version); got.Version != w.Version || time.Since(sent) < 2*time.Second {
		t.Errorf("without a change: %+v after %s", got, time.Since(sent))
	}
	type answer struct {
		place apiclient.Place
		at    time.Time
	}
	got := make(chan answer)
	go func() {
		r, err := w.Do(t.Context(), http.MethodGet, w.path()+"?wait_seconds=25&since="+w.Version, nil, nil)
		var a answer
		if err == nil {
			err = json.Unmarshal(r.Body, &a.place)
		}
		if a.at = time.Now(); err != nil {
			a.place.State = err.Error()
		}
		got <- a
	}()
	released := time.Now()
	seat.giveBack()
	if a := <-got; a.place.State != "offered" || a.at.Sub(released) > 3*time.Second {
		t.Errorf("the poll was answered with %s after %s", a.place.State, a.at.Sub(released))
	}
	w.leave()
}
