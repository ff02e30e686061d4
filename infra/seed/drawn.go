package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fairseat/fairseat/infra/seatplan"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// drawn is a hall whose seating plan was drawn elsewhere: a house of its own in the
// largest city, with one evening a day.
type drawn struct {
	house string
	hall
}

const drawnStart = 20 * time.Hour // local

// readPlans imports the files of --plan. A layout never changes, so its id has
// part of the hash of what the plan became: another plan is another layout.
func readPlans(names []string, types map[string]seatmap.SeatType) ([]drawn, error) {
	var all []drawn
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("--plan: %w", err)
		}
		o := seatplan.Options{ID: houseOf(name), Kind: seatmap.Theatre, Types: types}
		src, err := seatplan.Import(data, o)
		if err != nil {
			return nil, fmt.Errorf("--plan: %s is refused:\n%w", name, err)
		}
		o.ID += fmt.Sprintf("-%x", sha256.Sum256(src.Text))[:9]
		if src, err = seatplan.Import(data, o); err != nil {
			return nil, fmt.Errorf("--plan: %s: %w", name, err)
		}
		l, err := seatmap.Expand(src)
		if err != nil {
			return nil, fmt.Errorf("--plan: %s: %w", name, err)
		}
		all = append(all, drawn{houseOf(name), hall{src, l}})
	}
	return all, nil
}

// houseOf names the house by its file.
func houseOf(name string) string {
	base := strings.TrimSuffix(filepath.Base(name), filepath.Ext(name))
	words := strings.FieldsFunc(strings.ToLower(base), func(c rune) bool { return (c < 'a' || c > 'z') && (c < '0' || c > '9') })
	return strings.Join(append([]string{"plan"}, words...), "-")
}

// parseType reads 'Parkett=regular'.
func parseType(text string, to map[string]seatmap.SeatType) error {
	name, word, _ := strings.Cut(text, "=")
	if typ := seatmap.SeatType(word); name != "" && typ.Valid() && typ != seatmap.Standing {
		to[name] = typ
		return nil
	}
	return fmt.Errorf("%q is not category=type", text)
}

// drawnShows are of the first of the city's films, from today on.
func (p plan) drawnShows(c cityRow, today time.Time, films []filmRow) []catalog.Show {
	var shows []catalog.Show
	if len(p.drawn) == 0 || c.ID != p.cities[0].ID {
		return nil
	}
	for _, d := range p.drawn {
		for n := range p.days {
			date := today.AddDate(0, 0, n)
			starts := localTime(date, drawnStart, p.files.location[c.ID])
			s := p.show(d.house, date, 0, starts, films[0])
			s.City, s.LayoutID, s.Hall = catalog.CityID(c.ID), catalog.LayoutID(d.layout.ID()), d.layout.Name()
			s.Cinema = catalog.Cinema{ID: catalog.CinemaID(d.house), Name: d.layout.Name(), Lat: c.Lat, Lon: c.Lon}
			s.Prices = p.files.pricesOf(c, d.layout, starts)
			shows = append(shows, s)
		}
	}
	return shows
}
