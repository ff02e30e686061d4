// Command keep-account shows, changes and erases the bearer's own account.
package main

import (
	"github.com/fairseat/fairseat/pkg/api"
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/boot/desk"
	"github.com/fairseat/fairseat/pkg/boot/front"
	"github.com/fairseat/fairseat/pkg/boot/keys"
	"github.com/fairseat/fairseat/pkg/boot/lobby"
)

func main() {
	boot.Start(func(p *boot.Parts) any {
		return api.KeepAccount(front.Members(p), lobby.Reception(p), keys.Ring(p), desk.History(p))
	})
}
