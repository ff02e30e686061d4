package history_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/history"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/order"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
	"github.com/fairseat/fairseat/pkg/store/meter"
)

var noon = time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC)

const (
	guest   = booking.Buyer("g_somebody")
	account = booking.Buyer("u_somebody")
)

// shows are as many hours away as their names say; "gone" the catalogue has forgotten.
type shows struct{}

func (shows) Show(_ context.Context, id catalog.ShowID) (catalog.Show, error) {
	var hours int
	if _, err := fmt.Sscan(string(id), &hours); err != nil {
		return catalog.Show{}, catalog.ErrNoShow
	}
	starts := noon.Add(time.Duration(hours) * time.Hour)
	return catalog.Show{ID: id, StartsAt: starts, EndsAt: starts.Add(2 * time.Hour)}, nil
}

func book(db store.Tables) *history.Book {
	return &history.Book{Store: store.NewHistories(db), Shows: shows{}, Clock: func() time.Time { return noon }}
}

func tables() *memstore.DB {
	return memstore.New(memstore.Options{Clock: func() time.Time { return noon }, Window: func(memstore.Op, int) {}})
}

func an(id string, b booking.Buyer, show string, st order.Status, rev int64) order.Order {
	n, _ := strconv.Atoi(id)
	made := noon.Add(-time.Hour + time.Duration(n)*time.Second)
	return order.Order{
		ID: order.ID("o_" + id), Buyer: string(b), ShowID: show, Status: st, Rev: rev, CreatedAt: made,
		Total: money.Amount{Minor: 1499, Currency: "USD"}, Seats: []order.Seat{{ID: "A-1", Price: money.Amount{Minor: 1499, Currency: "USD"}}},
	}
}

func all(t interface {
	Helper()
	Fatal(...any)
}, limit int, list func(catalog.Page) (catalog.Listing[history.Entry], error)) (ids []string) {
	t.Helper()
	p := catalog.Page{Limit: limit}
	for {
		l, err := list(p)
		if err != nil || len(l.Items) > limit {
			t.Fatal(len(l.Items), err)
		}
		for _, e := range l.Items {
			ids = append(ids, string(e.Order))
		}
		if p.Cursor = l.Next; p.Cursor == "" {
			return ids
		}
		if len(l.Items) != limit {
			t.Fatal("a short page before the end")
		}
	}
}

// TestFollow: whatever comes twice, late and out of order, and whoever is overtaken,
// the lists are what the orders are.
func TestFollow(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		db := tables()
		b := book(db)
		type change struct {
			from booking.Buyer
			o    order.Order
		}
		moves := map[order.Status][]order.Status{order.Pending: {order.Paid, order.Cancelled}, order.Cancelled: {order.Paid, order.Refunded}, order.Paid: {order.Refunded}}
		var told []change
		last := map[string]order.Order{}
		for i := range rapid.IntRange(1, 6).Draw(rt, "orders") {
			o := an(fmt.Sprint(i+1), guest, rapid.SampledFrom([]string{"-9", "-2", "-1", "1", "5", "gone"}).Draw(rt, "show"), order.Pending, 1)
			told = append(told, change{"", o})
			for range rapid.IntRange(0, 4).Draw(rt, "changes") {
				from := booking.Buyer(o.Buyer)
				next := moves[o.Status]
				switch {
				case from == guest && rapid.Bool().Draw(rt, "adopted"):
					o.Buyer = string(account)
				case len(next) > 0:
					o.Status = rapid.SampledFrom(next).Draw(rt, "status")
				default:
					continue
				}
				o.Rev++
				told = append(told, change{from, o})
			}
			last[string(o.ID)] = o
		}
		ctx := context.Background()
		for i := range told { // in order, each followed by repeats of what came before
			for _, k := range append([]int{i}, rapid.SliceOfN(rapid.IntRange(0, i), 0, 3).Draw(rt, "again")...) {
				if err := b.Record(ctx, told[k].from, told[k].o); err != nil {
					rt.Fatal(err)
				}
			}
		}
		for _, who := range []booking.Buyer{guest, account} {
			for _, st := range append([]order.Status{""}, order.Statuses...) {
				var want []string
				for n := len(last); n > 0; n-- {
					if o := last[fmt.Sprint("o_", n)]; o.Buyer == string(who) && (st == "" || o.Status == st) {
						want = append(want, string(o.ID))
					}
				}
				for limit := 1; limit <= 3; limit++ {
					if got := all(rt, limit, func(p catalog.Page) (catalog.Listing[history.Entry], error) { return b.Orders(ctx, who, st, p) }); !slices.Equal(got, want) {
						rt.Fatalf("%s %s: %v, want %v", who, st, got, want)
					}
				}
			}
			for when, sign := range map[history.When]int{history.Upcoming: 1, history.Past: -1} {
				want := wanted(last, who, when, sign)
				for limit := 1; limit <= 3; limit++ {
					if got := all(rt, limit, func(p catalog.Page) (catalog.Listing[history.Entry], error) { return b.Tickets(ctx, who, when, p) }); !slices.Equal(got, want) {
						rt.Fatalf("%s, tickets %d: %v, want %v", who, when, got, want)
					}
				}
			}
		}
	})
}

