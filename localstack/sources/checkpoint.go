package sources

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"
)

// checkpoints are how far a source has come in its stream, shard by shard. With a
// file, they outlive the program: each change is a whole new file, renamed into place.
type checkpoints struct {
	file string

	mu  sync.Mutex
	doc checkpointFile
}

type checkpointFile struct {
	Stream string            `json:"stream"`
	Began  time.Time         `json:"began"` // only when it began at LATEST
	Last   map[string]string `json:"last"`  // sequence numbers by shard
	Ended  map[string]bool   `json:"ended"` // shards read to their end
}

// openCheckpoints reports whether the stream was known before. Another stream's
// places mean nothing: its table was made anew.
func openCheckpoints(file, stream string) (*checkpoints, bool, error) {
	c := &checkpoints{file: file, doc: newCheckpointFile(stream)}
	if file == "" {
		return c, false, nil
	}
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return c, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("checkpoints: %w", err)
	}
	doc, err := decodeCheckpoints(b)
	if err != nil {
		return nil, false, fmt.Errorf("checkpoints %s: %w", file, err)
	}
	if doc.Stream != stream {
		return c, false, nil
	}
	c.doc = doc
	return c, true, nil
}

func newCheckpointFile(stream string) checkpointFile {
	return checkpointFile{Stream: stream, Last: map[string]string{}, Ended: map[string]bool{}}
}

func decodeCheckpoints(b []byte) (checkpointFile, error) {
	doc := newCheckpointFile("")
	if err := json.Unmarshal(b, &doc); err != nil {
		return doc, err
	}
	if doc.Stream == "" {
		return doc, errors.New("no stream is named")
	}
	if doc.Last == nil {
		doc.Last = map[string]string{}
	}
	if doc.Ended == nil {
		doc.Ended = map[string]bool{}
	}
	return doc, nil
}

func (c *checkpoints) last(shard string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.doc.Last[shard]
}

func (c *checkpoints) ended(shard string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.doc.Ended[shard]
}

func (c *checkpoints) began() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.doc.Began
}

func (c *checkpoints) begin(at time.Time) error {
	return c.change(func(d *checkpointFile) { d.Began = at })
}

func (c *checkpoints) advance(shard, sequence string) error {
	return c.change(func(d *checkpointFile) { d.Last[shard] = sequence })
}

func (c *checkpoints) end(shard string) error {
	return c.change(func(d *checkpointFile) { d.Ended[shard] = true })
}

// change is not synced to the disk: it outlives the program, not a power cut, and
// the worst that an old file does is to deliver again.
func (c *checkpoints) change(f func(*checkpointFile)) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	f(&c.doc)
	if c.file == "" {
		return nil
	}
	b, err := json.Marshal(c.doc)
	if err != nil {
		return err
	}
	tmp := c.file + ".new"
	if err := os.WriteFile(tmp, b, 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, c.file)
}
