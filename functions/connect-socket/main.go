// Command connect-socket lets a client with a ticket open a WebSocket.
package main

import (
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/boot/sockets"
	"github.com/fairseat/fairseat/pkg/work"
)

func main() {
	boot.Start(func(p *boot.Parts) any { return work.ConnectSocket(sockets.Hub(p)) })
}
