package overtake

import (
	"math/rand/v2"
	"sort"
	"time"

	"github.com/fairseat/fairseat/infra/proof/agenda"
)

// person wants Party seats at once, and is quick or slow to act when let.
type person struct {
	came   time.Duration
	party  int
	acts   time.Duration // from being told to having chosen
	waits  bool          // joins the line; else looks at the public map once in a while
	served time.Duration // 0: not
}

// release is seats that come free: by a cancelled order, or by a cart that ran out.
type release struct {
	at    time.Duration
	seats int
	cart  bool
}

// schedule is one evening, the same for every rule.
type schedule struct {
	people   []person // in order of coming
	releases []release
	rng      *rand.Rand
}

const (
	evening  = time.Hour
	patience = 45 * time.Minute
)

// draw makes an evening: people come for ten minutes to a hall that is full, some of
// them to wait and some to try their luck on the map, and seats come back over an hour.
func draw(seed uint64) *schedule {
	rng := rand.New(rand.NewPCG(seed, 7))
	s := &schedule{rng: rng}
	for range 400 {
		s.people = append(s.people, person{
			came: time.Duration(rng.Int64N(int64(10 * time.Minute))), party: 1 + rng.IntN(4),
			acts: time.Second + time.Duration(rng.ExpFloat64()*float64(20*time.Second)), waits: rng.IntN(4) > 0,
		})
	}
	sort.Slice(s.people, func(i, j int) bool { return s.people[i].came < s.people[j].came })
	for range 120 {
		s.releases = append(s.releases, release{
			at: time.Minute + time.Duration(rng.Int64N(int64(evening))), seats: 1 + rng.IntN(4), cart: rng.IntN(2) == 0,
		})
	}
	sort.Slice(s.releases, func(i, j int) bool { return s.releases[i].at < s.releases[j].at })
	return s
}

// latency of a message through a queue.
func (s *schedule) latency(most time.Duration) time.Duration {
	return 20*time.Millisecond + time.Duration(s.rng.Float64()*s.rng.Float64()*float64(most))
}

// result is what a rule did to the people of an evening.
type result struct {
	served    int // people
	seats     int
	overtaken int // people who were passed at least once
	passes    int // pairs
	jumped    int // of the pairs, how many by somebody who never joined
	worst     int // by how many one person was passed
}

// judge counts, of those who waited, who was passed by whom.
func judge(people []person) (r result) {
	for i, a := range people {
		if a.served > 0 {
			r.served++
			r.seats += a.party
		}
		if !a.waits {
			continue
		}
		until := a.came + patience
		if a.served > 0 {
			until = min(until, a.served)
		}
		n := 0
		for _, b := range people[i+1:] {
			if b.served > 0 && b.served < until {
				n++
				if !b.waits {
					r.jumped++
				}
			}
		}
		if n > 0 {
			r.overtaken++
		}
		r.passes += n
		r.worst = max(r.worst, n)
	}
	return r
}

// timetable runs things in order of time, and of asking.
type timetable struct {
	now  time.Duration // since the evening began
	todo agenda.Agenda[func()]
}

var opens time.Time

func (a *timetable) at(t time.Duration, do func()) {
	a.todo.Plan(opens.Add(max(t, a.now)), do)
}

func (a *timetable) run() {
	for a.todo.Len() > 0 {
		at, do := a.todo.Take()
		a.now = at.Sub(opens)
		do()
	}
}
