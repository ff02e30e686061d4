// Command open-session makes a guest session.
package main

import (
	"github.com/fairseat/fairseat/pkg/api"
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/boot/front"
)

func main() {
	boot.Start(func(p *boot.Parts) any { return api.OpenSession(front.Open(), front.Sessions(p).Issue) })
}
