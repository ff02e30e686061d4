package main

import (
	"context"
	"fmt"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// hallTexts are houses of several sizes; the largest has two blocks.
var hallTexts = []string{
	`{"halls":[{"id":"box","name":"Box","kind":"cinema","numbering":"ltr","seats":24,"by_type":{"R":16,"P":6,"L":2},
"rows":["A: RRRRRRRR","B: RRRRRRRR","C: PPP_PPP_","D: LL______"]}]}`,
	`{"halls":[{"id":"studio","name":"Studio","kind":"cinema","numbering":"ltr","seats":44,"by_type":{"R":32,"P":8,"L":4},
"rows":["A: RRRRRRRR","B: RRRRRRRR","C: RRRRRRRR","D: RRRRRRRR","E: PPPPPPPP","F: LLLL____"]}]}`,
	`{"halls":[{"id":"large","name":"Large","kind":"cinema","numbering":"ltr","seats":90,"by_type":{"R":70,"P":20},
"sections":[{"section":"stalls","seats":60,"by_type":{"R":50,"P":10},"rows":["A: RRRRRRRRRR","B: RRRRRRRRRR","C: RRRRRRRRRR","D: RRRRRRRRRR","E: RRRRRRRRRR","F: PPPPPPPPPP"]},
{"section":"balcony","seats":30,"by_type":{"R":20,"P":10},"rows":["A: RRRRRRRRRR","B: RRRRRRRRRR","C: PPPPPPPPPP"]}]}]}`,
}

var halls = map[catalog.LayoutID]*seatmap.Layout{}

// evening is a show and what the soak knows of it.
type evening struct {
	show  catalog.Show
	deaf  bool           // the last message to its lane was lost
	block booking.HoldID // of the house
}

// programme plans all shows: when each is, when its sale opens, and who comes.
func (w *world) programme() error {
	var ids []catalog.LayoutID
	for _, text := range hallTexts {
		hs, err := seatmap.ParseHalls([]byte(text))
		if err != nil {
			return err
		}
		l, err := seatmap.Expand(hs[0])
		if err != nil {
			return err
		}
		id := catalog.LayoutID(l.ID())
		halls[id] = l
		ids = append(ids, id)
	}
	length := time.Duration(w.plan.Days) * 24 * time.Hour
	for i := range w.plan.Shows {
		// Evenly over the time, so that one day is as the other.
		starts := epoch.Add(6*time.Hour + (length-6*time.Hour)*time.Duration(i)/time.Duration(w.plan.Shows)).Truncate(time.Second)
		w.plant(i, starts, ids[w.Pick(len(ids))])
	}
	return nil
}

func (w *world) plant(i int, starts time.Time, hall catalog.LayoutID) {
	opens := starts.Add(-w.seconds(2*3600, 20*3600))
	if opens.Before(epoch) {
		opens = epoch
	}
	usd := func(n int64) money.Amount { return money.Amount{Minor: n, Currency: "USD"} }
	s := catalog.Show{
		ID: catalog.ShowID(fmt.Sprintf("s%d", i)), MovieID: catalog.MovieID(fmt.Sprintf("m%d", i)), City: "town", LayoutID: hall, Status: catalog.OnSale,
		SaleOpensAt: opens, StartsAt: starts, SaleClosesAt: starts, EndsAt: starts.Add(2 * time.Hour), SingleGap: w.oneIn(10), NoLine: w.oneIn(25),
		Prices: []catalog.Price{{Type: seatmap.Regular, Amount: usd(1499)}, {Type: seatmap.Premium, Amount: usd(1999)}, {Type: seatmap.Loveseat, Amount: usd(2501)}},
	}
	if w.oneIn(4) {
		s.LinePasses = 1 + w.Pick(3)
	}
	e := &evening{show: s}
	w.shows[s.ID] = e
	sale := starts.Sub(opens)
	w.After(opens.Sub(epoch), func() { w.opened(e) })
	demand := float64(halls[hall].Len()) * (0.3 + 2.4*w.rng.Float64()) / 2 // people, of three seats each or so
	rush := w.rng.Float64() * 0.7
	door := rush + w.rng.Float64()*(1-rush)
	for range int(demand) {
		at := time.Duration(w.rng.Float64() * float64(sale))
		switch when := w.rng.Float64(); {
		case when < rush:
			at = w.seconds(0, 600)
		case when < door: // the last hour, most of them before the line closes
			at = max(sale-w.seconds(600, 3600), 0)
		}
		w.After(opens.Add(at).Sub(epoch), func() { w.arrive(e) })
	}
	if w.oneIn(80) { // called off
		w.After(opens.Add(sale/2).Sub(epoch), func() { e.show.Status = catalog.Cancelled })
	}
	w.After(starts.Sub(epoch), func() { w.over++ })
	w.After(starts.Add(shutAfter).Sub(epoch), func() { w.ledger.shut(e) })
}

// opened: the house keeps some seats for itself, and lets some of those go later.
func (w *world) opened(e *evening) {
	w.begun++
	if !w.oneIn(4) {
		return
	}
	l := halls[e.show.LayoutID]
	var ids []seatmap.SeatID
	for i := range 2 + w.Pick(6) {
		ids = append(ids, l.At(i).ID)
	}
	wish := boxoffice.Wish{Buyer: booking.House, Key: "block " + string(e.show.ID), BodyHash: "house", Show: e.show.ID, Seats: ids}
	w.spawn("house", func(ctx context.Context, o *boxoffice.Office) {
		if h, err := o.Block(ctx, wish); err == nil {
			e.block = h.ID
		}
	}, func(bool) {})
	if w.oneIn(2) {
		w.After(w.seconds(1800, 7200), func() {
			w.spawn("house", func(ctx context.Context, o *boxoffice.Office) {
				if e.block != "" {
					_, _ = o.End(ctx, e.block, booking.ByHouse)
				}
			}, func(bool) {})
		})
	}
}
