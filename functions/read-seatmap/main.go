// Command read-seatmap answers how the seats of a show stand.
package main

import (
	"github.com/fairseat/fairseat/pkg/api"
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/boot/desk"
	"github.com/fairseat/fairseat/pkg/boot/front"
)

func main() {
	boot.Start(func(p *boot.Parts) any { return api.ReadSeatmap(front.Open(), desk.Office(p)) })
}
