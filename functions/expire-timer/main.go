// Command expire-timer ends a hold whose timer item the TTL has deleted.
package main

import (
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/boot/desk"
	"github.com/fairseat/fairseat/pkg/work"
)

func main() {
	boot.Start(func(p *boot.Parts) any { return work.ExpireTimer(desk.Lined(p)) })
}
