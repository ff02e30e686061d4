package gateway

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"
)

// ending is why a connection ended, as $disconnect is told.
type ending struct {
	code   websocket.StatusCode
	reason string
	ours   bool // this side says so
}

// API Gateway's own endings. That of a deleted connection, and the reason of a
// client that gives no code, are known from events; those of limits from the quotas.
var (
	goingAway    = ending{websocket.StatusGoingAway, "Going away", true}
	deleted      = ending{websocket.StatusNormalClosure, "Connection Closed Normally", true}
	tooBig       = ending{websocket.StatusMessageTooBig, "Message too big", true}
	notText      = ending{websocket.StatusUnsupportedData, "Binary frames are not supported", true}
	notUTF8      = ending{websocket.StatusInvalidFramePayloadData, "Not UTF-8", true}
	noCodeReason = "Client-side close frame status not set"
)

// sendLimit is how long one message may take to a client that does not read.
const sendLimit = 10 * time.Second

var (
	errGone   = errors.New("gateway: the connection is gone")
	errBehind = errors.New("gateway: the client does not read what it was sent")
)

// connection is an open WebSocket. One goroutine reads, one writes; who wants to
// send or to end it leaves word with the latter, so that what was accepted is sent
// before the end.
type connection struct {
	s     *Sockets
	visit *visit
	ws    *websocket.Conn
	wire  net.Conn
	gauge *frameGauge
	out   chan []byte
	slots chan struct{}

	mu         sync.Mutex
	lastActive time.Time
	ended      *ending
	ending     chan struct{} // closed with ended
	idle       *time.Timer
}

func newConnection(s *Sockets, v *visit) *connection {
	return &connection{
		s: s, visit: v, lastActive: v.at, ending: make(chan struct{}),
		out: make(chan []byte, s.limits.Backlog), slots: make(chan struct{}, s.limits.Parallel),
	}
}

// run serves the connection to its end, $disconnect included.
func (c *connection) run(ws *websocket.Conn, gauge *frameGauge) {
	c.ws, c.wire, c.gauge = ws, gauge, gauge
	ws.SetReadLimit(c.s.limits.Message)
	c.mu.Lock()
	c.idle = time.AfterFunc(c.s.limits.Idle, func() { c.end(goingAway) })
	c.mu.Unlock()
	age := time.AfterFunc(c.s.limits.Lifetime, func() { c.end(goingAway) })
	written := make(chan struct{})
	go func() {
		defer close(written)
		c.write()
	}()
	if !c.s.register(c) {
		c.end(goingAway)
	}
	c.end(c.read())
	<-written
	age.Stop()
	c.idle.Stop()
	c.s.disconnect(c, *c.ended)
}

// end has the first of several reasons count, and makes the connection unknown at
// once: who sends to it from now on learns that it is gone.
func (c *connection) end(why ending) {
	c.mu.Lock()
	first := c.ended == nil
	if first {
		c.ended = &why
		close(c.ending)
	}
	c.mu.Unlock()
	if first {
		c.s.forget(c)
	}
}

// touch notes a frame in either direction.
func (c *connection) touch() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lastActive = c.s.opts.Now()
	if c.idle != nil && c.ended == nil {
		c.idle.Reset(c.s.limits.Idle)
	}
}

// read takes messages until the connection ends and tells why it did.
func (c *connection) read() ending {
	for {
		kind, r, err := c.ws.Reader(context.Background())
		var body []byte
		if err == nil && kind == websocket.MessageText {
			body, err = io.ReadAll(r)
		}
		switch {
		case c.gauge.over.Load(), errors.Is(err, websocket.ErrMessageTooBig):
			return tooBig
		case err != nil:
			return endingOf(err)
		case kind != websocket.MessageText:
			return notText
		case !utf8.Valid(body):
			return notUTF8
		}
		c.touch()
		select {
		case c.slots <- struct{}{}:
		case <-c.ending:
			continue // the next read tells why
		}
		c.s.lives.Add(1)
		go func() {
			defer c.s.lives.Done()
			c.s.deliver(c, body)
			<-c.slots
		}()
	}
}

// endingOf reads the client's close frame, or its absence, from an error.
func endingOf(err error) ending {
	var closed websocket.CloseError
	switch {
	case !errors.As(err, &closed):
		return ending{code: websocket.StatusAbnormalClosure}
	case closed.Code == websocket.StatusNoStatusRcvd:
		return ending{code: closed.Code, reason: noCodeReason}
	}
	return ending{code: closed.Code, reason: closed.Reason}
}

// post leaves a message to be sent.
func (c *connection) post(text []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended != nil {
		return errGone
	}
	select {
	case c.out <- text:
		return nil
	default:
		return errBehind
	}
}

// write sends what is left here, and shakes hands at the end.
func (c *connection) write() {
	for {
		select {
		case text := <-c.out:
			if c.send(text) != nil {
				_ = c.ws.CloseNow() // the reader learns of it
			}
		case <-c.ending:
			c.finish()
			return
		}
	}
}

func (c *connection) finish() {
	for c.ended.ours && len(c.out) > 0 {
		if c.send(<-c.out) != nil {
			break
		}
	}
	if c.ended.ours {
		_ = c.ws.Close(c.ended.code, c.ended.reason)
		return
	}
	_ = c.ws.CloseNow()
}

// send cuts a message into frames as large as API Gateway's.
func (c *connection) send(text []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), sendLimit)
	defer cancel()
	defer c.touch()
	if int64(len(text)) <= c.s.limits.Frame {
		return c.ws.Write(ctx, websocket.MessageText, text)
	}
	w, err := c.ws.Writer(ctx, websocket.MessageText)
	if err != nil {
		return err
	}
	for part := range slices.Chunk(text, int(c.s.limits.Frame)) {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return w.Close()
}

// deliver runs the route of one message. The function's answer goes nowhere:
// routes here have no responses.
func (s *Sockets) deliver(c *connection, body []byte) {
	now, request := s.opts.Now(), newExtendedID()
	name, status := "$default", 0
	route := s.routeOf(body)
	switch {
	case route == nil:
		status = c.complain(forbidden, request)
	case !route.bucket.AllowN(now, 1):
		name, status = route.Key, c.complain(tooMany, request)
	default:
		name = route.Key
		out := s.call(route, encode(s.messageEvent(c.visit, name, request, now, body)))
		if status = out.status(); out.fault != nil {
			c.complain(out.fault, request)
		}
	}
	s.note("MESSAGE", name, request, status, now)
}

func (c *connection) complain(f *fault, request string) int {
	if err := c.post(f.words(c.visit.connection, request)); err != nil && !errors.Is(err, errGone) {
		c.s.opts.Log("/" + c.s.api.Stage + ": " + err.Error())
	}
	return f.status
}

// disconnect tells the function, once for each connection that $connect let in.
func (s *Sockets) disconnect(c *connection, why ending) {
	now, request := s.opts.Now(), newExtendedID()
	status := 200
	if route := s.routes["$disconnect"]; route != nil {
		status = s.call(route, encode(s.disconnectEvent(c.visit, request, now, why))).status()
	}
	s.note("DISCONNECT", "$disconnect", request, status, now)
}

// textOf is what a client is sent: text frames know nothing but UTF-8.
func textOf(body []byte) []byte { return bytes.ToValidUTF8(body, []byte("\ufffd")) }
