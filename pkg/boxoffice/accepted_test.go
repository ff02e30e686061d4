package boxoffice_test

import (
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store/memstore"
)

// TestAcceptAgainWhileItLands: whoever repeats an acceptance that is landing gets its
// hold or is told to come again, and never that there is no such place.
func TestAcceptAgainWhileItLands(t *testing.T) {
	d := newDesk(t)
	looks := 0
	w := line.Waiter{
		ID: "w_ann", Show: matinee, Buyer: "ann", State: line.Asked, Party: 1, Types: []seatmap.SeatType{seatmap.Premium},
		AskedAt: d.Clock(), ExpiresAt: d.Clock().Add(d.Line.Wait),
	}
	if err := d.store.Ask(d.ctx(), w, d.Clock().AddDate(0, 1, 0), time.Time{}); err != nil {
		t.Fatal(err)
	}
	if err := d.RunLane(d.ctx(), matinee, boxoffice.Wake{Named: []line.WaiterID{w.ID}}); err != nil {
		t.Fatal(err)
	}
	wish := boxoffice.Choose{Buyer: "ann", Waiter: w.ID, Key: "k", BodyHash: "b"}
	d.window = func(op memstore.Op, done int) {
		if op.Kind != memstore.OpTransact || done == 0 || looks >= 40 {
			return
		}
		looks++
		was := d.window
		d.window = nil // it looks by itself
		if h, err := d.AcceptOffer(d.ctx(), wish); err != nil && !fault.Is(err, fault.Busy) && !fault.Is(err, fault.Unknown) {
			t.Errorf("after %d writes: %+v, %v", done, h, err)
		}
		d.window = was
	}
	d.swaps = func(n int) []int { // the waiter lands first
		js := make([]int, n)
		for i := range js {
			js[i] = n - 1 - i
		}
		return js[:n/2]
	}
	h, err := d.AcceptOffer(d.ctx(), wish)
	if err != nil || h.State != booking.Held || looks == 0 {
		t.Errorf("%+v, %v; looked %d times", h, err, looks)
	}
}
