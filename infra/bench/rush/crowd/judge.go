package crowd

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
)

// span is a time during which a seat had an owner; to is zero while it has one.
type span struct{ from, to time.Time }

// commits is the log of the claims, seat by seat, and how many were free when.
type commits struct {
	spans map[seatmap.SeatID][]span
	free  []count
}

type count struct {
	at   time.Time
	free int
}

func (b *house) commits() commits {
	c := commits{spans: map[seatmap.SeatID][]span{}, free: []count{{free: b.layout.Len()}}}
	n := b.layout.Len()
	for _, r := range b.db.Records(store.Claims, "") {
		if !strings.HasPrefix(r.Key.PK, "SHOW#") {
			continue
		}
		id := seatmap.SeatID(r.Key.SK)
		switch {
		case r.Old == nil:
			c.spans[id] = append(c.spans[id], span{from: r.At})
			n--
		case r.New == nil:
			s := c.spans[id]
			s[len(s)-1].to = r.At
			n++
		}
		c.free = append(c.free, count{r.At, n})
	}
	return c
}

// owned reports whether the seat had an owner at any moment of the request.
func (c commits) owned(id seatmap.SeatID, from, to time.Time) bool {
	return slices.ContainsFunc(c.spans[id], func(s span) bool {
		return !s.from.After(to) && (s.to.IsZero() || !s.to.Before(from))
	})
}

// between calls visit with each number of free seats that there was in a time.
func (c commits) between(from, to time.Time, visit func(free int)) {
	for i, k := range c.free {
		ended := i+1 < len(c.free) && !c.free[i+1].at.After(from)
		if !ended && !k.at.After(to) {
			visit(k.free)
		}
	}
}

// lies are answers that were untrue for the whole of their time.
func (c commits) lies(answers []Answer) []string {
	var found []string
	for _, a := range answers {
		if a.Kind != taken {
			continue
		}
		for _, k := range a.Conflicts {
			if !c.owned(k.Seat, a.Asked, a.Came) {
				found = append(found, fmt.Sprintf("buyer %d was told that %s is %v, and it was free from %v to %v", a.Buyer, k.Seat, k.Reason, a.Asked, a.Came))
			}
		}
		if len(a.Conflicts) == 0 && !a.Best {
			found = append(found, fmt.Sprintf("buyer %d was refused without a reason", a.Buyer))
		}
		if why := c.wrongNext(a); why != "" {
			found = append(found, fmt.Sprintf("buyer %d: %s at %v", a.Buyer, why, a.Came))
		}
	}
	return found
}

// wrongNext allows what a seat map may be behind, two seconds, but not for "full".
func (c commits) wrongNext(a Answer) string {
	from := a.Asked
	if a.Next != booking.ShowFull {
		from = from.Add(-2 * time.Second)
	}
	none, some := false, false
	c.between(from, a.Came, func(free int) { none = none || free < max(1, need(a)); some = some || free > 0 })
	switch {
	case a.Next == booking.ChooseOther && !some:
		return "told to choose others, and there were none"
	case a.Next != booking.ChooseOther && !none:
		return fmt.Sprintf("told %v, and there were free seats", a.Next)
	}
	return ""
}

// need is how many free seats a best-available request must have left behind.
func need(a Answer) int {
	if a.Best {
		return a.Seats
	}
	return 1
}
