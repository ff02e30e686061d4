// Package venue is the stage on which the core is measured: halls of plain rows,
// shows on sale in them, and the box office wired as the functions wire it, over
// any tables. Nothing in it is simpler than what is deployed; a measurement that
// wants less must say so.
//
// Start with [Open]; [Emulate] gives tables that an emulator keeps.
package venue

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/fairseat/fairseat/pkg/api"
	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/session"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/ticket"
)

// Policy is that of template.yaml's defaults.
var Policy = booking.Policy{Hold: 5 * time.Minute, Grace: 5 * time.Second, MaxSeats: 10}

// LineCloses is how long before a show nobody waits any more, by template.yaml's defaults.
const LineCloses = 15 * time.Minute

// Parallel is how many store calls one look makes at once, as deployed.
const Parallel = 8

// Hall is Rows rows of Width regular seats.
type Hall struct{ Rows, Width int }

// Seats in the hall.
func (h Hall) Seats() int { return h.Rows * h.Width }

// Layout names the hall.
func (h Hall) Layout() catalog.LayoutID {
	return catalog.LayoutID(fmt.Sprintf("plain-%d-%d", h.Rows, h.Width))
}

// Seat names seat i in layout order.
func (h Hall) Seat(i int) seatmap.SeatID {
	return seatmap.SeatID(fmt.Sprintf("%s-%d", label(i/h.Width), i%h.Width+1))
}

// label counts A to Z, AA to ZZ, AAA and on, as columns of a spreadsheet do.
func label(row int) string {
	text := ""
	for row++; row > 0; row = (row - 1) / 26 {
		text = string(rune('A'+(row-1)%26)) + text
	}
	return text
}

func (h Hall) source() ([]byte, error) {
	rows := make([]string, h.Rows)
	for i := range rows {
		cells := make([]byte, h.Width)
		for j := range cells {
			cells[j] = 'R'
		}
		rows[i] = label(i) + ": " + string(cells)
	}
	text, err := json.Marshal(map[string]any{
		"id": h.Layout(), "name": "Plain rows", "kind": seatmap.Cinema, "numbering": "ltr",
		"seats": h.Seats(), "by_type": map[string]int{"R": h.Seats()}, "rows": rows,
	})
	if err != nil {
		return nil, err
	}
	_, err = seatmap.Expand(seatmap.Source{Text: text})
	return text, err
}

// Venue sells seats. The exported fields may be used, not altered.
type Venue struct {
	Office  *boxoffice.Office
	Store   *store.Store
	Tables  store.Tables
	Catalog store.Catalog
	Keeper  *session.Keeper

	clock func() time.Time
}

// Open wires the box office over tables; clock nil is the machine's.
func Open(tables store.Tables, clock func() time.Time) (*Venue, error) {
	if clock == nil {
		clock = boot.Clock
	}
	keeper, err := session.New(rand.Reader, "a secret of the measurements")
	if err != nil {
		return nil, err
	}
	signer, err := ticket.NewSigner("another secret of the measurements")
	if err != nil {
		return nil, err
	}
	s := store.New(tables, Policy)
	c := store.NewCatalog(tables)
	return &Venue{
		Office: &boxoffice.Office{
			Store: s, Lane: s, Catalog: catalog.NewReader(c, clock), Policy: Policy, Line: line.Standard, LineCloses: LineCloses,
			Clock: clock, Pause: boot.Pause, Rand: mathrand.Uint64, Parallel: Parallel, Tickets: signer,
		},
		Store: s, Tables: tables, Catalog: c, Keeper: keeper, clock: clock,
	}, nil
}

