package crowd

import (
	"fmt"
	"slices"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/store/meter"
)

// Sum is what a run comes to.
type Sum struct {
	Held, Taken, Busy, Other int
	Next                     map[booking.Next]int
	PerSeat                  float64 // transactions of the instances, refused ones too, for each seat taken
	PerGroup                 float64 // the same for each hold
	ReadsPerLoser            float64
	ReadsPerWinner           float64
	TriedInVain              int // refused requests that sent a transaction
	Winners, Losers          Times
}

// Times of answers.
type Times struct{ P50, P95, P99, Most time.Duration }

// Sum adds a result up.
func (r Result) Sum() Sum {
	s := Sum{Next: map[booking.Next]int{}}
	var won, lost []time.Duration
	readsLost, readsWon := 0, 0
	for _, a := range r.Answers {
		took := a.Came.Sub(a.Asked)
		switch a.Kind {
		case held:
			s.Held++
			readsWon += a.Reads
			won = append(won, took)
		case taken:
			s.Taken++
			s.Next[a.Next]++
			readsLost += a.Reads
			lost = append(lost, took)
			if a.Transactions > 0 {
				s.TriedInVain++
			}
		case busy:
			s.Busy++
		default:
			s.Other++
		}
	}
	n := float64(r.Counts.Requests[meter.Transact])
	s.PerSeat, s.PerGroup = n/float64(max(r.Taken, 1)), n/float64(max(s.Held, 1))
	s.ReadsPerLoser = float64(readsLost) / float64(max(s.Taken, 1))
	s.ReadsPerWinner = float64(readsWon) / float64(max(s.Held, 1))
	s.Winners, s.Losers = TimesOf(won), TimesOf(lost)
	return s
}

// TimesOf sorts durations out.
func TimesOf(d []time.Duration) Times {
	if len(d) == 0 {
		return Times{}
	}
	slices.Sort(d)
	at := func(p float64) time.Duration { return d[min(len(d)-1, int(p*float64(len(d))))] }
	return Times{at(0.50), at(0.95), at(0.99), d[len(d)-1]}
}

func (t Times) String() string {
	ms := func(d time.Duration) string { return fmt.Sprint(d.Round(time.Millisecond)) }
	return fmt.Sprintf("p50 %s, p95 %s, p99 %s, max %s", ms(t.P50), ms(t.P95), ms(t.P99), ms(t.Most))
}
