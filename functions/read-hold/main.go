// Command read-hold shows a hold to its owner.
package main

import (
	"github.com/fairseat/fairseat/pkg/api"
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/boot/desk"
	"github.com/fairseat/fairseat/pkg/boot/front"
)

func main() {
	boot.Start(func(p *boot.Parts) any { return api.ReadHold(front.Guarded(p), desk.Office(p)) })
}
