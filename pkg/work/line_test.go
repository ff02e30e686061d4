package work_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/relay"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
	"github.com/fairseat/fairseat/pkg/work"
)

// pools are the records of the seats that are given back while somebody waits.
func (s *scene) pools(seats ...seatmap.SeatID) events.DynamoDBEvent {
	s.t.Helper()
	s.want(seatmap.Regular)
	for _, id := range seats {
		s.giveBack(s.hold(string(id), id))
	}
	return streamEvent(s.t, s.stream(store.Line, func(r memstore.Record) bool { _, _, ok := store.PoolSeat(r.New); return ok }))
}

// TestOneWakeAShow: the seats that a batch frees are one message for each show, under
// the last record's number, so that a batch that comes again is the same message.
func TestOneWakeAShow(t *testing.T) {
	s := newScene(t)
	e := s.pools("A-1", "A-2", "A-3", "A-4")
	for _, i := range []int{1, 3} {
		e.Records[i].Change.NewImage["pk"] = events.NewStringAttribute("LINE#another")
	}
	for range 2 {
		s.sent = nil
		s.ok(work.RelayLine(s, policy, s.clock)(t.Context(), e))
		s.wantSent("lane released", "lane released")
		for i, at := range []int{3, 2} { // in order of their names
			if want := e.Records[at].Change.SequenceNumber; s.sent[i].Dedup != want {
				t.Errorf("message %d stands for %s, want %s", i, s.sent[i].Dedup, want)
			}
		}
	}
}

// fussy sends until the message that it does not like.
type fussy struct {
	*scene
	not func(relay.Message) bool
}

func (f fussy) Send(ctx context.Context, m relay.Message) error {
	if f.not(m) {
		return errors.New("the queue is away")
	}
	return f.scene.Send(ctx, m)
}

// TestRelayLineStops at its first failure; what lies before is told, also the seats
// that were freed, and nothing behind it.
func TestRelayLineStops(t *testing.T) {
	s := newScene(t)
	s.join("ann", 1)
	s.aside(s.hold("1", "A-1"))
	s.join("bob", 1)
	s.aside(s.hold("2", "A-2"))
	e := streamEvent(t, s.stream(store.Line, func(r memstore.Record) bool {
		_, _, pool := store.PoolSeat(r.New)
		return pool || store.IsWaiter(r.New)
	}))
	if len(e.Records) != 4 {
		t.Fatalf("%d records", len(e.Records))
	}
	bob := []string{"lane join " + s.id("bob"), "timers 900s " + s.id("bob")}
	ann := []string{"lane join " + s.id("ann"), "timers 900s " + s.id("ann")}
	for _, tt := range []struct {
		name string
		not  func(relay.Message) bool
		stop int
		want []string
	}{
		{"the second join", func(m relay.Message) bool {
			return m.Queue == relay.Lane && m.Dedup == e.Records[2].Change.SequenceNumber
		}, 2, slices.Concat(ann, bob[1:], []string{"lane released"})},
		{"the first deadline", func(m relay.Message) bool { return m.Queue == relay.Timers }, 0, ann[:1]},
		{"the freed seats: all comes again", func(m relay.Message) bool { return m.Dedup == e.Records[3].Change.SequenceNumber }, 0, slices.Concat(ann, bob)},
	} {
		s.sent = nil
		r, err := work.RelayLine(fussy{s, tt.not}, policy, s.clock)(t.Context(), e)
		s.stopped(r, err, e.Records[tt.stop].Change.SequenceNumber)
		s.wantSent(tt.want...)
		if t.Failed() {
			t.Fatal(tt.name)
		}
	}
	s.sent = nil
	e.Records[2].Change.NewImage["state"] = events.NewStringAttribute("sleeping")
	r, err := work.RelayLine(s, policy, s.clock)(t.Context(), e)
	s.stopped(r, err, e.Records[2].Change.SequenceNumber)
	s.wantSent(append(ann, "lane released")...)
}

