package street

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fairseat/fairseat/localstack/process"
	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/session"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/ddb"
)

const (
	key     = "rush-developer-key-0123456789"
	started = 3 * time.Minute
)

// Policy is that of template.yaml's defaults.
var Policy = booking.Policy{Hold: 5 * time.Minute, Grace: 5 * time.Second, MaxSeats: 10}

// Stack runs in processes of its own, so that what they take can be told apart.
type Stack struct {
	URL     string // with the stage
	Tables  store.Tables
	Store   *store.Store
	Client  *http.Client
	env     map[string]string
	catalog store.Catalog
	keeper  *session.Keeper
	group   *process.Group
	scratch string
}

// Start brings the stack up, with the catalogue of two cities. root is the project's
// folder with its functions built; what the stack says goes to log.
func Start(ctx context.Context, root, tables string, log io.Writer) (*Stack, error) {
	scratch, err := os.MkdirTemp("", "rush-")
	if err != nil {
		return nil, err
	}
	s := &Stack{group: &process.Group{}, scratch: scratch}
	if err := s.start(ctx, root, tables, log); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Stack) start(ctx context.Context, root, tables string, log io.Writer) error {
	root, err := filepath.Abs(root)
	if err != nil {
		return err
	}
	port, err := process.FreePort(0)
	if err != nil {
		return err
	}
	bin := func(name string) string { return filepath.Join(root, ".build/bin", name) }
	ready := filepath.Join(s.scratch, "ready.json")
	base := fmt.Sprintf("http://127.0.0.1:%d/v1", port)
	child, err := s.group.Start(process.Spec{
		Name: "localstack", Path: bin("localstack"), Dir: root, Env: os.Environ(), Stdout: log, Stderr: log,
		Args: []string{
			"--template", filepath.Join(root, "template.yaml"), "--port", fmt.Sprint(port), "--store", tables, "--log", "json", "--rights", "off",
			"--ready-file", ready, "--with-parent",
			"--param", "DeveloperKey=" + key, "--param", "PublicUrl=" + base,
			"--param", "RateLimit=100000", "--param", "BurstLimit=100000", // one key stands for all clients
			"--param", "SandboxUrl=http://127.0.0.1:{port:sandbox}", "--param", "SandboxSecret=rush-sandbox-secret-0123456789",
			"--companion", "sandbox=env FAIRSEAT_SANDBOX_SECRET=rush-sandbox-secret-0123456789 " + bin("sandbox") + " -addr 127.0.0.1:{listen:sandbox}",
			"--before", "sh -c 'CATALOG_TABLE=$TABLE_Catalog exec " + bin("seed") + " --cities 2 --catalogue " + filepath.Join(root, "infra/catalogue") + "'",
		},
	})
	if err != nil {
		return err
	}
	if err := s.await(ctx, child, ready); err != nil {
		return err
	}
	s.Client = &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 512, MaxIdleConns: 512, IdleConnTimeout: time.Minute}}
	return s.connect()
}

// await waits for the file that tells that everything is ready.
func (s *Stack) await(ctx context.Context, child *process.Child, path string) error {
	ctx, cancel := context.WithTimeout(ctx, started)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		data, err := os.ReadFile(path)
		if err == nil {
			var r struct {
				API string            `json:"api_url"`
				Env map[string]string `json:"env"`
			}
			err = json.Unmarshal(data, &r)
			s.URL, s.env = r.API, r.Env
			return err
		}
		select {
		case <-tick.C:
		case <-child.Done():
			return fmt.Errorf("street: %w", child.Ended())
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		}
	}
}

func (s *Stack) connect() error {
	client, err := ddb.Client(func(name string) string { return s.env[name] })
	if err != nil {
		return err
	}
	names := map[store.Table]string{}
	for _, t := range append([]store.Table{store.TableCatalog}, store.Names...) {
		names[t] = s.env["TABLE_"+strings.ToUpper(string(t[:1]))+string(t[1:])]
	}
	s.Tables = ddb.New(client, names, func(d time.Duration) time.Duration { return mathrand.N(max(d, 1)) })
	s.Store, s.catalog = store.New(s.Tables, Policy), store.NewCatalog(s.Tables)
	s.keeper, err = session.New(rand.Reader, s.env["SECRET_SessionSecret"])
	return err
}

// Close ends every process of the stack.
func (s *Stack) Close() {
	s.group.Close()
	_ = os.RemoveAll(s.scratch) // nothing but the ready file
}

// Guest is a new buyer's token.
func (s *Stack) Guest() (string, error) {
	i, err := s.keeper.Issue(time.Now().UTC())
	return i.Token, err
}

// House is a show of its own in a hall of plain rows.
type House struct {
	Show   catalog.ShowID
	Rows   int
	Width  int
	Layout *seatmap.Layout
}

// Announce puts a show on sale, from now on or since an hour ago.
func (s *Stack) Announce(ctx context.Context, rows, width int, since time.Duration) (*House, error) {
	id := fmt.Sprintf("plain-%d-%d", rows, width)
	lines := make([]string, rows)
	for r := range lines {
		name := string(rune('A' + r%26))
		if r >= 26 {
			name = string(rune('A'+r/26-1)) + name
		}
		lines[r] = name + ": " + strings.Repeat("R", width)
	}
	text, err := json.Marshal(map[string]any{
		"id": id, "name": "Plain rows", "kind": "cinema", "numbering": "ltr", "seats": rows * width, "by_type": map[string]int{"R": rows * width}, "rows": lines,
	})
	if err != nil {
		return nil, err
	}
	l, err := seatmap.Expand(seatmap.Source{Text: text})
	if err != nil {
		return nil, err
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	show := catalog.Show{
		ID: catalog.ShowID("rush-" + strings.ToLower(rand.Text())), MovieID: "rush", City: "shanghai-cn", Hall: "1", LayoutID: catalog.LayoutID(id),
		Cinema: catalog.Cinema{ID: "rush", Name: "Rush"}, StartsAt: now.Add(24 * time.Hour), EndsAt: now.Add(26 * time.Hour),
		LocalDate: now.Add(24 * time.Hour).Format(time.DateOnly), SaleOpensAt: now.Add(-since), SaleClosesAt: now.Add(24 * time.Hour), Status: catalog.OnSale,
		Prices: []catalog.Price{{Type: seatmap.Regular, Amount: money.Amount{Minor: 1499, Currency: "USD"}}},
	}
	if _, err := s.catalog.Load(ctx, []store.CatalogRow{store.LayoutRow(show.LayoutID, text), store.ShowRow(show)}); err != nil {
		return nil, err
	}
	return &House{Show: show.ID, Rows: rows, Width: width, Layout: l}, nil
}

// Together reports neighbours of one row; seats come in the order of the hall.
func (h *House) Together(ids []string) bool {
	for i := range ids[1:] {
		x, _ := h.Layout.Seat(seatmap.SeatID(ids[i]))
		y, _ := h.Layout.Seat(seatmap.SeatID(ids[i+1]))
		if y.Index != x.Index+1 || y.Index/h.Width != x.Index/h.Width {
			return false
		}
	}
	return true
}
