package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fairseat/fairseat/localstack/cloud"
	"github.com/fairseat/fairseat/localstack/emulators"
	"github.com/fairseat/fairseat/localstack/rights"
	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/session"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/ddb"
)

// world is what the functions read: a show with an overdue hold, in the emulator's
// tables, and a guest.
type world struct {
	cloud *cloud.Cloud
	show  string
	seats []string
	hold  string
	token string
}

const hall = "standard-90"

// sampleKey is the developer key of events/authorize-key.json.
const sampleKey = "local-dev-key-0123456789"

// newWorld starts the tables and fills them. Every event source rests: this proof
// alone invokes.
func newWorld(ctx context.Context, root string) (*world, error) {
	c, err := cloud.Start(ctx, cloud.Options{
		Template: filepath.Join(root, "template.yaml"), Store: emulators.DynamoDBLocal, Rights: rights.Off,
		Parameters: map[string]string{"DeveloperKey": sampleKey, "SandboxSecret": rand.Text()},
	})
	if err != nil {
		return nil, err
	}
	w := &world{cloud: c, show: "flat"}
	for _, id := range c.Sources() {
		if err == nil {
			err = c.Pause(ctx, id)
		}
	}
	if err == nil {
		seed := cloud.Command{Name: "seed", Args: []string{"sh", "-c",
			`CATALOG_TABLE="$TABLE_Catalog" exec "$0" --cities 1 --catalogue "$1"`,
			filepath.Join(root, ".build/bin/seed"), filepath.Join(root, "infra/catalogue")}}
		err = c.Run(ctx, seed, io.Discard, os.Stderr)
	}
	if err == nil {
		err = w.fill(ctx, root)
	}
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("prepare the tables: %w", err)
	}
	return w, nil
}

func (w *world) variable(name string) string {
	for _, kv := range w.cloud.Env {
		if v, ok := strings.CutPrefix(kv, name+"="); ok {
			return v
		}
	}
	return ""
}

func (w *world) fill(ctx context.Context, root string) error {
	client, err := ddb.Client(w.variable)
	if err != nil {
		return err
	}
	names := map[store.Table]string{}
	for _, t := range append([]store.Table{store.TableCatalog}, store.Names...) {
		names[t] = w.variable("TABLE_" + strings.ToUpper(string(t[:1])) + string(t[1:]))
	}
	tables := ddb.New(client, names, func(d time.Duration) time.Duration { return mathrand.N(max(d, 1)) })
	layout, err := layoutOf(root)
	if err != nil {
		return err
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	s := catalog.Show{
		ID: catalog.ShowID(w.show), MovieID: "a-film", City: "shanghai-cn",
		Cinema: catalog.Cinema{ID: "a-cinema", Name: "A Cinema"}, Hall: "1", LayoutID: hall,
		StartsAt: now.Add(24 * time.Hour), EndsAt: now.Add(26 * time.Hour), LocalDate: now.Add(24 * time.Hour).Format(time.DateOnly),
		SaleOpensAt: now.Add(-time.Hour), SaleClosesAt: now.Add(24 * time.Hour), Status: catalog.OnSale,
	}
	for _, typ := range layout.Types() {
		s.Prices = append(s.Prices, catalog.Price{Type: typ, Amount: money.Amount{Minor: 1499, Currency: "CNY"}})
	}
	if _, err := store.NewCatalog(tables).Load(ctx, []store.CatalogRow{store.ShowRow(s)}); err != nil {
		return err
	}
	guests, err := session.New(rand.Reader, w.variable("SECRET_SessionSecret"))
	if err != nil {
		return err
	}
	guest, err := guests.Issue(now)
	if err != nil {
		return err
	}
	w.token = guest.Token
	return w.abandon(ctx, tables, layout, guest.Buyer, now)
}

// abandon makes a hold that is overdue, and names two other seats to wish for.
func (w *world) abandon(ctx context.Context, tables store.Tables, layout *seatmap.Layout, b booking.Buyer, now time.Time) error {
	policy := booking.Policy{Hold: 5 * time.Minute, Grace: 5 * time.Second, MaxSeats: 10}
	h := booking.Hold{
		ID: booking.IDFor(b, "flat"), Show: catalog.ShowID(w.show), Buyer: b, State: booking.Held, Rev: 1,
		MadeAt: now.Add(-time.Hour), ExpiresAt: now.Add(-55 * time.Minute), BodyHash: "-",
	}
	w.hold = string(h.ID)
	for i := range 4 {
		at := layout.At(i)
		if i >= 2 {
			w.seats = append(w.seats, string(at.ID))
			continue
		}
		h.Seats = append(h.Seats, booking.Seat{ID: at.ID, Type: at.Type, Block: layout.Block(at.Block).Name, Price: money.Amount{Minor: 1499, Currency: "CNY"}})
	}
	return store.New(tables, policy).Hold(ctx, h, now.Add(48*time.Hour), booking.Terms{})
}

func layoutOf(root string) (*seatmap.Layout, error) {
	text, err := os.ReadFile(filepath.Join(root, "infra/catalogue/halls.json"))
	if err != nil {
		return nil, err
	}
	sources, err := seatmap.ParseHalls(text)
	if err != nil {
		return nil, err
	}
	for _, s := range sources {
		if s.ID == hall {
			return seatmap.Expand(s)
		}
	}
	return nil, fmt.Errorf("no hall %s in the catalogue", hall)
}
