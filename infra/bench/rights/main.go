// Command rights measures what it costs a local stack to ask for a function's
// rights at each call: two whole stacks side by side, one that asks and one that
// does not, under the same load in alternating turns.
//
// It decides by the median of the turns' ratios. The first turn of each is not
// counted: processes start in it.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"text/tabwriter"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fairseat/fairseat/localstack/apiclient"
	"github.com/fairseat/fairseat/localstack/cloud"
	"github.com/fairseat/fairseat/localstack/emulators"
	"github.com/fairseat/fairseat/localstack/rights"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	turns := flag.Int("turns", 12, "turns of each stack and load")
	length := flag.Duration("length", 2*time.Second, "of one turn")
	flag.Parse()
	if err := measure(ctx, *turns, *length, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// load is what one client does again and again; it gives the number of requests.
type load struct {
	name    string
	clients int
	do      func(ctx context.Context, c *apiclient.Client, show string) (int, error)
}

var loads = []load{
	{"seat map, 1 client", 1, look},
	{"seat map, 8 clients", 8, look},
	{"hold and release, 1 client", 1, hold},
	{"hold and release, 8 clients", 8, hold},
}

func look(ctx context.Context, c *apiclient.Client, show string) (int, error) {
	return 1, c.Call(ctx, http.MethodGet, "/shows/"+show+"/seatmap", "", nil, nil)
}

func hold(ctx context.Context, c *apiclient.Client, show string) (int, error) {
	var h apiclient.Hold
	err := c.Call(ctx, http.MethodPost, "/shows/"+show+"/holds", rand.Text(), map[string]any{"best": map[string]any{"count": 2}}, &h)
	if err == nil {
		err = c.Call(ctx, http.MethodDelete, "/holds/"+h.ID, "", nil, nil)
	}
	return 2, err
}

// turn is what one stack did in its time.
type turn struct{ perSecond, millis float64 }

func measure(ctx context.Context, turns int, length time.Duration, out io.Writer) error {
	var stacks [2]*stack
	for i, mode := range []rights.Mode{rights.Off, rights.Enforce} {
		s, err := start(ctx, mode)
		if err != nil {
			return err
		}
		defer s.cloud.Close()
		stacks[i] = s
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "load\toff: requests/s\tms\tenforce: requests/s\tms\tratio of requests/s\tspread\t")
	for _, l := range loads {
		var seen [2][]turn
		for n := range turns + 1 {
			for k := range stacks {
				which := (n + k) % 2 // who goes first alternates too
				t, err := stacks[which].run(ctx, l, length)
				if err != nil {
					return fmt.Errorf("%s: %w", l.name, err)
				}
				if n > 0 {
					seen[which] = append(seen[which], t)
				}
			}
		}
		var ratios []float64
		for i := range turns {
			ratios = append(ratios, seen[1][i].perSecond/seen[0][i].perSecond)
		}
		slices.Sort(ratios)
		rate := func(t turn) float64 { return t.perSecond }
		wait := func(t turn) float64 { return t.millis }
		fmt.Fprintf(w, "%s\t%.0f\t%.2f\t%.0f\t%.2f\t%.3f\t%.3f … %.3f\t\n", l.name,
			median(seen[0], rate), median(seen[0], wait), median(seen[1], rate), median(seen[1], wait),
			ratios[len(ratios)/2], ratios[0], ratios[len(ratios)-1])
	}
	return w.Flush()
}

func median(ts []turn, of func(turn) float64) float64 {
	var all []float64
	for _, t := range ts {
		all = append(all, of(t))
	}
	slices.Sort(all)
	return all[len(all)/2]
}

type stack struct {
	cloud   *cloud.Cloud
	show    string
	clients []*apiclient.Client
}

func start(ctx context.Context, mode rights.Mode) (*stack, error) {
	root, err := filepath.Abs(".")
	if err != nil {
		return nil, err
	}
	key := "rights-bench-" + rand.Text()
	c, err := cloud.Start(ctx, cloud.Options{
		Template: filepath.Join(root, "template.yaml"), Store: emulators.DynamoDBLocal, Rights: mode,
		Parameters: map[string]string{"DeveloperKey": key, "SandboxSecret": rand.Text(), "RateLimit": "100000", "BurstLimit": "100000"},
		Before: []cloud.Command{{Name: "seed", Args: []string{"sh", "-c",
			`CATALOG_TABLE="$TABLE_Catalog" exec "$0" --cities 1 --catalogue "$1"`,
			filepath.Join(root, ".build/bin/seed"), filepath.Join(root, "infra/catalogue")}}},
		Progress: io.Discard,
	})
	if err != nil {
		return nil, err
	}
	s := &stack{cloud: c}
	wire := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	for range 8 {
		a := &apiclient.Client{Base: c.URL, Key: key, HTTP: wire}
		if err = a.Session(ctx); err != nil {
			break
		}
		s.clients = append(s.clients, a)
	}
	if err == nil {
		s.show, err = s.find(ctx)
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return s, nil
}

// find gives the first show on sale.
func (s *stack) find(ctx context.Context) (string, error) {
	get := func(path string, into any) error {
		return s.clients[0].Call(ctx, http.MethodGet, path, "", nil, into)
	}
	var cities apiclient.List[apiclient.City]
	if err := get("/cities", &cities); err != nil || len(cities.Items) == 0 {
		return "", errors.Join(err, errors.New("no city"))
	}
	city := cities.Items[0].ID
	var movies apiclient.List[apiclient.Movie]
	if err := get("/cities/"+city+"/movies", &movies); err != nil {
		return "", err
	}
	for _, m := range movies.Items {
		var l apiclient.List[apiclient.CinemaShows]
		if err := get("/movies/"+m.ID+"/showtimes?city="+url.QueryEscape(city), &l); err != nil {
			return "", err
		}
		for _, cinema := range l.Items {
			if len(cinema.Shows) > 0 {
				return cinema.Shows[0].ID, nil
			}
		}
	}
	return "", errors.New("no show is on sale")
}

func (s *stack) run(ctx context.Context, l load, length time.Duration) (turn, error) {
	var g errgroup.Group
	began := time.Now()
	counts := make([]int, l.clients)
	for i := range l.clients {
		g.Go(func() error {
			for time.Since(began) < length {
				n, err := l.do(ctx, s.clients[i], s.show)
				if err != nil {
					return err
				}
				counts[i] += n
			}
			return nil
		})
	}
	err := g.Wait()
	took := time.Since(began)
	n := 0
	for _, c := range counts {
		n += c
	}
	return turn{float64(n) / took.Seconds(), float64(took.Milliseconds()) * float64(l.clients) / float64(max(n, 1))}, err
}
