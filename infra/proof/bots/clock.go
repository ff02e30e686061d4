package main

import (
	"iter"
	"time"

	"github.com/fairseat/fairseat/infra/proof/agenda"
)

// clock is virtual. One actor runs at a time, and time passes only while it waits.
type clock struct {
	now    time.Time
	agenda agenda.Agenda[actor]
}

// wait lets others act until so long has passed.
type wait func(d time.Duration)

// actor is somebody who waits.
type actor struct {
	next func() (time.Duration, bool)
	stop func()
}

// over ends an actor whose wait outlasts the evening.
type over struct{}

// begin lets somebody act from so long on.
func (c *clock) begin(after time.Duration, act func(wait)) {
	next, stop := iter.Pull(func(yield func(time.Duration) bool) {
		defer func() {
			if r := recover(); r != nil && r != (over{}) {
				panic(r)
			}
		}()
		act(func(d time.Duration) {
			if !yield(d) {
				panic(over{})
			}
		})
	})
	c.agenda.Plan(c.now.Add(after), actor{next, stop})
}

// run lets time pass until the end, whoever still waits.
func (c *clock) run(end time.Time) {
	for c.agenda.Len() > 0 {
		at, who := c.agenda.Take()
		if !at.Before(end) {
			who.stop()
			continue
		}
		c.now = at
		if d, more := who.next(); more {
			c.agenda.Plan(at.Add(d), who)
		}
	}
	c.now = end
}
