package catalog

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

func aShow() Show {
	s := show("s", "a", 24*time.Hour, "2026-11-22")
	s.EndsAt, s.SaleOpensAt, s.SaleClosesAt = s.StartsAt.Add(2*time.Hour), noon.Add(-time.Hour), s.StartsAt
	s.Prices = []Price{{seatmap.Regular, cny(4500)}, {seatmap.Premium, cny(5500)}}
	return s
}

func cny(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: "CNY"} }

func TestChange(t *testing.T) {
	s := aShow()
	later := s.StartsAt.Add(90 * time.Minute)
	moved, err := s.Change(Change{StartsAt: later, LocalDate: "2026-11-22"}, noon)
	if err != nil || !moved.StartsAt.Equal(later) || !moved.EndsAt.Equal(s.EndsAt.Add(90*time.Minute)) || !moved.SaleClosesAt.Equal(later) || !moved.SaleOpensAt.Equal(s.SaleOpensAt) {
		t.Fatalf("moved: %+v, %v", moved, err)
	}
	if moved.Rev != 1 || !moved.Announced.Equal(s.EndsAt) {
		t.Errorf("rev %d, announced %v", moved.Rev, moved.Announced)
	}
	dearer, err := moved.Change(Change{Prices: []Price{{seatmap.Premium, cny(9900)}}}, noon)
	if p, _ := dearer.PriceOf(seatmap.Premium); err != nil || p != cny(9900) || dearer.Rev != 2 || !dearer.Announced.Equal(s.EndsAt) {
		t.Errorf("dearer: %+v, %v", dearer, err)
	}
	if p, _ := moved.PriceOf(seatmap.Premium); p != cny(5500) {
		t.Errorf("the show before has the price %v", p)
	}
	off, err := dearer.Change(Change{Cancel: true}, noon)
	if err != nil || off.Sale(noon) != SaleClosed || off.Listed(noon) {
		t.Errorf("cancelled: %+v, %v", off, err)
	}
	if again, err := off.Change(Change{Cancel: true}, noon.Add(240*time.Hour)); err != nil || again.Rev != off.Rev {
		t.Errorf("cancelled again, after it is over: rev %d, %v", again.Rev, err)
	}
}

func TestChangesRefused(t *testing.T) {
	at := func(h int) time.Time { return noon.Add(time.Duration(h) * time.Hour) }
	off := aShow()
	off.Status = Cancelled
	for name, tt := range map[string]struct {
		s    Show
		c    Change
		now  time.Time
		want error
	}{
		"begun":               {aShow(), Change{Prices: []Price{{seatmap.Regular, cny(1)}}}, at(24), ErrShowOver},
		"cancelled":           {off, Change{Prices: []Price{{seatmap.Regular, cny(1)}}}, noon, ErrShowCancelled},
		"into the past":       {aShow(), Change{StartsAt: at(-1), LocalDate: "2026-11-21"}, noon, ErrBadChange},
		"no local date":       {aShow(), Change{StartsAt: at(30)}, noon, ErrBadChange},
		"another local date":  {aShow(), Change{StartsAt: at(30), LocalDate: "2026-11-24"}, noon, ErrBadChange},
		"a date alone":        {aShow(), Change{LocalDate: "2026-11-22"}, noon, ErrBadChange},
		"over a month later":  {aShow(), Change{StartsAt: at(24 + 24*28 + 1), LocalDate: "2026-12-20"}, noon, ErrBadChange},
		"ends first":          {aShow(), Change{EndsAt: at(24)}, noon, ErrBadChange},
		"no sale":             {aShow(), Change{SaleOpensAt: at(24)}, noon, ErrBadChange},
		"sold after its end":  {aShow(), Change{SaleClosesAt: at(27)}, noon, ErrBadChange},
		"seats it has not":    {aShow(), Change{Prices: []Price{{seatmap.Loveseat, cny(1)}}}, noon, ErrBadChange},
		"another currency":    {aShow(), Change{Prices: []Price{{seatmap.Regular, money.Amount{Minor: 1, Currency: "USD"}}}}, noon, ErrBadChange},
		"less than nothing":   {aShow(), Change{Prices: []Price{{seatmap.Regular, cny(-1)}}}, noon, ErrBadChange},
		"a year and a day on": {aShow(), Change{StartsAt: at(24 * 367), LocalDate: "2027-11-23"}, noon, ErrBadChange},
	} {
		if got, err := tt.s.Change(tt.c, tt.now); !errors.Is(err, tt.want) {
			t.Errorf("%s: %+v, %v; want %v", name, got, err, tt.want)
		}
	}
}

// However a show is moved, step by step, it never ends later than four weeks after
// what was announced first, and each change is numbered once.
func TestAShowIsNotMovedForEver(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := aShow()
		first := s.EndsAt
		for range rapid.IntRange(1, 12).Draw(t, "changes") {
			starts := s.StartsAt.Add(time.Duration(rapid.IntRange(-200, 400).Draw(t, "hours")) * time.Hour)
			next, err := s.Change(Change{StartsAt: starts, LocalDate: starts.Format(time.DateOnly)}, noon)
			if err != nil {
				continue
			}
			if want := s.Rev + 1; next.Rev != want && !next.StartsAt.Equal(s.StartsAt) || next.EndsAt.After(first.Add(MaxPostponed)) {
				t.Fatalf("rev %d, ends %v, announced %v", next.Rev, next.EndsAt, first)
			}
			s = next
		}
	})
}

func TestLastStart(t *testing.T) {
	a, b, c := show("a", "k", time.Hour, ""), show("b", "k", 2*time.Hour, ""), show("c", "k", 3*time.Hour, "")
	run := Run{Shows: []Show{a, b, c}}
	off := func(s Show) Show { s.Status = Cancelled; return s }
	early := c
	early.StartsAt = noon.Add(time.Minute)
	for name, tt := range map[string]struct {
		run  Run
		next Show
		want time.Time
	}{
		"nothing moved":      {run, a, c.StartsAt},
		"the last cancelled": {run, off(c), b.StartsAt},
		"the last is first":  {run, early, b.StartsAt},
		"another cancelled":  {run, off(a), c.StartsAt},
		"none is left":       {Run{Shows: []Show{off(a), c}}, off(c), time.Time{}},
		"not listed":         {Run{}, a, a.StartsAt},
	} {
		if got := tt.run.lastStart(tt.next); !got.Equal(tt.want) {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}
