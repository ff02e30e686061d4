package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fairseat/fairseat/localstack/runtime"
	"github.com/fairseat/fairseat/localstack/template"
)

func TestHandshakes(t *testing.T) {
	policy := func(effect string) string {
		return `{"principalId":"p","context":{"tier":1},"policyDocument":{"Version":"2012-10-17","Statement":[{"Effect":"` + effect +
			`","Action":"execute-api:Invoke","Resource":"arn:aws:execute-api:eu-west-1:000000000000:talk/v1/$connect"}]}}`
	}
	guarded := func(api *template.SocketAPI, _ *SocketOptions) {
		api.Authorizer = &template.Authorizer{Function: "Auth", Queries: []string{"ticket"}, Headers: []string{"Origin"}}
	}
	for _, tt := range []struct {
		name    string
		url     string
		connect func(context.Context) (runtime.Result, error)
		auth    string
		status  int
		message string
		routes  string
	}{
		{name: "let in", url: "/v1?ticket=t", status: 101, routes: "$connect"},
		{name: "with a slash", url: "/v1/", status: 101, routes: "$connect"},
		{name: "refused by the function", url: "/v1", connect: says(`{"statusCode":401,"body":"who?"}`), status: 401, routes: "$connect"},
		{name: "sent elsewhere", url: "/v1", connect: says(`{"statusCode":302}`), status: 302, routes: "$connect"},
		{name: "a crash", url: "/v1", connect: crash, status: 502, message: "Internal server error", routes: "$connect"},
		{name: "no answer", url: "/v1", connect: says(`null`), status: 502, message: "Internal server error", routes: "$connect"},
		{name: "not run", url: "/v1", connect: fails(runtime.ErrThrottled), status: 500, message: "Internal server error", routes: "$connect"},
		{name: "too slow", url: "/v1", connect: func(ctx context.Context) (runtime.Result, error) {
			<-ctx.Done()
			return runtime.Result{}, ctx.Err()
		}, status: 504, message: "Endpoint request timed out", routes: "$connect"},
		{name: "another stage", url: "/v2", status: 403, message: "Forbidden"},
		{name: "below the stage", url: "/v1/x", status: 403, message: "Forbidden"},
		{name: "a bad query", url: "/v1?a=%zz", status: 400, message: "Bad Request Exception"},
		{name: "authorized", url: "/v1?ticket=t", auth: policy("Allow"), status: 101, routes: "Auth $connect"},
		{name: "no policy allows", url: "/v1?ticket=t", auth: strings.Replace(policy("Allow"), "$connect", "watch", 1), status: 403,
			message: "User is not authorized to access this resource", routes: "Auth"},
		{name: "a policy denies", url: "/v1?ticket=t", auth: policy("Deny"), status: 403,
			message: "User is not authorized to access this resource with an explicit deny", routes: "Auth"},
		{name: "no identity", url: "/v1", auth: policy("Allow"), status: 401, message: "Unauthorized"},
		{name: "no policy", url: "/v1?ticket=t", auth: `{}`, status: 500, message: "Internal server error", routes: "Auth"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var changes []change
			if tt.auth != "" {
				changes = append(changes, guarded)
			}
			talking(t, func(k *talk) {
				k.answers["$connect"], k.answers["Auth"] = tt.connect, says(tt.auth)
				_, res, err := k.dial(tt.url, "Origin", "https://elsewhere")
				synctest.Wait()
				if res == nil || res.StatusCode != tt.status || (err == nil) != (tt.status == 101) {
					k.Fatalf("%v, %v", res, err)
				}
				routes := k.routes()
				if tt.auth != "" && tt.routes != "" {
					routes = strings.Replace(routes, "$connect", "Auth", 1)
				}
				if routes != tt.routes {
					k.Errorf("called %q", routes)
				}
				if tt.message != "" {
					k.problem(res, tt.message)
				}
				if tt.status == 101 && tt.auth != "" {
					who, _ := k.event(-1).RequestContext.Authorizer.(map[string]any)
					if d := cmp.Diff(map[string]any{"principalId": "p", "tier": "1"}, who); d != "" {
						k.Error(d)
					}
				}
				for _, e := range k.raw {
					if tt.status != 101 && strings.Contains(e, "$disconnect") {
						k.Error("who was not let in has left")
					}
				}
			}, changes...)
		})
	}
}

