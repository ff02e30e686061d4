package e2e_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/localstack/apiclient"
	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
)

// house keeps seats, as the organiser does; at most 40 at once.
func (s *show) house(t *testing.T, seats ...string) {
	t.Helper()
	h := booking.Hold{
		ID: booking.IDFor(booking.House, string(s.ID)+strings.Join(seats, " ")), Show: s.ID, Buyer: booking.House,
		State: booking.Blocked, Rev: 1, MadeAt: time.Now().UTC().Truncate(time.Millisecond),
	}
	for _, id := range seats {
		h.Seats = append(h.Seats, s.seat(t, id))
	}
	must(t, shop.store.Block(t.Context(), h))
}

func (s *show) seat(t *testing.T, id string) booking.Seat {
	t.Helper()
	at, ok := s.layout.Seat(seatmap.SeatID(id))
	if !ok {
		t.Fatalf("no seat %s", id)
	}
	return booking.Seat{ID: at.ID, Type: at.Type, Block: s.layout.Block(at.Block).Name, Price: s.Prices[0].Amount} // nobody pays it
}

// setAside gives a free seat to the line, for nobody, as the end of a hold does.
func (s *show) setAside(t *testing.T, id string) {
	t.Helper()
	seat := s.seat(t, id)
	must(t, shop.tables.Transact(t.Context(), []store.Write{
		{Key: store.Key{Table: store.Claims, PK: "SHOW#" + string(s.ID) + "#" + seat.Block, SK: id}, Put: store.Item{"owner": "LINE"}, Where: store.Absent{}},
		{Key: store.Key{Table: store.Line, PK: "LINE#" + string(s.ID), SK: "S#" + id}, Put: store.Item{"type": string(seat.Type), "block": seat.Block}},
	}, ""))
}

// except are all seats of the types but the named ones.
func (s *show) except(types []seatmap.SeatType, but ...string) []string {
	var ids []string
	for i := range s.layout.Len() {
		seat := s.layout.At(i)
		if slices.Contains(types, seat.Type) && !slices.Contains(but, string(seat.ID)) {
			ids = append(ids, string(seat.ID))
		}
	}
	return ids
}

var generalSale = []seatmap.SeatType{seatmap.Regular, seatmap.Premium, seatmap.Loveseat}

// TestConflicts: every wanted seat that is not free is named, with its reason.
func TestConflicts(t *testing.T) {
	on := parallelWithout(t, []string{advanceLine}, relayHolds, projectHolds, projectPool, relayPayments, callbacks)
	s := shop.open(t, "standard-90")
	first, second := guest(t), guest(t)
	seats := s.regular(t, 5, 1)
	held, sold, blocked, aside, free := seats[0], seats[1], seats[2], seats[3], seats[4]
	h := first.hold(s, held)
	first.buy(s, sold)
	s.house(t, blocked)
	s.openLine(t)
	s.setAside(t, aside)

	_, err := second.try(s, seats...)
	p := refused(t, err, 409, "seats_unavailable")
	want := []apiclient.Conflict{
		{Seat: held, Reason: "held", Until: h.ExpiresAt.Add(graceTime).Format("2006-01-02T15:04:05.000Z")},
		{Seat: sold, Reason: "sold"}, {Seat: blocked, Reason: "blocked"}, {Seat: aside, Reason: "line"},
	}
	if !slices.Equal(p.Conflicts, want) || p.Next != "choose_other_seats" {
		t.Errorf("refused with %+v, next %s; wanted %+v", p.Conflicts, p.Next, want)
	}
	second.hold(s, free) // nothing was taken by the refusal
	m := awaitMap(second, string(s.ID), func(m apiclient.Seatmap) bool { return m.Held == 2 && m.Sold == 1 && m.Blocked == 1 && m.Line == 1 })
	if m.Free != m.Capacity-5 {
		t.Errorf("the map is %+v", m)
	}
	agree(t, read[apiclient.Layout](second, "/layouts/"+string(s.LayoutID)), read[apiclient.Seatmap](second, "/shows/"+string(s.ID)+"/seatmap?expand=seats"))
	on()
	shop.balanced(t, s)
}

// TestWhatNext: the three cases of A21.
func TestWhatNext(t *testing.T) {
	parallel(t)
	s := shop.open(t, "arthouse-40")
	first, second := guest(t), guest(t)
	pair := s.regular(t, 2, 2)
	next := func(want string) {
		t.Helper()
		_, err := second.try(s, pair...)
		if p := refused(t, err, 409, "seats_unavailable"); p.Next != want || len(p.Conflicts) != 2 {
			t.Errorf("named seats: next is %s with %+v, not %s", p.Next, p.Conflicts, want)
		}
		err = second.Call(t.Context(), http.MethodPost, "/shows/"+string(s.ID)+"/holds", "", map[string]any{"best": map[string]any{"count": 2}}, nil)
		if want == "choose_other_seats" {
			must(t, err)
			return
		}
		if p := refused(t, err, 409, "seats_unavailable"); p.Next != want {
			t.Errorf("best seats: next is %s, not %s", p.Next, want)
		}
	}
	h := first.hold(s, pair...)
	next("choose_other_seats")
	taken := append(pair, seatsOf(second.only(s))...)
	s.house(t, s.except(generalSale, taken...)...)
	next("wait") // a wheelchair place is free, but not for everybody
	second.release(second.only(s).ID)
	s.house(t, taken[2:]...)
	next("wait")
	first.await(first.pay(h.ID, "success").OrderID, "PAID", 15*time.Second)
	next("show_full")
}

