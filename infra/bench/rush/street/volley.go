package street

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Reply is an answer with the time from when its request was due.
type Reply struct {
	Kind   string
	Status int
	Body   []byte
	Header http.Header
	Bytes  int // of the body on the wire
	Due    time.Time
	Took   time.Duration
	Err    error
}

// Request is one request as it is sent.
type Request struct {
	Kind, Method, Path string
	Token, Key         string
	Body               string
	Header             map[string]string
	Keep               bool // the body of the answer
}

// Send sends one request that was due at a time.
func (s *Stack) Send(ctx context.Context, due time.Time, q Request) Reply {
	r := Reply{Kind: q.Kind, Due: due}
	req, err := http.NewRequestWithContext(ctx, q.Method, s.URL+q.Path, bytes.NewReader([]byte(q.Body)))
	if err != nil {
		r.Err = err
		return r
	}
	req.Header.Set("X-Api-Key", key)
	if q.Token != "" {
		req.Header.Set("Authorization", "Bearer "+q.Token)
	}
	if q.Key != "" {
		req.Header.Set("Idempotency-Key", q.Key)
	}
	if q.Body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if !q.Keep { // as a browser asks for it; what comes is counted, not read
		req.Header.Set("Accept-Encoding", "gzip")
	}
	for k, v := range q.Header {
		req.Header.Set(k, v)
	}
	res, err := s.Client.Do(req)
	if err != nil {
		r.Err, r.Took = err, time.Since(due)
		return r
	}
	defer res.Body.Close()
	var body bytes.Buffer
	to := io.Discard
	if q.Keep || res.StatusCode >= 300 {
		to = &body
	}
	n, err := io.Copy(to, res.Body)
	r.Status, r.Header, r.Body, r.Bytes, r.Err, r.Took = res.StatusCode, res.Header, body.Bytes(), int(n), err, time.Since(due)
	return r
}

// Shot is something to be done at a moment, whatever came of the others.
type Shot struct {
	At time.Duration
	Do func(due time.Time)
}

// Volley does everything at its moment and returns when all is done. Shots are in
// order. late is by how much the last of them was begun too late: a generator that
// cannot keep up measures itself.
func Volley(ctx context.Context, shots []Shot) (late time.Duration, err error) {
	var wg sync.WaitGroup
	start := time.Now()
	timer := time.NewTimer(0)
	<-timer.C
	defer timer.Stop()
	for _, s := range shots {
		due := start.Add(s.At)
		if d := time.Until(due); d > time.Millisecond {
			timer.Reset(d)
			select {
			case <-timer.C:
			case <-ctx.Done():
				wg.Wait()
				return late, fmt.Errorf("street: %w", ctx.Err())
			}
		}
		late = max(late, time.Since(due))
		wg.Go(func() { s.Do(due) })
	}
	wg.Wait()
	return late, nil
}

func sortShots(shots []Shot) {
	slices.SortFunc(shots, func(a, b Shot) int { return cmp.Compare(a.At, b.At) })
}
