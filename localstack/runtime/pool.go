package runtime

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fairseat/fairseat/localstack/process"
	"github.com/fairseat/fairseat/localstack/template"
	"github.com/google/uuid"
)

// Line is one line that a function wrote. RequestID is empty while it starts.
type Line struct {
	Function  string
	RequestID string
	Text      string
}

// Options of a pool. The zero value is useful.
type Options struct {
	Concurrency int           // processes at once where the function reserves none; 0 = 10, or 100 if it may wait long
	InitTimeout time.Duration // until the first call of next; 0 = Lambda's 10 s
	Log         func(Line)    // called from several goroutines; nil = lines are dropped
}

// Stats are counters since the pool was made, and what goes on now.
type Stats struct {
	Invocations, ColdStarts, Errors, Throttled int64
	InFlight, Processes                        int
}

// Pool is one function with its warm processes.
type Pool struct {
	fn    template.Function
	env   []string
	opts  Options
	slots chan struct{}
	done  chan struct{}
	group process.Group

	mu     sync.Mutex
	idle   []*worker // the last used is used first
	live   map[*worker]struct{}
	closed bool
	ends   sync.WaitGroup

	invocations, coldStarts, errors, throttled, inFlight atomic.Int64
}

// patient is the timeout of a function that waits for something, as one does that
// answers long polls, rather than uses the processor.
const patient = 20 * time.Second

// NewPool makes a pool that starts nothing yet. Env ("NAME=value") is the local
// cloud's own and wins over the function's; nothing else is inherited.
func NewPool(fn template.Function, env []string, opts Options) *Pool {
	limit := fn.Concurrency
	if limit == 0 {
		limit = opts.Concurrency
	}
	if limit == 0 {
		limit = 10
		if fn.Timeout >= patient {
			limit = 100
		}
	}
	if opts.InitTimeout == 0 {
		opts.InitTimeout = 10 * time.Second
	}
	if fn.Timeout == 0 {
		fn.Timeout = 3 * time.Second
	}
	return &Pool{
		fn: fn, env: env, opts: opts,
		slots: make(chan struct{}, limit),
		done:  make(chan struct{}),
		live:  map[*worker]struct{}{},
	}
}

// Invoke runs the function once. An error means that it has not run, or that
// ctx ended first; in the latter case the invocation goes on to its own end, as
// on AWS. Over a reserved concurrency the answer is [ErrThrottled] at once; over
// the default, which is this machine's limit and not the function's, Invoke waits.
func (p *Pool) Invoke(ctx context.Context, payload []byte) (Result, error) {
	if len(payload) > MaxRequest {
		return Result{}, ErrTooLarge
	}
	if err := p.take(ctx); err != nil {
		return Result{}, err
	}
	inv := &invocation{id: uuid.NewString(), trace: newTrace(), payload: payload, done: make(chan Result, 1)}
	go p.serve(inv)
	select {
	case r := <-inv.done:
		return r, nil
	case <-ctx.Done():
		return Result{}, fmt.Errorf("invoke %s: %w", p.fn.Name, ctx.Err())
	}
}

func (p *Pool) take(ctx context.Context) error {
	select {
	case <-p.done:
		return ErrClosed
	default:
	}
	select {
	case p.slots <- struct{}{}:
		return nil
	default:
	}
	if p.fn.Concurrency > 0 {
		p.throttled.Add(1)
		return ErrThrottled
	}
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-p.done:
		return ErrClosed
	case <-ctx.Done():
		return fmt.Errorf("wait for a process of %s: %w", p.fn.Name, ctx.Err())
	}
}

// serve owns one slot until the process is ready for more, or gone.
func (p *Pool) serve(inv *invocation) {
	p.invocations.Add(1)
	p.inFlight.Add(1)
	p.run(inv)
	if inv.result.Err != nil {
		p.errors.Add(1)
	}
	p.inFlight.Add(-1)
	<-p.slots
	inv.done <- inv.result
}

func (p *Pool) run(inv *invocation) {
	for {
		w, err := p.pick(inv)
		switch {
		case errors.Is(err, ErrClosed):
			inv.fail(exitError(inv.id, "signal: killed"))
			return
		case err != nil:
			inv.fail(failure(inv.id, "Runtime.InvalidEntrypoint", err.Error()))
			return
		}
		if inv.cold {
			if fe := w.awaitInit(inv.id, p.opts.InitTimeout); fe != nil {
				inv.fail(fe)
				return
			}
		}
		end := w.run(inv, p.fn.Timeout)
		switch {
		case end == endFree:
			p.release(w)
			return
		case end == endNotTaken && !inv.cold: // it died while idle: nobody's fault, take another
		default:
			inv.fail(exitError(inv.id, w.state))
			return
		}
	}
}