// TestSaleWakes the lane only where somebody waits, each sale once.
func TestSaleWakes(t *testing.T) {
	for _, waits := range []bool{false, true} {
		s := newScene(t)
		h := s.hold("1", "A-1")
		if waits {
			s.want(seatmap.Premium)
		}
		s.sell(h)
		e := streamEvent(t, s.stream(store.Holds, func(r memstore.Record) bool { return r.Event == memstore.Modify }))
		for range 2 {
			s.ok(work.RelayHolds(s, s.store, policy, s.clock)(t.Context(), e))
		}
		if !waits {
			s.wantSent()
			continue
		}
		s.wantSent("lane sold", "lane sold")
		if s.sent[0] != s.sent[1] || s.sent[0].Dedup != e.Records[1].Change.SequenceNumber {
			t.Errorf("sent %+v for %s", s.sent, e.Records[1].Change.SequenceNumber)
		}
		r, err := work.RelayHolds(s, noGates{}, policy, s.clock)(t.Context(), e)
		s.stopped(r, err, e.Records[1].Change.SequenceNumber)
	}
}

type noGates struct{}

func (noGates) Wanted(context.Context, catalog.ShowID, booking.HoldID) (booking.Wanted, error) {
	return nil, errors.New("the gate cannot be read")
}

// TestJoinersTogether: who joins in one batch is numbered in one transaction, in
// the order in which they asked, whatever the order of their messages.
func TestJoinersTogether(t *testing.T) {
	s := newScene(t)
	var messages []any
	for i := range 9 {
		s.now = noon.Add(time.Duration(i) * time.Second)
		messages = append(messages, relay.LaneWake{Show: evening, Why: relay.Joined, Waiter: s.join(fmt.Sprint("w", i), 1)})
	}
	slices.Reverse(messages)
	messages = append(messages, messages[0])
	s.done(work.AdvanceLine(s.Office)(t.Context(), queueEvent(t, s.queue("lane.fifo", string(evening), messages...))))
	for i := range 9 {
		if w := s.waiter(fmt.Sprint("w", i)); w.State != line.Waiting || w.Number != int64(i+1) {
			t.Errorf("number %d asked as the %d. and is %s", w.Number, i+1, w.State)
		}
	}
	numbers := map[int64]bool{} // that were the next one
	for _, r := range s.db.Records(store.Line, "") {
		if r.New != nil && r.New["next"] != nil && (r.Old == nil || r.Old["next"] != r.New["next"]) {
			numbers[r.New["next"].(int64)] = true
		}
	}
	if len(numbers) != 1 {
		t.Errorf("numbered in %d transactions", len(numbers))
	}
}

// lostLine cannot read the line of one show.
type lostLine struct {
	boxoffice.LineStore
	show catalog.ShowID
}

func (l lostLine) LineState(ctx context.Context, show catalog.ShowID, r line.Reading) (line.State, error) {
	if show == l.show {
		return line.State{}, errors.New("the line cannot be read")
	}
	return l.LineStore.LineState(ctx, show, r)
}

// TestOneShowFails: its messages come back, all of them, and those of other shows
// are done.
func TestOneShowFails(t *testing.T) {
	s := newScene(t)
	w := s.join("ann", 1)
	s.Lane = lostLine{s.store, "another"}
	in := s.queue("lane.fifo", "g", relay.LaneWake{Show: "another", Why: relay.Released}, relay.LaneWake{Show: evening, Why: relay.Joined, Waiter: w}, "{",
		relay.LaneWake{Show: "another", Why: relay.Joined, Waiter: "w_x"}, relay.LaneWake{Show: "a third", Why: relay.Released})
	r, err := work.AdvanceLine(s.Office)(t.Context(), queueEvent(t, in))
	s.failed(r, err, 3, 1, 4)
	s.wantWaiter("ann", line.Waiting)
	s.Lane = s.store
	r, err = work.AdvanceLine(s.Office)(t.Context(), queueEvent(t, in))
	s.failed(r, err, 3)
}

