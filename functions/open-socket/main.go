// Command open-socket makes the ticket that opens one WebSocket.
package main

import (
	"github.com/fairseat/fairseat/pkg/api"
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/boot/front"
	"github.com/fairseat/fairseat/pkg/boot/sockets"
)

func main() {
	boot.Start(func(p *boot.Parts) any {
		return api.OpenSocket(front.Guarded(p), sockets.Office(p), front.Sessions(p).End, sockets.URL(p))
	})
}
