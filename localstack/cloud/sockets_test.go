package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/fairseat/fairseat/localstack/process"
	"github.com/fairseat/fairseat/localstack/rights"
)

func talking(o *Options) { o.Template = filepath.Join(home, "talk.yaml") }

func dial(t *testing.T, c *Cloud, ticket string) (*websocket.Conn, *http.Response, error) {
	t.Helper()
	ws, res, err := websocket.Dial(t.Context(), c.SocketURL+"?ticket="+ticket, nil)
	if err == nil {
		t.Cleanup(func() { ws.CloseNow() })
	}
	return ws, res, err
}

// exchange says something and gives what comes back.
func exchange(t *testing.T, ws *websocket.Conn, text string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := ws.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
		t.Fatal(err)
	}
	_, b, err := ws.Read(ctx)
	return string(b), err
}

// TestSockets: from the handshake to $disconnect, through functions that answer by
// @connections under their rights, each of which is used.
func TestSockets(t *testing.T) {
	c := start(t, talking)
	if want := "ws://" + c.talk.Addr().String() + "/v1"; c.SocketURL != want || c.Stack.Outputs["Dial"] != want || variable(c, "SOCKET_URL") != want {
		t.Errorf("at %s, output %s", c.SocketURL, c.Stack.Outputs["Dial"])
	}
	if _, res, err := dial(t, c, "bad"); err == nil || res.StatusCode != 401 {
		t.Errorf("without a ticket: %v", err)
	}
	ws, _, err := dial(t, c, "good")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{`{"action":"echo","n":1}`, `{"action":"echo","n":2}`} {
		if got, err := exchange(t, ws, text); got != text {
			t.Errorf("heard %q, %v", got, err)
		}
	}
	var about struct {
		ConnectedAt, LastActiveAt time.Time
		Identity                  struct{ SourceIP string }
	}
	if got, err := exchange(t, ws, `{"action":"about"}`); err != nil || json.Unmarshal([]byte(got), &about) != nil || about.ConnectedAt.IsZero() || about.Identity.SourceIP != "127.0.0.1" {
		t.Errorf("about: %s, %v", got, err)
	}
	if got, err := exchange(t, ws, `{"action":"nothing"}`); !strings.Contains(got, `"message":"Forbidden"`) {
		t.Errorf("heard %q, %v", got, err)
	}
	if _, err := exchange(t, ws, `{"action":"leave"}`); websocket.CloseStatus(err) != websocket.StatusNormalClosure {
		t.Errorf("left: %v", err)
	}
	until(t, "$disconnect has run", func() bool { return depth(t, c, variable(c, "QUEUE_Left")) == "1" })
	if fs := rights.Compare(c.Stack, c.Rights(), true); len(fs) > 0 {
		t.Errorf("rights are not exact\n%s", rights.Table(fs))
	}
}

// TestSocketsNeedRights: without one the call is refused, and the comparison names it.
func TestSocketsNeedRights(t *testing.T) {
	c := start(t, func(o *Options) { o.Template = spoiltFile(t, "talk.yaml", "/v1/POST/@", "/v1/PUT/@") })
	ws, _, err := dial(t, c, "good")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := exchange(t, ws, `{"action":"echo"}`); !strings.Contains(got, `"message":"Internal server error"`) {
		t.Errorf("heard %q, %v", got, err)
	}
	found := ""
	for _, f := range rights.Compare(c.Stack, c.Rights(), false) {
		found += f.Function + " " + f.Action + " " + f.Resource + " " + f.Granted + "\n"
	}
	arn := c.Stack.Sockets.ARN
	if want := "Answer execute-api:ManageConnections " + arn + "/POST/@connections/* no\n" +
		"Answer execute-api:ManageConnections " + arn + "/PUT/@connections/* by a wildcard\n"; found != want {
		t.Errorf("found\n%swant\n%s", found, want)
	}
}

// TestTheStopDisconnects everybody while functions still run, and the ports are free.
func TestTheStopDisconnects(t *testing.T) {
	one, err := process.FreePort(0)
	if err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	c := start(t, talking, func(o *Options) { o.SocketPort, o.Data, o.Rights = one, data, rights.Off })
	if c.talk.Addr().(*net.TCPAddr).Port != one {
		t.Errorf("at %s", c.SocketURL)
	}
	ws, _, err := dial(t, c, "good")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := exchange(t, ws, `{"action":"echo"}`); err != nil || got != `{"action":"echo"}` {
		t.Errorf("with rights off: %q, %v", got, err)
	}
	ended := make(chan error, 1)
	go func() {
		_, _, err := ws.Read(context.Background())
		ended <- err
	}()
	c.Close()
	if err := <-ended; websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("ended with %v", err)
	}
	if _, err := process.FreePort(one); err != nil {
		t.Error(err)
	}
	again := start(t, talking, func(o *Options) { o.Data = data })
	if n := depth(t, again, variable(again, "QUEUE_Left")); n != "1" {
		t.Errorf("%s were told to the function", n)
	}
}

func TestSocketsAreOnTheNextPort(t *testing.T) {
	if o := (Options{Port: 3000}).filled(); o.SocketPort != 3001 {
		t.Errorf("port %d", o.SocketPort)
	}
	if o := (Options{}).filled(); o.SocketPort != 0 {
		t.Errorf("port %d", o.SocketPort)
	}
	l, err := process.Listen(0)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = Start(t.Context(), options(t, talking, func(o *Options) { o.SocketPort = l.Addr().(*net.TCPAddr).Port }))
	var taken process.TakenError
	if !errors.As(err, &taken) || !strings.Contains(err.Error(), "WebSocket API") {
		t.Errorf("got %v", err)
	}
}