// pausing lets the clock run while somebody waits, and takes down how long.
func (s *scene) pausing(pauses *[]time.Duration) {
	s.Pause = func(ctx context.Context, d time.Duration) error {
		s.now = s.now.Add(d)
		*pauses = append(*pauses, d)
		return ctx.Err()
	}
}

// TestEarlyDeadline: by a clock that is behind by less than the grace the lane waits
// for it; by one that is further behind, nothing is acknowledged and nothing done.
func TestEarlyDeadline(t *testing.T) {
	for _, tt := range []struct {
		early  time.Duration
		pauses []time.Duration
		late   bool
	}{
		{0, nil, false}, {time.Millisecond, []time.Duration{time.Millisecond}, false}, {policy.Grace, []time.Duration{policy.Grace}, false},
		{policy.Grace + time.Millisecond, nil, true},
	} {
		s := newScene(t)
		ann := s.offered("ann")
		bob := s.join("bob", 1)
		due := s.waiter("ann").Offer.ExpiresAt.Add(policy.Grace)
		s.now = due.Add(-tt.early)
		var pauses []time.Duration
		s.pausing(&pauses)
		in := s.queue("lane.fifo", string(evening), relay.LaneWake{Show: evening, Why: relay.Joined, Waiter: bob},
			relay.LaneWake{Show: evening, Why: relay.Deadline, Waiter: ann, Due: due.UnixMilli()})
		r, err := work.AdvanceLine(s.Office)(t.Context(), queueEvent(t, in))
		if !slices.Equal(pauses, tt.pauses) {
			t.Errorf("%v early: paused %v", tt.early, pauses)
		}
		if tt.late {
			s.failed(r, err, 1, 2)
			s.wantWaiter("ann", line.Offered)
			s.wantWaiter("bob", line.Asked)
			continue
		}
		s.done(r, err)
		s.wantWaiter("ann", line.Lapsed)
		s.wantWaiter("bob", line.Offered)
	}
}

// TestLastSecond of a hold or of an offer is waited for where its message comes, since
// a queue delays by whole ones; with more left the message is put back.
func TestLastSecond(t *testing.T) {
	for _, tt := range []struct {
		early time.Duration
		delay string // of the message that is put back
	}{
		{-time.Minute, ""}, {0, ""}, {time.Millisecond, ""}, {time.Second - time.Millisecond, ""},
		{time.Second, "1s"}, {1999 * time.Millisecond, "1s"}, {time.Minute, "60s"},
	} {
		s := newScene(t)
		var pauses []time.Duration
		h := s.hold("1", "A-1")
		s.now = s.now.Add(3*time.Minute - 250*time.Millisecond)
		ann := s.offered("ann")
		due := s.waiter("ann").Offer.ExpiresAt.Add(policy.Grace)
		s.pausing(&pauses)
		for _, m := range []struct {
			body relay.TimerDue
			due  time.Time
			what string
		}{
			{relay.TimerDue{Hold: h.ID}, h.ExpiresAt.Add(policy.Grace), ""},
			{relay.TimerDue{Waiter: ann}, due, " " + string(ann)},
		} {
			s.now, s.sent, pauses = m.due.Add(-tt.early), nil, nil
			s.done(work.ExpireHold(s.Office, s)(t.Context(), queueEvent(t, s.queue("timers", "", m.body))))
			var want []string
			switch {
			case tt.delay != "":
				want = []string{"timers " + tt.delay + m.what}
			case m.what != "":
				want = []string{"lane deadline" + m.what}
			}
			s.wantSent(want...)
			if waits := tt.delay == "" && tt.early > 0; waits != slices.Equal(pauses, []time.Duration{tt.early}) || !waits && pauses != nil {
				t.Errorf("%v early: paused %v", tt.early, pauses)
			}
		}
		s.wantHold(h.ID, map[bool]booking.State{true: booking.Held, false: booking.Expired}[tt.delay != ""])
	}
}

