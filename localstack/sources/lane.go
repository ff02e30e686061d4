package sources

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/fairseat/fairseat/localstack/runtime"
)

// lanes deliver one shard: each key in order, several keys at once.
type lanes struct {
	source *streamSource
	shard  string
	from   time.Time
	track  *tracker
	ins    []chan []*entry
	ends   sync.WaitGroup
	once   sync.Once
}

func (s *streamSource) openLanes(ctx context.Context, shard string) *lanes {
	l := &lanes{source: s, shard: shard}
	if s.saved.last(shard) == "" {
		l.from = s.from
	}
	l.track = &tracker{save: func(seq string) { s.check(s.saved.advance(shard, seq)) }}
	for range s.src.Parallel {
		in := make(chan []*entry, 1)
		l.ins = append(l.ins, in)
		l.ends.Go(func() { l.run(ctx, in) })
	}
	return l
}

// feed hands the records on; it waits while a lane is full. What a filter drops is done at once.
func (l *lanes) feed(ctx context.Context, list []record) bool {
	parts := make([][]*entry, len(l.ins))
	entries := l.track.add(list)
	for _, e := range entries {
		if e.created.Before(l.from) || !l.source.filter.pass(e.event) {
			l.track.done(e)
			continue
		}
		i := laneOf(e.key, len(l.ins))
		parts[i] = append(parts[i], e)
	}
	for i, part := range parts {
		if len(part) == 0 {
			continue
		}
		select {
		case l.ins[i] <- part:
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// close lets the lanes finish what they have and waits for them.
func (l *lanes) close() {
	l.once.Do(func() {
		for _, in := range l.ins {
			close(in)
		}
	})
	l.ends.Wait()
}

func (l *lanes) run(ctx context.Context, in <-chan []*entry) {
	var pending []*entry
	for {
		if len(pending) == 0 {
			part, ok := <-in
			if !ok {
				return
			}
			pending = part
		}
		pending = l.fill(ctx, in, pending)
		n := l.fit(pending)
		if !l.deliver(ctx, pending[:n], 0) {
			for range in { // the source ends: let the reader go
			}
			return
		}
		pending = pending[n:]
	}
}

// fill waits for a whole batch or the end of the window; without a window it takes what is there.
func (l *lanes) fill(ctx context.Context, in <-chan []*entry, pending []*entry) []*entry {
	size, window := l.source.src.BatchSize, l.source.src.Window
	t := time.NewTimer(window)
	defer t.Stop()
	for len(pending) < size {
		if window == 0 {
			select {
			case part, ok := <-in:
				if !ok {
					return pending
				}
				pending = append(pending, part...)
			default:
				return pending
			}
			continue
		}
		select {
		case part, ok := <-in:
			if !ok {
				return pending
			}
			pending = append(pending, part...)
		case <-t.C:
			return pending
		case <-ctx.Done():
			return pending
		}
	}
	return pending
}

// fit is how many make one batch: by number, and by Lambda's request limit.
func (l *lanes) fit(pending []*entry) int {
	size := len(`{"Records":[]}`)
	for i, e := range pending[:min(len(pending), l.source.src.BatchSize)] {
		if size += len(e.encoded) + 1; size > runtime.MaxRequest && i > 0 {
			return i
		}
	}
	return min(len(pending), l.source.src.BatchSize)
}

// deliver repeats a batch until it is done or given up; false means that the
// source ends first. A failure that splits the batch costs no retry.
// https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-errors.html
func (l *lanes) deliver(ctx context.Context, batch []*entry, calls int) bool {
	s := l.source
	pause := s.retry
	for retries := 0; ; {
		if batch = l.expire(ctx, batch, calls); len(batch) == 0 {
			return true
		}
		ok, res, err := l.call(ctx, batch)
		if !ok {
			return false
		}
		if err != nil { // it has not run: no retry is used up
			s.log(fmt.Sprintf("batch of %d not delivered: %v", len(batch), err))
			if !pause.wait(ctx) {
				return false
			}
			continue
		}
		calls++
		first := l.firstFailed(batch, res)
		l.track.done(batch[:first]...)
		if batch = batch[first:]; len(batch) == 0 {
			return true
		}
		s.log(fmt.Sprintf("%d records from %s failed%s", len(batch), batch[0].sequence, cause(res)))
		switch half := len(batch) / 2; {
		case s.src.Bisect && first == 0 && half > 0:
			if !pause.wait(ctx) || !l.deliver(ctx, batch[:half], calls) {
				return false
			}
			return l.deliver(ctx, batch[half:], calls)
		case s.src.Bisect && first > 0: // cut at the failed record
		default:
			retries++
		}
		if most := s.retries.Load(); most >= 0 && int64(retries) > most {
			l.discard(ctx, batch, conditionRetries, calls, &res)
			return true
		}
		if !pause.wait(ctx) {
			return false
		}
	}
}

func cause(r runtime.Result) string {
	if r.Err == nil {
		return ""
	}
	return ": " + r.Err.Error()
}

// call invokes once, inside the gate. Its first result is false when the source ends.
func (l *lanes) call(ctx context.Context, batch []*entry) (bool, runtime.Result, error) {
	s := l.source
	if !s.gate.enter(ctx) {
		return false, runtime.Result{}, nil
	}
	defer s.gate.leave()
	res, err := s.invoke(ctx, s.src.Function, encodeBatch(batch))
	if err != nil && stopping(ctx, err) {
		return false, res, err
	}
	if errors.Is(err, runtime.ErrTooLarge) { // one record larger than Lambda takes: AWS fails it likewise
		return true, runtime.Result{Err: &runtime.FunctionError{Kind: runtime.Unhandled,
			Type: "RequestEntityTooLargeException", Message: err.Error()}}, nil
	}
	return true, res, err
}

func encodeBatch(batch []*entry) []byte {
	records := make([]json.RawMessage, len(batch))
	for i, e := range batch {
		records[i] = e.encoded
	}
	payload, _ := json.Marshal(map[string]any{"Records": records})
	return payload
}

// firstFailed is the place of the lowest failed record; everything from there on comes again.
func (l *lanes) firstFailed(batch []*entry, res runtime.Result) int {
	switch {
	case res.Err != nil:
		return 0
	case !l.source.src.PartialFailure:
		return len(batch)
	}
	ids := make([]string, len(batch))
	for i, e := range batch {
		ids[i] = e.sequence
	}
	return lowest(failed(res.Payload, ids))
}

// expire gives up the records at the front that are too old.
func (l *lanes) expire(ctx context.Context, batch []*entry, calls int) []*entry {
	limit := l.source.src.MaxAge
	if limit == 0 {
		return batch
	}
	now, n := l.source.now(), 0
	for n < len(batch) && now.Sub(batch[n].created) > limit {
		n++
	}
	if n > 0 {
		l.discard(ctx, batch[:n], conditionAge, calls, nil)
	}
	return batch[n:]
}

// tracker knows how far a shard is done without gaps.
type tracker struct {
	save func(sequence string)

	mu   sync.Mutex
	open []*entry
}

type entry struct {
	record
	finished bool
}

func (t *tracker) add(list []record) []*entry {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make([]*entry, len(list))
	for i, r := range list {
		out[i] = &entry{record: r}
	}
	t.open = append(t.open, out...)
	return out
}

func (t *tracker) done(list ...*entry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range list {
		e.finished = true
	}
	n := 0
	for n < len(t.open) && t.open[n].finished {
		n++
	}
	if n > 0 {
		seq := t.open[n-1].sequence
		t.open = t.open[n:]
		t.save(seq)
	}
}
