package catalog

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/fairseat/fairseat/pkg/fault"
)

// Change is what an organiser alters of a show; a member that is zero stays as it
// is. Another hall is another show: seats are sold by their place in its layout.
type Change struct {
	StartsAt     time.Time // with it LocalDate; the rest of the show moves along
	EndsAt       time.Time
	LocalDate    string // 2006-01-02 of StartsAt where the cinema is
	SaleOpensAt  time.Time
	SaleClosesAt time.Time
	Prices       []Price // of some of the types that have one
	Cancel       bool
}

// What a change may be refused for.
var (
	ErrBadChange     = fault.New(fault.Invalid, "bad_request", "catalog: not a change of this show")
	ErrShowOver      = fault.New(fault.Conflict, "show_over", "catalog: the show has begun or is over")
	ErrShowCancelled = fault.New(fault.Conflict, "show_cancelled", "catalog: a cancelled show stays as it is")
)

// MaxPostponed bounds by how much the end of a show may move past the one that was
// announced first: allowances outlive that by thirty days, and a buyer must not
// have ten seats twice because the first ten were forgotten.
const MaxPostponed = 28 * 24 * time.Hour

// Change is the show after a change at now, or why there is none. What was held or
// bought keeps its seats and its price; a cancelled show is never on sale again,
// for its money goes back. The same change again changes nothing.
func (s Show) Change(c Change, now time.Time) (Show, error) {
	next := s
	if err := next.move(c); err != nil {
		return Show{}, err
	}
	if err := next.price(c.Prices); err != nil {
		return Show{}, err
	}
	if c.Cancel {
		next.Status = Cancelled
	}
	switch {
	case next.same(s):
		return s, nil
	case s.Status == Cancelled:
		return Show{}, ErrShowCancelled
	case !s.StartsAt.After(now):
		return Show{}, ErrShowOver
	}
	if err := next.possible(now); err != nil {
		return Show{}, err
	}
	if next.Announced.IsZero() {
		next.Announced = s.EndsAt
	}
	if next.EndsAt.After(next.Announced.Add(MaxPostponed)) {
		return Show{}, badChange("it would end more than four weeks after %s, which was announced first", next.Announced.Format(time.RFC3339))
	}
	next.Rev++
	return next, nil
}

// move shifts what is not named along with the start.
func (s *Show) move(c Change) error {
	if !c.StartsAt.IsZero() {
		if err := dateOf(c.StartsAt, c.LocalDate); err != nil {
			return err
		}
		by := c.StartsAt.Sub(s.StartsAt)
		s.StartsAt, s.LocalDate = c.StartsAt, c.LocalDate
		s.EndsAt, s.SaleClosesAt = s.EndsAt.Add(by), s.SaleClosesAt.Add(by)
	} else if c.LocalDate != "" {
		return badChange("a local date goes with a start")
	}
	for _, given := range []struct {
		from time.Time
		to   *time.Time
	}{{c.EndsAt, &s.EndsAt}, {c.SaleOpensAt, &s.SaleOpensAt}, {c.SaleClosesAt, &s.SaleClosesAt}} {
		if !given.from.IsZero() {
			*given.to = given.from
		}
	}
	for _, t := range []*time.Time{&s.StartsAt, &s.EndsAt, &s.SaleOpensAt, &s.SaleClosesAt} {
		*t = t.UTC().Truncate(time.Millisecond)
	}
	return nil
}

// dateOf checks a local date without a time zone: none is further from UTC than 14 hours.
func dateOf(starts time.Time, local string) error {
	day, err := time.Parse(time.DateOnly, local)
	if err != nil {
		return badChange("%q is no local date", local)
	}
	if off := starts.Sub(day); off < -14*time.Hour || off >= (24+12)*time.Hour {
		return badChange("it is nowhere %s at %s", local, starts.UTC().Format(time.RFC3339))
	}
	return nil
}

