package work_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/history"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/order"
	"github.com/fairseat/fairseat/pkg/relay"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
	"github.com/fairseat/fairseat/pkg/work"
)

var update = flag.Bool("update", false, "write the sample invocations anew")

// sample is one function's invocation: how the world came to it, and what follows.
type sample struct {
	function string
	given    func(*scene) []byte
	then     func(*scene, []byte)
}

func samples() []sample {
	first := booking.IDFor(guest, "first")
	return []sample{
		{"relay-holds", func(s *scene) []byte {
			s.hold("first", "A-1", "A-2")
			sold := s.hold("second", "A-3", "B-3")
			s.want(seatmap.Regular)
			s.sell(sold)
			return s.stream(store.Holds, all)
		}, func(s *scene, in []byte) {
			s.ok(work.RelayHolds(s, s.store, policy, s.clock)(s.t.Context(), streamEvent(s.t, in)))
			s.wantSent("timers 303s", "timers 303s", "lane sold")
		}},
		{"relay-line", func(s *scene) []byte {
			s.waiting("early", 1)
			s.giveBack(s.lastHold)
			s.join("late", 1)
			return s.stream(store.Line, all)
		}, func(s *scene, in []byte) {
			s.ok(work.RelayLine(s, policy, s.clock)(s.t.Context(), streamEvent(s.t, in)))
			s.wantSent("lane join "+s.id("early"), "timers 900s "+s.id("early"), "lane join "+s.id("late"), "timers 900s "+s.id("late"), "lane released")
		}},
		{"relay-payments", func(s *scene) []byte {
			s.pay(s.hold("first", "A-1", "A-2"))
			return s.stream(store.Orders, func(r memstore.Record) bool { return strings.HasPrefix(r.Key.PK, "PAY#") })
		}, func(s *scene, in []byte) {
			s.ok(work.RelayPayments(s, s.clock)(s.t.Context(), streamEvent(s.t, in)))
			if len(s.sent) != 1 || s.sent[0].Queue != relay.Payments {
				s.t.Errorf("sent %+v", s.sent)
			}
		}},
		{"record-order", func(s *scene) []byte {
			s.now = s.now.Add(time.Second)
			p := s.pay(s.hold("first", "A-1", "A-2"))
			s.now, s.paid = p.NextAskAt, true
			if err := s.Ask(s.t.Context(), p.ID, p.NextAskAt); err != nil {
				s.t.Fatal(err)
			}
			return s.stream(store.Orders, func(r memstore.Record) bool { return strings.HasPrefix(r.Key.PK, "ORDER#") })
		}, func(s *scene, in []byte) {
			b := &history.Book{Store: store.NewHistories(s.db), Shows: s, Clock: s.clock}
			s.ok(work.RecordOrder(b, attic(s.db))(s.t.Context(), streamEvent(s.t, in)))
			l, err := b.Tickets(s.t.Context(), guest, history.Upcoming, catalog.Page{Limit: 10})
			if err != nil || len(l.Items) != 1 || l.Items[0].Status != order.Paid || len(l.Items[0].Seats) != 2 {
				s.t.Errorf("tickets %+v, %v", l, err)
			}
		}},
		{"project-seatmap", func(s *scene) []byte {
			s.hold("first", "A-1", "A-2")
			s.aside(s.hold("second", "A-3", "B-3"))
			return s.stream(store.Holds, all)
		}, func(s *scene, in []byte) {
			s.ok(work.ProjectSeatmap(s.Office, s)(s.t.Context(), streamEvent(s.t, in)))
			m, err := s.store.FreshSnapshot(s.t.Context(), evening)
			if err != nil || m.Tally() != (booking.Tally{Free: 5, Held: 2, Line: 1}) {
				s.t.Errorf("map %+v, %v", m, err)
			}
		}},
		{"expire-hold", func(s *scene) []byte {
			h := s.hold("first", "A-1", "A-2")
			w := s.offered("ann")
			s.now = h.ExpiresAt.Add(policy.Grace)
			return s.queue("timers", "", relay.TimerDue{Hold: h.ID}, relay.TimerDue{Waiter: w})
		}, func(s *scene, in []byte) {
			s.done(work.ExpireHold(s.Office, s)(s.t.Context(), queueEvent(s.t, in)))
			s.wantHold(first, booking.Expired)
			s.wantSent("lane deadline " + s.id("ann"))
		}},
		{"expire-timer", func(s *scene) []byte {
			h := s.hold("first", "A-1", "A-2")
			s.offered("ann")
			s.now = h.ExpiresAt.Add(policy.Hold)
			s.db.Expire(s.now)
			return s.stream(store.Timers, func(r memstore.Record) bool { return r.Service })
		}, func(s *scene, in []byte) {
			s.ok(work.ExpireTimer(s.Office)(s.t.Context(), streamEvent(s.t, in)))
			s.wantHold(first, booking.Expired)
			s.wantWaiter("ann", line.Lapsed)
		}},
		{"ask-provider", func(s *scene) []byte {
			p := s.pay(s.hold("first", "A-1", "A-2"))
			s.now, s.paid = p.NextAskAt, true
			return s.queue("payments", "", relay.AskDue{Payment: p.ID, Due: p.NextAskAt.UnixMilli()})
		}, func(s *scene, in []byte) {
			s.done(work.AskProvider(s.Office)(s.t.Context(), queueEvent(s.t, in)))
			s.wantHold(first, booking.Sold)
		}},
		{"advance-line", func(s *scene) []byte {
			s.waiting("early", 1)
			s.giveBack(s.lastHold)
			s.join("late", 1)
			late := s.id("late")
			return s.queue("lane.fifo", string(evening), relay.LaneWake{Show: evening, Why: relay.Released}, relay.LaneWake{Show: evening, Why: relay.Joined, Waiter: line.WaiterID(late)})
		}, func(s *scene, in []byte) {
			s.done(work.AdvanceLine(s.Office)(s.t.Context(), queueEvent(s.t, in)))
			s.wantWaiter("early", line.Offered)
			s.wantWaiter("late", line.Waiting)
		}},
	}
}

// TestSampleInvocations runs each file of events/ through its function's handler,
// twice, for everything may come twice.
func TestSampleInvocations(t *testing.T) {
	for _, x := range slices.Concat(samples(), socketSamples(), mailSamples()) {
		t.Run(x.function, func(t *testing.T) {
			s := newScene(t)
			made := x.given(s)
			path := filepath.Join("..", "..", "events", x.function+".json")
			if *update {
				if err := os.WriteFile(path, made, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			in, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(in, made) {
				t.Errorf("%s is not what the tables and queues give now; -update writes it anew", path)
			}
			x.then(s, in)
			s.sent = nil
			x.then(s, in)
		})
	}
}
