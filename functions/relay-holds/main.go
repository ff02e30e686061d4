// Command relay-holds sends what the stream of holds causes.
package main

import (
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/boot/post"
	"github.com/fairseat/fairseat/pkg/work"
)

func main() {
	boot.Start(func(p *boot.Parts) any { return work.RelayHolds(post.Sender(p), p.Policy(), boot.Clock) })
}
