package sim

import (
	"bytes"
	"cmp"
	"container/heap"
	"context"
	"io"
	"net/http"
	"sync"
	"time"
)

// entry is something to look at when its time has come: exactly one of the three
// is meant. It is a reminder; the thing's own DueAt decides.
type entry struct {
	at              time.Time
	payment, refund string
	callback        int // N, from 1
}

type agenda []entry

func (a agenda) Len() int           { return len(a) }
func (a agenda) Less(i, j int) bool { return a[i].at.Before(a[j].at) }
func (a agenda) Swap(i, j int)      { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)        { *a = append(*a, x.(entry)) }
func (a *agenda) Pop() any {
	last := len(*a) - 1
	e := (*a)[last]
	*a = (*a)[:last]
	return e
}

func (s *Sim) plan(e entry) {
	heap.Push(&s.due, e)
	s.nudge()
}

func (s *Sim) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run makes time pass until ctx ends, and then waits for callbacks in flight,
// which it cuts short.
func (s *Sim) Run(ctx context.Context) {
	var sending sync.WaitGroup
	defer sending.Wait()
	for {
		ready, wait := s.step()
		for _, c := range ready {
			sending.Go(func() { s.deliver(ctx, c) })
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-s.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// step does everything that is due, and answers which callbacks to send and how
// long until the next thing.
func (s *Sim) step() (ready []*Callback, wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.due) > 0 {
		if wait := s.due[0].at.Sub(s.now()); wait > 0 {
			return ready, wait
		}
		e := heap.Pop(&s.due).(entry)
		if c := s.act(e); c != nil {
			ready = append(ready, c)
		}
	}
	return ready, time.Hour
}

func (s *Sim) act(e entry) *Callback {
	switch {
	case e.payment != "":
		if p := s.payments[e.payment]; p.State == Pending && p.DueAt.Equal(e.at) {
			s.ripen(p)
		}
	case e.refund != "":
		if r := s.refunds[e.refund]; r.State == Pending && r.DueAt.Equal(e.at) {
			s.finish(r)
		}
	default:
		return s.take(s.callbacks[e.callback-1], e.at)
	}
	return nil
}

func (s *Sim) take(c *Callback, at time.Time) *Callback {
	if c.Progress != Waiting || !c.DueAt.Equal(at) {
		return nil
	}
	if s.set.Holding {
		s.mark(c, Held)
		return nil
	}
	c.Progress = Sending // not kept: after a crash it is still waiting
	return c
}

func (s *Sim) mark(c *Callback, to Progress) {
	c.Progress = to
	s.save(record{Callback: c})
}

// notify plans the callbacks of one event, all copies with one body.
func (s *Sim) notify(p *Payment, r *Refund) {
	var about *Refund
	to := p.NotifyURL
	if r != nil {
		back := *r
		about = &back
		to = cmp.Or(r.NotifyURL, to)
	}
	body := s.opt.Wire.Notice(len(s.callbacks)+1, s.now(), *p, about)
	if body == "" {
		return
	}
	at := s.now().Add(callbackDelay + time.Duration(p.Callback.DelayMS)*time.Millisecond)
	for range max(1, p.Callback.Copies) {
		c := s.enqueue(Callback{Payment: p.ID, URL: to, Body: body}, at)
		if p.Callback.Drop {
			s.mark(c, Dropped)
		}
	}
}

func (s *Sim) enqueue(c Callback, at time.Time) *Callback {
	c.N, c.Progress, c.DueAt = len(s.callbacks)+1, Waiting, at
	s.callbacks = append(s.callbacks, &c)
	s.save(record{Callback: &c})
	s.plan(entry{at: at, callback: c.N})
	return &c
}

func (s *Sim) deliver(ctx context.Context, c *Callback) {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return
	}
	status, taken := s.post(ctx, c)
	if ctx.Err() != nil && status == 0 {
		return // shutting down: it stays waiting in the journal
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tried(c, status, taken)
}

// post sends the callback once; 0 when no answer came. URL, Body and age of a
// callback never change, so no lock is needed to read them.
func (s *Sim) post(ctx context.Context, c *Callback) (status int, taken bool) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, bytes.NewReader([]byte(c.Body)))
	if err != nil {
		return 0, false
	}
	s.opt.Wire.Sign(req.Header, []byte(c.Body), s.opt.Now().Add(-time.Duration(c.AgeSeconds)*time.Second))
	res, err := s.client.Do(req)
	if err != nil {
		return 0, false
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxBody))
	return res.StatusCode, err == nil && s.opt.Wire.Taken(res.StatusCode, answer)
}

func (s *Sim) tried(c *Callback, status int, taken bool) {
	c.Tries = append(c.Tries, Try{At: s.now(), Status: status})
	switch {
	case taken:
		c.Progress = Delivered
	case len(c.Tries) >= maxTries:
		c.Progress = GivenUp
	default:
		c.Progress, c.DueAt = Waiting, s.now().Add(retryGap(len(c.Tries)))
		s.plan(entry{at: c.DueAt, callback: c.N})
	}
	s.save(record{Callback: c})
	s.opt.Log.Info("callback", "n", c.N, "payment", c.Payment, "try", len(c.Tries), "status", status, "progress", c.Progress)
}
