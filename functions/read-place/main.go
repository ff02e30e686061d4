// Command read-place shows a place in line, when it changes.
package main

import (
	"github.com/fairseat/fairseat/pkg/api"
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/boot/desk"
	"github.com/fairseat/fairseat/pkg/boot/front"
	"github.com/fairseat/fairseat/pkg/boot/post"
)

func main() {
	boot.Start(func(p *boot.Parts) any {
		o := desk.Lined(p)
		o.Nudge = post.Nudge(p)
		return api.ReadPlace(front.Guarded(p), o)
	})
}
