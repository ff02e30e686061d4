// Package post builds what sends to the deployed queues.
package post

import (
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/queue"
	"github.com/fairseat/fairseat/pkg/relay"
)

// variables name the queues; a function has only those that it may send to.
var variables = map[relay.Queue]string{
	relay.Timers: "TIMERS_QUEUE", relay.Payments: "PAYMENTS_QUEUE", relay.Lane: "LANE_QUEUE",
	relay.Hints: "TELL_QUEUE",
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
