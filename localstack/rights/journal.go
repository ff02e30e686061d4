package rights

import (
	"maps"
	"sync"
)

// Use is what one function needed.
type Use struct {
	Function string // logical id
	Need
}

// journal counts what was needed, and what of it no statement allowed.
type journal struct {
	mu           sync.Mutex
	used, denied map[Use]int
}

func newJournal() *journal { return &journal{used: map[Use]int{}, denied: map[Use]int{}} }

func (j *journal) note(function string, needs []Need, denied []Need) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, n := range needs {
		j.used[Use{function, n}]++
	}
	for _, n := range denied {
		j.denied[Use{function, n}]++
	}
}

// Uses are what functions needed so far, and how often. Denied are those of them
// that no statement allowed.
type Uses struct{ Used, Denied map[Use]int }

func (j *journal) copy() Uses {
	j.mu.Lock()
	defer j.mu.Unlock()
	return Uses{maps.Clone(j.used), maps.Clone(j.denied)}
}