func (s *Show) price(prices []Price) error {
	s.Prices = slices.Clone(s.Prices)
	for _, p := range prices {
		i := slices.IndexFunc(s.Prices, func(old Price) bool { return old.Type == p.Type })
		switch {
		case i < 0:
			return badChange("it has no %s seats", p.Type)
		case !p.Amount.Valid() || p.Amount.Currency != s.Prices[i].Amount.Currency:
			return badChange("%v is no price for its %s seats", p.Amount, p.Type)
		}
		s.Prices[i] = p
	}
	return nil
}

func (s Show) same(old Show) bool {
	return s.StartsAt.Equal(old.StartsAt) && s.EndsAt.Equal(old.EndsAt) && s.LocalDate == old.LocalDate &&
		s.SaleOpensAt.Equal(old.SaleOpensAt) && s.SaleClosesAt.Equal(old.SaleClosesAt) &&
		s.Status == old.Status && slices.Equal(s.Prices, old.Prices)
}

func (s Show) possible(now time.Time) error {
	switch {
	case !s.StartsAt.After(now):
		return badChange("it would have begun")
	case s.StartsAt.After(now.Add(horizon)):
		return badChange("it would begin more than a year from now")
	case !s.EndsAt.After(s.StartsAt):
		return badChange("it would end before it begins")
	case !s.SaleClosesAt.After(s.SaleOpensAt) || s.SaleClosesAt.After(s.EndsAt):
		return badChange("its sale would end before it begins, or after the show")
	}
	return nil
}

func badChange(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrBadChange, fmt.Sprintf(format, args...))
}

// Run is what else a change of a show may alter: the film is listed in the city
// until the last of its shows there.
type Run struct {
	Shows  []Show
	Rev    int64 // of the film's place in the list
	Listed bool  // whether it has one
}

// lastStart is the start of the last show on sale, next in place of what it was;
// zero when there is none left.
func (r Run) lastStart(next Show) time.Time {
	var last time.Time
	others := filter(r.Shows, func(s Show) bool { return s.ID != next.ID })
	for _, s := range append(others, next) {
		if s.Status == OnSale && s.StartsAt.After(last) {
			last = s.StartsAt
		}
	}
	return last
}

// ChangeStore keeps what organisers change. Its reads are strongly consistent.
type ChangeStore interface {
	// ShowNow fails with ErrNoShow.
	ShowNow(ctx context.Context, id ShowID) (Show, error)
	// RunNow reads the film's place in the list before its shows.
	RunNow(ctx context.Context, movie MovieID, city CityID) (Run, error)
	// ChangeShow writes the show, its place in the listing and the film's last start
	// in one transaction: Stale when the show or the film's place have changed since.
	ChangeShow(ctx context.Context, was, next Show, run Run, last time.Time) error
}

// Programme is where organisers change shows. The zero value is of no use.
type Programme struct {
	Store ChangeStore
	Clock func() time.Time
	Pause func(ctx context.Context, d time.Duration) error
}

const (
	changeAttempts = 6
	changeWait     = 20 * time.Millisecond
)

// Change alters a show for all readers: the next one sees it, and those who
// remember for a while do within five seconds. It is safe to repeat.
func (p Programme) Change(ctx context.Context, id ShowID, c Change) (Show, error) {
	var next Show
	var err error
	for n := range changeAttempts {
		if n > 0 {
			if err := p.Pause(ctx, changeWait<<(n-1)); err != nil {
				return Show{}, err
			}
		}
		next, err = p.try(ctx, id, c)
		switch fault.KindOf(err) {
		case fault.Stale, fault.Contended, fault.Unknown, fault.Busy:
			continue
		}
		break
	}
	if err != nil {
		return Show{}, fmt.Errorf("catalog: change show %s: %w", id, err)
	}
	return next, nil
}

func (p Programme) try(ctx context.Context, id ShowID, c Change) (Show, error) {
	was, err := p.Store.ShowNow(ctx, id)
	if err != nil {
		return Show{}, err
	}
	next, err := was.Change(c, p.Clock())
	if err != nil || next.Rev == was.Rev {
		return next, err
	}
	run, err := p.Store.RunNow(ctx, was.MovieID, was.City)
	if err != nil {
		return Show{}, err
	}
	return next, p.Store.ChangeShow(ctx, was, next, run, run.lastStart(next))
}
