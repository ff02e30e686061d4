// Command receive-callback hears what a payment provider says.
package main

import (
	"github.com/fairseat/fairseat/pkg/api"
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/boot/front"
	"github.com/fairseat/fairseat/pkg/boot/till"
)

func main() {
	boot.Start(func(p *boot.Parts) any { return api.ReceiveCallback(front.Open(), till.Office(p)) })
}
