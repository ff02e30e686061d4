package work

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"golang.org/x/sync/errgroup"

	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/relay"
	"github.com/fairseat/fairseat/pkg/socket"
	"github.com/fairseat/fairseat/pkg/socket/hub"
)

// SocketHandler is what Lambda calls with an event of a WebSocket API.
type SocketHandler func(ctx context.Context, e events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error)

// errSocket is all that leaves a function which failed: the gateway tells the
// client that there was an error, and Lambda counts it.
var errSocket = errors.New("work: socket event failed")

func status(code int) events.APIGatewayProxyResponse {
	return events.APIGatewayProxyResponse{StatusCode: code}
}

// ConnectSocket opens a socket for the ticket in the address; any other status than
// 200 refuses the handshake.
func ConnectSocket(h *hub.Hub) SocketHandler {
	return func(ctx context.Context, e events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
		id := socket.ConnID(e.RequestContext.ConnectionID)
		given := e.MultiValueQueryStringParameters["ticket"]
		if len(given) == 0 && e.QueryStringParameters["ticket"] != "" {
			given = []string{e.QueryStringParameters["ticket"]}
		}
		if len(given) != 1 || id == "" {
			return status(401), nil
		}
		err := h.Connect(ctx, id, given[0])
		switch fault.KindOf(err) {
		case fault.Forbidden:
			return status(401), nil
		case fault.Stale, fault.Contended, fault.Busy, fault.Unknown:
			return status(503), nil
		}
		return done(ctx, "socket was not opened", err)
	}
}

// ReceiveSocket answers a client's message over the same socket.
func ReceiveSocket(h *hub.Hub) SocketHandler {
	return func(ctx context.Context, e events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
		body := e.Body
		if e.IsBase64Encoded {
			body = "" // binary frames mean nothing here, and are told so
		}
		return done(ctx, "socket message failed", h.Receive(ctx, socket.ConnID(e.RequestContext.ConnectionID), body))
	}
}

// CloseSocket forgets a socket that has ended.
func CloseSocket(h *hub.Hub) SocketHandler {
	return func(ctx context.Context, e events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
		return done(ctx, "socket was not forgotten", h.Close(ctx, socket.ConnID(e.RequestContext.ConnectionID)))
	}
}

func done(ctx context.Context, what string, err error) (events.APIGatewayProxyResponse, error) {
	if err != nil {
		slog.ErrorContext(ctx, what, "err", err.Error())
		return status(500), errSocket
	}
	return status(200), nil
}

// TellClients tells hints to those whom they are for, the messages of a batch side
// by side: one buyer's word must not wait for ten thousand watchers.
func TellClients(h *hub.Hub) QueueHandler {
	tell := func(ctx context.Context, m socket.Hint) error {
		told, err := h.Tell(ctx, m)
		if told.Failed > 0 || told.Gone > 0 {
			slog.InfoContext(ctx, "hint told", "type", string(m.Kind), "show", string(m.Show), "told", told.Told, "gone", told.Gone, "failed", told.Failed)
		}
		return err
	}
	one := Messages(false, tell)
	return func(ctx context.Context, e events.SQSEvent) (events.SQSEventResponse, error) {
		answers := make([]events.SQSEventResponse, len(e.Records))
		var g errgroup.Group
		for i, m := range e.Records {
			g.Go(func() (err error) {
				answers[i], err = one(ctx, events.SQSEvent{Records: []events.SQSMessage{m}})
				return err
			})
		}
		err := g.Wait()
		all := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
		for _, a := range answers {
			all.BatchItemFailures = append(all.BatchItemFailures, a.BatchItemFailures...)
		}
		return all, err
	}
}

// TellLater sends a hint to the queue again, for after the wait.
func TellLater(s Sender) func(context.Context, socket.Hint, time.Duration) error {
	return func(ctx context.Context, h socket.Hint, wait time.Duration) error {
		m, err := relay.TellLater(h, wait)
		if err != nil {
			return err
		}
		return s.Send(ctx, m)
	}
}

// hint sends what people are told. That it failed is logged and stops nothing: a
// deadline or a map must not wait for a word that may be lost anyway.
func hint(ctx context.Context, s Sender, ms []relay.Message, err error) {
	if err == nil {
		err = send(ctx, s, ms, nil)
	}
	if err != nil {
		slog.ErrorContext(ctx, "hint was not sent", "err", err.Error())
	}
}