// Announce puts shows on sale in one hall.
func (v *Venue) Announce(ctx context.Context, h Hall, shows ...catalog.ShowID) error {
	text, err := h.source()
	if err != nil {
		return err
	}
	now := v.clock()
	rows := []store.CatalogRow{store.LayoutRow(h.Layout(), text)}
	for _, id := range shows {
		starts := now.Add(24 * time.Hour)
		rows = append(rows, store.ShowRow(catalog.Show{
			ID: id, MovieID: "metropolis", City: "bern-ch", Hall: "1", LayoutID: h.Layout(),
			Cinema:   catalog.Cinema{ID: "bern-ch-01", Name: "Rex", Lat: 46.948, Lon: 7.447},
			StartsAt: starts, EndsAt: starts.Add(3 * time.Hour), LocalDate: starts.Format(time.DateOnly),
			Prices:      []catalog.Price{{Type: seatmap.Regular, Amount: money.Amount{Minor: 1499, Currency: "USD"}}},
			SaleOpensAt: now.Add(-time.Hour), SaleClosesAt: starts, Status: catalog.OnSale,
		}))
	}
	_, err = v.Catalog.Load(ctx, rows)
	return err
}

// Reserve is the deployed handler of a hold.
func (v *Venue) Reserve() api.Handler {
	return api.ReserveSeats(v.edge(), v.Office)
}

// Browse is the deployed handler of what can be found before seats are chosen, with a
// memory that is as deployed.
func (v *Venue) Browse() api.Handler {
	return api.BrowseCatalog(v.edge(), catalog.NewReader(v.Catalog, v.clock), v.Store)
}

// Seatmap is the deployed handler of the map.
func (v *Venue) Seatmap() api.Handler { return api.ReadSeatmap(v.edge(), v.Office) }

// ReadEvent is what a REST API makes of a GET; one parameter of the path at most.
func ReadEvent(resource, name, id string, query map[string]string) events.APIGatewayProxyRequest {
	ev := events.APIGatewayProxyRequest{Resource: resource, Path: strings.ReplaceAll(resource, "{"+name+"}", id), HTTPMethod: "GET", MultiValueQueryStringParameters: map[string][]string{}}
	if name != "" {
		ev.PathParameters = map[string]string{name: id}
	}
	for k, v := range query {
		ev.MultiValueQueryStringParameters[k] = []string{v}
	}
	return ev
}

func (v *Venue) edge() api.Edge {
	return api.Edge{Clock: v.clock, Log: slog.New(slog.DiscardHandler), Buyer: v.Keeper.Verify}
}

// Guest is a new buyer's token.
func (v *Venue) Guest() (string, error) {
	s, err := v.Keeper.Issue(v.clock())
	return s.Token, err
}

// HoldEvent is what a REST API makes of POST /shows/{show}/holds: the headers of
// a browser behind CloudFront, each there twice as the payload of shape 1.0 has it.
func HoldEvent(show catalog.ShowID, token, key string, seats ...seatmap.SeatID) (events.APIGatewayProxyRequest, error) {
	body, err := json.Marshal(map[string]any{"seats": seats})
	path := "/shows/" + string(show) + "/holds"
	ev := events.APIGatewayProxyRequest{
		Resource: "/shows/{show}/holds", Path: path, HTTPMethod: "POST", PathParameters: map[string]string{"show": string(show)},
		Headers: map[string]string{
			"Accept": "*/*", "Accept-Encoding": "gzip, deflate, br", "Authorization": "Bearer " + token, "Content-Type": "application/json",
			"Host": "api.example.org", "Idempotency-Key": key, "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
			"X-Api-Key": "local-dev-key-0123456789", "X-Forwarded-For": "192.0.2.17", "X-Forwarded-Port": "443", "X-Forwarded-Proto": "https",
		},
		MultiValueHeaders: map[string][]string{},
		RequestContext: events.APIGatewayProxyRequestContext{
			AccountID: "000000000000", ResourceID: "abc123", Stage: "v1", ResourcePath: "/shows/{show}/holds", HTTPMethod: "POST",
			RequestID: "5f1a3c52-0b7e-4d61-9a55-3f0f2c7d1e01", DomainName: "api.example.org", APIID: "local00000", Path: "/v1" + path, Protocol: "HTTP/1.1",
		},
		Body: string(body),
	}
	for k, h := range ev.Headers {
		ev.MultiValueHeaders[k] = []string{h}
	}
	return ev, err
}
