package main

import (
	"context"
	"fmt"

	"github.com/aws/aws-lambda-go/events"
)

// serve runs a function of the API on a request. got is called once, with nil where
// no answer comes.
func (w *world) serve(handler, who string, ev events.APIGatewayProxyRequest, got func(*events.APIGatewayProxyResponse)) {
	var answer events.APIGatewayProxyResponse
	var t *task
	t = w.spawn(handler, who, w.latency(), func(ctx context.Context) {
		answer, _ = w.rest[handler](w.cur.on.office)(ctx, ev)
	}, func(ok bool) {
		if !ok {
			w.note(t, "gives no answer")
			got(nil)
			return
		}
		t.call = ""
		if w.tell {
			w.note(t, fmt.Sprintf("answers %d %s", answer.StatusCode, short(answer.Body)))
		}
		w.trace(t, answer.Body, nil)
		got(&answer)
	})
}

func short(s string) string {
	if len(s) > 300 {
		return s[:300] + "…"
	}
	return s
}
