package sources

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/fairseat/fairseat/localstack/runtime"
	"github.com/fairseat/fairseat/localstack/template"
)

// message is what was received. Its record is the member of the event that the
// function gets, without what the source adds.
type message struct {
	id, handle, group string
	body              string
	record            map[string]any
}

// queue is what a source needs of a queue service: receive waits up to wait for a
// first message and hides what it returns for the queue's visibility timeout;
// remove is idempotent.
type queue interface {
	receive(ctx context.Context, most int, wait time.Duration) ([]message, error)
	remove(ctx context.Context, handles []string) error
}

// sender puts one message on a queue.
type sender interface {
	send(ctx context.Context, body string) error
}

const (
	longPoll        = time.Second // short, so that a pause takes hold soon and a poll is never cut off
	maxReceive      = 10          // SQS's limit
	defaultInFlight = 16          // batches in flight where the source sets no limit
)

type queueSource struct {
	common
	queue  template.Queue
	client queue
	hidden time.Duration // the queue's visibility timeout
	slots  chan struct{}
	groups keyedLock
}

func newQueueSource(c common, q template.Queue, client queue) (*queueSource, error) {
	src := &c.src
	if src.BatchSize == 0 {
		src.BatchSize = 10
	}
	switch {
	case q.FIFO && (src.BatchSize > 10 || src.Window > 0):
		return nil, errors.New("a FIFO queue allows batches of up to 10 and no batching window")
	case src.BatchSize > 10_000 || src.BatchSize < 1:
		return nil, fmt.Errorf("batch size %d is out of range", src.BatchSize)
	case src.BatchSize > 10 && src.Window < time.Second:
		return nil, errors.New("a batch size over 10 needs a batching window of at least 1 s")
	case src.MaxConcurrency == 1 || src.MaxConcurrency < 0 || src.MaxConcurrency > 1000:
		return nil, fmt.Errorf("maximum concurrency %d is not in 2 to 1000", src.MaxConcurrency)
	}
	n := src.MaxConcurrency
	if n == 0 {
		n = defaultInFlight
	}
	hidden := time.Duration(atoi(q.Attributes["VisibilityTimeout"], 30)) * time.Second
	if hidden < c.fn.Timeout {
		return nil, fmt.Errorf("the visibility timeout (%v) is less than the function's timeout (%v)", hidden, c.fn.Timeout)
	}
	return &queueSource{common: c, queue: q, client: client, hidden: hidden, slots: make(chan struct{}, n)}, nil
}

func (s *queueSource) start(ctx context.Context) (func(), error) {
	return func() { s.poll(ctx) }, nil
}

// poll takes a slot before it receives: what is received must not wait hidden.
func (s *queueSource) poll(ctx context.Context) {
	var inFlight sync.WaitGroup
	defer inFlight.Wait()
	trouble := backoff{first: 200 * time.Millisecond, most: 5 * time.Second}
	for {
		select {
		case s.slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		if !s.gate.enter(ctx) {
			return
		}
		batch, err := s.collect(ctx)
		if err != nil && !stopping(ctx, err) {
			s.log("receive: " + err.Error())
		}
		<-s.slots
		for _, part := range s.parts(batch) {
			s.gate.join()
			inFlight.Go(func() {
				defer s.gate.leave()
				s.serve(ctx, part)
			})
		}
		s.gate.leave()
		switch {
		case err == nil:
			trouble.reset()
		case !trouble.wait(ctx):
			return
		}
	}
}

// collect receives one batch. Without a window it takes what there is.
func (s *queueSource) collect(ctx context.Context) ([]message, error) {
	batch, err := s.client.receive(ctx, min(s.src.BatchSize, maxReceive), longPoll)
	if err != nil || len(batch) == 0 || s.src.Window == 0 {
		return batch, err
	}
	until := time.Now().Add(s.src.Window)
	for len(batch) < s.src.BatchSize {
		left := time.Until(until)
		if left <= 0 {
			break
		}
		more, err := s.client.receive(ctx, min(s.src.BatchSize-len(batch), maxReceive), min(left, longPoll).Truncate(time.Second))
		if err != nil {
			return batch, nil // what is there goes out; the next poll will tell
		}
		batch = append(batch, more...)
		if len(more) == 0 && !sleep(ctx, min(50*time.Millisecond, left)) {
			break
		}
	}
	return batch, nil
}

// parts splits a FIFO batch by group: groups go in parallel, each in order.
func (s *queueSource) parts(batch []message) [][]message {
	if len(batch) == 0 {
		return nil
	}
	if !s.queue.FIFO {
		return [][]message{batch}
	}
	var out [][]message
	index := map[string]int{}
	for _, m := range batch {
		i, ok := index[m.group]
		if !ok {
			i = len(out)
			index[m.group] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], m)
	}
	return out
}

