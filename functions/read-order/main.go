// Command read-order shows an order and its tickets to its buyer.
package main

import (
	"github.com/fairseat/fairseat/pkg/api"
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/boot/attic"
	"github.com/fairseat/fairseat/pkg/boot/front"
)

func main() {
	boot.Start(func(p *boot.Parts) any { return api.ReadOrder(front.Guarded(p), attic.Office(p)) })
}
