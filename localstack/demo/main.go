// The demonstration sells two seats of a real show through the public API and
// says what happened at each step. It uses nothing that a client could not.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/fairseat/fairseat/localstack/apiclient"
	"github.com/fairseat/fairseat/pkg/ticket"
)

func main() {
	base := flag.String("base", os.Getenv("API_URL"), "address of the API, with its stage")
	key := flag.String("key", os.Getenv("FAIRSEAT_DEVELOPER_KEY"), "developer key")
	flag.Parse()
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	w := walk{c: &apiclient.Client{Base: *base, Key: *key}}
	if err := w.all(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
	w.examples()
}

// walk is one buyer's way from the city to the tickets.
type walk struct {
	c     *apiclient.Client
	city  apiclient.City
	movie apiclient.Movie
	show  apiclient.ListedShow
	hold  apiclient.Hold
	order apiclient.Order
}

func (w *walk) all(ctx context.Context) error {
	steps := []struct {
		name string
		do   func(context.Context) (string, error)
	}{
		{"session", w.session}, {"find", w.find}, {"search", w.search}, {"hall", w.hall}, {"hold", w.take},
		{"pay", w.pay}, {"tickets", w.tickets}, {"hall", w.hall},
	}
	fmt.Println("\nTwo seats, through the public API:")
	for _, s := range steps {
		said, err := s.do(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		fmt.Printf("  %-8s %s\n", s.name, said)
	}
	return nil
}

func (w *walk) session(ctx context.Context) (string, error) {
	return "a guest", w.c.Session(ctx)
}

func (w *walk) find(ctx context.Context) (string, error) {
	var cities apiclient.List[apiclient.City]
	if err := w.get(ctx, "/cities?limit=100", &cities); err != nil {
		return "", err
	}
	for _, w.city = range cities.Items {
		var movies apiclient.List[apiclient.Movie]
		if err := w.get(ctx, "/cities/"+w.city.ID+"/movies", &movies); err != nil {
			return "", err
		}
		for _, w.movie = range movies.Items {
			found, err := w.showOf(ctx)
			if err != nil || found != "" {
				return found, err
			}
		}
	}
	return "", errors.New("no show has two regular seats left")
}

func (w *walk) showOf(ctx context.Context) (string, error) {
	var listing apiclient.List[apiclient.CinemaShows]
	if err := w.get(ctx, "/movies/"+w.movie.ID+"/showtimes?city="+url.QueryEscape(w.city.ID), &listing); err != nil {
		return "", err
	}
	for _, cinema := range listing.Items {
		for _, s := range cinema.Shows {
			for _, seats := range s.Seats {
				if seats.Type == "regular" && seats.Status == "available" {
					w.show = s
					return fmt.Sprintf("%s, %q at %s, %s, %s", w.city.Name, w.movie.Title, cinema.Cinema.Name, s.Hall, s.StartsAt.Format("2 January 15:04 MST")), nil
				}
			}
		}
	}
	return "", nil
}

func (w *walk) hall(ctx context.Context) (string, error) {
	var m apiclient.Seatmap
	// The map may be two seconds behind a sale.
	want := len(w.order.Tickets)
	for {
		if err := w.get(ctx, "/shows/"+w.show.ID+"/seatmap", &m); err != nil {
			return "", err
		}
		if m.Sold >= want {
			return fmt.Sprintf("%d seats: %d free, %d held, %d sold", m.Capacity, m.Free, m.Held, m.Sold), nil
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (w *walk) take(ctx context.Context) (string, error) {
	body := map[string]any{"best": map[string]any{"count": 2, "type": "regular"}}
	err := w.c.Call(ctx, http.MethodPost, "/shows/"+w.show.ID+"/holds", "", body, &w.hold)
	var ids []string
	for _, s := range w.hold.Seats {
		ids = append(ids, s.ID)
	}
	return fmt.Sprintf("%s for %d %s (minor units), until %s", strings.Join(ids, " and "), w.hold.Total.Amount,
		w.hold.Total.Currency, w.hold.ExpiresAt.Format("15:04:05 MST")), err
}

func (w *walk) pay(ctx context.Context) (string, error) {
	var p apiclient.Payment
	body := map[string]string{"provider": "sandbox"}
	if err := w.c.Call(ctx, http.MethodPost, "/holds/"+w.hold.ID+"/payments", "", body, &p); err != nil {
		return "", err
	}
	for {
		if err := w.get(ctx, "/orders/"+p.OrderID, &w.order); err != nil {
			return "", err
		}
		if w.order.Status != "PENDING" {
			return fmt.Sprintf("order %s is %s", w.order.ID, w.order.Status), nil
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// tickets verifies each code offline, with the published keys alone.
func (w *walk) tickets(ctx context.Context) (string, error) {
	r, err := w.c.Do(ctx, http.MethodGet, "/ticket-keys", nil, nil)
	if err != nil {
		return "", err
	}
	keys, err := ticket.ParseKeys(r.Body)
	if err != nil {
		return "", err
	}
	var said []string
	for _, t := range w.order.Tickets {
		v, err := ticket.Verify(keys, t.Code)
		if err != nil {
			return "", err
		}
		said = append(said, fmt.Sprintf("%s (%.18s… verifies offline)", v.Seat, t.Code))
	}
	if len(said) != 2 {
		return "", fmt.Errorf("%d tickets for two seats", len(said))
	}
	return strings.Join(said, ", "), nil
}

// search waits until the index has what was just loaded.
func (w *walk) search(ctx context.Context) (string, error) {
	path := "/search/movies?includeSpellcheck=yes&keyword=" + url.QueryEscape(w.movie.Title)
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		var found struct {
			Items []struct{ Title, StartTime string } `json:"items"`
		}
		if err := w.get(ctx, path, &found); err != nil {
			return "", err
		}
		if len(found.Items) > 0 {
			return fmt.Sprintf("%q is found, next at %s", found.Items[0].Title, found.Items[0].StartTime), nil
		}
		select {
		case <-ctx.Done():
			return "", errors.New("the search does not find what was loaded")
		case <-tick.C:
		}
	}
}

func (w *walk) get(ctx context.Context, path string, out any) error {
	return w.c.Call(ctx, http.MethodGet, path, "", nil, out)
}

func (w *walk) examples() {
	if port := os.Getenv("PORT_mailbox"); port != "" {
		fmt.Printf("\nLetters that the stack sends are read at http://127.0.0.1:%s/\n", port)
	}
	fmt.Printf(`
Try it:
  curl -H 'X-Api-Key: %[1]s' '%[2]s/cities?q=%[3]s'
  curl -H 'X-Api-Key: %[1]s' '%[2]s/shows/%[4]s/seatmap?expand=seats'
  TOKEN=$(curl -s -X POST -H 'X-Api-Key: %[1]s' '%[2]s/sessions' | sed 's/.*"session_token":"\([^"]*\)".*/\1/')
  curl -X POST -H 'X-Api-Key: %[1]s' -H "Authorization: Bearer $TOKEN" -H "Idempotency-Key: $(date +%%s)" -H 'Content-Type: application/json' \
       -d '{"best":{"count":2,"type":"regular"}}' '%[2]s/shows/%[4]s/holds'
`, w.c.Key, w.c.Base, url.QueryEscape(strings.Fields(w.city.Name)[0]), w.show.ID)
}