// only is the one live hold that the buyer has in the show.
func (b *buyer) only(s *show) apiclient.Hold {
	b.t.Helper()
	holds, err := shop.holds(b.ctx(), s)
	must(b.t, err)
	for id, h := range holds {
		var mine apiclient.Hold
		if h.State == booking.Held && b.get("/holds/"+string(id), &mine) == nil {
			return mine
		}
	}
	b.t.Fatal("the buyer holds nothing")
	return apiclient.Hold{}
}

func TestSeatLimit(t *testing.T) {
	parallel(t)
	s := shop.open(t, "standard-180")
	b := guest(t)
	first := b.hold(s, s.regular(t, 6, 0)...)
	_, err := b.try(s, s.regular(t, 5, 2)...)
	if p := refused(t, err, 409, "seat_limit_reached"); p.Holding != 6 || p.Limit != maxSeats {
		t.Errorf("holding %d of %d", p.Holding, p.Limit)
	}
	second := b.hold(s, s.regular(t, 4, 3)...)
	_, err = b.try(s, s.regular(t, 1, 30)...)
	if p := refused(t, err, 409, "seat_limit_reached"); p.Holding != 10 {
		t.Errorf("holding %d", p.Holding)
	}
	// Bought seats count as held ones do; given back, they do not.
	b.await(b.pay(second.ID, "success").OrderID, "PAID", 15*time.Second)
	_, err = b.try(s, s.regular(t, 1, 30)...)
	refused(t, err, 409, "seat_limit_reached")
	b.release(first.ID)
	b.hold(s, s.regular(t, 6, 0)...)
	guest(t).hold(s, s.regular(t, 1, 30)...)
	// Of another show the same buyer may have ten more.
	other := shop.open(t, "standard-180")
	b.hold(other, other.regular(t, 6, 0)...)
	shop.balanced(t, s)
}

func TestSalesWindow(t *testing.T) {
	parallel(t)
	b := guest(t)
	opens := time.Now().Add(time.Hour).UTC().Truncate(time.Millisecond)
	for name, c := range map[string]struct {
		change func(*catalog.Show)
		opens  string
	}{
		"ahead":     {func(s *catalog.Show) { s.SaleOpensAt = opens }, opens.Format("2006-01-02T15:04:05.000Z")},
		"over":      {func(s *catalog.Show) { s.SaleClosesAt = time.Now().Add(-time.Second).UTC() }, ""},
		"cancelled": {func(s *catalog.Show) { s.Status = catalog.Cancelled }, ""},
	} {
		s := shop.open(t, "standard-90", c.change)
		_, err := b.try(s, s.regular(t, 1, 0)...)
		if p := refused(t, err, 409, "sales_closed"); p.OpensAt != c.opens {
			t.Errorf("%s: opens at %q, not %q", name, p.OpensAt, c.opens)
		}
		err = b.Call(t.Context(), http.MethodPost, "/shows/"+string(s.ID)+"/holds", "", map[string]any{"best": map[string]any{"count": 2}}, nil)
		refused(t, err, 409, "sales_closed")
	}
}

// TestSalesOpen: a sale that opens while one waits lets him in at its moment.
func TestSalesOpen(t *testing.T) {
	parallel(t)
	b := guest(t)
	opens := time.Now().Add(2 * time.Second).UTC().Truncate(time.Millisecond)
	s := shop.open(t, "standard-90", func(s *catalog.Show) { s.SaleOpensAt = opens })
	_, err := b.try(s, s.regular(t, 1, 0)...)
	refused(t, err, 409, "sales_closed")
	until(t, opens)
	b.hold(s, s.regular(t, 1, 0)...)
}

func TestSingleGap(t *testing.T) {
	parallel(t)
	s := shop.open(t, "standard-90", func(s *catalog.Show) { s.SingleGap = true })
	b := guest(t)
	row := s.regular(t, 4, 0)
	_, err := b.try(s, row[1], row[2])
	p := refused(t, err, 409, "single_gap")
	if !slices.Contains(p.Stranded, row[0]) {
		t.Errorf("stranded is %v, not %s", p.Stranded, row[0])
	}
	b.hold(s, row[0], row[1])
	off := shop.open(t, "standard-90")
	b.hold(off, row[1], row[2])
}

