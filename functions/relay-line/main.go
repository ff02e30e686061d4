// Command relay-line sends what the stream of the line causes.
package main

import (
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/boot/post"
	"github.com/fairseat/fairseat/pkg/work"
)

func main() {
	boot.Start(func(p *boot.Parts) any { return work.RelayLine(post.Sender(p), p.Policy(), boot.Clock) })
}
