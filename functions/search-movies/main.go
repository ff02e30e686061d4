// Command search-movies answers SearchMovies.
package main

import (
	"github.com/fairseat/fairseat/pkg/api"
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/boot/desk"
	"github.com/fairseat/fairseat/pkg/boot/finder"
	"github.com/fairseat/fairseat/pkg/boot/front"
)

func main() {
	boot.Start(func(p *boot.Parts) any { return api.SearchMovies(front.Open(), finder.Live(p, desk.Tables(p))) })
}