// TestRequestsThatMakeNoSense are 422, whoever has the seats.
func TestRequestsThatMakeNoSense(t *testing.T) {
	parallel(t)
	s := shop.open(t, "arthouse-40")
	b := guest(t)
	love := s.of(t, seatmap.Loveseat, 2, 0)
	seats := s.regular(t, 2, 0)
	list := func(ids ...string) string { return `{"seats":["` + strings.Join(ids, `","`) + `"]}` }
	for _, c := range []struct {
		name, body, code string
		seats            []string
	}{
		{"empty body", `{}`, "no_seats", nil},
		{"empty list", `{"seats":[]}`, "no_seats", nil},
		{"no best", `{"best":{"count":0}}`, "no_seats", nil},
		{"less than no best", `{"best":{"count":-1}}`, "no_seats", nil},
		{"eleven best", `{"best":{"count":11}}`, "too_many_seats", nil},
		{"eleven", list(s.except(generalSale)[:11]...), "too_many_seats", s.except(generalSale)[:11]},
		{"twice", list(seats[0], seats[1], seats[0]), "duplicate_seat", seats[:1]},
		{"unknown", list(seats[0], "Z-99"), "unknown_seat", []string{"Z-99"}},
		{"another case", list(strings.ToLower(seats[0])), "unknown_seat", []string{strings.ToLower(seats[0])}},
		{"no name", list(""), "unknown_seat", []string{""}},
		{"half a pair", list(love[0]), "pair_split", love[1:2]},
		{"wrong movie", `{"seats":["` + seats[0] + `"],"movie_id":"another"}`, "wrong_movie", nil},
	} {
		r := request{name: c.name, method: "POST", path: "/shows/" + string(s.ID) + "/holds", body: c.body, status: 422, code: c.code}
		if p := refuses(t, r, b.ask(r)); !slices.Equal(p.Seats, c.seats) {
			t.Errorf("%s: seats are %v, not %v", c.name, p.Seats, c.seats)
		}
	}
	h := b.hold(s, love...)
	if h.Total.Amount != h.Seats[0].Price.Amount+h.Seats[1].Price.Amount {
		t.Errorf("a pair costs %+v", h)
	}
	r := request{name: "right movie", method: "POST", path: "/shows/" + string(s.ID) + "/holds", body: `{"seats":["` + seats[0] + `"],"movie_id":"` + ownMovie + `"}`}
	if got := b.ask(r); got.Status != 201 {
		t.Errorf("with its movie: %d %s", got.Status, got.Body)
	}
}

// TestRelease gives seats back at once; a second time changes nothing.
func TestRelease(t *testing.T) {
	parallel(t)
	s := shop.open(t, "standard-90")
	b := guest(t)
	seats := s.regular(t, 3, 0)
	h := b.hold(s, seats...)
	b.release(h.ID)
	b.release(h.ID)
	if got := read[apiclient.Hold](b, "/holds/"+h.ID); got.State != "released" {
		t.Errorf("given back, the hold is %s", got.State)
	}
	_, err := b.tryPay(h.ID, "success")
	refused(t, err, 409, "hold_ended")
	guest(t).hold(s, seats...)
	b.release(h.ID) // not the other's

	mine := b.hold(s, s.regular(t, 2, 2)...)
	b.await(b.pay(mine.ID, "success").OrderID, "PAID", 15*time.Second)
	refused(t, b.Call(t.Context(), http.MethodDelete, "/holds/"+mine.ID, "", nil, nil), 409, "already_paid")
	_, err = b.tryPay(mine.ID, "success")
	refused(t, err, 409, "already_paid")
	shop.balanced(t, s)
}

// TestReplayWhereNothingIsLeft: the same request has the same answer also when a
// new one would be refused: no seat is left, the sale is over.
func TestReplayWhereNothingIsLeft(t *testing.T) {
	parallel(t)
	b := guest(t)
	closes := time.Now().Add(4 * time.Second).UTC().Truncate(time.Millisecond)
	s := shop.open(t, "arthouse-40", func(s *catalog.Show) { s.SaleClosesAt = closes })
	holds := "/shows/" + string(s.ID) + "/holds"
	wish := map[string]any{"best": map[string]any{"count": 2, "type": "regular"}}
	var first apiclient.Hold
	must(t, b.Call(t.Context(), http.MethodPost, holds, "the best", wish, &first))
	same := func(when string) {
		t.Helper()
		var again apiclient.Hold
		must(t, b.Call(t.Context(), http.MethodPost, holds, "the best", wish, &again))
		if again.ID != first.ID || !slices.Equal(seatsOf(again), seatsOf(first)) {
			t.Errorf("%s the same request gets %v, not %v", when, seatsOf(again), seatsOf(first))
		}
	}
	b.release(first.ID)
	same("with seats left,")
	s.house(t, s.except(generalSale)...)
	refused(t, b.Call(t.Context(), http.MethodPost, holds, "another", wish, nil), 409, "seats_unavailable")
	same("with none left,")
	until(t, closes)
	refused(t, b.Call(t.Context(), http.MethodPost, holds, "another", wish, nil), 409, "sales_closed")
	same("after the sale")
	shop.balanced(t, s)
}
