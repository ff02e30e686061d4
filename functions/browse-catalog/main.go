// Command browse-catalog answers what can be found: cities, movies, shows, layouts.
package main

import (
	"github.com/fairseat/fairseat/pkg/api"
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/boot/desk"
	"github.com/fairseat/fairseat/pkg/boot/front"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/store"
)

func main() {
	boot.Start(func(p *boot.Parts) any {
		t := desk.Tables(p)
		return api.BrowseCatalog(front.Open(), desk.Catalog(t), catalog.NewRecent(store.New(t, p.Policy()), boot.Clock))
	})
}
