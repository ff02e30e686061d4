package boxoffice

import (
	"maps"
	"sync"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// memory is what this instance has seen of claims and holds. It chooses whether to
// try a transaction at once or to look first, and which holds to read beside the
// claims; it never refuses. What it may say by itself is what a seat map may say,
// and for a shorter time: that others are free, or that the rest is held.
//
// The exception is exact: a hold once seen SOLD whose claim still stands is sold.
type memory struct {
	mu    sync.Mutex
	shows map[catalog.ShowID]*sightings
	size  int // owners and holds of all shows, and the shows themselves
}

// sightings are of one show. Holds are kept while a claim points at them was seen.
type sightings struct {
	owners map[seatmap.SeatID]seenOwner
	holds  map[booking.HoldID]seenHold
	then   map[seatmap.SeatType]int // free seats as of whole
	free   map[seatmap.SeatType]int // and as seen since
	whole  time.Time                // when every claim was read; zero: never
	rough  time.Time                // until then the show counts as contested
}

type seenOwner struct {
	Owner
	at time.Time
}

type seenHold struct {
	state     booking.State
	buyer     booking.Buyer
	expiresAt time.Time
}

const (
	// mostSeen owners and holds are remembered, a few megabytes. Beyond it all is
	// forgotten but the show at hand: what is forgotten costs a read.
	mostSeen = 60_000
	perShow  = 16 // as much as a show itself weighs
	// behind is how far a seat map may lag: for so long a sighting knows better.
	behind = 2 * time.Second
	// breath is how long a look at the whole hall tells others what comes next. A
	// seat map may be two seconds behind.
	breath = time.Second
	gasp   = 100 * time.Millisecond // the same where few are free, and gone the next moment
	// contested is how long after a lost race, and after a sale has opened, an
	// instance looks before it tries.
	contested = 2 * time.Second
	rushHour  = time.Minute
)

// of finds or begins a show's sightings; the lock is held.
func (m *memory) of(id catalog.ShowID) *sightings {
	s := m.shows[id]
	if s != nil && m.size <= mostSeen {
		return s
	}
	if m.shows == nil || m.size > mostSeen {
		m.shows, m.size = map[catalog.ShowID]*sightings{}, 0
	}
	if s == nil || len(s.owners)+len(s.holds) > mostSeen {
		s = &sightings{owners: map[seatmap.SeatID]seenOwner{}, holds: map[booking.HoldID]seenHold{}}
	}
	m.shows[id], m.size = s, m.size+len(s.owners)+len(s.holds)+perShow
	return s
}

// counts runs a change of sightings and keeps the size right; the lock is held.
func (m *memory) counts(s *sightings, change func()) {
	was := len(s.owners) + len(s.holds)
	change()
	m.size += len(s.owners) + len(s.holds) - was
}

// doubts whether the seats can be had at once: somebody was seen on one of them, a
// race was just lost, or the sale has just opened.
func (m *memory) doubts(show catalog.Show, seats []booking.Seat, now time.Time) bool {
	if now.Before(show.SaleOpensAt.Add(rushHour)) {
		return true
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.of(show.ID)
	if now.Before(s.rough) {
		return true
	}
	for _, seat := range seats {
		if _, seen := s.owners[seat.ID]; seen {
			return true
		}
	}
	return false
}

// busy reports that many want seats of the show now.
func (m *memory) busy(show catalog.Show, now time.Time) bool { return m.doubts(show, nil, now) }

func (m *memory) lost(id catalog.ShowID, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.of(id).rough = now.Add(contested)
}

// recall are the holds to read beside the claims of the seats: those that were
// seen there, but for what is known for good.
func (m *memory) recall(id catalog.ShowID, seats []SeatKey) []booking.HoldID {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.of(id)
	var ids []booking.HoldID
	met := map[booking.HoldID]bool{}
	for _, k := range seats {
		o, seen := s.owners[k.Seat]
		if seen && !o.Line() && !o.House && !met[o.Hold] && s.holds[o.Hold].state != booking.Sold {
			met[o.Hold] = true
			ids = append(ids, o.Hold)
		}
	}
	return ids
}

// sold finds a hold that is known for good: sold, and whose.
func (m *memory) sold(show catalog.ShowID, id booking.HoldID) (booking.Hold, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	h := m.of(show).holds[id]
	return booking.Hold{ID: id, Buyer: h.buyer, State: booking.Sold}, h.state == booking.Sold
}

// unsold are the holds among some that a read is needed for: those that were not
// seen sold or blocked, which while their claims stand they stay, and that need
// asks for by their deadline, zero for what was never seen.
func (m *memory) unsold(show catalog.ShowID, ids []booking.HoldID, need func(id booking.HoldID, deadline time.Time) bool) []booking.HoldID {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.of(show)
	var list []booking.HoldID
	for _, id := range ids {
		h := s.holds[id]
		if h.state != booking.Sold && h.state != booking.Blocked && need(id, h.expiresAt) {
			list = append(list, id)
		}
	}
	return list
}

// claims notes what a read of some seats' claims has shown, absence too.
func (m *memory) claims(show catalog.ShowID, l *seatmap.Layout, seats []SeatKey, claims map[seatmap.SeatID]Owner, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.of(show)
	m.counts(s, func() {
		for _, k := range seats {
			o, taken := claims[k.Seat]
			s.set(l, k.Seat, seenOwner{o, now}, taken)
		}
	})
}

func (s *sightings) set(l *seatmap.Layout, id seatmap.SeatID, o seenOwner, taken bool) {
	_, was := s.owners[id]
	if taken {
		s.owners[id] = o
	} else {
		delete(s.owners, id)
	}
	if taken == was || s.free == nil {
		return
	}
	if at, ok := l.Seat(id); ok && taken {
		s.free[at.Type]--
	} else if ok {
		s.free[at.Type]++
	}
}

func (m *memory) saw(show catalog.ShowID, holds map[booking.HoldID]booking.Hold) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.of(show)
	m.counts(s, func() {
		for id, h := range holds {
			if h.State.Live() {
				s.holds[id] = seenHold{h.State, h.Buyer, h.ExpiresAt}
			} else {
				delete(s.holds, id)
			}
		}
	})
}

// won notes the instance's own hold.
func (m *memory) won(l *seatmap.Layout, h booking.Hold) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.of(h.Show)
	m.counts(s, func() {
		for _, seat := range h.Seats {
			s.set(l, seat.ID, seenOwner{Owner{Hold: h.ID}, h.MadeAt}, true)
		}
		s.holds[h.ID] = seenHold{h.State, h.Buyer, h.ExpiresAt}
	})
}

