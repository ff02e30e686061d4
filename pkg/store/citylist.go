package store

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/fairseat/fairseat/pkg/catalog"
)

// The list of all cities is one item: asked for as rows, 500 cities are nine read
// units; by columns and deflated they are two. The rows stay, each the truth of
// its city.
var cityListKey = catalogKey("CITYLIST", "LIST")

const (
	catPacked = "packed"
	// maxCityList bounds what a packed list may unfold to: some 40,000 cities.
	maxCityList = 4 << 20
)

type cityColumns struct {
	ID      []catalog.CityID `json:"i"`
	Name    []string         `json:"n"`
	Local   []string         `json:"l"`
	Chinese []string         `json:"z"`
	Country []string         `json:"c"`
	Lat     []int64          `json:"a"`
	Lon     []int64          `json:"o"`
}

// CityListRow is the row of the list. Cities that are listed already stay, so that
// loading fewer than before takes none off.
func CityListRow(cities []catalog.City) CatalogRow {
	it := Item{catPacked: packCities(cities)}
	return CatalogRow{key: cityListKey, item: it, merge: func(it, old Item) error {
		listed, err := catalogDecode(old, cityListOf)
		if err != nil {
			return err
		}
		it[catPacked] = packCities(append(listed, cities...))
		return nil
	}}
}

// packCities keeps the last of those with one id, in order of id: the same cities
// are the same bytes.
func packCities(cities []catalog.City) []byte {
	byID := map[catalog.CityID]catalog.City{}
	for _, c := range cities {
		byID[c.ID] = c
	}
	var cols cityColumns
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		c := byID[id]
		cols.ID, cols.Name, cols.Local = append(cols.ID, id), append(cols.Name, c.Name), append(cols.Local, c.LocalName)
		cols.Chinese, cols.Country = append(cols.Chinese, c.ChineseName), append(cols.Country, c.Country)
		cols.Lat, cols.Lon = append(cols.Lat, micro(c.Lat)), append(cols.Lon, micro(c.Lon))
	}
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.BestCompression)
	if err == nil {
		err = json.NewEncoder(w).Encode(cols)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic(err) // a level that there is, a struct of our own, a buffer
	}
	return packed.Bytes()
}

func cityListOf(r *row) []catalog.City {
	packed, _ := r.item[catPacked].([]byte)
	var cols cityColumns
	in := io.LimitReader(flate.NewReader(bytes.NewReader(packed)), maxCityList)
	if err := json.NewDecoder(in).Decode(&cols); err != nil || !cols.even() {
		r.fail(catPacked)
		return nil
	}
	cities := make([]catalog.City, len(cols.ID))
	for i := range cities {
		cities[i] = catalog.City{
			ID: cols.ID[i], Name: cols.Name[i], LocalName: cols.Local[i], ChineseName: cols.Chinese[i], Country: cols.Country[i],
			Lat: degrees(cols.Lat[i]), Lon: degrees(cols.Lon[i]),
		}
	}
	return cities
}

func (c cityColumns) even() bool {
	n := len(c.ID)
	return len(c.Name) == n && len(c.Local) == n && len(c.Chinese) == n && len(c.Country) == n && len(c.Lat) == n && len(c.Lon) == n
}

// Cities is C1; a table that was loaded before there was a list is read by its rows.
func (c Catalog) Cities(ctx context.Context) ([]catalog.City, error) {
	it, err := c.tables.Get(ctx, cityListKey, false)
	if err != nil {
		return nil, fmt.Errorf("store: read %s: %w", cityListKey.PK, err)
	}
	if it == nil {
		return catalogList(ctx, c.tables, Query{Table: TableCatalog, PK: citiesPK}, cityOf)
	}
	return catalogDecode(it, cityListOf)
}
