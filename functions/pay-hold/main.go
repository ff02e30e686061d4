// Command pay-hold begins to pay for a hold.
package main

import (
	"github.com/fairseat/fairseat/pkg/api"
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/boot/till"
)

func main() {
	boot.Start(func(p *boot.Parts) any { return api.PayHold(till.Edge(p), till.Office(p)) })
}
