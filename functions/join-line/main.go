// Command join-line puts a buyer at the end of a show's line.
package main

import (
	"github.com/fairseat/fairseat/pkg/api"
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/boot/porch"
)

func main() {
	boot.Start(func(p *boot.Parts) any { return api.JoinLine(porch.Guarded(p), porch.Office(p)) })
}
