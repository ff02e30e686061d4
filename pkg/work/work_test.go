package work_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"pgregory.net/rapid"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/relay"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
	"github.com/fairseat/fairseat/pkg/work"
)

// ok wants a stream's batch to be done, answered by an empty list and not by null.
func (s *scene) ok(r events.DynamoDBEventResponse, err error) {
	s.t.Helper()
	b, _ := json.Marshal(r)
	if err != nil || string(b) != `{"batchItemFailures":[]}` {
		s.t.Errorf("answer %s, %v", b, err)
	}
}

func (s *scene) done(r events.SQSEventResponse, err error) {
	s.t.Helper()
	b, _ := json.Marshal(r)
	if err != nil || string(b) != `{"batchItemFailures":[]}` {
		s.t.Errorf("answer %s, %v", b, err)
	}
}

func (s *scene) failed(r events.SQSEventResponse, err error, want ...int) {
	s.t.Helper()
	var ids []string
	for _, f := range r.BatchItemFailures {
		ids = append(ids, f.ItemIdentifier)
	}
	var wanted []string
	for _, n := range want {
		wanted = append(wanted, fmt.Sprintf("00000000-0000-4000-8000-%012d", n))
	}
	if err != nil || !slices.Equal(ids, wanted) {
		s.t.Errorf("failed %v, %v; want %v", ids, err, wanted)
	}
}

// stopped wants the batch to come again from the record on.
func (s *scene) stopped(r events.DynamoDBEventResponse, err error, sequence string) {
	s.t.Helper()
	if err != nil || len(r.BatchItemFailures) != 1 || r.BatchItemFailures[0].ItemIdentifier != sequence {
		s.t.Errorf("answer %+v, %v; want a stop at %s", r, err, sequence)
	}
}

// TestStandardQueue: what fails comes back alone; early is put back, sold and gone
// are done, nonsense comes back until it is a dead letter.
func TestStandardQueue(t *testing.T) {
	s := newScene(t)
	due, sold := s.hold("due", "A-1"), s.hold("sold", "A-2")
	p := s.pay(sold)
	s.paid = true
	s.now = p.NextAskAt
	s.done(work.AskProvider(s.Office)(t.Context(), queueEvent(t, s.queue("payments", "", relay.AskDue{Payment: p.ID, Due: p.NextAskAt.UnixMilli()}))))
	s.now = due.ExpiresAt.Add(policy.Grace)
	early := s.hold("early", "A-3")
	in := s.queue("timers", "", relay.TimerDue{Hold: early.ID}, "{", relay.TimerDue{Hold: due.ID}, `{"hold":"x","more":1}`,
		relay.TimerDue{Hold: sold.ID}, `{"hold":"h_none"}`, `{"hold":"x"} {}`, `{"hold":"x"}}`, `[]`, "", `{"hold":7}`)
	r, err := work.ExpireHold(s.Office, s)(t.Context(), queueEvent(t, in))
	s.failed(r, err, 2, 4, 7, 8, 9, 10, 11)
	if len(s.sent) != 1 || s.sent[0].Queue != relay.Timers || s.sent[0].Delay != policy.Hold+policy.Grace || !strings.Contains(s.sent[0].Body, string(early.ID)) {
		t.Errorf("sent %+v; want the early one with the rest of its delay", s.sent)
	}
	s.lost = errors.New("the queue is away")
	r, err = work.ExpireHold(s.Office, s)(t.Context(), queueEvent(t, s.queue("timers", "", relay.TimerDue{Hold: early.ID})))
	s.failed(r, err, 1)
	s.lost = nil
	s.wantHold(due.ID, booking.Expired)
	s.wantHold(sold.ID, booking.Sold)
	s.wantHold(early.ID, booking.Held)
	s.done(work.ExpireHold(s.Office, s)(t.Context(), events.SQSEvent{}))
}

// TestFIFOStops at its first failure: everything behind it comes back too, and was
// not begun.
func TestFIFOStops(t *testing.T) {
	s := newScene(t)
	var seen []string
	h := work.Messages(true, func(_ context.Context, m relay.LaneWake) error {
		seen = append(seen, m.Why)
		if m.Why == "b" {
			return errors.New("no")
		}
		return nil
	})
	in := s.queue("lane.fifo", "g", relay.LaneWake{Why: "a"}, relay.LaneWake{Why: "b"}, relay.LaneWake{Why: "c"}, relay.LaneWake{Why: "d"})
	r, err := h(t.Context(), queueEvent(t, in))
	s.failed(r, err, 2, 3, 4)
	if fmt.Sprint(seen) != "[a b]" {
		t.Errorf("seen %v", seen)
	}
}

