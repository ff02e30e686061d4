// Command relay-holds sends what the stream of holds causes.
package main

import (
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/boot/desk"
	"github.com/fairseat/fairseat/pkg/boot/post"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/work"
)

func main() {
	boot.Start(func(p *boot.Parts) any {
		return work.RelayHolds(post.Sender(p), store.New(desk.Tables(p), p.Policy()), p.Policy(), boot.Clock)
	})
}
