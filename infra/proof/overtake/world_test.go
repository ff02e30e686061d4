package overtake

import (
	"container/heap"
	"math/rand/v2"
	"sort"
	"time"
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

// agenda runs things in order of time, and of asking.
type agenda struct {
	now  time.Duration
	todo todos
	seq  int
}

type todo struct {
	at  time.Duration
	seq int
	do  func()
}

func (a *agenda) at(t time.Duration, do func()) {
	a.seq++
	heap.Push(&a.todo, todo{max(t, a.now), a.seq, do})
}

func (a *agenda) run() {
	for len(a.todo) > 0 {
		t := heap.Pop(&a.todo).(todo)
		a.now = t.at
		t.do()
	}
}

type todos []todo

func (t todos) Len() int { return len(t) }
func (t todos) Less(i, j int) bool {
	return t[i].at < t[j].at || t[i].at == t[j].at && t[i].seq < t[j].seq
}
func (t todos) Swap(i, j int) { t[i], t[j] = t[j], t[i] }
func (t *todos) Push(x any)   { *t = append(*t, x.(todo)) }
func (t *todos) Pop() any {
	last := (*t)[len(*t)-1]
	*t = (*t)[:len(*t)-1]
	return last
}
