// Package post builds what sends to the deployed queues.
package post

import (
	"context"

	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/queue"
	"github.com/fairseat/fairseat/pkg/relay"
)

// variables name the queues; a function has only those that it may send to.
var variables = map[relay.Queue]string{
	relay.Timers: "TIMERS_QUEUE", relay.Payments: "PAYMENTS_QUEUE", relay.Lane: "LANE_QUEUE",
	relay.Hints: "TELL_QUEUE", relay.Letters: "MAIL_QUEUE",
}

// Sender sends the relay's messages. No call is made.
func Sender(p *boot.Parts) *queue.Sender {
	urls := map[relay.Queue]string{}
	for q, v := range variables {
		if url := p.Env(v); url != "" {
			urls[q] = url
		}
	}
	return queue.New(queue.Client(p.Env), urls)
}

// Nudge asks for a run of a show's lane.
func Nudge(p *boot.Parts) func(context.Context, catalog.ShowID, []line.WaiterID) error {
	s := Sender(p)
	return func(ctx context.Context, show catalog.ShowID, named []line.WaiterID) error {
		var first line.WaiterID
		if len(named) > 0 {
			first = named[0]
		}
		ms, err := relay.Nudge(show, first, boot.Clock())
		for _, m := range ms {
			if err == nil {
				err = s.Send(ctx, m)
			}
		}
		return err
	}
}
