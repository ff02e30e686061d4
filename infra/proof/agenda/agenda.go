// Package agenda is what virtual clocks go by: things that are planned for moments,
// taken in order of time, and of two at one moment the one that was planned first.
//
// Start with [Agenda].
package agenda

import (
	"container/heap"
	"time"
)

// Agenda of things of a kind. The zero value is empty.
type Agenda[T any] struct {
	queue   queue[T]
	planned int
}

// Plan puts something down for a moment.
func (a *Agenda[T]) Plan(at time.Time, what T) {
	a.planned++
	heap.Push(&a.queue, entry[T]{at, a.planned, what})
}

// Len is how much is to come.
func (a *Agenda[T]) Len() int { return len(a.queue) }

// Planned is how much was ever put down.
func (a *Agenda[T]) Planned() int { return a.planned }

// Next is the moment of the first thing; there must be one.
func (a *Agenda[T]) Next() time.Time { return a.queue[0].at }

// Take removes the first thing and says when it is; there must be one.
func (a *Agenda[T]) Take() (time.Time, T) {
	e := heap.Pop(&a.queue).(entry[T])
	return e.at, e.what
}

// Clear forgets what is to come.
func (a *Agenda[T]) Clear() { a.queue = nil }

type entry[T any] struct {
	at   time.Time
	seq  int
	what T
}

type queue[T any] []entry[T]

func (q queue[T]) Len() int { return len(q) }
func (q queue[T]) Less(i, j int) bool {
	if q[i].at.Equal(q[j].at) {
		return q[i].seq < q[j].seq
	}
	return q[i].at.Before(q[j].at)
}
func (q queue[T]) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue[T]) Push(x any)   { *q = append(*q, x.(entry[T])) }
func (q *queue[T]) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	(*q)[last] = entry[T]{}
	*q = (*q)[:last]
	return e
}