// serve delivers one part. The lock matters when a handler outlives the
// visibility timeout: the queue then gives the group out again.
func (s *queueSource) serve(ctx context.Context, part []message) {
	if s.queue.FIFO {
		unlock := s.groups.lock(ctx, part[0].group)
		if unlock == nil {
			return
		}
		defer unlock()
	}
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		return
	}
	defer func() { <-s.slots }()
	var keep []message
	var drop []string
	for _, m := range part {
		if s.filter.pass(filterView(m)) {
			keep = append(keep, m)
		} else {
			drop = append(drop, m.handle)
		}
	}
	s.remove(ctx, drop)
	for len(keep) > 0 {
		n, payload := s.event(keep)
		if !s.deliver(ctx, keep[:n], payload) && s.queue.FIFO {
			return // the rest of the group must not overtake
		}
		keep = keep[n:]
	}
}

// filterView is the record with its body as JSON where it is an object: a pattern
// for an object never matches a text, and the other way round.
func filterView(m message) map[string]any {
	view := make(map[string]any, len(m.record))
	for k, v := range m.record {
		view[k] = v
	}
	var body map[string]any
	if json.Unmarshal([]byte(m.body), &body) == nil && body != nil {
		view["body"] = body
	}
	return view
}

// event encodes as many messages as fit into one invocation.
func (s *queueSource) event(batch []message) (int, []byte) {
	records := make([]json.RawMessage, 0, len(batch))
	size := len(`{"Records":[]}`)
	for _, m := range batch {
		b, _ := json.Marshal(m.record)
		if size += len(b) + 1; size > runtime.MaxRequest && len(records) > 0 {
			break
		}
		records = append(records, b)
	}
	payload, _ := json.Marshal(map[string]any{"Records": records})
	return len(records), payload
}

// deliver invokes and removes what succeeded. What failed stays hidden until its
// visibility timeout ends, as on AWS; only then can it be tried again, or go to
// the dead letters. It reports whether everything succeeded.
func (s *queueSource) deliver(ctx context.Context, batch []message, payload []byte) bool {
	res, err := s.untilTaken(ctx, payload)
	if err != nil {
		if !stopping(ctx, err) {
			s.log(fmt.Sprintf("%d messages not delivered: %v", len(batch), err))
		}
		return false
	}
	if res.Err != nil {
		s.log(fmt.Sprintf("batch of %d failed: %v", len(batch), res.Err))
		return false
	}
	bad := make([]bool, len(batch))
	if s.src.PartialFailure {
		ids := make([]string, len(batch))
		for i, m := range batch {
			ids[i] = m.id
		}
		bad = failed(res.Payload, ids)
	}
	var done []string
	for i, m := range batch {
		if !bad[i] {
			done = append(done, m.handle)
		}
	}
	s.remove(ctx, done)
	if n := len(batch) - len(done); n > 0 {
		s.log(fmt.Sprintf("%d of %d messages failed", n, len(batch)))
	}
	return len(done) == len(batch)
}

// untilTaken repeats a throttled invocation while the batch is still hidden.
func (s *queueSource) untilTaken(ctx context.Context, payload []byte) (runtime.Result, error) {
	until := time.Now().Add(s.hidden - s.fn.Timeout)
	pause := backoff{first: 50 * time.Millisecond, most: 2 * time.Second}
	for {
		res, err := s.invoke(ctx, s.src.Function, payload)
		if !errors.Is(err, runtime.ErrThrottled) || time.Now().After(until) || !pause.wait(ctx) {
			return res, err
		}
	}
}

// remove tries a few times: a message that stays is delivered again.
func (s *queueSource) remove(ctx context.Context, handles []string) {
	if len(handles) == 0 {
		return
	}
	pause := backoff{first: 50 * time.Millisecond, most: time.Second}
	for try := 1; ; try++ {
		err := s.client.remove(ctx, handles)
		if err == nil {
			return
		}
		if try == 5 || stopping(ctx, err) || !pause.wait(ctx) {
			s.log(fmt.Sprintf("%d messages not removed: %v", len(handles), err))
			return
		}
	}
}

// keyedLock is a lock for each key.
type keyedLock struct {
	mu   sync.Mutex
	held map[string]*heldLock
}

type heldLock struct {
	turn  chan struct{}
	users int
}

// lock returns how to unlock; nil if ctx ended first.
func (k *keyedLock) lock(ctx context.Context, key string) (unlock func()) {
	k.mu.Lock()
	if k.held == nil {
		k.held = map[string]*heldLock{}
	}
	h := k.held[key]
	if h == nil {
		h = &heldLock{turn: make(chan struct{}, 1)}
		k.held[key] = h
	}
	h.users++
	k.mu.Unlock()
	leave := func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		if h.users--; h.users == 0 {
			delete(k.held, key)
		}
	}
	select {
	case h.turn <- struct{}{}:
		return func() { <-h.turn; leave() }
	case <-ctx.Done():
		leave()
		return nil
	}
}
