package sources

import (
	"context"
	"sync"
)

// gate lets work in while it is open and knows how much is inside.
type gate struct {
	mu     sync.Mutex
	closed bool
	inside int
	turn   chan struct{} // closed at each change
}

func newGate() *gate { return &gate{turn: make(chan struct{})} }

func (g *gate) changed() {
	close(g.turn)
	g.turn = make(chan struct{})
}

// enter waits for the gate to be open; false means that ctx ended.
func (g *gate) enter(ctx context.Context) bool {
	for {
		g.mu.Lock()
		if !g.closed {
			g.inside++
			g.mu.Unlock()
			return true
		}
		turn := g.turn
		g.mu.Unlock()
		select {
		case <-turn:
		case <-ctx.Done():
			return false
		}
	}
}

// join lets one more in on the word of somebody who is inside.
func (g *gate) join() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside++
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
	g.changed()
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = false
	g.changed()
}

// close shuts the gate and waits until nobody is inside.
func (g *gate) close(ctx context.Context) error {
	g.mu.Lock()
	g.closed = true
	for g.inside > 0 {
		turn := g.turn
		g.mu.Unlock()
		select {
		case <-turn:
		case <-ctx.Done():
			return ctx.Err()
		}
		g.mu.Lock()
	}
	g.mu.Unlock()
	return nil
}
