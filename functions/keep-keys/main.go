// Command keep-keys answers developers about themselves, their keys and their usage.
package main

import (
	"github.com/fairseat/fairseat/pkg/api"
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/boot/front"
	"github.com/fairseat/fairseat/pkg/boot/keys"
)

func main() {
	boot.Start(func(p *boot.Parts) any { return api.KeepKeys(front.Members(p), keys.Ring(p)) })
}
