// Command sign-in registers people, verifies addresses, logs in and resets passwords.
package main

import (
	"github.com/fairseat/fairseat/pkg/api"
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/boot/front"
	"github.com/fairseat/fairseat/pkg/boot/lobby"
)

func main() {
	boot.Start(func(p *boot.Parts) any { return api.SignIn(front.Open(), lobby.Reception(p)) })
}
