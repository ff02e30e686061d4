package counts

import (
	"fmt"
	"time"

	"github.com/fairseat/fairseat/infra/bench/venue"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/line"
)

// A line that is long enough for everything that a long one costs.
const long = 100

func handler(name string, n int, must, least Use, why string, do func(w *waitingStage) (func() error, error)) lineStep {
	return lineStep{step{name: name, must: must, least: least, why: why}, long, n, false, do}
}

func laneRun(name string, waiting, n int, must, least Use, why string, do func(w *waitingStage) (func() error, error)) lineStep {
	return lineStep{step{name: name, must: must, least: least, why: why}, waiting, n, true, do}
}

const reading = "the state, then what is set aside and the head in one query, then who is decided on; built: with the first sixteen and the ten numbered last, so that hardly a step needs a second round"

// advance writes the state, waiter, timer and a pool item a seat. The state has a bit
// for each who waits: beyond some 7,000 it is a second kilobyte.
func advance(waiting int) lineStep {
	state, reads := int64(2), 28.0
	if waiting > 7000 {
		state, reads = 4, 29
	}

	return laneRun(fmt.Sprintf("lane, seats of %d offered, %d wait", Seats, waiting), waiting, Seats, use(4, state+2*(2+Seats), reads), use(4, state+2*(2+Seats), 3),
		"L5: state, waiter, timer, n pool items; "+reading, func(w *waitingStage) (func() error, error) {
			return func() error {
				if err := w.runs(); err != nil {
					return err
				}
				_, err := w.in(0, line.Offered)
				return err
			}, w.frees(0)
		})
}

func accept(n int) lineStep {
	return handler(fmt.Sprintf("offer of %d accepted", n), n, use(2, int64(2*(5+2*n)), 1), use(2, int64(2*(5+2*n)), 1),
		"T5: waiter, place, hold, allowance, timer, n claims and pool items; before it the waiter is read", func(w *waitingStage) (func() error, error) {
			p, err := w.offered()
			return func() error {
				_, err := w.Office.AcceptOffer(w.ctx, boxoffice.Choose{Buyer: p.Buyer, Waiter: p.ID, Key: "key", BodyHash: "body"})
				return err
			}, err
		})
}

func poll(w *waitingStage, id line.WaiterID, want line.WaiterState, since bool, most time.Duration) (func() error, error) {
	p, err := w.Store.Waiter(w.ctx, id)
	if err != nil {
		return nil, err
	}
	version := ""
	if since {
		st, err := w.Office.See(w.ctx, p.Buyer, id)
		if err != nil {
			return nil, err
		}
		version = st.Version()
	}
	return func() error {
		st, err := w.Office.Await(w.ctx, p.Buyer, id, version, most)
		if err == nil && st.Waiter.State != want {
			err = errNotAsWanted
		}
		return err
	}, nil
}

