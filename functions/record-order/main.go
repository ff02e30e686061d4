// Command record-order keeps what buyers are shown of their orders, and archives old ones.
package main

import (
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/boot/attic"
	"github.com/fairseat/fairseat/pkg/boot/desk"
	"github.com/fairseat/fairseat/pkg/work"
)

func main() {
	boot.Start(func(p *boot.Parts) any { return work.RecordOrder(desk.Recorder(p), attic.Keeper(p)) })
}
