package api

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/mail"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/payment/sandbox"
)

const samples = "../../events/"

func sample[T any](t *testing.T, name string) (ev T) {
	t.Helper()
	text, err := os.ReadFile(samples + name + ".json")
	must(t, err)
	must(t, json.Unmarshal(text, &ev))
	return ev
}

// play runs a sample through the handler of its name.
func (w *world) play(t *testing.T, name string, status int) answer {
	t.Helper()
	ev := sample[events.APIGatewayProxyRequest](t, name)
	h := w.handlers[name]
	if h == nil {
		h = w.handlers[""]
	}
	resp, err := h(context.Background(), ev)
	must(t, err)
	checkAnswer(t, ev, resp)
	if resp.StatusCode != status {
		t.Fatalf("%s: %d %s, want %d; log: %s", name, resp.StatusCode, resp.Body, status, w.log.String())
	}
	a := answer{APIGatewayProxyResponse: resp}
	if resp.Body != "" {
		must(t, json.Unmarshal([]byte(resp.Body), &a.doc))
	}
	return a
}

// signedBank hears callbacks as the sandbox does.
type signedBank struct {
	*bank
	real *sandbox.Provider
}

func (b signedBank) ParseCallback(h http.Header, body []byte, now time.Time) (payment.Notice, error) {
	return b.real.ParseCallback(h, body, now)
}

func (b signedBank) Acknowledge(err error) payment.Ack { return b.real.Acknowledge(err) }

// samplesWorld has the guest whom the samples' token names: it is the first.
func samplesWorld(t *testing.T) *world {
	w := newWorld(t)
	real, err := sandbox.New(&http.Client{}, "http://sandbox.test", "the sandbox's secret", w.clock)
	must(t, err)
	w.office.Provider = func(n payment.Name) (payment.Provider, bool) { return signedBank{w.bank, real}, n == payment.Sandbox }
	token := w.play(t, "open-session", 201).str("session_token")
	ev := sample[events.APIGatewayProxyRequest](t, "read-hold")
	if ev.Headers["Authorization"] != "Bearer "+token {
		t.Fatalf("the samples' token is not %s", token)
	}
	return w
}

// The samples tell two stories: a sale, and a hold that is given back.
func TestSamplesSell(t *testing.T) {
	w := samplesWorld(t)
	w.play(t, "describe-api", 200)
	w.play(t, "open-socket", 201)
	if ids(w.play(t, "browse-catalog", 200)) != "rex" {
		t.Error("browse-catalog does not find the show")
	}
	w.play(t, "read-seatmap", 200)
	hold := w.play(t, "reserve-seats", 201)
	if a := w.play(t, "read-hold", 200); a.str("id") != hold.str("id") || a.str("state") != "held" {
		t.Errorf("read-hold: %s", a.Body)
	}
	order := w.play(t, "pay-hold", 201).str("order_id")
	w.play(t, "receive-callback", 200)
	if a := w.play(t, "read-order", 200); a.str("id") != order || a.str("status") != "PAID" {
		t.Errorf("read-order: %s", a.Body)
	}
	w.record()
	if list, _ := w.play(t, "read-history", 200).doc["items"].([]any); len(list) != 1 || list[0].(map[string]any)["id"] != order {
		t.Errorf("read-history: %v", list)
	}
	if a := w.play(t, "adopt-guest", 200); a.Body != `{"moved":["open"],"kept":[]}` {
		t.Errorf("adopt-guest: %s", a.Body)
	}
	w.play(t, "refuse-request", 405)
}

func TestSamplesGiveBack(t *testing.T) {
	w := samplesWorld(t)
	w.play(t, "reserve-seats", 201)
	w.play(t, "release-hold", 204)
	if a := w.play(t, "read-hold", 200); a.str("state") != "released" {
		t.Errorf("read-hold: %s", a.Body)
	}
}

// The third story is of somebody who waits.
func TestSamplesWait(t *testing.T) {
	w := samplesWorld(t)
	token, premium := w.full("open")
	w.waits = func(time.Duration) {
		w.waits = nil
		ev := sample[events.APIGatewayProxyRequest](t, "read-place")
		w.run("open", line.WaiterID(ev.PathParameters["waiter"]))
	}
	place := w.play(t, "join-line", 201)
	if a := w.play(t, "read-place", 200); a.str("id") != place.str("id") || a.str("state") != "waiting" {
		t.Errorf("read-place: %s", a.Body)
	}
	w.expect(drop("/holds/"+premium).by(token), 204, "")
	w.run("open")
	hold := w.play(t, "answer-offer", 201)
	if a := w.play(t, "read-place", 200); a.str("state") != "accepted" || a.str("hold_id") != hold.str("id") {
		t.Errorf("read-place: %s", a.Body)
	}
}

// The fourth story is of somebody with an account.
func TestSamplesKeepAccount(t *testing.T) {
	w := samplesWorld(t)
	w.play(t, "sign-in", 202)
	w.expect(post("/accounts/verifications", token(rain, w.letters.last(t, mail.Verify).Token)), 204, "")
	bearer := w.logIn("ann@example.org", rain).str("access_token")
	ev := sample[events.APIGatewayProxyRequest](t, "keep-account")
	if ev.Headers["Authorization"] != "Bearer "+bearer {
		t.Fatalf("the sample's token is not %s", bearer)
	}
	if a := w.play(t, "keep-account", 200); a.str("email") != "ann@example.org" {
		t.Errorf("keep-account: %s", a.Body)
	}
}

func TestSampleOfTheAuthorizer(t *testing.T) {
	ev := sample[events.APIGatewayCustomAuthorizerRequestTypeRequest](t, "authorize-key")
	if a := authorize(t, newWorld(t), ev); a.UsageIdentifierKey != gatewayKey || a.Context["developer"] != "first" {
		t.Errorf("%+v", a)
	}
}

func TestSampleOfADeveloper(t *testing.T) {
	w := newWorld(t)
	ev := sample[events.APIGatewayProxyRequest](t, "keep-keys")
	if token := w.account(1); ev.Headers["Authorization"] != "Bearer "+token {
		t.Fatalf("the sample's token is not %s", token)
	}
	w.play(t, "keep-keys", 201)
}

// Every function has its sample, and the sample is of one of its routes.
func TestSamplesAreComplete(t *testing.T) {
	for _, r := range Routes() {
		ev := sample[events.APIGatewayProxyRequest](t, r.Function)
		got, ok := routeOf(ev.HTTPMethod, ev.Resource)
		if !ok || got.Function != r.Function {
			t.Errorf("%s: the sample is %s %s", r.Function, ev.HTTPMethod, ev.Resource)
		}
		if !strings.HasSuffix(ev.RequestContext.Path, ev.Path) || ev.RequestContext.Stage != "v1" {
			t.Errorf("%s: paths %q and %q", r.Function, ev.Path, ev.RequestContext.Path)
		}
	}
}