// problem checks the body of a refused handshake.
func (k *talk) problem(res *http.Response, message string) {
	k.Helper()
	var doc map[string]string
	if err := json.NewDecoder(res.Body).Decode(&doc); err != nil {
		k.Fatal(err)
	}
	if doc["message"] != message || !strings.HasSuffix(doc["connectionId"], "=") || doc["requestId"] == "" || res.Header.Get("X-Amzn-Errortype") == "" {
		k.Errorf("said %v, %q", doc, res.Header.Get("X-Amzn-Errortype"))
	}
}

func TestWhatIsNoHandshake(t *testing.T) {
	const key = "dGhlIHNhbXBsZSBub25jZQ=="
	upgrade := []string{"Connection", "Upgrade", "Upgrade", "websocket"}
	for _, tt := range []struct {
		header []string
		status int
	}{
		{nil, 426},
		{[]string{"Connection", "Upgrade", "Upgrade", "h2c"}, 426},
		{append(upgrade, "Sec-WebSocket-Version", "12", "Sec-WebSocket-Key", key), 400},
		{append(upgrade, "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "short"), 400},
	} {
		talking(t, func(k *talk) {
			if res, _ := k.call("GET", "/v1", "", tt.header...); res.StatusCode != tt.status || k.routes() != "" {
				k.Errorf("%v: %s, called %q", tt.header, res.Status, k.routes())
			}
		})
	}
}

func TestSubprotocolIsTheFunctions(t *testing.T) {
	talking(t, func(k *talk) {
		k.answers["$connect"] = says(`{"statusCode":200,"headers":{"Sec-WebSocket-Protocol":"two"}}`)
		ws, _, err := websocket.Dial(k.Context(), "ws://sockets.test/v1", &websocket.DialOptions{HTTPClient: k.client, Subprotocols: []string{"one", "two"}})
		if err != nil || ws.Subprotocol() != "two" {
			k.Fatalf("%v, %v", ws, err)
		}
		ws.CloseNow()
	})
}

// TestEvents: the functions see what API Gateway sends, member by member.
func TestEvents(t *testing.T) {
	talking(t, func(k *talk) {
		begin := time.Now()
		ws, _, err := k.dial("/v1?ticket=a%2Bb&show=1&show=2", "User-Agent", "test/1", "X-Twice", "1", "X-Twice", "2")
		if err != nil {
			k.Fatal(err)
		}
		pass(3 * time.Second)
		k.say(ws, `{"action":"watch","n":1}`)
		synctest.Wait()
		ws.Close(4001, "enough")
		synctest.Wait()
		if got := k.routes(); got != "$connect watch $disconnect" {
			k.Fatalf("called %q", got)
		}
		open, message, closed := k.event(0), k.event(1), k.event(2)
		c := open.RequestContext
		want := events.APIGatewayWebsocketProxyRequestContext{
			Stage: "v1", APIID: "talk", ConnectedAt: begin.UnixMilli(), ConnectionID: c.ConnectionID, DomainName: "sockets.test",
			EventType: "CONNECT", RouteKey: "$connect", MessageDirection: "IN", RequestID: c.RequestID, ExtendedRequestID: c.RequestID,
			RequestTime: "01/Jan/2000:00:00:00 +0000", RequestTimeEpoch: begin.UnixMilli(),
			Identity: events.APIGatewayRequestIdentity{SourceIP: "127.0.0.1", UserAgent: "test/1"},
		}
		if d := cmp.Diff(want, c); d != "" || len(c.ConnectionID) != 16 || !strings.HasSuffix(c.ConnectionID, "=") || c.RequestID == "" {
			k.Errorf("$connect: %s %s", c.ConnectionID, d)
		}
		if open.QueryStringParameters["ticket"] != "a+b" || open.QueryStringParameters["show"] != "2" ||
			!cmp.Equal(open.MultiValueQueryStringParameters["show"], []string{"1", "2"}) {
			k.Errorf("query %v %v", open.QueryStringParameters, open.MultiValueQueryStringParameters)
		}
		if open.Headers["Host"] != "sockets.test:3001" || open.Headers["Sec-WebSocket-Version"] != "13" || open.Headers["X-Twice"] != "2" ||
			!cmp.Equal(open.MultiValueHeaders["X-Twice"], []string{"1", "2"}) || open.Headers["Upgrade"] != "" || open.Headers["X-Forwarded-For"] != "127.0.0.1" {
			k.Errorf("headers %v", open.MultiValueHeaders)
		}
		// The later events differ in what this names.
		same := cmpopts.IgnoreFields(events.APIGatewayWebsocketProxyRequestContext{}, "RequestID", "ExtendedRequestID", "MessageID")
		want.EventType, want.RouteKey, want.RequestTime, want.RequestTimeEpoch = "MESSAGE", "watch", "01/Jan/2000:00:00:03 +0000", begin.UnixMilli()+3000
		if d := cmp.Diff(want, message.RequestContext, same); d != "" || message.RequestContext.RequestID == c.RequestID {
			k.Error("watch: " + d)
		}
		if id, _ := message.RequestContext.MessageID.(string); id == "" || message.Body != `{"action":"watch","n":1}` || message.Headers != nil {
			k.Errorf("message %+v", message)
		}
		reason := "enough"
		want.EventType, want.RouteKey, want.DisconnectStatusCode, want.DisconnectReason = "DISCONNECT", "$disconnect", 4001, &reason
		if d := cmp.Diff(want, closed.RequestContext, same); d != "" {
			k.Error("$disconnect: " + d)
		}
		if d := cmp.Diff(map[string]string{"Host": "sockets.test", "x-api-key": "", "X-Forwarded-For": "", "x-restapi": ""}, closed.Headers); d != "" {
			k.Error(d)
		}
		for i, absent := range []string{`"body"`, `"headers"`, `"body"`} {
			if strings.Contains(k.raw[i], absent) {
				k.Errorf("event %d has %s: %s", i, absent, k.raw[i])
			}
		}
		if strings.Contains(k.raw[1], "disconnect") || strings.Contains(k.raw[0], "messageId") {
			k.Error("an event has what another one has")
		}
	})
}

// TestWhatMessagesCallFor, and what the client hears of it: nothing but faults.
func TestWhatMessagesCallFor(t *testing.T) {
	none := func(api *template.SocketAPI, _ *SocketOptions) {
		api.Routes = append(api.Routes[:2:2], api.Routes[3:]...)
	}
	slow := func(ctx context.Context) (runtime.Result, error) {
		<-ctx.Done()
		return runtime.Result{}, fmt.Errorf("invoke: %w", ctx.Err())
	}
	for _, tt := range []struct {
		text   string
		answer func(context.Context) (runtime.Result, error)
		change change
		route  string
		heard  string
		status int
	}{
		{text: `{"action":"watch"}`, route: "watch", status: 200},
		{text: `{"action":"look"}`, route: "$default", status: 200},
		{text: `no json`, route: "$default", status: 200},
		{text: ``, route: "$default", status: 200},
		{text: `{"action":"$disconnect"}`, route: "$default", status: 200},
		{text: `{"action":"watch"}`, answer: says(`{"statusCode":400,"body":"no"}`), route: "watch", status: 400},
		{text: `{"action":"watch"}`, answer: crash, route: "watch", heard: "Internal server error", status: 502},
		{text: `{"action":"watch"}`, answer: says(`"done"`), route: "watch", heard: "Internal server error", status: 502},
		{text: `{"action":"watch"}`, answer: fails(runtime.ErrThrottled), route: "watch", heard: "Internal server error", status: 500},
		{text: `{"action":"watch"}`, answer: slow, route: "watch", heard: "Endpoint request timed out", status: 504},
		{text: `{"action":"look"}`, change: none, heard: "Forbidden", status: 403},
	} {
		changes := []change{func(*template.SocketAPI, *SocketOptions) {}}
		if tt.change != nil {
			changes[0] = tt.change
		}
		talking(t, func(k *talk) {
			ws, id := k.open()
			k.answers[tt.route] = tt.answer
			k.say(ws, tt.text)
			if tt.heard != "" {
				var doc map[string]string
				if text := k.hear(ws); json.Unmarshal([]byte(text), &doc) != nil || doc["message"] != tt.heard || doc["connectionId"] != id || doc["requestId"] == "" {
					k.Errorf("%q: heard %s", tt.text, text)
				}
			}
			ctx, cancel := context.WithTimeout(k.Context(), 5*time.Second)
			defer cancel()
			if _, b, err := ws.Read(ctx); err == nil {
				k.Errorf("%q: heard %s", tt.text, b)
			}
			if got := strings.TrimSpace("$connect " + tt.route); !strings.HasPrefix(k.routes(), got) || tt.route == "" && strings.Contains(k.routes(), "look") {
				k.Errorf("%q: called %q", tt.text, k.routes())
			}
			k.mu.Lock()
			defer k.mu.Unlock()
			if len(k.served) < 2 || k.served[0].Path != "/v1/$connect" || k.served[0].Status != 101 ||
				k.served[1].Method != "MESSAGE" || k.served[1].Status != tt.status {
				k.Errorf("%q: served %+v", tt.text, k.served)
			}
		}, changes...)
	}
}

func TestMessagesOfOneConnectionRunTogether(t *testing.T) {
	talking(t, func(k *talk) {
		ws, _ := k.open()
		free, most, now := make(chan struct{}), 0, 0
		k.answers["watch"] = func(context.Context) (runtime.Result, error) {
			k.mu.Lock()
			now++
			most = max(most, now)
			k.mu.Unlock()
			<-free
			k.mu.Lock()
			now--
			k.mu.Unlock()
			return ok(`{}`), nil
		}
		go func() {
			for range 7 {
				ws.Write(context.Background(), websocket.MessageText, []byte(`{"action":"watch"}`))
			}
		}()
		synctest.Wait()
		if most != 3 {
			k.Errorf("%d ran together, not 3", most)
		}
		close(free)
		synctest.Wait()
		if got := strings.Count(k.routes(), "watch"); got != 7 || most != 3 {
			k.Errorf("%d ran, at most %d together", got, most)
		}
	}, func(_ *template.SocketAPI, o *SocketOptions) { o.Limits.Parallel = 3 })
}

func TestThrottles(t *testing.T) {
	talking(t, func(k *talk) {
		ws, _ := k.open()
		for range 3 {
			k.say(ws, `{"action":"watch"}`)
			synctest.Wait()
		}
		if text := k.hear(ws); !strings.Contains(text, `"message":"Too Many Requests"`) || strings.Count(k.routes(), "watch") != 2 {
			k.Errorf("heard %s, called %s", text, k.routes())
		}
		if _, res, err := k.dial("/v1"); err == nil || res.StatusCode != 429 {
			k.Errorf("the second handshake: %v", err)
		}
		pass(time.Second)
		if _, _, err := k.dial("/v1"); err != nil {
			k.Error(err)
		}
	}, func(api *template.SocketAPI, _ *SocketOptions) {
		api.Routes[0].Rate, api.Routes[3].Rate, api.Routes[3].Burst = 1, 1, 2
	})
}
