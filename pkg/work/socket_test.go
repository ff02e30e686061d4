package work_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/relay"
	"github.com/fairseat/fairseat/pkg/socket"
	"github.com/fairseat/fairseat/pkg/socket/hub"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
	"github.com/fairseat/fairseat/pkg/work"
)

const phone = socket.ConnID("L0SM9cOFvHcCIhw=")

// gateway is the way to clients, in the test's hands.
type gateway struct {
	mu     sync.Mutex
	heard  []string
	closed []socket.ConnID
	fail   error
}

func (g *gateway) Post(_ context.Context, id socket.ConnID, w socket.Word) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.fail == nil {
		g.heard = append(g.heard, string(id)+" "+string(w))
	}
	return g.fail
}

func (g *gateway) Close(_ context.Context, id socket.ConnID) error {
	g.closed = append(g.closed, id)
	return g.fail
}

func (s *scene) hub() (*hub.Hub, *gateway) {
	s.t.Helper()
	press, err := socket.NewPress("a secret of the test's sockets")
	if err != nil {
		s.t.Fatal(err)
	}
	g := &gateway{}
	return &hub.Hub{
		Store: store.NewSwitchboard(s.db), Truth: s.store, Line: g, Press: press, Clock: s.clock, Later: work.TellLater(s), Parallel: 2,
		Pause: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	}, g
}

func (s *scene) ticket(b booking.Buyer, key string) string {
	s.t.Helper()
	h, _ := s.hub()
	text, _, err := h.Issue(s.t.Context(), b, key, s.now.Add(24*time.Hour), s.now)
	if err != nil {
		s.t.Fatal(err)
	}
	return text
}

