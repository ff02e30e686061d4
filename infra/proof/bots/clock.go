package main

import (
	"container/heap"
	"iter"
	"time"
)

// clock is virtual. One actor runs at a time, and time passes only while it waits.
type clock struct {
	now   time.Time
	order int
	queue events
}

// wait lets others act until so long has passed.
type wait func(d time.Duration)

type event struct {
	at    time.Time
	order int // of two at one moment the one that was there first goes first
	next  func() (time.Duration, bool)
	stop  func()
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
	c.push(after, event{next: next, stop: stop})
}

func (c *clock) push(d time.Duration, e event) {
	c.order++
	e.at, e.order = c.now.Add(d), c.order
	heap.Push(&c.queue, e)
}

// run lets time pass until the end, whoever still waits.
func (c *clock) run(end time.Time) {
	for len(c.queue) > 0 {
		e := heap.Pop(&c.queue).(event)
		if !e.at.Before(end) {
			e.stop()
			continue
		}
		c.now = e.at
		if d, more := e.next(); more {
			c.push(d, e)
		}
	}
	c.now = end
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