// wanted is the list of tickets by a sort of everything.
func wanted(last map[string]order.Order, who booking.Buyer, when history.When, sign int) (ids []string) {
	var paid []order.Order
	ends := func(o order.Order) time.Time {
		s, _ := shows{}.Show(context.Background(), catalog.ShowID(o.ShowID))
		return s.EndsAt
	}
	for _, o := range last {
		if o.Buyer == string(who) && o.Status == order.Paid && ends(o).After(noon) == (when == history.Upcoming) {
			paid = append(paid, o)
		}
	}
	slices.SortFunc(paid, func(a, b order.Order) int {
		if c := ends(a).Compare(ends(b)); c != 0 {
			return sign * c
		}
		return sign * cmpText(string(a.ID), string(b.ID))
	})
	for _, o := range paid {
		ids = append(ids, string(o.ID))
	}
	return ids
}

func cmpText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// TestOvertaken: who read before another wrote changes nothing, and is told so.
func TestOvertaken(t *testing.T) {
	s := store.NewHistories(tables())
	old, young := an("1", guest, "1", order.Pending, 1), an("1", account, "1", order.Paid, 3)
	show, _ := shows{}.Show(t.Context(), "1")
	slow := history.Follow(old, show, nil, "", nil)
	if err := s.Keep(t.Context(), history.Follow(young, show, nil, guest, nil)); err != nil {
		t.Fatal(err)
	}
	if err := s.Keep(t.Context(), slow); !fault.Is(err, fault.Stale) {
		t.Errorf("overtaken: %v", err)
	}
	b := book(nil)
	b.Store = s
	for who, want := range map[booking.Buyer]int{guest: 0, account: 1} {
		l, err := b.Orders(t.Context(), who, "", catalog.Page{Limit: 5})
		if err != nil || len(l.Items) != want {
			t.Errorf("%s: %+v, %v", who, l, err)
		}
	}
}

// TestGuestsGo: what nobody can ask for any more is not kept; an account's is.
func TestGuestsGo(t *testing.T) {
	db := tables()
	b := book(db)
	for i, who := range []booking.Buyer{guest, account} {
		if err := b.Record(t.Context(), "", an(fmt.Sprint(i+1), who, "1", order.Paid, 1)); err != nil {
			t.Fatal(err)
		}
	}
	db.Expire(noon.Add(history.GuestKept))
	for who, want := range map[booking.Buyer]int{guest: 0, account: 1} {
		l, err := b.Orders(t.Context(), who, "", catalog.Page{Limit: 5})
		if err != nil || len(l.Items) != want {
			t.Errorf("%s: %+v, %v", who, l, err)
		}
	}
}

// TestPageCosts: a page of fifty is one request of two units at most; a change of an
// order is one read and eight write units.
func TestPageCosts(t *testing.T) {
	m := meter.New(tables())
	b := book(m)
	for i := range 60 {
		o := an(fmt.Sprint(i+1), account, "1", order.Pending, 1)
		o.ShowID, o.ID = "1", order.ID(fmt.Sprintf("o_%026d", i))
		for range 3 {
			o.Seats = append(o.Seats, o.Seats[0])
		}
		if err := b.Record(t.Context(), "", o); err != nil {
			t.Fatal(err)
		}
		o.Status, o.Rev = order.Paid, 2
		m.Reset()
		if err := b.Record(t.Context(), account, o); err != nil {
			t.Fatal(err)
		}
		if cost := m.Snapshot(); cost.Of(meter.Transact) > meter.Units(8) || cost.Of(meter.Get) > meter.Units(1) {
			t.Fatalf("a change costs %+v", cost)
		}
	}
	for name, list := range map[string]func(catalog.Page) (catalog.Listing[history.Entry], error){
		"orders": func(p catalog.Page) (catalog.Listing[history.Entry], error) {
			return b.Orders(t.Context(), account, "", p)
		},
		"paid": func(p catalog.Page) (catalog.Listing[history.Entry], error) {
			return b.Orders(t.Context(), account, order.Paid, p)
		},
		"tickets": func(p catalog.Page) (catalog.Listing[history.Entry], error) {
			return b.Tickets(t.Context(), account, history.Upcoming, p)
		},
	} {
		m.Reset()
		l, err := list(catalog.Page{Limit: 50})
		if cost := m.Snapshot(); err != nil || len(l.Items) != 50 || cost.Requests[meter.Query] != 1 || cost.Of(meter.Query) > meter.Units(2) {
			t.Errorf("%s: %d items, %+v, %v", name, len(l.Items), cost, err)
		}
	}
}

// TestCursors of one list are none of another.
func TestCursors(t *testing.T) {
	b := book(tables())
	for i := range 3 {
		if err := b.Record(t.Context(), "", an(fmt.Sprint(i+1), account, "1", order.Paid, 1)); err != nil {
			t.Fatal(err)
		}
	}
	l, err := b.Orders(t.Context(), account, "", catalog.Page{Limit: 1})
	if err != nil || l.Next == "" {
		t.Fatalf("%+v, %v", l, err)
	}
	p := catalog.Page{Limit: 1, Cursor: l.Next}
	_, other := b.Orders(t.Context(), guest, "", p)
	_, narrower := b.Orders(t.Context(), account, order.Paid, p)
	_, tickets := b.Tickets(t.Context(), account, history.Upcoming, p)
	if diff := cmp.Diff([]bool{true, true, true}, []bool{other == catalog.ErrCursor, narrower == catalog.ErrCursor, tickets == catalog.ErrCursor}); diff != "" {
		t.Error(diff)
	}
}