// listens opens the guest's socket and watches the show.
func (s *scene) listens() {
	s.t.Helper()
	h, _ := s.hub()
	err := h.Connect(s.t.Context(), phone, s.ticket(guest, "open"))
	if err == nil {
		err = h.Receive(s.t.Context(), phone, fmt.Sprintf(`{"action":"watch","show_id":%q}`, evening))
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// socketEvent is what a WebSocket API makes of an occasion.
func (s *scene) socketEvent(route, kind string, more map[string]any) []byte {
	rc := map[string]any{
		"routeKey": route, "eventType": kind, "extendedRequestId": "c2FtcGxlLXJlcXVlc3Q=", "requestTime": "01/May/2030:12:00:00 +0000",
		"messageDirection": "IN", "stage": "v1", "connectedAt": noon.UnixMilli(), "requestTimeEpoch": noon.UnixMilli(),
		"identity": map[string]any{"sourceIp": "192.0.2.17", "userAgent": "Mozilla/5.0"}, "requestId": "c2FtcGxlLXJlcXVlc3Q=",
		"domainName": "sockets.example.org", "connectionId": string(phone), "apiId": "local00001",
	}
	e := map[string]any{"requestContext": rc, "isBase64Encoded": false}
	for k, v := range more {
		if _, ofEvent := map[string]bool{"body": true, "queryStringParameters": true, "multiValueQueryStringParameters": true, "headers": true, "multiValueHeaders": true}[k]; ofEvent {
			e[k] = v
		} else {
			rc[k] = v
		}
	}
	return s.json(e)
}

func socketOf(t *testing.T, b []byte) events.APIGatewayWebsocketProxyRequest {
	return decode[events.APIGatewayWebsocketProxyRequest](t, b)
}

// status wants the handler's answer to the event.
func (s *scene) status(h work.SocketHandler, in []byte, want int) {
	s.t.Helper()
	r, err := h(s.t.Context(), socketOf(s.t, in))
	if r.StatusCode != want || (err != nil) != (want == 500) || r.Body != "" {
		s.t.Errorf("answer %+v, %v; want %d", r, err, want)
	}
}

func (s *scene) connectEvent(ticket string) []byte {
	return s.socketEvent("$connect", "CONNECT", map[string]any{
		"queryStringParameters": map[string]any{"ticket": ticket}, "multiValueQueryStringParameters": map[string]any{"ticket": []string{ticket}},
		"headers":           map[string]any{"Host": "sockets.example.org", "Sec-WebSocket-Version": "13"},
		"multiValueHeaders": map[string]any{"Host": []string{"sockets.example.org"}, "Sec-WebSocket-Version": []string{"13"}},
	})
}

func (s *scene) messageEvent(body string) []byte {
	return s.socketEvent("$default", "MESSAGE", map[string]any{"body": body, "messageId": "L0SM9dGVPHcCIhw="})
}

func (s *scene) wantSocket(there bool) {
	s.t.Helper()
	_, err := store.NewSwitchboard(s.db).Conn(s.t.Context(), phone)
	if there && err != nil || !there && !errors.Is(err, socket.ErrNoConn) {
		s.t.Errorf("the socket: %v", err)
	}
}

// socketSamples are those of the functions around sockets.
func socketSamples() []sample {
	watch := fmt.Sprintf(`{"action":"watch","show_id":%q}`, evening)
	return []sample{
		{"connect-socket", func(s *scene) []byte { return s.connectEvent(s.ticket(guest, "open")) }, func(s *scene, in []byte) {
			h, _ := s.hub()
			_, err := h.Store.Conn(s.t.Context(), phone)
			s.status(work.ConnectSocket(h), in, map[bool]int{true: 401, false: 200}[err == nil]) // a ticket is good once
			s.wantSocket(true)
		}},
		{"receive-socket", func(s *scene) []byte { s.listens(); return s.messageEvent(watch) }, func(s *scene, in []byte) {
			h, g := s.hub()
			s.status(work.ReceiveSocket(h), in, 200)
			if len(g.heard) != 1 || !strings.Contains(g.heard[0], `"type":"seatmap.changed"`) {
				s.t.Errorf("heard %v", g.heard)
			}
		}},
		{"close-socket", func(s *scene) []byte {
			s.listens()
			return s.socketEvent("$disconnect", "DISCONNECT", map[string]any{"disconnectStatusCode": 1001, "disconnectReason": "Going away"})
		}, func(s *scene, in []byte) {
			h, _ := s.hub()
			s.status(work.CloseSocket(h), in, 200)
			s.wantSocket(false)
		}},
		{"tell-clients", func(s *scene) []byte {
			s.listens()
			hold := s.hold("first", "A-1", "A-2")
			s.now = hold.ExpiresAt.Add(-socket.Expiring)
			return s.queue("tell", "",
				socket.Hint{Kind: socket.HoldExpiring, Show: evening, Buyer: guest, Version: 1, Hold: hold.ID}, socket.Hint{Kind: socket.SeatmapChanged, Show: evening})
		}, func(s *scene, in []byte) {
			h, g := s.hub()
			s.done(work.TellClients(h)(s.t.Context(), queueEvent(s.t, in)))
			if all := strings.Join(g.heard, "\n"); !strings.Contains(all, string(phone)+` {"type":"hold.expiring"`) || !strings.Contains(all, `"seatmap.changed"`) && len(s.hints) == 0 {
				s.t.Errorf("heard %v, put off %v", g.heard, s.hints)
			}
		}},
	}
}

func TestConnectSocket(t *testing.T) {
	s := newScene(t)
	h, _ := s.hub()
	connect := work.ConnectSocket(h)
	s.status(connect, s.connectEvent("fst1.none"), 401)
	s.status(connect, s.socketEvent("$connect", "CONNECT", nil), 401)
	two := s.connectEvent(s.ticket(guest, "two"))
	e := socketOf(t, two)
	e.MultiValueQueryStringParameters["ticket"] = append(e.MultiValueQueryStringParameters["ticket"], "x")
	if r, err := connect(t.Context(), e); r.StatusCode != 401 || err != nil {
		t.Errorf("two tickets: %+v, %v", r, err)
	}
	e.MultiValueQueryStringParameters = nil
	if r, err := connect(t.Context(), e); r.StatusCode != 200 || err != nil {
		t.Errorf("without its lists: %+v, %v", r, err)
	}
	s.wantSocket(true)
}

// TestSocketFaults: what fails tells the client nothing and the log no secret.
func TestSocketFaults(t *testing.T) {
	s := newScene(t)
	text := s.ticket(guest, "open")
	in := s.connectEvent(text)
	var log bytes.Buffer
	was := slog.Default()
	slog.SetDefault(slog.New(slog.NewJSONHandler(&log, nil)))
	defer slog.SetDefault(was)
	for fault, want := range map[memstore.Fault]int{memstore.Throttle: 503, memstore.LoseRequest: 500} {
		broken := memstore.New(memstore.Options{Clock: s.clock, Faults: func(op memstore.Op) memstore.Fault { return fault }})
		h, _ := s.hub()
		h.Store = store.NewSwitchboard(broken)
		s.status(work.ConnectSocket(h), in, want)
		s.status(work.ReceiveSocket(h), s.messageEvent(`{"action":"authorize","ticket":"`+text+`"}`), 500)
		s.status(work.CloseSocket(h), s.messageEvent(""), 500)
	}
	if log.Len() == 0 || strings.Contains(log.String(), text[5:]) {
		t.Errorf("log: %s", log.String())
	}
}

func TestBinaryMessages(t *testing.T) {
	s := newScene(t)
	s.listens()
	h, g := s.hub()
	e := socketOf(t, s.messageEvent("eyJhY3Rpb24iOiJwaW5nIn0="))
	e.IsBase64Encoded = true
	r, err := work.ReceiveSocket(h)(t.Context(), e)
	if r.StatusCode != 200 || err != nil || len(g.heard) != 1 || !strings.Contains(g.heard[0], "bad_request") {
		t.Errorf("%+v, %v, %v", r, err, g.heard)
	}
}

// TestTellClients: a message that fails comes back alone, whatever its place.
func TestTellClients(t *testing.T) {
	s := newScene(t)
	s.listens()
	h, g := s.hub()
	sold := socket.Hint{Kind: socket.HoldSold, Show: evening, Buyer: guest, Version: 2, Hold: "h"}
	in := s.queue("tell", "", "{", sold, socket.Hint{Kind: socket.HoldSold, Show: evening}, sold, `{"type":"hold.sold","more":1}`)
	r, err := work.TellClients(h)(t.Context(), queueEvent(t, in))
	s.failed(r, err, 1, 3, 5)
	if len(g.heard) != 2 {
		t.Errorf("heard %v", g.heard)
	}
	g.fail, g.heard = errors.New("the gateway is away"), nil
	r, err = work.TellClients(h)(t.Context(), queueEvent(t, s.queue("tell", "", sold)))
	s.done(r, err) // those sockets alone, in a message of their own
	if len(s.hints) != 1 || s.hints[0].Queue != relay.Hints || s.hints[0].Delay != 2*time.Second || !strings.Contains(s.hints[0].Body, `"only":["`+string(phone)+`"],"failed":1`) {
		t.Errorf("sent %+v", s.hints)
	}
	s.lost = errors.New("the queue is away")
	r, err = work.TellClients(h)(t.Context(), queueEvent(t, s.queue("tell", "", sold)))
	s.failed(r, err, 1)
}

// hinted are the hints that were sent, as type and buyer, sorted.
func (s *scene) hinted() (all []string) {
	s.t.Helper()
	for _, m := range s.hints {
		var h socket.Hint
		if err := json.Unmarshal([]byte(m.Body), &h); err != nil {
			s.t.Fatal(err)
		}
		all = append(all, strings.TrimSpace(fmt.Sprintf("%s %s", h.Kind, h.Buyer)))
	}
	slices.Sort(all)
	s.hints = nil
	return all
}

// TestStreamsCauseHints, and a hint that cannot be sent stops neither the deadline
// nor the map.
func TestStreamsCauseHints(t *testing.T) {
	s := newScene(t)
	s.hold("1", "A-1")
	s.sell(s.hold("2", "A-2"))
	e := streamEvent(t, s.stream(store.Holds, all))
	s.ok(work.RelayHolds(s, s.store, policy, s.clock)(t.Context(), e))
	if got := fmt.Sprint(s.hinted()); got != "[hold.expiring g_guest hold.expiring g_guest hold.sold g_guest]" {
		t.Errorf("holds: %s", got)
	}
	s.ok(work.ProjectSeatmap(s.Office, s)(t.Context(), e))
	if got := fmt.Sprint(s.hinted()); got != "[seatmap.changed]" {
		t.Errorf("map: %s", got)
	}
	s.hintless = errors.New("the queue of hints is away")
	s.sent = nil
	s.ok(work.RelayHolds(s, s.store, policy, s.clock)(t.Context(), e))
	s.ok(work.ProjectSeatmap(s.Office, s)(t.Context(), e))
	if len(s.sent) != 2 {
		t.Errorf("sent %+v", s.sent)
	}
}

// TestNoHintOfAMapThatWasNotSaved.
func TestNoHintOfAMapThatWasNotSaved(t *testing.T) {
	s := newScene(t)
	s.hold("1", "A-1")
	e := streamEvent(t, s.stream(store.Holds, all))
	s.Office.Catalog = absent{}
	r, err := work.ProjectSeatmap(s.Office, s)(t.Context(), e)
	s.stopped(r, err, e.Records[0].Change.SequenceNumber)
	if len(s.hints) != 0 {
		t.Errorf("hints %v", s.hints)
	}
}

// FuzzSocket: whatever a client sends and the gateway makes of it, no handler
// panics or fails, and no socket but the guest's is touched.
func FuzzSocket(f *testing.F) {
	f.Add("ticket", `{"action":"ping"}`, false)
	f.Add("fst1.", `{"action":"watch","show_id":"s"}`, false)
	f.Add("", "\x00", true)
	f.Fuzz(func(t *testing.T, ticket, body string, binary bool) {
		s := newScene(t)
		s.listens()
		h, _ := s.hub()
		e := events.APIGatewayWebsocketProxyRequest{
			Body: body, IsBase64Encoded: binary, QueryStringParameters: map[string]string{"ticket": ticket},
			RequestContext: events.APIGatewayWebsocketProxyRequestContext{ConnectionID: "other="},
		}
		if r, err := work.ConnectSocket(h)(t.Context(), e); err != nil || r.StatusCode != 401 {
			t.Errorf("%+v, %v", r, err)
		}
		for _, id := range []socket.ConnID{phone, "other="} {
			e.RequestContext.ConnectionID = string(id)
			if r, err := work.ReceiveSocket(h)(t.Context(), e); err != nil || r.StatusCode != 200 {
				t.Errorf("%+v, %v", r, err)
			}
		}
		c, err := h.Store.Conn(t.Context(), phone)
		if err != nil || c.Buyer != guest || !slices.Contains(c.Shows, evening) && !strings.Contains(body, "unwatch") || slices.Contains(c.Shows, catalog.ShowID("")) {
			t.Errorf("%+v, %v", c, err)
		}
	})
}
