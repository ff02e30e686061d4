package api

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/session"
	"github.com/fairseat/fairseat/pkg/throttle/turnstile"
	"github.com/fairseat/fairseat/pkg/vault"
)

// Handler answers REST proxy events, payload shape 1.0. Its error is always nil:
// every outcome is a response.
type Handler = func(context.Context, events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error)

// Edge is what all functions share. The fields are set once, before use.
type Edge struct {
	Clock func() time.Time // UTC
	Log   *slog.Logger     // hears of faults only, without anything that a buyer sent

	// Buyer names who bears a token; session.Keeper's Verify. A function whose
	// routes need no buyer leaves it nil, and does not link it.
	Buyer func(token string, now time.Time) (booking.Buyer, error)

	// Person names the account that a token gives access to; session.Keeper's
	// Account. Only functions with routes for accounts have it.
	Person func(token string, now time.Time) (session.Person, error)

	// Blind is the index of a contact, ok where it is one of its kind; only the
	// function that begins payments has it.
	Blind func(kind vault.Kind, value string) (index string, ok bool)

	// Limit refuses who comes too often; nil lets everybody pass.
	Limit func(ctx context.Context, v turnstile.Visit) error
}

// operation answers one route.
type operation func(ctx context.Context, c *call) (reply, error)

// handle serves the routes of one function. Any other event is refused as if the
// route did not exist: a wrong wiring shows at once and reveals nothing.
func (e Edge) handle(ops map[string]operation) Handler {
	return func(ctx context.Context, ev events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
		c, err := e.open(&ev, ops)
		var r reply
		if err == nil {
			r, err = ops[c.route.Operation](ctx, c)
			r.keyed = !c.route.Open
		}
		if err != nil {
			e.report(ctx, &ev, err)
			r = refused(err, e.Clock())
		}
		return e.respond(&ev, r), nil
	}
}

// open carries out every check that needs no use case but that of the body.
func (e Edge) open(ev *events.APIGatewayProxyRequest, ops map[string]operation) (*call, error) {
	route, ok := routeOf(ev.HTTPMethod, ev.Resource)
	if !ok || ops[route.Operation] == nil {
		return nil, lost(ev)
	}
	c := &call{edge: e, event: ev, route: route, now: e.Clock()}
	for _, check := range []func() error{c.readVerdict, c.readIDs, c.readBody, c.readBuyer, c.readKey, c.readQuery} {
		if err := check(); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// lost is the answer to an event that no route takes.
func lost(ev *events.APIGatewayProxyRequest) error {
	methods := allowed(pathOf(ev))
	if len(methods) == 0 {
		return errNotFound
	}
	for _, m := range methods {
		if m == ev.HTTPMethod {
			return errNotFound
		}
	}
	return &refusal{code: "method_not_allowed", allow: methods}
}

// pathOf is the request's path without stage and base path. Slashes at the end do
// not count, as they do not at the gateway.
func pathOf(ev *events.APIGatewayProxyRequest) string {
	path := strings.TrimRight(ev.Path, "/")
	if rest, ok := strings.CutPrefix(path, "/v1/"); ok {
		return "/" + rest
	}
	return path
}

// report logs once what is our fault.
func (e Edge) report(ctx context.Context, ev *events.APIGatewayProxyRequest, err error) {
	switch code := codeOf(err); code {
	case "internal", "outcome_unknown":
		e.Log.ErrorContext(ctx, "request failed", "code", code, "request", ev.RequestContext.RequestID,
			"route", ev.HTTPMethod+" "+ev.Resource, "err", err.Error())
	}
}
