package stage

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/fairseat/fairseat/localstack/apiclient"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
)

// Hall is a plain one: rows, named A, B, C ….
type Hall struct {
	id     string
	Layout *seatmap.Layout
}

// Build writes the hall into the catalogue.
func (w World) Build(ctx context.Context, rows, seats int) (Hall, error) {
	all := make([]string, rows)
	for r := range all {
		all[r] = strings.Repeat("R", seats)
	}
	return w.BuildRows(ctx, all...)
}

// BuildRows writes a hall of rows of regular (R) and premium seats (P).
func (w World) BuildRows(ctx context.Context, rows ...string) (Hall, error) {
	seats := strings.Join(rows, "")
	id := fmt.Sprintf("proof-%dx%d", len(rows), len(rows[0]))
	types := map[string]int{"R": strings.Count(seats, "R")}
	if n := strings.Count(seats, "P"); n > 0 {
		id, types["P"] = "proof-"+strings.ToLower(strings.Join(rows, "-")), n
	}
	doc := struct {
		ID        string         `json:"id"`
		Name      string         `json:"name"`
		Kind      string         `json:"kind"`
		Numbering string         `json:"numbering"`
		Seats     int            `json:"seats"`
		ByType    map[string]int `json:"by_type"`
		Rows      []string       `json:"rows"`
	}{id, "Proving ground", "cinema", "ltr", len(seats), types, nil}
	for r, row := range rows {
		doc.Rows = append(doc.Rows, fmt.Sprintf("%c: %s", 'A'+r, row))
	}
	text, err := json.Marshal(doc)
	if err != nil {
		return Hall{}, err
	}
	l, err := seatmap.Expand(seatmap.Source{ID: id, Text: text})
	if err != nil {
		return Hall{}, err
	}
	_, err = w.catalog.Load(ctx, []store.CatalogRow{store.LayoutRow(catalog.LayoutID(id), text)})
	return Hall{id, l}, err
}

// Open puts a new show in the hall on sale.
func (w World) Open(ctx context.Context, h Hall) (catalog.ShowID, error) {
	now := time.Now().UTC().Truncate(time.Millisecond)
	s := catalog.Show{
		ID: catalog.ShowID("proof-" + strings.ToLower(rand.Text())), MovieID: "a-proof", City: "shanghai-cn",
		Cinema: catalog.Cinema{ID: "proving-ground", Name: "Proving Ground"}, Hall: "1", LayoutID: catalog.LayoutID(h.id),
		StartsAt: now.Add(24 * time.Hour), EndsAt: now.Add(26 * time.Hour), LocalDate: now.Add(24 * time.Hour).Format(time.DateOnly),
		SaleOpensAt: now.Add(-time.Hour), SaleClosesAt: now.Add(24 * time.Hour), Status: catalog.OnSale,
		Prices: []catalog.Price{
			{Type: seatmap.Regular, Amount: money.Amount{Minor: 1499, Currency: "CNY"}},
			{Type: seatmap.Premium, Amount: money.Amount{Minor: 1999, Currency: "CNY"}},
		},
	}
	_, err := w.catalog.Load(ctx, []store.CatalogRow{store.ShowRow(s)})
	return s.ID, err
}

// Row is the seats of a hall's row, in order.
func (h Hall) Row(r int) []string {
	row := h.Layout.Sections()[0].Rows[r]
	ids := make([]string, 0, row.Len)
	for i := row.First; i < row.First+row.Len; i++ {
		ids = append(ids, string(h.Layout.At(i).ID))
	}
	return ids
}

// Guest is a new client with a session; a start-up that is still under way, or a
// death in mid-request, is waited out.
func Guest(ctx context.Context, c apiclient.Client) (*apiclient.Client, error) {
	for {
		err := c.Session(ctx)
		if err == nil || ctx.Err() != nil {
			return &c, err
		}
	}
}
