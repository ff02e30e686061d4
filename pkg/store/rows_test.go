package store_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/order"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
)

// TestRowsComeBack: what is stored is what is read, for any hold and payment.
func TestRowsComeBack(t *testing.T) {
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		word := rapid.StringMatching(`[a-z0-9-]{1,40}`)
		at := rapid.Map(rapid.Int64Range(1, 4e12), func(ms int64) time.Time { return time.UnixMilli(ms).UTC() })
		h := booking.Hold{
			ID: booking.HoldID("h" + strconv.Itoa(n)), Show: catalog.ShowID(word.Draw(rt, "show")), Buyer: booking.Buyer(word.Draw(rt, "buyer")),
			State: booking.Held, ExpiresAt: at.Draw(rt, "expires"), Rev: rapid.Int64Min(1).Draw(rt, "rev"), BodyHash: word.Draw(rt, "hash"),
			MadeAt: at.Draw(rt, "made"), OrderID: rapid.SampledFrom([]string{"", "o_1"}).Draw(rt, "order"),
			PaymentID: rapid.SampledFrom([]string{"", "p_1"}).Draw(rt, "payment"),
		}
		currency := rapid.SampledFrom([]string{"USD", "JPY", "KWD"}).Draw(rt, "currency")
		for i := range rapid.IntRange(1, 10).Draw(rt, "seats") {
			h.Seats = append(h.Seats, booking.Seat{
				ID: seatmap.SeatID("A-" + strconv.Itoa(i)), Type: rapid.SampledFrom([]seatmap.SeatType{seatmap.Regular, seatmap.Loveseat}).Draw(rt, "type"),
				Block: word.Draw(rt, "block"), Price: usd(rapid.Int64Min(0).Draw(rt, "price")),
			})
			h.Seats[i].Price.Currency = currency
		}
		s := store.New(memory(), policy) // of its own: two draws may name the same seats
		if err := s.Hold(t.Context(), h, keep, booking.Terms{}); err != nil {
			rt.Fatal(err)
		}
		got, err := s.HoldByID(t.Context(), h.ID)
		if diff := cmp.Diff(h, got); err != nil || diff != "" {
			rt.Fatalf("%v (-want +got):\n%s", err, diff)
		}
	})
}

// FuzzRows: no row makes a reader panic, and an unknown state, a broken seat or a
// missing attribute is an error, never a guess.
func FuzzRows(f *testing.F) {
	f.Add("held", "C-7|regular|0|1499", "0001893456000000#h_1", int64(1), []byte{0})
	f.Add("PAID", "||", "#", int64(-1), []byte{})
	f.Add("pending", "C-7|regular|0|x", "x#y", int64(6), []byte{1, 2})
	f.Add("captured", "1 2 3 4 5", "S#C-7", int64(1)<<62, []byte(nil))
	f.Add("", "1 2 3", "S#", int64(9223372036854775807), []byte{255})
	f.Fuzz(func(t *testing.T, state, text, sk string, n int64, b []byte) {
		m := map[string]any{"id": text, "type": text, "amount": n, "seat": text, "code": state}
		it := store.Item{
			"pk": text, "sk": sk, "state": state, "rev": n, "exp": n, "show": text, "buyer": text, "seats": []any{text, m}, "cur": text,
			"hash": text, "made": n, "hold": text, "ord": text, "provider": text, "amount": n, "attempt": n, "ask": n, "hints": map[string]any{"k": text},
			"tickets": []any{m}, "paidby": text, "v": n, "map": b, "line": b, "n": n, "due": n, "tally": map[string]any{text: text},
		}
		for _, list := range [][]any{{text}, {m}, {n}, {}} {
			it["seats"] = list
			if h, err := store.HoldFromItem(it); err == nil && (h.State == 0 || len(h.Seats) == 0) {
				t.Errorf("hold %+v", h)
			}
			readOrder(t, it)
		}
		if p, err := store.PaymentFromItem(it); err == nil && p.State == "" {
			t.Errorf("payment %+v", p)
		}
		if tm, err := store.TimerFromItem(it); err == nil && tm.ExpiresAt.IsZero() {
			t.Errorf("timer %+v", tm)
		}
		store.PoolSeat(it)
		readMap(t, it)
	})
}

func readOrder(t *testing.T, it store.Item) {
	s := put(t, store.Key{Table: store.Orders, PK: "ORDER#o", SK: "ORDER"}, it)
	o, err := s.OrderByID(t.Context(), "o")
	if err == nil && o.Check() != nil {
		t.Errorf("order %+v", o)
	}
}

func readMap(t *testing.T, it store.Item) {
	s := put(t, store.Key{Table: store.Snapshots, PK: "MAP#s", SK: "MAP"}, it)
	m, err := s.Snapshot(t.Context(), "s")
	if err == nil && m != nil && m.Line.Len() != m.Seats.Len() {
		t.Errorf("map of %d seats, %d marks", m.Seats.Len(), m.Line.Len())
	}
}

// put stores a row as it is; one that the service would refuse is none.
func put(t *testing.T, k store.Key, it store.Item) *store.Store {
	db := memory()
	_ = db.Transact(t.Context(), []store.Write{{Key: k, Put: it.Clone()}}, "")
	return store.New(db, policy)
}

// TestUnknownWordsAreErrors: one attribute of each row is spoiled at a time.
func TestUnknownWordsAreErrors(t *testing.T) {
	r := newRig(t, memory())
	b := r.pay(r.hold("ann", "C-1"))
	rows := map[string]struct {
		item   store.Item
		decode func(store.Item) error
	}{
		"hold":    {r.item(store.Holds, "HOLD#"+string(b.hold.ID), "HOLD"), func(it store.Item) error { _, err := store.HoldFromItem(it); return err }},
		"payment": {r.item(store.Orders, "PAY#"+string(b.pay.ID), "PAY"), func(it store.Item) error { _, err := store.PaymentFromItem(it); return err }},
		"order": {r.item(store.Orders, "ORDER#"+string(b.ord.ID), "ORDER"), func(it store.Item) error {
			_, err := put(t, store.Key{Table: store.Orders, PK: "ORDER#o", SK: "ORDER"}, it).OrderByID(t.Context(), order.ID("o"))
			return err
		}},
	}
	for name, row := range rows {
		if err := row.decode(row.item); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, spoil := range []any{"sleeping", nil, int64(7)} {
			it := row.item.Clone()
			it["state"] = spoil
			if spoil == nil {
				delete(it, "state")
			}
			if row.decode(it) == nil {
				t.Errorf("%s of state %v was read", name, spoil)
			}
		}
		it := row.item.Clone()
		delete(it, "buyer")
		if row.decode(it) == nil {
			t.Errorf("%s without a buyer was read", name)
		}
	}
	if !store.IsHold(rows["hold"].item) || store.IsHold(rows["order"].item) {
		t.Error("a hold is not told from an order")
	}
	if !store.IsPayment(rows["payment"].item) || store.IsPayment(rows["order"].item) {
		t.Error("a payment is not told from an order")
	}
}