var lineSteps = []lineStep{
	handler("join, number in time", Seats, use(4, 6, 4.5), use(4, 6, 4.5),
		"T7: waiter, place, timer; before it receipt and place in one batch and the map, after it waiter and state in one until the number is there, here once", func(w *waitingStage) (func() error, error) {
			j := w.joiner(Seats)
			w.slept = func() { _ = w.numbers(boxoffice.WaiterIDFor(j.Buyer, show, j.Key)) }
			return func() error {
				st, err := w.Office.Join(w.ctx, j)
				if err == nil && st.Waiter.State != line.Waiting {
					err = errNotAsWanted
				}
				return err
			}, nil
		}),
	laneRun("lane, one joins", long, Seats, use(5, 6, 29.5), use(5, 6, 3.5),
		"L8: state, waiter, entry, and the map, whether he waits in vain; "+reading, func(w *waitingStage) (func() error, error) {
			p, err := w.AskFor(w.ctx, w.joiner(Seats))
			return func() error { return w.numbers(p.ID) }, err
		}),
	laneRun("lane, ten join", long, Seats, use(5, 2+10*4, 38.5), use(5, 2+10*4, 12.5),
		"L8 of ten: state, waiter and entry of each, and the map; "+reading, func(w *waitingStage) (func() error, error) {
			var named []line.WaiterID
			for range line.MaxJoins {
				p, err := w.AskFor(w.ctx, w.joiner(Seats))
				if err != nil {
					return nil, err
				}
				named = append(named, p.ID)
			}
			return func() error { return w.numbers(named...) }, nil
		}),
	laneRun("lane, the first joins", 0, Seats, use(25, 22+4, 61), use(16, 22+4, 53.5),
		"L8: state, eight gates, waiter, entry; then the claims of all ten blocks; then L1: state, waiter, and the map; built: the line is read anew before the claims and before L1, the map after both, and the show and its hall by an instance that has not seen it", func(w *waitingStage) (func() error, error) {
			p, err := w.AskFor(w.ctx, w.joiner(Seats))
			return func() error { return w.numbers(p.ID) }, err
		}),
	advance(100), advance(1000), advance(10000),
	laneRun("lane, ten seats offered", long, 10, use(4, 2*(3+10), 28), use(4, 2*(3+10), 3),
		"L5 as above; "+reading, func(w *waitingStage) (func() error, error) {
			return func() error { return w.runs() }, w.frees(0)
		}),
	accept(Seats), accept(10),
	handler("offer of 2 declined", Seats, use(3, 2*(2+Seats), 2), use(3, 2*(2+Seats), 2),
		"T6: waiter, place, n pool items; before it the waiter is read, then his place, which counts what he declined", func(w *waitingStage) (func() error, error) {
			p, err := w.offered()
			return func() error { return w.Office.DeclineOffer(w.ctx, p.Buyer, p.ID) }, err
		}),
	handler("left", Seats, use(2, 4, 1), use(2, 4, 1),
		"T6: waiter, place; before it the waiter is read", func(w *waitingStage) (func() error, error) {
			p, err := w.in(50, line.Waiting)
			return func() error { return w.Office.LeaveLine(w.ctx, p.Buyer, p.ID) }, err
		}),
	laneRun("lane, after an answer", long, Seats, use(4, 4, 28), use(4, 4, 3),
		"L6: state, entry; "+reading, func(w *waitingStage) (func() error, error) {
			p, err := w.offered()
			if err != nil {
				return nil, err
			}
			_, err = w.Office.AcceptOffer(w.ctx, boxoffice.Choose{Buyer: p.Buyer, Waiter: p.ID, Key: "key", BodyHash: "body"})
			return func() error { return w.runs(p.ID) }, err
		}),
	laneRun("lane, an offer lapses and goes on", long, Seats, use(10, 22, 58.5), use(6, 22, 6),
		"L2: state, waiter, place, entry, n pool items, then L5; "+reading+"; built: all of it twice, and the show, remembered for less than two minutes", func(w *waitingStage) (func() error, error) {
			p, err := w.offered()
			w.now = w.now.Add(line.Standard.Offer + venue.Policy.Grace)
			return func() error { return w.runs(p.ID) }, err
		}),
	laneRun("lane, nothing to do", long, Seats, use(5, 2, 28.5), use(4, 1, 3),
		"the note that somebody was here: 1 unit alone; built: in a transaction of one, and the show is read again; "+reading, func(w *waitingStage) (func() error, error) {
			w.now = w.now.Add(3 * time.Second)
			return func() error { return w.runs() }, nil
		}),
	handler("poll, at once", Seats, use(4, 0, 12), use(2, 0, 2),
		"the waiter, then the state of his line; built: the waiter with it once more, for a batch is one request; then why he waits: one query and the first eight", func(w *waitingStage) (func() error, error) {
			return poll(w, w.line[50], line.Waiting, false, 0)
		}),
	handler("poll, kept 25 s without a change", Seats, use(36, 0, 76), use(33, 0, 65),
		"the waiter, then waiter and state in one, 32 times; built: both once before, and why he waits when it answers", func(w *waitingStage) (func() error, error) {
			return poll(w, w.line[50], line.Waiting, true, 25*time.Second)
		}),
	handler("poll, told of an offer", Seats, use(4, 0, 6), use(4, 0, 6),
		"waiter, then waiter and state, again after the change, and what is set aside, to choose from", func(w *waitingStage) (func() error, error) {
			f, err := poll(w, w.line[0], line.Offered, true, 25*time.Second)
			if err != nil {
				return nil, err
			}
			w.slept = func() {
				w.slept = func() {}
				_ = w.lane.Office.GiveBack(w.ctx, w.holds[0].Buyer, w.holds[0].ID)
				_ = w.runs()
			}
			return f, nil
		}),
}
