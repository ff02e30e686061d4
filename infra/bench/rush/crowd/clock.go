package crowd

import (
	"context"
	"sync"
	"time"

	"github.com/fairseat/fairseat/infra/proof/agenda"
)

// clock is virtual. Whoever runs holds the only turn; wait gives it back.
type clock struct {
	mu     sync.Mutex
	now    time.Time
	agenda agenda.Agenda[event]
	turn   chan struct{}
}

type event struct {
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
	c.agenda.Plan(c.now.Add(d), e)
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
		if c.agenda.Len() == 0 {
			c.mu.Unlock()
			return
		}
		at, e := c.agenda.Take()
		c.now = at
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