// TestWaiterDue: the lane is told of a deadline that it can only meet after it; a
// place that has ended or is gone needs nobody; what cannot be sent comes back.
func TestWaiterDue(t *testing.T) {
	s := newScene(t)
	ann := s.offered("ann")
	due := s.waiter("ann").Offer.ExpiresAt.Add(policy.Grace)
	s.now = due
	in := queueEvent(t, s.queue("timers", "", relay.TimerDue{Waiter: ann}, relay.TimerDue{Waiter: "w_none"}))
	for range 2 {
		s.done(work.ExpireHold(s.Office, s)(t.Context(), in))
	}
	if s.wantSent("lane deadline "+string(ann), "lane deadline "+string(ann)); s.sent[0] != s.sent[1] {
		t.Errorf("two messages for one deadline: %+v", s.sent)
	}
	if body := decode[relay.LaneWake](t, []byte(s.sent[0].Body)); body.Due != due.UnixMilli() || body.Show != evening {
		t.Errorf("body %+v", body)
	}
	s.lost = errors.New("the queue is away")
	r, err := work.ExpireHold(s.Office, s)(t.Context(), in)
	s.failed(r, err, 1)
	s.lost, s.sent = nil, nil
	if err := s.DeclineOffer(t.Context(), "ann", ann); err != nil {
		t.Fatal(err)
	}
	s.done(work.ExpireHold(s.Office, s)(t.Context(), in))
	s.wantSent()
}

// TestWaiterTimers: the removal of a waiter's timer runs the lane where his place is
// over by then, whoever removed it; before its time only the service's comes again.
func TestWaiterTimers(t *testing.T) {
	for name, identity := range identities {
		s := newScene(t)
		ann := s.waiting("ann", 2)
		hour := s.waiter("ann").ExpiresAt
		s.now = hour.Add(policy.Grace + 6*time.Second)
		s.db.Expire(s.now)
		e := streamEvent(t, s.stream(store.Timers, func(r memstore.Record) bool { return r.Old != nil && r.Old["kind"] == "wait" }))
		if len(e.Records) != 1 {
			t.Fatalf("%d records", len(e.Records))
		}
		e.Records[0].UserIdentity = identity
		s.now = hour.Add(policy.Grace - time.Millisecond)
		r, err := work.ExpireTimer(s.Office)(t.Context(), e)
		if name == "the service" {
			s.stopped(r, err, e.Records[0].Change.SequenceNumber)
		} else {
			s.ok(r, err)
		}
		s.wantWaiter("ann", line.Waiting)
		s.now = hour.Add(policy.Grace)
		s.ok(work.ExpireTimer(s.Office)(t.Context(), e))
		s.wantWaiter("ann", line.TimedOut)
		s.Lane = lostLine{s.store, evening} // who has ended needs no run
		s.ok(work.ExpireTimer(s.Office)(t.Context(), e))
		e.Records[0].Change.OldImage["sk"] = events.NewStringAttribute(fmt.Sprintf("%d#w_none", hour.UnixMilli()))
		s.ok(work.ExpireTimer(s.Office)(t.Context(), e))
		if t.Failed() {
			t.Fatalf("%s, removed by %s", ann, name)
		}
	}
}

// TestOldTimerOfTheWait: the hour that was set when somebody asked is over while an
// offer stands; the offer stands on, and the record is done.
func TestOldTimerOfTheWait(t *testing.T) {
	s := newScene(t)
	s.waiting("ann", 1)
	hour := s.waiter("ann").ExpiresAt
	s.now = hour.Add(-time.Second)
	s.giveBack(s.lastHold)
	if err := s.RunLane(t.Context(), evening, boxoffice.Wake{}); err != nil {
		t.Fatal(err)
	}
	s.now = hour.Add(policy.Grace + 6*time.Second)
	s.db.Expire(s.now)
	e := streamEvent(t, s.stream(store.Timers, func(r memstore.Record) bool { return r.Old != nil && r.Old["kind"] == "wait" }))
	if len(e.Records) != 1 {
		t.Fatalf("%d records", len(e.Records))
	}
	s.ok(work.ExpireTimer(s.Office)(t.Context(), e))
	s.wantWaiter("ann", line.Offered)
}
