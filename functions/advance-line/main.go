// Command advance-line runs the lane of a show.
package main

import (
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/boot/desk"
	"github.com/fairseat/fairseat/pkg/work"
)

func main() {
	boot.Start(func(p *boot.Parts) any { return work.AdvanceLine(desk.Lined(p)) })
}
