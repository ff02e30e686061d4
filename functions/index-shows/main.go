// Command index-shows keeps the index of the search up with the catalogue.
package main

import (
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/boot/desk"
	"github.com/fairseat/fairseat/pkg/boot/indexer"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/work/indexing"
)

func main() {
	boot.Start(func(p *boot.Parts) any {
		s := store.NewSegments(desk.Tables(p))
		return indexing.Shows(indexer.Writer(p, s), s)
	})
}
