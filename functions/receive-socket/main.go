// Command receive-socket answers what clients send over their WebSockets.
package main

import (
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/boot/sockets"
	"github.com/fairseat/fairseat/pkg/work"
)

func main() {
	boot.Start(func(p *boot.Parts) any { return work.ReceiveSocket(sockets.Live(p)) })
}
