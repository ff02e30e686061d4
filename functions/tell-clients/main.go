// Command tell-clients tells hints to those whom they are for, over WebSockets.
package main

import (
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/boot/post"
	"github.com/fairseat/fairseat/pkg/boot/sockets"
	"github.com/fairseat/fairseat/pkg/work"
)

func main() {
	boot.Start(func(p *boot.Parts) any {
		h := sockets.Live(p)
		h.Later = work.TellLater(post.Sender(p))
		return work.TellClients(h)
	})
}
