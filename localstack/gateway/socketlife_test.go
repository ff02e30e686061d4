package gateway

import (
	"context"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/fairseat/fairseat/localstack/runtime"
	"github.com/fairseat/fairseat/localstack/template"
)

// inParts writes a message in frames of a size.
func (k *talk) inParts(ws *websocket.Conn, frame, frames int) {
	w, err := ws.Writer(k.Context(), websocket.MessageText)
	if err != nil {
		k.Error(err)
		return
	}
	for range frames {
		if _, err := w.Write([]byte(big(frame))); err != nil {
			return // it has been closed
		}
	}
	_ = w.Close()
}

// TestEndings: how a connection ends for the client, and what $disconnect is told.
func TestEndings(t *testing.T) {
	for _, tt := range []struct {
		name   string
		end    func(k *talk, ws *websocket.Conn, id string)
		client websocket.StatusCode // 0 = not looked at
		code   int64
		reason string
		after  time.Duration // at least
	}{
		{name: "the client's code", end: func(_ *talk, ws *websocket.Conn, _ string) { ws.Close(1000, "bye") }, code: 1000, reason: "bye"},
		{name: "no code", end: func(_ *talk, ws *websocket.Conn, _ string) { ws.Close(1005, "") }, code: 1005, reason: "Client-side close frame status not set"},
		{name: "cut off", end: func(_ *talk, ws *websocket.Conn, _ string) { ws.CloseNow() }, code: 1006},
		{name: "deleted", end: func(k *talk, _ *websocket.Conn, id string) { k.call("DELETE", "/v1/@connections/"+id, "", signed...) },
			client: 1000, code: 1000, reason: "Connection Closed Normally"},
		{name: "a binary frame", end: func(k *talk, ws *websocket.Conn, _ string) {
			ws.Write(k.Context(), websocket.MessageBinary, []byte("x"))
		},
			client: 1003, code: 1003, reason: "Binary frames are not supported"},
		{name: "not UTF-8", end: func(k *talk, ws *websocket.Conn, _ string) {
			ws.Write(k.Context(), websocket.MessageText, []byte("\xff"))
		}, client: 1007, code: 1007, reason: "Not UTF-8"},
		{name: "a frame too large", end: func(k *talk, ws *websocket.Conn, _ string) { k.say(ws, big(32<<10+1)) }, client: 1009, code: 1009, reason: "Message too big"},
		{name: "a message too large", end: func(k *talk, ws *websocket.Conn, _ string) { go k.inParts(ws, 32<<10, 5) }, client: 1009, code: 1009, reason: "Message too big"},
		{name: "idle", end: func(*talk, *websocket.Conn, string) {}, client: 1001, code: 1001, reason: "Going away", after: 10 * time.Minute},
		{name: "the cloud stops", end: func(k *talk, _ *websocket.Conn, _ string) { go k.sockets.Close(context.Background()) }, client: 1001, code: 1001, reason: "Going away"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			talking(t, func(k *talk) {
				ws, id := k.open()
				began := time.Now()
				tt.end(k, ws, id)
				if tt.client != 0 {
					if ce := k.ended(ws); ce.Code != tt.client || tt.client != 1009 && ce.Reason != tt.reason {
						k.Errorf("the client sees %v", ce)
					}
				}
				synctest.Wait()
				if took := time.Since(began); took < tt.after || took > tt.after+time.Second {
					k.Errorf("after %s", took)
				}
				if k.routes() != "$connect $disconnect" {
					k.Fatalf("called %q", k.routes())
				}
				c := k.event(1).RequestContext
				if c.DisconnectStatusCode != tt.code || c.DisconnectReason == nil || *c.DisconnectReason != tt.reason {
					k.Errorf("told %d %v", c.DisconnectStatusCode, c.DisconnectReason)
				}
				if res, _ := k.call("POST", "/v1/@connections/"+id, "x", signed...); res.StatusCode != 410 {
					k.Errorf("afterwards %s", res.Status)
				}
			})
		})
	}
}

func TestWhatIsJustSmallEnough(t *testing.T) {
	talking(t, func(k *talk) {
		ws, _ := k.open()
		k.say(ws, big(32<<10))
		synctest.Wait()
		k.inParts(ws, 32<<10, 4)
		synctest.Wait()
		if k.routes() != "$connect $default $default" || len(k.event(2).Body) != 128<<10 {
			k.Errorf("called %q", k.routes())
		}
	})
}

