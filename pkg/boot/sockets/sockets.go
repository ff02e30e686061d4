// Package sockets builds what the functions around WebSockets share.
package sockets

import (
	"context"
	"strings"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/boot/desk"
	"github.com/fairseat/fairseat/pkg/socket"
	"github.com/fairseat/fairseat/pkg/socket/hub"
	"github.com/fairseat/fairseat/pkg/socket/post"
	"github.com/fairseat/fairseat/pkg/store"
)

// parallel is how many sockets one invocation tells at once.
const parallel = 64

// Hub is what needs the tables alone.
func Hub(p *boot.Parts) *hub.Hub {
	return over(desk.Tables(p))
}

func over(t store.Tables) *hub.Hub {
	return &hub.Hub{
		Store: store.NewSwitchboard(t), Clock: boot.Clock, Parallel: parallel,
		Pause: func(ctx context.Context, most time.Duration) error { return boot.Pause(ctx, boot.Jitter(most)) },
	}
}

// Office is a hub that makes tickets.
func Office(p *boot.Parts) *hub.Hub {
	h := Hub(p)
	signs, _ := p.Secrets("SESSION_SECRET")
	press, err := socket.NewPress(signs)
	if err != nil {
		p.Fail(err)
	}
	h.Press = press
	return h
}

// Live is a hub that speaks to clients.
func Live(p *boot.Parts) *hub.Hub {
	t := desk.Tables(p)
	h := over(t)
	h.Truth = store.New(t, booking.Policy{}) // it reads, and no number of the policy is in that
	line, err := post.New(p.Env, p.Text("SOCKETS_ENDPOINT"), parallel, boot.Clock)
	if err != nil {
		p.Fail(err)
	}
	h.Line = line
	return h
}

// URL is where clients connect.
func URL(p *boot.Parts) string {
	_, address, _ := strings.Cut(p.Text("SOCKETS_URL"), "http")
	return "ws" + address
}
