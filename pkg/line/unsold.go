package line

import (
	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// Fate is what one read of a seat's claim and its hold said.
type Fate struct {
	Hold  booking.HoldID // "" when it has none
	State booking.State
	Rev   int64
}

// gone: sold or blocked.
func (f Fate) gone() bool { return f.State == booking.Sold || f.State == booking.Blocked }

// Unsold tells the seats that could still come free, exactly as of one moment
// between two reads of all claims and their holds: what was sold or blocked under
// the same revision in both was so in between. A seat that is absent from a read
// was free or set aside.
func Unsold(l *seatmap.Layout, first, second map[seatmap.SeatID]Fate) func(i int) bool {
	could := make([]bool, l.Len())
	for i := range could {
		id := l.At(i).ID
		a, b := first[id], second[id]
		could[i] = !a.gone() || a != b
	}
	return func(i int) bool { return could[i] }
}