// TestStreamStops at its first failure, and what lies before is done.
func TestStreamStops(t *testing.T) {
	s := newScene(t)
	for i := range 4 {
		s.hold(fmt.Sprint(i), s.layout.At(i).ID)
	}
	e := streamEvent(t, s.stream(store.Holds, all))
	n := 0
	r, err := work.Stream(func(_ context.Context, r relay.Record) error {
		if n++; n == 3 {
			return errors.New("no")
		}
		return nil
	})(t.Context(), e)
	s.stopped(r, err, e.Records[2].Change.SequenceNumber)
	if n != 3 {
		t.Errorf("%d records were begun", n)
	}
	s.lost = errors.New("the queue is away")
	r, err = work.RelayHolds(s, s.store, policy, s.clock)(t.Context(), e)
	s.stopped(r, err, e.Records[0].Change.SequenceNumber)
}

// TestPoisonRecord: a record that cannot be read stops the batch there, and the map
// already shows what came before it.
func TestPoisonRecord(t *testing.T) {
	s := newScene(t)
	s.hold("1", "A-1")
	s.hold("2", "A-2")
	e := streamEvent(t, s.stream(store.Holds, all))
	e.Records[1].Change.NewImage["state"] = events.NewStringAttribute("sleeping")
	for name, h := range map[string]work.StreamHandler{"relay": work.RelayHolds(s, s.store, policy, s.clock), "project": work.ProjectSeatmap(s.Office)} {
		r, err := h(t.Context(), e)
		s.stopped(r, err, e.Records[1].Change.SequenceNumber)
		if t.Failed() {
			t.Fatal(name)
		}
	}
	m, err := s.store.FreshSnapshot(t.Context(), evening)
	if err != nil || m == nil || m.Tally().Held == 0 {
		t.Errorf("map %+v, %v: the record before the poison was not shown", m, err)
	}
	e.Records[1].Change.NewImage["state"] = events.NewNullAttribute()
	r, err := work.ProjectSeatmap(s.Office)(t.Context(), e)
	s.stopped(r, err, e.Records[1].Change.SequenceNumber)
}

// TestProjectionFails: the whole batch comes again when a show's map cannot be saved.
func TestProjectionFails(t *testing.T) {
	s := newScene(t)
	s.hold("1", "A-1")
	e := streamEvent(t, s.stream(store.Holds, all))
	s.Office.Catalog = absent{}
	r, err := work.ProjectSeatmap(s.Office)(t.Context(), e)
	s.stopped(r, err, e.Records[0].Change.SequenceNumber)
}

// absent is a catalogue that cannot be reached.
type absent struct{ boxoffice.Catalog }

func (absent) Show(context.Context, catalog.ShowID) (catalog.Show, error) {
	return catalog.Show{}, errors.New("the catalogue is away")
}

// TestPoolRecords bring seats into the map that no hold tells of any more.
func TestPoolRecords(t *testing.T) {
	s := newScene(t)
	s.hold("1", "A-1") // so that there is a map
	s.ok(work.ProjectSeatmap(s.Office)(t.Context(), streamEvent(t, s.stream(store.Holds, all))))
	s.aside(s.hold("2", "A-3"))
	e := streamEvent(t, s.stream(store.Line, all))
	s.ok(work.ProjectSeatmap(s.Office)(t.Context(), e))
	m, err := s.store.FreshSnapshot(t.Context(), evening)
	if err != nil || m.Tally().Line != 1 {
		t.Errorf("map %+v, %v", m.Tally(), err)
	}
	if err := s.RunLane(t.Context(), evening, boxoffice.Wake{}); err != nil {
		t.Fatal(err)
	}
	gone := streamEvent(t, s.stream(store.Line, func(r memstore.Record) bool { return r.Event == memstore.Remove }))
	s.ok(work.ProjectSeatmap(s.Office)(t.Context(), gone))
	if m, err = s.store.FreshSnapshot(t.Context(), evening); err != nil || m.Tally().Line != 0 {
		t.Errorf("map %+v, %v", m.Tally(), err)
	}
}