// TestWhatKeepsAConnection: a message, a ping or a posted message; not for longer
// than two hours.
func TestWhatKeepsAConnection(t *testing.T) {
	for _, tt := range []struct {
		name string
		stir func(k *talk, ws *websocket.Conn, id string)
	}{
		{"messages", func(k *talk, ws *websocket.Conn, _ string) { k.say(ws, "x") }},
		{"pings", func(k *talk, ws *websocket.Conn, _ string) { ws.Ping(k.Context()) }},
		{"posts", func(k *talk, _ *websocket.Conn, id string) { k.call("POST", "/v1/@connections/"+id, "x", signed...) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			talking(t, func(k *talk) {
				ws, id := k.open()
				began := time.Now()
				over := make(chan websocket.StatusCode, 1)
				go func() {
					for {
						if _, _, err := ws.Read(context.Background()); err != nil {
							over <- websocket.CloseStatus(err)
							return
						}
					}
				}()
				for len(over) == 0 {
					if time.Since(began) < 2*time.Hour-time.Minute {
						tt.stir(k, ws, id)
					}
					pass(9 * time.Minute)
				}
				if code := <-over; code != websocket.StatusGoingAway {
					k.Errorf("ended with %d", code)
				}
				if at := time.UnixMilli(k.event(-1).RequestContext.RequestTimeEpoch); at.Sub(began).Round(time.Second) != 2*time.Hour {
					k.Errorf("lived %s", at.Sub(began))
				}
			})
		})
	}
}

// TestTheStopTellsEveryFunctionOnce and lets nobody in.
func TestTheStopTellsEveryFunctionOnce(t *testing.T) {
	talking(t, func(k *talk) {
		for range 3 {
			ws, _ := k.open()
			go ws.Read(context.Background())
		}
		arrived, letGo := make(chan struct{}), make(chan struct{})
		k.answers["$connect"] = func(context.Context) (runtime.Result, error) {
			close(arrived)
			<-letGo
			return ok(`{}`), nil
		}
		go func() { // in the middle of its handshake
			if ws, _, err := k.dial("/v1"); err == nil {
				ws.Read(context.Background())
			}
		}()
		<-arrived
		done := make(chan struct{})
		go func() {
			k.sockets.Close(context.Background())
			close(done)
		}()
		synctest.Wait()
		if _, res, err := k.dial("/v1"); err == nil || res.StatusCode != 503 {
			k.Errorf("let in: %v", err)
		}
		began := time.Now()
		close(letGo)
		<-done
		if took := time.Since(began); took > time.Second {
			k.Errorf("took %s", took)
		}
		if got := strings.Count(k.routes(), "$disconnect"); got != 4 {
			k.Errorf("%d were told, not 4: %s", got, k.routes())
		}
	})
}

// TestTheStopDoesNotWaitForTheDead: a client that answers nothing, and a function
// that takes its time.
func TestTheStopDoesNotWaitForTheDead(t *testing.T) {
	talking(t, func(k *talk) {
		k.open() // nobody reads its close frame
		began := time.Now()
		ctx, cancel := context.WithTimeout(k.Context(), 2*time.Second)
		defer cancel()
		k.sockets.Close(ctx)
		synctest.Wait()
		if took := time.Since(began); took > 2*time.Second || k.routes() != "$connect $disconnect" {
			k.Errorf("took %s, called %q", took, k.routes())
		}
	})
}

// TestAClientThatLeavesDuringItsHandshake is disconnected all the same.
func TestAClientThatLeavesDuringItsHandshake(t *testing.T) {
	talking(t, func(k *talk) {
		ctx, leave := context.WithCancel(k.Context())
		k.answers["$connect"] = func(context.Context) (runtime.Result, error) {
			leave()
			pass(time.Second)
			return ok(`{}`), nil
		}
		if _, _, err := websocket.Dial(ctx, "ws://sockets.test/v1", &websocket.DialOptions{HTTPClient: k.client}); err == nil {
			k.Fatal("it stayed")
		}
		pass(time.Minute)
		if k.routes() != "$connect $disconnect" {
			k.Errorf("called %q", k.routes())
		}
	})
}

// TestPredefinedRoutesMayBeMissing.
func TestPredefinedRoutesMayBeMissing(t *testing.T) {
	talking(t, func(k *talk) {
		ws, _, err := k.dial("/v1")
		if err != nil {
			k.Fatal(err)
		}
		k.say(ws, `{"action":"watch"}`)
		synctest.Wait()
		ws.Close(1000, "")
		synctest.Wait()
		if k.routes() != "watch" {
			k.Errorf("called %q", k.routes())
		}
	}, func(api *template.SocketAPI, _ *SocketOptions) { api.Routes = api.Routes[3:] })
}

// TestAMessageThatComesWithTheHandshake is heard like any other.
func TestAMessageThatComesWithTheHandshake(t *testing.T) {
	talking(t, func(k *talk) {
		conn, err := k.pipes.dial(k.Context(), "", "")
		if err != nil {
			k.Fatal(err)
		}
		defer conn.Close()
		go io.Copy(io.Discard, conn)
		text := "GET /v1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
		frame := []byte{0x81, 0x85, 0, 0, 0, 0, 'h', 'e', 'l', 'l', 'o'} // masked with zeros
		if _, err := conn.Write(append([]byte(text), frame...)); err != nil {
			k.Fatal(err)
		}
		synctest.Wait()
		if k.routes() != "$connect $default" || k.event(1).Body != "hello" {
			k.Errorf("called %q", k.routes())
		}
	})
}
