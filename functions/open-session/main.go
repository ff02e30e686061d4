// Command open-session makes a guest session.
package main

import (
	"github.com/fairseat/fairseat/pkg/api"
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/boot/front"
	"github.com/fairseat/fairseat/pkg/boot/porch"
)

func main() {
	boot.Start(func(p *boot.Parts) any { return api.OpenSession(porch.Open(p), front.Sessions(p).Issue) })
}
