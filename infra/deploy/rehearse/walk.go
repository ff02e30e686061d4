package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fairseat/fairseat/localstack/apiclient"
	"github.com/fairseat/fairseat/pkg/ticket"
)

// walk is two buyers' way through the public API.
type walk struct {
	out       *report
	buyer     *apiclient.Client
	rival     *apiclient.Client
	keyed     bool // whether developer keys are enforced
	city      apiclient.City
	movie     apiclient.Movie
	show      apiclient.ListedShow
	first     apiclient.Hold
	payment   apiclient.Payment
	order     apiclient.Order
	raced     apiclient.Hold // left to its end
	soldUntil int            // seats that were sold before
}

func newWalk(out *report, base, key string, keyed bool) *walk {
	at := func() *apiclient.Client {
		return &apiclient.Client{Base: base, Key: key, HTTP: &http.Client{Transport: out, Timeout: 40 * time.Second}}
	}
	return &walk{out: out, buyer: at(), rival: at(), keyed: keyed}
}

type step struct {
	name string
	do   func(context.Context) (string, error)
}

func (w *walk) run(ctx context.Context, steps []step) error {
	for _, s := range steps {
		began := time.Now()
		said, err := s.do(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		w.out.step(s.name, began, said)
	}
	return nil
}

// purchase are the steps that every way of running must pass.
func (w *walk) purchase() []step {
	return []step{
		{"health", w.health},
		{"keys", w.keys},
		{"sessions", w.sessions},
		{"find", w.find},
		{"hall", w.hall},
		{"hold", w.hold},
		{"repeat", w.repeat},
		{"refused", w.refused},
		{"too many", w.tooMany},
		{"declined", w.declined},
		{"pay", w.pay},
		{"tickets", w.tickets},
		{"paid twice", w.paidTwice},
		{"release", w.release},
		{"race", w.race},
		{"map", w.sold},
		{"warm", w.warm},
	}
}

func (w *walk) health(ctx context.Context) (string, error) {
	bare := &apiclient.Client{Base: w.buyer.Base, HTTP: w.buyer.HTTP}
	r, err := bare.Do(ctx, http.MethodGet, "/health", nil, nil)
	if err == nil && r.Status != http.StatusOK {
		err = fmt.Errorf("status %d", r.Status)
	}
	return "serves without a key", err
}

func (w *walk) keys(ctx context.Context) (string, error) {
	bare := &apiclient.Client{Base: w.buyer.Base, HTTP: w.buyer.HTTP}
	r, err := bare.Do(ctx, http.MethodGet, "/cities", nil, nil)
	switch {
	case err != nil:
		return "", err
	case r.Status == http.StatusForbidden:
		return "a call without a developer key is refused", nil
	case !w.keyed && r.Status == http.StatusOK:
		return "not enforced here", nil
	}
	return "", fmt.Errorf("without a developer key: status %d", r.Status)
}

func (w *walk) sessions(ctx context.Context) (string, error) {
	return "two guests", errors.Join(w.buyer.Session(ctx), w.rival.Session(ctx))
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
			if said, err := w.showing(ctx); err != nil || said != "" {
				return said, err
			}
		}
	}
	return "", errors.New("no show has regular seats left")
}

func (w *walk) showing(ctx context.Context) (string, error) {
	var listing apiclient.List[apiclient.CinemaShows]
	if err := w.get(ctx, "/movies/"+w.movie.ID+"/showtimes?city="+url.QueryEscape(w.city.ID), &listing); err != nil {
		return "", err
	}
	for _, c := range listing.Items {
		for _, s := range c.Shows {
			for _, seats := range s.Seats {
				if seats.Type == "regular" && seats.Status == "available" {
					w.show = s
					return fmt.Sprintf("%s, %q at %s, %s", w.city.Name, w.movie.Title, c.Cinema.Name, s.Hall), nil
				}
			}
		}
	}
	return "", nil
}

func (w *walk) hall(ctx context.Context) (string, error) {
	var m apiclient.Seatmap
	err := w.get(ctx, "/shows/"+w.show.ID+"/seatmap", &m)
	w.soldUntil = m.Sold
	return fmt.Sprintf("%d seats, %d free", m.Capacity, m.Free), err
}

var pair = map[string]any{"best": map[string]any{"count": 2, "type": "regular"}}

func (w *walk) holds() string { return "/shows/" + w.show.ID + "/holds" }

