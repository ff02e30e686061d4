package work_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/relay"
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
			s.aside(s.hold("second", "A-3", "B-3"))
			return s.stream(store.Holds, all)
		}, func(s *scene, in []byte) {
			s.ok(work.RelayHolds(s, policy, s.clock)(s.t.Context(), streamEvent(s.t, in)))
			if len(s.sent) != 3 || s.sent[0].Queue != relay.Timers || s.sent[0].Delay != policy.Hold+policy.Grace || s.sent[2].Queue != relay.Lane || s.sent[2].Group != string(evening) {
				s.t.Errorf("sent %+v", s.sent)
			}
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
			s.now = h.ExpiresAt.Add(policy.Grace)
			return s.queue("timers", "", relay.HoldDue{Hold: h.ID})
		}, func(s *scene, in []byte) {
			s.done(work.ExpireHold(s.Office, s)(s.t.Context(), queueEvent(s.t, in)))
			s.wantHold(first, booking.Expired)
		}},
		{"expire-timer", func(s *scene) []byte {
			h := s.hold("first", "A-1", "A-2")
			s.now = h.ExpiresAt.Add(policy.Hold)
			s.db.Expire(s.now)
			return s.stream(store.Timers, func(r memstore.Record) bool { return r.Event == memstore.Remove })
		}, func(s *scene, in []byte) {
			s.ok(work.ExpireTimer(s.Office)(s.t.Context(), streamEvent(s.t, in)))
			s.wantHold(first, booking.Expired)
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
			s.aside(s.hold("first", "A-1", "A-2"))
			return s.queue("lane.fifo", string(evening), relay.LaneWake{Show: evening, Why: "released"})
		}, func(s *scene, in []byte) {
			s.done(work.AdvanceLine(s.Office)(s.t.Context(), queueEvent(s.t, in)))
			st, err := s.store.LineState(s.t.Context(), evening)
			if err != nil || len(st.Pool) != 0 || len(st.Wanted) != 0 {
				s.t.Errorf("line %+v, %v", st, err)
			}
			s.hold("next", "A-1", "A-2")
		}},
	}
}

// TestSampleInvocations runs each file of events/ through its function's handler,
// twice, for everything may come twice.
func TestSampleInvocations(t *testing.T) {
	for _, x := range append(samples(), socketSamples()...) {
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
			if x.function == "relay-holds" || x.function == "relay-payments" {
				s.sent = nil
			}
			if x.function != "advance-line" { // its end takes the seats
				x.then(s, in)
			}
		})
	}
}