// TestRecordWithoutItsClaims: the record of a hold comes before its claims can be
// seen. It is not acknowledged before they can, nor are those of the same batch.
func TestRecordWithoutItsClaims(t *testing.T) {
	s := newScene(t)
	s.hold("1", "A-1")
	h := s.hold("2", "A-3")
	e := streamEvent(t, s.stream(store.Holds, all))
	s.Office.Store = claimsLate{s.Office.Store, h.ID}
	r, err := work.ProjectSeatmap(s.Office)(t.Context(), e)
	s.stopped(r, err, e.Records[0].Change.SequenceNumber)
	s.Office.Store = s.store
	s.ok(work.ProjectSeatmap(s.Office)(t.Context(), e))
}

// claimsLate shows nothing yet of a hold's claims.
type claimsLate struct {
	boxoffice.Store
	hold booking.HoldID
}

func (c claimsLate) Claims(ctx context.Context, show catalog.ShowID, seats []boxoffice.SeatKey) (map[seatmap.SeatID]boxoffice.Owner, error) {
	claims, err := c.Store.Claims(ctx, show, seats)
	maps.DeleteFunc(claims, func(_ seatmap.SeatID, o boxoffice.Owner) bool { return o.Hold == c.hold })
	return claims, err
}

func (c claimsLate) BlockClaims(ctx context.Context, show catalog.ShowID, block string) (map[seatmap.SeatID]boxoffice.Owner, error) {
	claims, err := c.Store.BlockClaims(ctx, show, block)
	maps.DeleteFunc(claims, func(_ seatmap.SeatID, o boxoffice.Owner) bool { return o.Hold == c.hold })
	return claims, err
}

// TestBegunPayments are records of holds and change no map; the sale does.
func TestBegunPayments(t *testing.T) {
	s := newScene(t)
	h := s.hold("1", "A-1")
	s.ok(work.ProjectSeatmap(s.Office)(t.Context(), streamEvent(t, s.stream(store.Holds, all))))
	was, err := s.store.FreshSnapshot(t.Context(), evening)
	s.sell(h)
	e := streamEvent(t, s.stream(store.Holds, func(r memstore.Record) bool { return r.Event == memstore.Modify }))
	if err != nil || len(e.Records) != 2 {
		t.Fatalf("%d records, %v", len(e.Records), err)
	}
	begun, sold := e, e
	begun.Records, sold.Records = e.Records[:1], e.Records[1:]
	s.ok(work.ProjectSeatmap(s.Office)(t.Context(), begun))
	if m, err := s.store.FreshSnapshot(t.Context(), evening); err != nil || m.Version != was.Version {
		t.Errorf("version %d after %d, %v", m.Version, was.Version, err)
	}
	s.ok(work.ProjectSeatmap(s.Office)(t.Context(), sold))
	if m, err := s.store.FreshSnapshot(t.Context(), evening); err != nil || m.Tally().Sold != 1 {
		t.Errorf("map %+v, %v", m.Tally(), err)
	}
}

// identities are all those that the removal of a timer was seen or made up with.
var identities = map[string]*events.DynamoDBUserIdentity{
	"the service": {Type: "Service", PrincipalID: "dynamodb.amazonaws.com"},
	"nobody":      nil,
	"empty":       {},
	"somebody":    {Type: "Service", PrincipalID: "replication.dynamodb.amazonaws.com"},
	"a person":    {Type: "User", PrincipalID: "dynamodb.amazonaws.com"},
}

// TestTimerRecords: whoever removed the timer of an overdue hold, the hold ends;
// a timer that is new says nothing.
func TestTimerRecords(t *testing.T) {
	for name, identity := range identities {
		s := newScene(t)
		h := s.hold("1", "A-1")
		s.now = h.ExpiresAt.Add(policy.Grace + 6*time.Second)
		s.db.Expire(s.now)
		e := streamEvent(t, s.stream(store.Timers, all)) // the beginning and the end
		e.Records[1].UserIdentity = identity
		begun := events.DynamoDBEvent{Records: e.Records[:1]}
		s.ok(work.ExpireTimer(s.Office)(t.Context(), begun))
		s.wantHold(h.ID, booking.Held)
		s.ok(work.ExpireTimer(s.Office)(t.Context(), e))
		s.wantHold(h.ID, booking.Expired)
		if t.Failed() {
			t.Fatalf("removed by %s", name)
		}
	}
}