func (w *walk) hold(ctx context.Context) (string, error) {
	err := w.buyer.Call(ctx, http.MethodPost, w.holds(), "rehearsal", pair, &w.first)
	if err == nil && (w.first.State != "held" || len(w.first.Seats) != 2) {
		err = fmt.Errorf("%+v", w.first)
	}
	return strings.Join(seats(w.first), " and ") + " until " + w.first.ExpiresAt.Format("15:04:05"), err
}

func (w *walk) repeat(ctx context.Context) (string, error) {
	var again apiclient.Hold
	err := w.buyer.Call(ctx, http.MethodPost, w.holds(), "rehearsal", pair, &again)
	if err == nil && (again.ID != w.first.ID || !again.ExpiresAt.Equal(w.first.ExpiresAt)) {
		err = fmt.Errorf("another hold: %+v", again)
	}
	return "the same Idempotency-Key is the same hold", err
}

func (w *walk) refused(ctx context.Context) (string, error) {
	wish := map[string]any{"seats": seats(w.first)}
	p, err := refusal(w.rival.Call(ctx, http.MethodPost, w.holds(), "", wish, nil))
	if err != nil {
		return "", err
	}
	if p.Code != "seats_unavailable" || len(p.Conflicts) != 2 || p.Conflicts[0].Reason != "held" {
		return "", fmt.Errorf("%+v", p)
	}
	return fmt.Sprintf("to somebody else: 409 %s, each seat named, %s", p.Code, p.Conflicts[0].Reason), nil
}

func (w *walk) tooMany(ctx context.Context) (string, error) {
	wish := map[string]any{"best": map[string]any{"count": 9, "type": "regular"}}
	p, err := refusal(w.buyer.Call(ctx, http.MethodPost, w.holds(), "", wish, nil))
	if err == nil && p.Code != "seat_limit_reached" {
		err = p
	}
	return "nine more: 409 seat_limit_reached", err
}

func (w *walk) declined(ctx context.Context) (string, error) {
	var p apiclient.Payment
	body := map[string]string{"provider": "sandbox", "outcome": "decline"}
	if err := w.buyer.Call(ctx, http.MethodPost, w.payments(w.first), "", body, &p); err != nil {
		return "", err
	}
	// The payment's end is seen when another can be begun: until then it comes back.
	for {
		w.payment = apiclient.Payment{}
		if err := w.buyer.Call(ctx, http.MethodPost, w.payments(w.first), "", map[string]string{"provider": "sandbox"}, &w.payment); err != nil {
			return "", err
		}
		if w.payment.ID != p.ID {
			return "the hold stays and can be paid again", nil
		}
		if err := pause(ctx); err != nil {
			return "", err
		}
	}
}

func (w *walk) payments(h apiclient.Hold) string { return "/holds/" + h.ID + "/payments" }

func (w *walk) pay(ctx context.Context) (string, error) {
	began := time.Now()
	id := w.payment.OrderID
	for {
		if err := w.get(ctx, "/orders/"+id, &w.order); err != nil {
			return "", err
		}
		if w.order.Status == "PAID" {
			return fmt.Sprintf("order %s is PAID %.1f s after it was asked for", id, time.Since(began).Seconds()), nil
		}
		if err := pause(ctx); err != nil {
			return "", fmt.Errorf("order %s is %s: %w", id, w.order.Status, err)
		}
	}
}

func (w *walk) tickets(ctx context.Context) (string, error) {
	r, err := w.buyer.Do(ctx, http.MethodGet, "/ticket-keys", nil, nil)
	if err != nil {
		return "", err
	}
	keys, err := ticket.ParseKeys(r.Body)
	if err != nil {
		return "", err
	}
	for _, t := range w.order.Tickets {
		if v, err := ticket.Verify(keys, t.Code); err != nil || v.Seat != t.Seat {
			return "", fmt.Errorf("ticket of %s: %+v, %w", t.Seat, v, err)
		}
	}
	if len(w.order.Tickets) != 2 {
		return "", fmt.Errorf("%d tickets for two seats", len(w.order.Tickets))
	}
	return "two, verified with the published keys alone", nil
}

func (w *walk) paidTwice(ctx context.Context) (string, error) {
	p, err := refusal(w.buyer.Call(ctx, http.MethodPost, w.payments(w.first), "", map[string]string{"provider": "sandbox"}, nil))
	if err == nil && p.Code != "already_paid" {
		err = p
	}
	return "409 already_paid", err
}