func (p *Pool) pick(inv *invocation) (*worker, error) {
	p.mu.Lock()
	for len(p.idle) > 0 {
		w := p.idle[len(p.idle)-1]
		p.idle = p.idle[:len(p.idle)-1]
		if !w.gone() {
			p.mu.Unlock()
			return w, nil
		}
	}
	p.mu.Unlock()
	inv.cold = true
	return p.start()
}

func (p *Pool) start() (*worker, error) {
	p.coldStarts.Add(1)
	w, err := newWorker(&p.group, p.fn, p.env, p.opts.Log)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	p.live[w] = struct{}{}
	closed := p.closed
	p.ends.Add(1)
	p.mu.Unlock()
	go func() {
		defer p.ends.Done()
		<-w.exited
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.live, w)
	}()
	if closed {
		w.kill()
		return nil, ErrClosed
	}
	return w, nil
}

func (p *Pool) release(w *worker) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, w)
}

// Prewarm starts processes until n are live (never over the limit) and waits for each to be ready.
func (p *Pool) Prewarm(ctx context.Context, n int) error {
	n = min(n, cap(p.slots))
	p.mu.Lock()
	n -= len(p.live)
	p.mu.Unlock()
	errs := make(chan error, max(n, 0))
	for range n {
		go func() { errs <- p.warm(ctx) }()
	}
	var all []error
	for range n {
		all = append(all, <-errs)
	}
	return errors.Join(all...)
}

func (p *Pool) warm(ctx context.Context) error {
	if err := p.take(ctx); err != nil {
		return err
	}
	defer func() { <-p.slots }()
	w, err := p.start()
	if err != nil {
		return fmt.Errorf("start %s: %w", p.fn.Name, err)
	}
	if fe := w.awaitInit("", p.opts.InitTimeout); fe != nil {
		return fmt.Errorf("start %s: %w", p.fn.Name, fe)
	}
	p.release(w)
	return nil
}

// Kill ends every process by SIGKILL, in the middle of whatever it does, and
// returns when they are gone. The pool goes on: the next invocation starts a new one.
func (p *Pool) Kill() {
	p.mu.Lock()
	p.idle = nil // none of them may be picked while it dies
	doomed := slices.Collect(maps.Keys(p.live))
	p.mu.Unlock()
	for _, w := range doomed {
		w.kill()
	}
	for _, w := range doomed {
		<-w.exited
	}
}

// KillOne ends one process by SIGKILL and returns when it is gone: one in the
// middle of an invocation if there is any, else the last used of the idle ones. It
// tells whether there was one to kill, and whether that had an invocation.
func (p *Pool) KillOne() (killed, busy bool) {
	w, busy := p.victim()
	if w == nil {
		return false, false
	}
	w.kill()
	<-w.exited
	return true, busy
}

func (p *Pool) victim() (w *worker, busy bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for other := range p.live {
		if other.busy() {
			return other, true
		}
	}
	n := len(p.idle)
	if n == 0 {
		return nil, false
	}
	w, p.idle = p.idle[n-1], p.idle[:n-1]
	return w, false
}

// Close kills every process and returns when they are gone. Invocations under way
// end with Runtime.ExitError; later ones get [ErrClosed].
func (p *Pool) Close() {
	p.mu.Lock()
	if !p.closed {
		p.closed = true
		close(p.done)
	}
	p.mu.Unlock()
	p.Kill()
	p.ends.Wait()
}

// Stats reads the counters.
func (p *Pool) Stats() Stats {
	p.mu.Lock()
	n := len(p.live)
	p.mu.Unlock()
	return Stats{
		Invocations: p.invocations.Load(), ColdStarts: p.coldStarts.Load(),
		Errors: p.errors.Load(), Throttled: p.throttled.Load(),
		InFlight: int(p.inFlight.Load()), Processes: n,
	}
}

func newTrace() string {
	var b [20]byte
	rand.Read(b[:])
	return fmt.Sprintf("Root=1-%08x-%s;Parent=%s;Sampled=0",
		time.Now().Unix(), hex.EncodeToString(b[:12]), hex.EncodeToString(b[12:]))
}
