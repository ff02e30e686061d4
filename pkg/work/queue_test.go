package work_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/relay"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// want opens the gates, as if somebody waited for the types.
func (s *scene) want(types ...seatmap.SeatType) {
	s.t.Helper()
	st, err := s.store.LineState(s.t.Context(), evening, line.Reading{})
	if err == nil {
		err = s.store.CommitLine(s.t.Context(), evening, line.State{Version: st.Version}, line.Plan{Gates: true, Wanted: types}, line.Stamp{})
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// join asks for premium seats, of which none is free.
func (s *scene) join(who string, party int) line.WaiterID {
	s.t.Helper()
	if s.lastHold.ID == "" {
		s.lastHold = s.hold("premium", "B-3")
		s.hold("the other", "B-4")
	}
	st, err := s.Join(s.t.Context(), boxoffice.Join{
		Buyer: booking.Buyer(who), Key: "k", BodyHash: "b", Show: evening, Party: party, Types: []seatmap.SeatType{seatmap.Premium},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	if st.Waiter.State != line.Asked || string(st.Waiter.ID) != s.id(who) {
		s.t.Fatalf("%+v: numbered by nobody", st.Waiter)
	}
	return st.Waiter.ID
}

// waiting has joined, and the lane has been to him.
func (s *scene) waiting(who string, party int) line.WaiterID {
	s.t.Helper()
	id := s.join(who, party)
	if err := s.RunLane(s.t.Context(), evening, boxoffice.Wake{Named: []line.WaiterID{id}}); err != nil {
		s.t.Fatal(err)
	}
	s.wantWaiter(who, line.Waiting)
	return id
}

// offered has waited for one seat, and it was given back.
func (s *scene) offered(who string) line.WaiterID {
	s.t.Helper()
	id := s.waiting(who, 1)
	s.giveBack(s.lastHold)
	if err := s.RunLane(s.t.Context(), evening, boxoffice.Wake{}); err != nil {
		s.t.Fatal(err)
	}
	s.wantWaiter(who, line.Offered)
	return id
}

func (s *scene) id(who string) string {
	return string(boxoffice.WaiterIDFor(booking.Buyer(who), evening, "k"))
}

func (s *scene) waiter(who string) line.Waiter {
	s.t.Helper()
	w, err := s.store.Waiter(s.t.Context(), line.WaiterID(s.id(who)))
	if err != nil {
		s.t.Fatal(err)
	}
	return w
}

func (s *scene) wantWaiter(who string, want line.WaiterState) {
	s.t.Helper()
	if w := s.waiter(who); w.State != want {
		s.t.Errorf("%s is %s, want %s", who, w.State, want)
	}
}

// wantSent compares with what was sent, told as "lane join w_1" and "timers 30s
// w_1"; holds are not named.
func (s *scene) wantSent(want ...string) {
	s.t.Helper()
	var got []string
	for _, m := range s.sent {
		switch m.Queue {
		case relay.Timers:
			due := decode[relay.TimerDue](s.t, []byte(m.Body))
			got = append(got, strings.TrimSpace(fmt.Sprintf("timers %gs %s", m.Delay.Seconds(), due.Waiter)))
		case relay.Lane:
			var w relay.LaneWake
			if err := json.Unmarshal([]byte(m.Body), &w); err != nil || m.Group != string(w.Show) || m.Dedup == "" || m.Delay != 0 {
				s.t.Errorf("message %+v, %v", m, err)
			}
			got = append(got, strings.TrimSpace(fmt.Sprintf("lane %s %s", w.Why, w.Waiter)))
		default:
			got = append(got, fmt.Sprint(m))
		}
	}
	if !slices.Equal(got, want) {
		s.t.Errorf("sent %q, want %q", got, want)
	}
}