// TestAnonymousRemovalIsAHint: a removal under another name than the service's
// changes nothing before the deadline, is no error that would hold its shard up,
// and at any time leaves alone what was sold or given back (HoldLifetime, OneEffect).
func TestAnonymousRemovalIsAHint(t *testing.T) {
	for name, identity := range identities {
		if name == "the service" {
			continue
		}
		for _, tt := range []struct {
			what string
			then func(*scene, booking.Hold)
			late bool
			want booking.State
		}{
			{"held, early", func(*scene, booking.Hold) {}, false, booking.Held},
			{"released, at once", func(s *scene, h booking.Hold) { s.giveBack(h) }, false, booking.Released},
			{"released, and the record late", func(s *scene, h booking.Hold) { s.giveBack(h) }, true, booking.Released},
			{"sold, at once", func(s *scene, h booking.Hold) { s.sell(h) }, false, booking.Sold},
			{"sold, and the record late", func(s *scene, h booking.Hold) { s.sell(h) }, true, booking.Sold},
		} {
			s := newScene(t)
			h := s.hold("1", "A-1")
			before := s.stream(store.Timers, all) // what an early removal's image is made of
			tt.then(s, h)
			e := streamEvent(t, before)
			e.Records[0].EventName, e.Records[0].UserIdentity = "REMOVE", identity
			e.Records[0].Change.OldImage, e.Records[0].Change.NewImage = e.Records[0].Change.NewImage, nil
			s.now = h.ExpiresAt.Add(policy.Grace - time.Millisecond)
			if tt.late {
				s.now = h.ExpiresAt.Add(policy.Grace + time.Hour)
			}
			s.ok(work.ExpireTimer(s.Office)(t.Context(), e))
			s.wantHold(h.ID, tt.want)
			if t.Failed() {
				t.Fatalf("%s, removed by %s", tt.what, name)
			}
		}
	}
}

// TestEarlyRemovalByTheServiceComesAgain: the clock here is behind.
func TestEarlyRemovalByTheServiceComesAgain(t *testing.T) {
	s := newScene(t)
	h := s.hold("1", "A-1")
	s.now = h.ExpiresAt.Add(policy.Grace + 6*time.Second)
	s.db.Expire(s.now)
	e := streamEvent(t, s.stream(store.Timers, func(r memstore.Record) bool { return r.Event == memstore.Remove }))
	s.now = h.ExpiresAt // its clock is behind: the record comes again
	r, err := work.ExpireTimer(s.Office)(t.Context(), e)
	s.stopped(r, err, e.Records[0].Change.SequenceNumber)
	e.Records[0].Change.OldImage["sk"] = events.NewStringAttribute("soon#h")
	r, err = work.ExpireTimer(s.Office)(t.Context(), e)
	s.stopped(r, err, e.Records[0].Change.SequenceNumber)
}

// TestRecordsComeBack: any item that is stored reaches a handler as it was.
func TestRecordsComeBack(t *testing.T) {
	var leaf, value *rapid.Generator[any]
	leaf = rapid.OneOf(rapid.String().AsAny(), rapid.Int64().AsAny(), rapid.Bool().AsAny(), rapid.SliceOfN(rapid.Byte(), 1, 9).AsAny(),
		rapid.Map(rapid.SliceOfNDistinct(rapid.String(), 1, 3, rapid.ID[string]), func(s []string) store.Set { return s }).AsAny())
	value = rapid.OneOf(leaf, rapid.SliceOfN(leaf, 0, 3).AsAny(), rapid.MapOfN(rapid.String(), leaf, 0, 3).AsAny())
	rapid.Check(t, func(rt *rapid.T) {
		item := rapid.MapOfN(rapid.StringN(1, 9, -1), value, 1, 5)
		old, next := store.Item(item.Draw(rt, "old")), store.Item(item.Draw(rt, "new"))
		b, err := json.Marshal(map[string]any{"Records": []any{map[string]any{"dynamodb": map[string]any{
			"SequenceNumber": "7", "OldImage": wireItem(old), "NewImage": wireItem(next),
		}}}})
		if err != nil {
			rt.Fatal(err)
		}
		var e events.DynamoDBEvent
		if err := json.Unmarshal(b, &e); err != nil {
			rt.Fatal(err)
		}
		r, err := work.Stream(func(_ context.Context, r relay.Record) error {
			if !r.Old.Equal(old) || !r.New.Equal(next) || r.Sequence != "7" || r.Service {
				rt.Errorf("record %+v, want %v and %v", r, old, next)
			}
			return nil
		})(t.Context(), e)
		if err != nil || len(r.BatchItemFailures) != 0 {
			rt.Fatalf("%+v, %v", r, err)
		}
	})
}

