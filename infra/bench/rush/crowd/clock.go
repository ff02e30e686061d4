package crowd

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// clock is virtual. Whoever runs holds the only turn; wait gives it back.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	order int
	queue events
	turn  chan struct{}
}

type event struct {
	at    time.Time
	order int // of two at one moment the one that was there first goes first
	begin func()
	wake  chan struct{}
}

func newClock(start time.Time) *clock { return &clock{now: start, turn: make(chan struct{})} }

// Now is the virtual time.
func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) push(d time.Duration, e event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.order++
	e.at, e.order = c.now.Add(d), c.order
	heap.Push(&c.queue, e)
}

// after begins something in so long.
func (c *clock) after(d time.Duration, f func()) { c.push(d, event{begin: f}) }

// wait lets others run until so long has passed.
func (c *clock) wait(d time.Duration) {
	wake := make(chan struct{})
	c.push(d, event{wake: wake})
	c.turn <- struct{}{}
	<-wake
}

// pause is wait for those who may be canceled; here nobody is.
func (c *clock) pause(ctx context.Context, d time.Duration) error {
	c.wait(d)
	return ctx.Err()
}

// run lets time pass until nothing is left to happen.
func (c *clock) run() {
	for {
		c.mu.Lock()
		if len(c.queue) == 0 {
			c.mu.Unlock()
			return
		}
		e := heap.Pop(&c.queue).(event)
		c.now = e.at
		c.mu.Unlock()
		if e.wake != nil {
			close(e.wake)
		} else {
			go func() {
				e.begin()
				c.turn <- struct{}{}
			}()
		}
		<-c.turn
	}
}

type events []event

func (q events) Len() int { return len(q) }
func (q events) Less(i, j int) bool {
	return q[i].at.Before(q[j].at) || q[i].at.Equal(q[j].at) && q[i].order < q[j].order
}
func (q events) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *events) Push(e any)   { *q = append(*q, e.(event)) }
func (q *events) Pop() any {
	old := *q
	e := old[len(old)-1]
	*q = old[:len(old)-1]
	return e
}