// release gives seats back, twice, and another buyer has them at once.
func (w *walk) release(ctx context.Context) (string, error) {
	var h, next apiclient.Hold
	if err := w.buyer.Call(ctx, http.MethodPost, w.holds(), "", pair, &h); err != nil {
		return "", err
	}
	for range 2 {
		if err := w.buyer.Call(ctx, http.MethodDelete, "/holds/"+h.ID, "", nil, nil); err != nil {
			return "", err
		}
	}
	if err := w.rival.Call(ctx, http.MethodPost, w.holds(), "", map[string]any{"seats": seats(h)}, &next); err != nil {
		return "", err
	}
	return "given back twice, then another's", w.rival.Call(ctx, http.MethodDelete, "/holds/"+next.ID, "", nil, nil)
}

// race: the same two seats, wanted by six at once, go to one (NoDoubleSell).
func (w *walk) race(ctx context.Context) (string, error) {
	var h apiclient.Hold
	if err := w.buyer.Call(ctx, http.MethodPost, w.holds(), "", pair, &h); err != nil {
		return "", err
	}
	if err := w.buyer.Call(ctx, http.MethodDelete, "/holds/"+h.ID, "", nil, nil); err != nil {
		return "", err
	}
	const buyers = 6
	errs, got := make([]error, buyers), make([]apiclient.Hold, buyers)
	var all sync.WaitGroup
	for i := range buyers {
		c := *w.buyer
		all.Go(func() {
			if errs[i] = c.Session(ctx); errs[i] == nil {
				errs[i] = c.Call(ctx, http.MethodPost, w.holds(), "", map[string]any{"seats": seats(h)}, &got[i])
			}
		})
	}
	all.Wait()
	won := 0
	for i, err := range errs {
		p, other := refusal(err)
		switch {
		case err == nil:
			won++
			w.raced = got[i]
		case other != nil:
			return "", other
		case p.Code != "seats_unavailable":
			return "", p
		}
	}
	if won != 1 {
		return "", fmt.Errorf("%d of %d have the same seats", won, buyers)
	}
	return fmt.Sprintf("%d buyers of the same seats: one has them, the others were refused by name", buyers), nil
}

// sold: the map, which may be two seconds behind where streams are, shows the sale.
func (w *walk) sold(ctx context.Context) (string, error) {
	for {
		var m apiclient.Seatmap
		if err := w.get(ctx, "/shows/"+w.show.ID+"/seatmap?expand=seats", &m); err != nil {
			return "", err
		}
		mine := 0
		for _, s := range m.Seats {
			if s.State == "sold" && slices.Contains(w.order.Seats, s.ID) {
				mine++
			}
		}
		if mine == 2 && m.Sold >= w.soldUntil+2 {
			return fmt.Sprintf("%d free, %d held, %d sold", m.Free, m.Held, m.Sold), nil
		}
		if err := pause(ctx); err != nil {
			return "", fmt.Errorf("%d of two seats are shown as sold: %w", mine, err)
		}
	}
}

// warm is what a read costs when nothing has to start.
func (w *walk) warm(ctx context.Context) (string, error) {
	took := make([]time.Duration, 20)
	for i := range took {
		began := time.Now()
		if err := w.get(ctx, "/shows/"+w.show.ID+"/seatmap", nil); err != nil {
			return "", err
		}
		took[i] = time.Since(began)
	}
	slices.Sort(took)
	return fmt.Sprintf("the seat map in %.0f ms, %.0f to %.0f", ms(took[10]), ms(took[0]), ms(took[19])), nil
}

func (w *walk) get(ctx context.Context, path string, out any) error {
	return w.buyer.Call(ctx, http.MethodGet, path, "", nil, out)
}

func seats(h apiclient.Hold) []string {
	ids := make([]string, len(h.Seats))
	for i, s := range h.Seats {
		ids[i] = s.ID
	}
	return ids
}

// refusal is the problem that a call ended with; anything else is an error.
func refusal(err error) (*apiclient.Problem, error) {
	var p *apiclient.Problem
	switch {
	case errors.As(err, &p):
		return p, nil
	case err == nil:
		return nil, errors.New("it was not refused")
	}
	return nil, err
}

func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(200 * time.Millisecond):
		return nil
	}
}