// FuzzStream: whatever a stream carries, no handler panics, and what fails is
// named by a record of the batch.
func FuzzStream(f *testing.F) {
	for _, x := range []string{
		`{"Records":[{"dynamodb":{"NewImage":{"pk":{"S":"HOLD#h"},"state":{"NULL":true},"n":{"N":"1e3"},"l":{"L":[{"NULL":true}]},"m":{"M":{"x":{"BOOL":true}}}}}}]}`,
		`{"Records":[{"userIdentity":{"type":"Service","principalId":"dynamodb.amazonaws.com"},"dynamodb":{"OldImage":{"sk":{"S":"12#h"}}}}]}`,
		`{"Records":[{"dynamodb":{"NewImage":{"pk":{"S":"WAITER#w"},"state":{"S":"offered"},"party":{"N":"1"},"types":{"SS":["regular"]},"offer":{"L":[{"S":"A-1|regular"}]}}}}]}`,
		`{"Records":[{"dynamodb":{"NewImage":{"pk":{"S":"LINE#s"},"sk":{"S":"S#A-1"}}}},{"userIdentity":{"type":"Service","principalId":"dynamodb.amazonaws.com"},"dynamodb":{"OldImage":{"pk":{"S":"WAIT#s#1"},"sk":{"S":"12#w"}}}}]}`,
		`{"Records":[{"dynamodb":{"NewImage":{"pk":{"S":"PAY#p"},"ns":{"NS":["1"]},"bs":{"BS":["AA=="]}}}}]}`,
	} {
		f.Add([]byte(x))
	}
	s := newScene(&testing.T{})
	handlers := []work.StreamHandler{
		work.RelayHolds(s, s.store, policy, s.clock), work.RelayPayments(s, s.clock), work.ExpireTimer(s.Office), work.ProjectSeatmap(s.Office),
		work.RelayLine(s, policy, s.clock),
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var e events.DynamoDBEvent
		if json.Unmarshal(b, &e) != nil {
			return
		}
		for _, h := range handlers {
			r, err := h(t.Context(), e)
			if err != nil || len(r.BatchItemFailures) > 1 {
				t.Errorf("%+v, %v", r, err)
			}
		}
	})
}

// FuzzMessages: whatever a queue carries, no handler panics, and a body that is
// not exactly one known object fails.
func FuzzMessages(f *testing.F) {
	for _, x := range []string{`{"hold":"h_1"}`, `{"waiter":"w_1"}`, `{"show":"s","why":"deadline","waiter":"w","due":1}`, `{"payment":"p","due":1}`, `{"show":"s","why":"w"}`, "null", `{"due":1e99}`, `{"hold":"a"}]`} {
		f.Add(x)
	}
	s := newScene(&testing.T{})
	f.Fuzz(func(t *testing.T, body string) {
		e := events.SQSEvent{Records: []events.SQSMessage{{MessageId: "1", Body: body}, {MessageId: "2", Body: body}}}
		for name, h := range map[string]work.QueueHandler{"holds": work.ExpireHold(s.Office, s), "ask": work.AskProvider(s.Office), "lane": work.AdvanceLine(s.Office)} {
			r, err := h(t.Context(), e)
			if err != nil || len(r.BatchItemFailures) > 2 {
				t.Errorf("%s: %+v, %v", name, r, err)
			}
			if !json.Valid([]byte(body)) && len(r.BatchItemFailures) != 2 {
				t.Errorf("%s took %q", name, body)
			}
		}
	})
}

var _ payment.Provider = (*scene)(nil)
