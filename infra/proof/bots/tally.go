package main

import (
	"context"
	"fmt"
	"time"

	"github.com/fairseat/fairseat/pkg/store"
)

// side is whose a seat is: the people's, or an operator's by how many addresses he has.
type side uint8

const (
	people side = iota
	oneAddress
	fewAddresses
	manyAddresses
	sides
	nobody = sides
)

// tally is what was seen: who was first at a seat, who kept whom from it, who paid.
type tally struct {
	first, owner, buyer []side
	since               []time.Time
	had                 [sides]time.Duration // seats times time, in the first ten minutes
	refusals            [sides][answers]int
	hardest             int // bits
	served              int // people who have what they came for
}

func newTally(seats int) tally {
	t := tally{since: make([]time.Time, seats)}
	for _, s := range []*[]side{&t.first, &t.owner, &t.buyer} {
		*s = make([]side, seats)
		for i := range *s {
			(*s)[i] = nobody
		}
	}
	return t
}

func (t *tally) take(chosen []int, s side, now time.Time) {
	for _, i := range chosen {
		t.owner[i], t.since[i] = s, now
		if t.first[i] == nobody {
			t.first[i] = s
		}
	}
}

func (t *tally) leave(chosen []int, now time.Time) {
	for _, i := range chosen {
		t.count(i, now)
		t.owner[i] = nobody
	}
}

// count adds the time for which a seat's owner had it.
func (t *tally) count(i int, now time.Time) {
	if end := opening.Add(early); now.After(end) {
		now = end
	}
	if d := now.Sub(t.since[i]); t.owner[i] != nobody && d > 0 {
		t.had[t.owner[i]] += d
	}
}

func (t *tally) sell(chosen []int, s side) {
	for _, i := range chosen {
		t.buyer[i] = s
	}
}

// close ends the evening; what was seen must be what the tables say.
func (h *house) close() error {
	if h.fault != nil {
		return h.fault
	}
	for i := range h.owner {
		h.count(i, h.clock.now)
	}
	m, err := store.New(h.db, h.policy).FreshSnapshot(context.Background(), premiere)
	if err != nil {
		return err
	}
	sold := 0
	for _, s := range h.buyer {
		if s != nobody {
			sold++
		}
	}
	if m.Tally().Sold != sold {
		return fmt.Errorf("seed %d: %d seats were bought, and the map has %d sold", h.seed, sold, m.Tally().Sold)
	}
	return nil
}

// of counts the seats that a list says to be a side's.
func of(list []side, s side) (n int) {
	for _, x := range list {
		if x == s {
			n++
		}
	}
	return n
}
