package gateway

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/fairseat/fairseat/localstack/template"
)

// SocketLimits are those of API Gateway where they are zero.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
type SocketLimits struct {
	Idle     time.Duration // without a message in either direction, or a ping; 10 minutes
	Lifetime time.Duration // of a connection; 2 hours
	Frame    int64         // bytes; 32 KB
	Message  int64         // bytes, of clients and to them; 128 KB
	Parallel int           // messages of one connection at once; 10, AWS tells none
	Backlog  int           // messages that wait for a client who reads slowly; 256, AWS tells none
}

// SocketOptions of a WebSocket API. The zero value is useful.
type SocketOptions struct {
	Account, APIID string           // have defaults
	Now            func() time.Time // nil = time.Now
	Access         func(Access)     // called after each handshake, message, disconnect and managing call
	Log            func(string)     // why one failed, as an execution log says it
	Limits         SocketLimits
	Gate           Gate // of @connections; nil lets in whoever signs, with whatever secret
}

// Gate judges who manages connections.
type Gate interface {
	// Secret of an access key, to verify signatures with.
	Secret(accessKey string) (secret string, known bool)
	// Admit is nil, or says in IAM's words why a key may not act on the resource.
	Admit(accessKey, action, resource string) error
}

// Sockets is one deployed stage of a WebSocket API, with its management API.
type Sockets struct {
	api    *template.SocketAPI
	invoke Invoke
	opts   SocketOptions
	limits SocketLimits
	path   []string // to the route's name in a message
	routes map[string]*socketRoute

	mu     sync.Mutex
	live   map[string]*connection
	closed bool
	lives  sync.WaitGroup // handshakes, connections and messages
}

type socketRoute struct {
	template.SocketRoute
	bucket *rate.Limiter
}

// NewSockets checks the API and makes its handler.
func NewSockets(api *template.SocketAPI, invoke Invoke, opts SocketOptions) (*Sockets, error) {
	path, ok := strings.CutPrefix(api.Selector, "$request.body.")
	if !ok || path == "" {
		return nil, errors.New("gateway: the route selector must be $request.body. and a path")
	}
	if api.Stage == "" || strings.Contains(api.Stage, "/") {
		return nil, errors.New("gateway: the stage must be one path segment")
	}
	common := withDefaults(Options{Account: opts.Account, APIID: opts.APIID, Now: opts.Now, Access: opts.Access, Log: opts.Log})
	opts.Account, opts.APIID, opts.Now, opts.Access, opts.Log = common.Account, common.APIID, common.Now, common.Access, common.Log
	s := &Sockets{
		api: api, invoke: invoke, opts: opts, limits: opts.Limits.filled(),
		path: strings.Split(path, "."), routes: map[string]*socketRoute{}, live: map[string]*connection{},
	}
	for _, r := range api.Routes {
		if s.routes[r.Key] != nil {
			return nil, errors.New("gateway: route " + r.Key + " is there twice")
		}
		s.routes[r.Key] = &socketRoute{r, newSocketBucket(r)}
	}
	return s, nil
}

func (l SocketLimits) filled() SocketLimits {
	return SocketLimits{
		Idle: or(l.Idle, 10*time.Minute), Lifetime: or(l.Lifetime, 2*time.Hour),
		Frame: or(l.Frame, 32<<10), Message: or(l.Message, 128<<10),
		Parallel: or(l.Parallel, 10), Backlog: or(l.Backlog, 256),
	}
}

func or[T comparable](v, def T) T {
	var none T
	if v == none {
		return def
	}
	return v
}

// newSocketBucket is one for all connections, as throttles of a route are.
func newSocketBucket(r template.SocketRoute) *rate.Limiter {
	if r.Rate == 0 {
		return rate.NewLimiter(rate.Inf, 0)
	}
	return rate.NewLimiter(rate.Limit(r.Rate), or(r.Burst, int(math.Ceil(r.Rate))))
}

// ServeHTTP serves handshakes with the connections that follow, and @connections.
func (s *Sockets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	stage, rest, _ := strings.Cut(strings.TrimPrefix(rawPath(r), "/"), "/")
	if first, id, ok := strings.Cut(rest, "/"); ok && stage == s.api.Stage {
		if word, err := url.PathUnescape(first); err == nil && word == "@connections" {
			s.manage(w, r, id)
			return
		}
	}
	v := s.newVisit(r)
	if stage != s.api.Stage || rest != "" {
		s.refuse(w, v, forbidden)
		return
	}
	s.connect(w, r, v)
}

func (s *Sockets) note(event, route, request string, status int, began time.Time) {
	s.opts.Access(Access{
		Method: event, Path: "/" + s.api.Stage + "/" + route, RequestID: request,
		Status: status, Duration: s.opts.Now().Sub(began),
	})
}

// enter counts a life that Close waits for.
func (s *Sockets) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.lives.Add(1)
	}
	return !s.closed
}

// register makes a connection known to the management API; false: everything has
// been closed while it shook hands.
func (s *Sockets) register(c *connection) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live[c.visit.connection] = c
	return !s.closed
}

func (s *Sockets) forget(c *connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.live, c.visit.connection)
}

func (s *Sockets) find(id string) *connection {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.live[id]
}

// Close disconnects everybody, runs $disconnect for each, and waits until ctx ends
// at most. New handshakes are refused.
func (s *Sockets) Close(ctx context.Context) {
	s.mu.Lock()
	s.closed = true
	var all []*connection
	for _, c := range s.live {
		all = append(all, c)
	}
	s.mu.Unlock()
	for _, c := range all {
		c.end(goingAway)
	}
	done := make(chan struct{})
	go func() {
		s.lives.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		for _, c := range all {
			_ = c.wire.Close()
		}
	}
}

// outcome is what became of an integration's call: the function's answer, or why
// there is none.
type outcome struct {
	answer *answer
	fault  *fault
}

// fault is a refusal in the words of API Gateway for WebSocket APIs.
type fault struct {
	status        int
	name, message string
}

var (
	forbidden   = &fault{http.StatusForbidden, "ForbiddenException", "Forbidden"}
	tooMany     = &fault{http.StatusTooManyRequests, "TooManyRequestsException", "Too Many Requests"}
	timedOut    = &fault{http.StatusGatewayTimeout, "InternalServerErrorException", "Endpoint request timed out"}
	functionBad = &fault{http.StatusBadGateway, "InternalServerErrorException", "Internal server error"}
	notRun      = &fault{http.StatusInternalServerError, "InternalServerErrorException", "Internal server error"}
)

// call runs a route's function. It is not told that the client has left: what it
// began belongs to a connection that $disconnect ends.
func (s *Sockets) call(route *socketRoute, event []byte) outcome {
	ctx, cancel := context.WithTimeout(context.Background(), or(route.Timeout, defaultTimeout))
	defer cancel()
	res, err := s.invoke(ctx, route.Function, event)
	why := ""
	var bad *fault
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		bad, why = timedOut, "no answer within "+route.Timeout.String()
	case err != nil: // reserved concurrency that is used up among them
		bad, why = notRun, err.Error()
	case res.Err != nil:
		bad, why = functionBad, "function error: "+res.Err.Error()
	}
	if bad == nil {
		a, err := decodeAnswer(res.Payload)
		if err == nil {
			return outcome{answer: a}
		}
		bad, why = functionBad, "malformed Lambda proxy response: "+err.Error()
	}
	s.opts.Log("/" + s.api.Stage + " " + route.Key + ": " + why)
	return outcome{fault: bad}
}

func (o outcome) status() int {
	if o.fault != nil {
		return o.fault.status
	}
	return o.answer.status
}
