package sources

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fairseat/fairseat/localstack/template"
)

// record is one change. Event is the member that the function gets.
type record struct {
	sequence string
	key      string // of its partition key
	created  time.Time
	event    map[string]any
	encoded  []byte
}

// shard is a run of records in order. A parent's records come before its children's.
type shard struct {
	id, parent string
	ended      bool // no record will be added
}

// place is where to read a shard from. The zero value is invalid.
type place struct {
	kind  placeKind
	after string // sequence number
}

type placeKind uint8

const (
	_ placeKind = iota
	fromOldest
	fromNow
	fromAfter
)

// stream is what a source needs of a stream service.
type stream interface {
	shards(ctx context.Context) ([]shard, error)
	// iterator fails with errTrimmed when the place is older than what is kept.
	iterator(ctx context.Context, shard string, at place) (string, error)
	// records returns the next iterator; "" at the end of a shard.
	records(ctx context.Context, iterator string) ([]record, string, error)
}

var errTrimmed = errors.New("the place is no longer kept")

const (
	rediscover = 10 * time.Second
	idleFirst  = 50 * time.Millisecond
	idleMost   = 100 * time.Millisecond
)

type streamSource struct {
	common
	arn    string
	shown  string // the ARN in failure records
	client stream
	dead   sender
	file   string
	retry  backoff // of a failing batch
	now    func() time.Time

	retries atomic.Int64 // of one batch before it is given up; -1 = without limit
	saved   *checkpoints
	begin   map[string]string // iterators made before start returned
	from    time.Time         // records before it are skipped in shards without a checkpoint
}

func newStreamSource(c common, t template.Table, client stream, dead sender, file string) (*streamSource, error) {
	src := &c.src
	if src.BatchSize == 0 {
		src.BatchSize = 100
	}
	if src.Parallel == 0 {
		src.Parallel = 1
	}
	switch {
	case src.BatchSize < 1 || src.BatchSize > 10_000:
		return nil, fmt.Errorf("batch size %d is out of range", src.BatchSize)
	case src.Parallel < 1 || src.Parallel > 10:
		return nil, fmt.Errorf("parallelization factor %d is not in 1 to 10", src.Parallel)
	case src.Window < 0 || src.Window > 300*time.Second:
		return nil, fmt.Errorf("batching window %v is not in 0 to 300 s", src.Window)
	case src.MaxRetries < -1 || src.MaxRetries > 10_000:
		return nil, fmt.Errorf("maximum retry attempts %d is not in -1 to 10000", src.MaxRetries)
	case src.StartingPosition != "TRIM_HORIZON" && src.StartingPosition != "LATEST":
		return nil, fmt.Errorf("unknown starting position %q", src.StartingPosition)
	case src.MaxConcurrency != 0:
		return nil, errors.New("maximum concurrency is for queues")
	}
	s := &streamSource{
		common: c, arn: t.StreamARN, shown: streamARN(t), client: client, dead: dead, file: file, now: time.Now,
		retry: backoff{first: 100 * time.Millisecond, most: 10 * time.Second},
		begin: map[string]string{},
	}
	s.retries.Store(int64(src.MaxRetries))
	return s, nil
}

// start reads the checkpoints and fixes the first places.
func (s *streamSource) start(ctx context.Context) (func(), error) {
	saved, known, err := openCheckpoints(s.file, s.arn)
	if err != nil {
		return nil, err
	}
	s.saved = saved
	list, err := s.client.shards(ctx)
	if err != nil {
		return nil, err
	}
	if s.src.StartingPosition == "LATEST" {
		if err := s.startLatest(ctx, list, known); err != nil {
			return nil, err
		}
	}
	return func() { s.discover(ctx) }, nil
}

// startLatest takes "now" once in a source's life: after a restart, what came
// meanwhile counts. Where no checkpoint says how far it came, creation times do;
// they are coarse, so a little from before may come, but nothing is left out.
func (s *streamSource) startLatest(ctx context.Context, list []shard, known bool) error {
	if known {
		s.from = s.saved.began()
		return nil
	}
	for _, sh := range list {
		if sh.ended {
			if err := s.saved.end(sh.id); err != nil {
				return err
			}
			continue
		}
		it, err := s.client.iterator(ctx, sh.id, place{kind: fromNow})
		if err != nil {
			return err
		}
		s.begin[sh.id] = it
	}
	return s.saved.begin(s.now().Truncate(time.Second))
}

// discover starts a reader for each shard whose parent is done or unknown.
func (s *streamSource) discover(ctx context.Context) {
	var readers sync.WaitGroup
	defer readers.Wait()
	reading := map[string]bool{}
	ended := make(chan struct{}, 1)
	for {
		list, err := s.client.shards(ctx)
		if err != nil && !stopping(ctx, err) {
			s.log("describe stream: " + err.Error())
		}
		present := map[string]bool{}
		for _, sh := range list {
			present[sh.id] = true
		}
		for _, sh := range list {
			if reading[sh.id] || s.saved.ended(sh.id) || present[sh.parent] && !s.saved.ended(sh.parent) {
				continue
			}
			reading[sh.id] = true
			readers.Go(func() {
				s.read(ctx, sh.id)
				select {
				case ended <- struct{}{}:
				default:
				}
			})
		}
		t := time.NewTimer(rediscover)
		select {
		case <-t.C:
		case <-ended:
		case <-ctx.Done():
			t.Stop()
			return
		}
		t.Stop()
	}
}

// read follows one shard to its end and feeds its lanes.
func (s *streamSource) read(ctx context.Context, id string) {
	lanes := s.openLanes(ctx, id)
	it, at := s.begin[id], place{kind: fromOldest}
	if seq := s.saved.last(id); seq != "" {
		it, at = "", place{fromAfter, seq}
	}
	idle := backoff{first: idleFirst, most: idleMost}
	trouble := backoff{first: 200 * time.Millisecond, most: 5 * time.Second}
	for {
		if !s.gate.enter(ctx) {
			break
		}
		list, next, err := s.fetch(ctx, id, it, at)
		s.gate.leave()
		if errors.Is(err, errTrimmed) {
			if at.kind == fromAfter {
				s.log("shard " + id + ": records were trimmed unread; going on with the oldest")
			}
			it, at = "", place{kind: fromOldest}
			continue
		}
		if err != nil {
			if stopping(ctx, err) || !trouble.wait(ctx) {
				break
			}
			s.log("shard " + id + ": " + err.Error())
			it = "" // it may have expired
			continue
		}
		trouble.reset()
		if len(list) > 0 {
			at = place{fromAfter, list[len(list)-1].sequence}
			idle.reset()
			if !lanes.feed(ctx, list) {
				break
			}
		}
		if it = next; it == "" {
			lanes.close()
			if ctx.Err() == nil {
				s.check(s.saved.end(id))
			}
			return
		}
		if len(list) == 0 && !idle.wait(ctx) {
			break
		}
	}
	lanes.close()
}

func (s *streamSource) fetch(ctx context.Context, id, it string, at place) ([]record, string, error) {
	if it == "" {
		var err error
		if it, err = s.client.iterator(ctx, id, at); err != nil {
			return nil, "", err
		}
	}
	return s.client.records(ctx, it)
}

func (s *streamSource) check(err error) {
	if err != nil {
		s.log("checkpoint: " + err.Error())
	}
}

// laneOf keeps a partition key in one lane.
func laneOf(key string, n int) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(key))
	return int(h.Sum32() % uint32(n))
}
