package main

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// service answers as DynamoDB and SQS do. Reads are asked of the emulator once;
// writes succeed and change nothing, so that each invocation meets the same world.
type service struct {
	*httptest.Server
	tables string // the emulator's address

	mu      sync.Mutex
	answers map[string][]byte // by target and request
	dice    *rand.Rand

	failing  atomic.Bool
	failures [len(ways)]atomic.Int64
	reads    atomic.Int64
	writes   atomic.Int64
}

func newService(tables string, seed uint64) *service {
	s := &service{tables: tables, answers: map[string][]byte{}, dice: rand.New(rand.NewPCG(seed, 0))}
	s.Server = httptest.NewServer(s)
	return s
}

// ways to fail, each of them what a real service or the network before it does.
var ways = [...]struct {
	name string
	do   func(w http.ResponseWriter, r *http.Request)
}{
	{"reset before an answer", func(w http.ResponseWriter, _ *http.Request) { reset(w, "") }},
	{"reset within an answer", func(w http.ResponseWriter, _ *http.Request) {
		reset(w, "HTTP/1.1 200 OK\r\nContent-Length: 4000\r\nContent-Type: application/x-amz-json-1.0\r\n\r\n{\"Item\":")
	}},
	{"throttled", func(w http.ResponseWriter, _ *http.Request) {
		problem(w, http.StatusBadRequest, "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException")
	}},
	{"internal error", func(w http.ResponseWriter, _ *http.Request) {
		problem(w, http.StatusInternalServerError, "com.amazonaws.dynamodb.v20120810#InternalServerError")
	}},
	{"not an answer", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>busy") }},
	{"no answer", func(_ http.ResponseWriter, r *http.Request) {
		t := time.NewTimer(stall)
		defer t.Stop()
		select {
		case <-r.Context().Done(): // the client gave up
		case <-t.C:
			panic(http.ErrAbortHandler)
		}
	}},
}

// stall is longer than our own program waits (inside.go), and short enough for a
// deployed one to outlive: Lambda kills it when its time is over.
const stall = 400 * time.Millisecond

// failEach of so many requests fails one. An invocation makes up to ten.
const failEach = 8

func reset(w http.ResponseWriter, begun string) {
	c, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	io.WriteString(c, begun)
	if t, ok := c.(*net.TCPConn); ok {
		t.SetLinger(0)
	}
	c.Close()
}

func problem(w http.ResponseWriter, status int, typ string) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"__type":%q,"message":"planted"}`, typ)
}

func (s *service) fate() (way int, fails bool) {
	if !s.failing.Load() {
		return 0, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dice.IntN(len(ways)), s.dice.IntN(failEach) == 0
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if way, fails := s.fate(); fails {
		s.failures[way].Add(1)
		ways[way].do(w, r)
		return
	}
	target := r.Header.Get("X-Amz-Target")
	_, op, _ := strings.Cut(target, ".")
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	switch op {
	case "TransactWriteItems":
		s.writes.Add(1)
		io.WriteString(w, "{}")
	case "SendMessage":
		s.writes.Add(1)
		s.sent(w, body)
	default:
		s.reads.Add(1)
		s.remembered(w, r, target, body)
	}
}

func (s *service) sent(w http.ResponseWriter, body []byte) {
	var in struct{ MessageBody string }
	if err := json.Unmarshal(body, &in); err != nil {
		problem(w, http.StatusBadRequest, "com.amazonaws.sqs#InvalidMessageContents")
		return
	}
	sum := md5.Sum([]byte(in.MessageBody))
	fmt.Fprintf(w, `{"MessageId":"1","MD5OfMessageBody":%q}`, hex.EncodeToString(sum[:]))
}

func (s *service) remembered(w http.ResponseWriter, r *http.Request, target string, body []byte) {
	key := target + string(body)
	s.mu.Lock()
	answer, ok := s.answers[key]
	s.mu.Unlock()
	if !ok {
		var err error
		if answer, err = s.ask(r, body); err != nil {
			panic(http.ErrAbortHandler)
		}
		s.mu.Lock()
		s.answers[key] = answer
		s.mu.Unlock()
	}
	_, _ = w.Write(answer)
}

func (s *service) ask(r *http.Request, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(r.Context(), http.MethodPost, s.tables, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header = r.Header.Clone()
	req.Header.Del("Accept-Encoding")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("the emulator answers %s: %s", res.Status, answer)
	}
	return answer, err
}
