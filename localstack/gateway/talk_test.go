package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/coder/websocket"

	"github.com/fairseat/fairseat/localstack/runtime"
	"github.com/fairseat/fairseat/localstack/template"
)

// pipes is a listener without a network: in a test's bubble time stands still
// while nobody has anything to do.
type pipes struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}

	mu     sync.Mutex
	frames *frameGauge // of the newest connection
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 3001} }

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	p.conns <- addressed{theirs}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.frames = &frameGauge{Conn: ours, limit: 32 << 10}
	return &heard{p.frames, nil}, nil
}

// heard gauges what the server sends once its answer to the handshake has passed.
type heard struct {
	*frameGauge
	answer []byte
}

func (h *heard) Read(p []byte) (int, error) {
	n, err := h.Conn.Read(p)
	rest := p[:n]
	if !bytes.Contains(h.answer, []byte("\r\n\r\n")) {
		h.answer = append(h.answer, rest...)
		_, rest, _ = bytes.Cut(h.answer, []byte("\r\n\r\n"))
	}
	h.feed(rest)
	return n, err
}

type addressed struct{ net.Conn }

func (addressed) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 40000} }

// talk is a WebSocket API with its functions in this process.
type talk struct {
	*testing.T
	sockets *Sockets
	client  *http.Client
	pipes   *pipes

	mu     sync.Mutex
	events []events.APIGatewayWebsocketProxyRequest
	raw    []string
	served []Access
	// answers by route key; nothing said is {"statusCode":200}.
	answers map[string]func(context.Context) (runtime.Result, error)
}

func (k *talk) invoke(ctx context.Context, name string, payload []byte) (runtime.Result, error) {
	var e events.APIGatewayWebsocketProxyRequest
	if err := json.Unmarshal(payload, &e); err != nil {
		return runtime.Result{}, err
	}
	key := e.RequestContext.RouteKey
	if name == "Auth" {
		key = name
	}
	k.mu.Lock()
	k.events, k.raw = append(k.events, e), append(k.raw, string(payload))
	f := k.answers[key]
	k.mu.Unlock()
	if f != nil {
		return f(ctx)
	}
	return ok(`{"statusCode":200,"body":"` + name + `"}`), nil
}

func says(payload string) func(context.Context) (runtime.Result, error) {
	return func(context.Context) (runtime.Result, error) { return ok(payload), nil }
}

func fails(err error) func(context.Context) (runtime.Result, error) {
	return func(context.Context) (runtime.Result, error) { return runtime.Result{}, err }
}

var crash = func(context.Context) (runtime.Result, error) {
	return runtime.Result{Err: &runtime.FunctionError{Kind: runtime.Unhandled, Type: "Runtime.ExitError", Message: "exit"}}, nil
}

// routes of events so far.
func (k *talk) routes() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var out []string
	for _, e := range k.events {
		out = append(out, e.RequestContext.RouteKey)
	}
	return strings.Join(out, " ")
}

func (k *talk) event(i int) events.APIGatewayWebsocketProxyRequest {
	k.mu.Lock()
	defer k.mu.Unlock()
	if i < 0 {
		i += len(k.events)
	}
	if i < 0 || i >= len(k.events) {
		k.Fatalf("there is no event %d, only %d", i, len(k.events))
	}
	return k.events[i]
}

// pass lets the bubble's time go by.
func pass(d time.Duration) { <-time.After(d) }

type change func(*template.SocketAPI, *SocketOptions)

// talking runs a test with a served API in a bubble of its own time.
func talking(t *testing.T, f func(*talk), changes ...change) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		k := &talk{T: t, answers: map[string]func(context.Context) (runtime.Result, error){}}
		api := &template.SocketAPI{
			ID: "Talk", Stage: "v1", ARN: "arn:aws:execute-api:eu-west-1:000000000000:talk/v1", Selector: "$request.body.action",
			Routes: []template.SocketRoute{
				{Key: "$connect", Function: "Open"}, {Key: "$disconnect", Function: "Close"},
				{Key: "$default", Function: "Receive"}, {Key: "watch", Function: "Watch"},
			},
		}
		opts := SocketOptions{APIID: "talk", Log: func(s string) { t.Log(s) }, Access: func(a Access) {
			k.mu.Lock()
			defer k.mu.Unlock()
			k.served = append(k.served, a)
		}}
		for _, c := range changes {
			c(api, &opts)
		}
		var err error
		if k.sockets, err = NewSockets(api, k.invoke, opts); err != nil {
			t.Fatal(err)
		}
		l := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
		server := &http.Server{Handler: k.sockets}
		k.pipes = l
		go server.Serve(l)
		transport := &http.Transport{DialContext: l.dial, DisableKeepAlives: true}
		k.client = &http.Client{Transport: transport}
		f(k)
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		k.sockets.Close(ctx)
		server.Close()
		transport.CloseIdleConnections()
	})
}

func (k *talk) dial(url string, header ...string) (*websocket.Conn, *http.Response, error) {
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h.Add(header[i], header[i+1])
	}
	ws, res, err := websocket.Dial(k.Context(), "ws://sockets.test:3001"+url, &websocket.DialOptions{HTTPClient: k.client, HTTPHeader: h})
	if ws != nil {
		k.Cleanup(func() { ws.CloseNow() })
	}
	return ws, res, err
}

// open is a connection with its id.
func (k *talk) open() (*websocket.Conn, string) {
	k.Helper()
	ws, _, err := k.dial("/v1?ticket=t")
	if err != nil {
		k.Fatal(err)
	}
	synctest.Wait()
	return ws, k.event(-1).RequestContext.ConnectionID
}

func (k *talk) say(ws *websocket.Conn, text string) {
	k.Helper()
	if err := ws.Write(k.Context(), websocket.MessageText, []byte(text)); err != nil {
		k.Fatal(err)
	}
}

func (k *talk) hear(ws *websocket.Conn) string {
	k.Helper()
	ctx, cancel := context.WithTimeout(k.Context(), time.Minute)
	defer cancel()
	kind, b, err := ws.Read(ctx)
	if err != nil || kind != websocket.MessageText {
		k.Fatalf("heard %v, %v", kind, err)
	}
	return string(b)
}

// ended is how the connection ends for the client.
func (k *talk) ended(ws *websocket.Conn) websocket.CloseError {
	k.Helper()
	_, b, err := ws.Read(context.Background())
	var ce websocket.CloseError
	if !errors.As(err, &ce) {
		k.Errorf("ended by %v, heard %q", err, b)
	}
	return ce
}

func (k *talk) call(method, path, body string, header ...string) (*http.Response, string) {
	k.Helper()
	req, err := http.NewRequestWithContext(k.Context(), method, "http://sockets.test:3001"+path, strings.NewReader(body))
	if err != nil {
		k.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := k.client.Do(req)
	if err != nil {
		k.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		k.Fatal(err)
	}
	return res, string(b)
}

func big(n int) string { return string(bytes.Repeat([]byte("x"), n)) }