// hall notes a read of every claim that began at a time.
func (m *memory) hall(show catalog.ShowID, l *seatmap.Layout, claims map[seatmap.SeatID]Owner, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.of(show)
	m.counts(s, func() {
		s.owners = make(map[seatmap.SeatID]seenOwner, len(claims))
		seen := make(map[booking.HoldID]bool, len(claims))
		s.free = map[seatmap.SeatType]int{}
		for i := range l.Len() {
			s.free[l.At(i).Type]++
		}
		for id, o := range claims {
			if seat, ok := l.Seat(id); ok {
				s.owners[id] = seenOwner{o, at}
				s.free[seat.Type]--
				seen[o.Hold] = true
			}
		}
		for id := range s.holds {
			if !seen[id] {
				delete(s.holds, id)
			}
		}
		s.then, s.whole = maps.Clone(s.free), at
	})
}

// adopt notes the free seats of a snapshot that has plenty.
func (m *memory) adopt(show catalog.ShowID, of *Map, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.of(show)
	s.free = make(map[seatmap.SeatType]int, len(of.Tallies))
	for t, n := range of.Tallies {
		s.free[t] = n.Free
	}
	s.then, s.whole = maps.Clone(s.free), at
}

// next is what comes next for somebody refused, if this instance has looked at the
// whole hall a breath ago. That the show is full it cannot tell.
func (m *memory) next(show catalog.ShowID, types []seatmap.SeatType, now time.Time) (booking.Next, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.of(show)
	then, free := 0, 0
	for t, n := range s.free {
		if serves(t, types) {
			then, free = then+s.then[t], free+max(n, 0)
		}
	}
	known := breath
	if 0 < free && free <= plenty {
		known = gasp
	}
	if s.whole.IsZero() || !now.Before(s.whole.Add(known)) {
		return 0, false
	}
	if free > 0 {
		return booking.ChooseOther, true
	}
	// That each seat was taken at some moment does not make a moment when all were.
	return booking.Wait, then == 0
}

// lately are the seats on which somebody was seen since the map that others read
// was made, for who picks from it.
func (m *memory) lately(show catalog.ShowID, now time.Time) map[seatmap.SeatID]bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	taken := map[seatmap.SeatID]bool{}
	for id, o := range m.of(show).owners {
		if now.Before(o.at.Add(behind)) {
			taken[id] = true
		}
	}
	return taken
}
