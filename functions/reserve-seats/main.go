// Command reserve-seats holds all the wished seats or none.
package main

import (
	"github.com/fairseat/fairseat/pkg/api"
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/boot/porch"
)

func main() {
	boot.Start(func(p *boot.Parts) any { return api.ReserveSeats(porch.Guarded(p), porch.Office(p)) })
}
