package sources

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/fairseat/fairseat/localstack/runtime"
	"github.com/fairseat/fairseat/localstack/template"
)

// Invoke runs a function, named by its logical id, as [runtime.Pool.Invoke] does.
type Invoke func(ctx context.Context, function string, payload []byte) (runtime.Result, error)

// Options of a set of sources.
type Options struct {
	SQS     *sqs.Client             // needed if any source is a queue or any failure goes to one
	Streams *dynamodbstreams.Client // needed if any source is a stream
	// Credentials of a function's role, in whose name its sources read and send;
	// nil = those of the clients.
	Credentials func(function string) aws.CredentialsProvider
	Invoke      Invoke
	Data        string                    // folder for checkpoints of streams; "" = kept in memory
	Log         func(source, text string) // what a source has to tell; nil = nothing
}

// Set is every event source of a stack. Its methods may be called from any goroutine.
type Set struct {
	sources map[string]source
	order   []string
	ends    sync.WaitGroup
}

type source interface {
	start(ctx context.Context) (run func(), err error)
	pause() *gate
}

// New checks every source of the stack and makes them, still at rest.
func New(stack *template.Stack, opts Options) (*Set, error) {
	if opts.Log == nil {
		opts.Log = func(string, string) {}
	}
	if opts.Data != "" {
		if err := os.MkdirAll(opts.Data, 0o755); err != nil {
			return nil, fmt.Errorf("sources: %w", err)
		}
	}
	s := &Set{sources: map[string]source{}}
	for i := range stack.Sources {
		src := stack.Sources[i]
		made, err := build(stack, src, opts)
		if err != nil {
			return nil, fmt.Errorf("event source %s: %w", src.ID, err)
		}
		if s.sources[src.ID] != nil {
			return nil, fmt.Errorf("event source %s: is there twice", src.ID)
		}
		s.sources[src.ID] = made
		s.order = append(s.order, src.ID)
	}
	return s, nil
}

func build(stack *template.Stack, src template.Source, opts Options) (source, error) {
	fn := find(stack.Functions, func(f template.Function) bool { return f.ID == src.Function })
	if fn == nil {
		return nil, fmt.Errorf("no function %q", src.Function)
	}
	filter, err := parseFilters(src.Filters)
	if err != nil {
		return nil, err
	}
	opts = opts.as(src.Function)
	base := common{src: src, fn: *fn, filter: filter, invoke: opts.Invoke, gate: newGate(),
		log: func(text string) { opts.Log(src.ID, text) }}
	switch src.Kind {
	case template.FromQueue:
		q := find(stack.Queues, func(q template.Queue) bool { return q.ID == src.From })
		if q == nil {
			return nil, fmt.Errorf("no queue %q", src.From)
		}
		return newQueueSource(base, *q, sdkQueue{opts.SQS, q.URL, q.ARN})
	case template.FromStream:
		t := find(stack.Tables, func(t template.Table) bool { return t.ID == src.From })
		if t == nil || t.StreamView == "" {
			return nil, fmt.Errorf("no table %q with a stream", src.From)
		}
		var dead sender
		if src.OnFailure != "" {
			q := find(stack.Queues, func(q template.Queue) bool { return q.ID == src.OnFailure })
			if q == nil || q.FIFO {
				return nil, fmt.Errorf("no standard queue %q for failures", src.OnFailure)
			}
			dead = sdkQueue{opts.SQS, q.URL, q.ARN}
		}
		file := ""
		if opts.Data != "" {
			file = filepath.Join(opts.Data, src.ID+".json")
		}
		return newStreamSource(base, *t, sdkStream{opts.Streams, t.StreamARN, streamARN(*t), t.Partition.Name, time.Now}, dead, file)
	}
	return nil, fmt.Errorf("unknown kind %d", src.Kind)
}

// as gives the clients a function's credentials.
func (o Options) as(function string) Options {
	if o.Credentials == nil {
		return o
	}
	cred := o.Credentials(function)
	if o.SQS != nil {
		o.SQS = sqs.New(o.SQS.Options(), func(c *sqs.Options) { c.Credentials = cred })
	}
	if o.Streams != nil {
		o.Streams = dynamodbstreams.New(o.Streams.Options(), func(c *dynamodbstreams.Options) { c.Credentials = cred })
	}
	return o
}

func find[T any](list []T, ok func(T) bool) *T {
	for i := range list {
		if ok(list[i]) {
			return &list[i]
		}
	}
	return nil
}

// common is what both kinds of source have.
type common struct {
	src    template.Source
	fn     template.Function
	filter filters
	invoke Invoke
	gate   *gate
	log    func(string)
}

func (c *common) pause() *gate { return c.gate }

// Start sets every source going, each in goroutines of its own, until ctx ends.
// When it returns, each stream source that begins at LATEST has its place: what
// is written afterwards will be seen.
func (s *Set) Start(ctx context.Context) error {
	var runs []func()
	for _, id := range s.order {
		run, err := s.sources[id].start(ctx)
		if err != nil {
			return fmt.Errorf("event source %s: %w", id, err)
		}
		runs = append(runs, run)
	}
	for _, run := range runs {
		s.ends.Go(run)
	}
	return nil
}

// Wait returns when every source has ended, after Start's context has.
func (s *Set) Wait() { s.ends.Wait() }

// Pause stops one source. When it returns nil nothing of the source is in flight,
// and nothing will be read or delivered until [Set.Resume].
func (s *Set) Pause(ctx context.Context, id string) error {
	src := s.sources[id]
	if src == nil {
		return fmt.Errorf("event source %s: unknown", id)
	}
	if err := src.pause().close(ctx); err != nil {
		return fmt.Errorf("pause event source %s: %w", id, err)
	}
	return nil
}

// Resume lets a paused source go on.
func (s *Set) Resume(id string) error {
	src := s.sources[id]
	if src == nil {
		return fmt.Errorf("event source %s: unknown", id)
	}
	src.pause().open()
	return nil
}

// Retry changes how often a stream's source repeats a failing batch before it is
// given up; -1 is without limit. It holds for a batch that fails already, as after
// UpdateEventSourceMapping: an operator's way past a record that blocks its shard.
func (s *Set) Retry(id string, most int) error {
	src, ok := s.sources[id].(*streamSource)
	if !ok || most < -1 || most > 10_000 {
		return fmt.Errorf("event source %s: %d retries: not a stream, or not in -1 to 10000", id, most)
	}
	src.retries.Store(int64(most))
	return nil
}

// IDs lists the sources in order of the template.
func (s *Set) IDs() []string { return append([]string(nil), s.order...) }

// sleep waits unless ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// backoff doubles from first to most.
type backoff struct{ first, most, next time.Duration }

func (b *backoff) wait(ctx context.Context) bool {
	d := max(b.next, b.first)
	b.next = min(2*d, b.most)
	return sleep(ctx, d)
}

func (b *backoff) reset() { b.next = 0 }

// stopping reports whether an error only says that the program ends.
func stopping(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, runtime.ErrClosed)
}

func atoi(s string, def int) int {
	if n, err := strconv.Atoi(s); err == nil {
		return n
	}
	return def
}
