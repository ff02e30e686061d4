// Command close-socket forgets WebSockets that have ended.
package main

import (
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/boot/sockets"
	"github.com/fairseat/fairseat/pkg/work"
)

func main() {
	boot.Start(func(p *boot.Parts) any { return work.CloseSocket(sockets.Hub(p)) })
}
