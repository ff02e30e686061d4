package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/fairseat/fairseat/infra/proof/stage"
	"github.com/fairseat/fairseat/localstack/apiclient"
	"github.com/fairseat/fairseat/pkg/catalog"
)

const (
	lineShows = 3 // that sell at once
	lineSeats = 3 // of each, so that its buyers wait
	pollFor   = 2 // seconds that a poll is kept
)

// lines are the small shows, and all places in their lines.
type lines struct {
	hall    stage.Hall
	shows   []catalog.ShowID
	onSale  [lineShows]catalog.ShowID // "" = the next is to be opened
	places  []*place
	walkUps []walkUp
	ends    map[string]int // at the end
}

// place is what the shop has acknowledged to somebody who waits, and what he saw.
type place struct {
	client  *apiclient.Client
	show    catalog.ShowID
	id      string
	number  int
	asked   time.Time // before his request
	told    time.Time // his number
	waiting time.Time // before the last request that found him waiting
	served  time.Time // after the first answer that found him offered, or more
	state   string    // as it was seen last
	hold    string    // accepted
}

// walkUp is a hold of a small show that was not accepted in its line.
type walkUp struct {
	show         catalog.ShowID
	hold         string
	asked, given time.Time
}

// queue buys in small shows until stop is closed; ctx ends everything.
func (b *buyer) queue(ctx context.Context, stop <-chan struct{}) error {
	for {
		select {
		case <-stop:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		default:
		}
		if err := b.queueOnce(ctx, stop); err != nil {
			return fmt.Errorf("buyer %d, in line: %w", b.n, err)
		}
	}
}

// queueOnce takes what is free, or waits for it, and mostly pays.
func (b *buyer) queueOnce(ctx context.Context, stop <-chan struct{}) error {
	show, err := b.small(ctx, b.n)
	if err != nil {
		return err
	}
	if err := b.become(ctx, show, 1); err != nil { // each time as another person
		return err
	}
	n := 1 + b.dice.IntN(mostSeats)
	w, err := b.askPlace(ctx, n)
	switch code(err) {
	case "":
	case "seats_free":
		return b.walkUp(ctx, n)
	case "infeasible", "sales_closed":
		b.sellOut(show)
		return nil
	}
	if err != nil {
		return fmt.Errorf("join: %w", err)
	}
	if err := b.wait(ctx, stop, w); err != nil || w.state != "offered" {
		return err
	}
	return b.answer(ctx, w)
}

// small is one of the small shows that sell now; one that is sold out is followed by
// another, once the cloud is there.
func (r *run) small(ctx context.Context, n int) (catalog.ShowID, error) {
	for ; ctx.Err() == nil; pause(ctx, again) {
		if id := r.openSmall(ctx, n%lineShows); id != "" {
			return id, nil
		}
	}
	return "", ctx.Err()
}

func (r *run) openSmall(ctx context.Context, i int) catalog.ShowID {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lined.onSale[i] == "" {
		open, stop := context.WithTimeout(ctx, 5*time.Second)
		defer stop()
		if id, err := r.world.Open(open, r.lined.hall); err == nil {
			r.lined.onSale[i], r.lined.shows = id, append(r.lined.shows, id)
		}
	}
	return r.lined.onSale[i]
}

// sellOut notes that a show has too few seats left for somebody.
func (r *run) sellOut(show catalog.ShowID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, id := range r.lined.onSale {
		if id == show {
			r.lined.onSale[i] = ""
		}
	}
}

func (b *buyer) askPlace(ctx context.Context, n int) (*place, error) {
	path, key, body := "/shows/"+string(b.show)+"/line", b.key(), map[string]any{"seats": n}
	w := &place{client: b.client, show: b.show, asked: time.Now()}
	var got apiclient.Place
	if err := b.insist(ctx, "JoinLine", http.MethodPost, path, key, body, &got); err != nil {
		return nil, err
	}
	b.see(w, got, w.asked)
	b.mu.Lock()
	b.lined.places = append(b.lined.places, w)
	b.mu.Unlock()
	if b.dice.IntN(4) == 0 {
		sent := time.Now()
		var same apiclient.Place
		if err := b.insist(ctx, "JoinLine", http.MethodPost, path, key, body, &same); err != nil || same.ID != w.id {
			b.object("the same request for place %s was answered %s, %v", w.id, same.ID, err)
			return w, nil
		}
		b.see(w, same, sent)
	}
	return w, nil
}

// see notes an answer to a request that was sent then, and objects to what cannot be.
func (r *run) see(w *place, got apiclient.Place, sent time.Time) {
	now := time.Now()
	ended := []string{"accepted", "declined", "lapsed", "left", "infeasible", "timed_out"}
	switch {
	case w.id != "" && got.ID != w.id:
		r.object("place %s is told of as %s", w.id, got.ID)
	case w.number != 0 && got.Number != w.number:
		r.object("place %s has number %d, and had %d", w.id, got.Number, w.number)
	case slices.Contains(ended, w.state) && got.State != w.state:
		r.object("place %s is %s, and was %s", w.id, got.State, w.state)
	case w.state == "offered" && (got.State == "waiting" || got.State == "joining"):
		r.object("place %s is %s after it was offered", w.id, got.State)
	case w.hold != "" && got.HoldID != w.hold:
		r.object("place %s has hold %s, and had %s", w.id, got.HoldID, w.hold)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	w.id, w.state, w.hold = got.ID, got.State, got.HoldID
	if w.number == 0 && got.Number != 0 {
		w.number, w.told = got.Number, now
	}
	switch got.State {
	case "waiting":
		w.waiting = sent
	case "offered", "accepted", "declined", "lapsed":
		if w.served.IsZero() {
			w.served = now
		}
	}
}

// lookAt reads a place.
func (b *buyer) lookAt(ctx context.Context, w *place, query string) (apiclient.Place, error) {
	was := b.client
	b.client = w.client
	defer func() { b.client = was }()
	sent := time.Now()
	var got apiclient.Place
	if err := b.insist(ctx, "ReadPlace", http.MethodGet, "/line/"+w.id+query, "", nil, &got); err != nil {
		return got, fmt.Errorf("place %s with number %d is lost: %w", w.id, w.number, err)
	}
	b.see(w, got, sent)
	return got, nil
}

// wait polls until there is an offer or an end. Who goes home mostly leaves the line;
// the others are timed out.
func (b *buyer) wait(ctx context.Context, stop <-chan struct{}, w *place) error {
	version := ""
	for w.state == "joining" || w.state == "waiting" {
		select {
		case <-stop:
			return nil
		default:
		}
		if b.dice.IntN(40) == 0 {
			return b.giveUp(ctx, w, http.MethodDelete, "")
		}
		query := ""
		if version != "" {
			query = "?wait_seconds=" + strconv.Itoa(pollFor) + "&since=" + version
		}
		got, err := b.lookAt(ctx, w, query)
		if err != nil {
			return err
		}
		version = got.Version
	}
	if w.state == "infeasible" {
		b.sellOut(w.show)
	}
	return nil
}

func (b *buyer) giveUp(ctx context.Context, w *place, method, path string) error {
	err := b.insist(ctx, "AnswerOffer", method, "/line/"+w.id+path, "", nil, nil)
	if code(err) == "no_offer" && method == http.MethodPost { // it has lapsed
		return nil
	}
	return err
}

// answer mostly accepts, and pays; some decline, leave, or do nothing.
func (b *buyer) answer(ctx context.Context, w *place) error {
	switch d := b.dice.IntN(20); {
	case d == 0:
		return b.giveUp(ctx, w, http.MethodPost, "/decline")
	case d == 1:
		return b.giveUp(ctx, w, http.MethodDelete, "")
	case d == 2:
		return nil
	}
	path, key := "/line/"+w.id+"/accept", b.key()
	var h apiclient.Hold
	err := b.insist(ctx, "AnswerOffer", http.MethodPost, path, key, struct{}{}, &h)
	if c := code(err); c == "hold_expired" { // the offer has, while nobody answered
		return nil
	}
	if err != nil {
		return fmt.Errorf("accept at place %s: %w", w.id, err)
	}
	b.mu.Lock()
	w.hold, w.state = h.ID, "accepted"
	b.mu.Unlock()
	for range b.dice.IntN(2) {
		var same apiclient.Hold
		if err := b.insist(ctx, "AnswerOffer", http.MethodPost, path, key, struct{}{}, &same); err != nil || same.ID != h.ID {
			b.object("the same request to accept at place %s was answered %s, %v, after %s", w.id, same.ID, err, h.ID)
		}
	}
	return b.purchase(ctx, h)
}

// walkUp takes what is free, since nobody waits.
func (b *buyer) walkUp(ctx context.Context, n int) error {
	asked := time.Now()
	var h apiclient.Hold
	err := b.insist(ctx, "ReserveSeats", http.MethodPost, "/shows/"+string(b.show)+"/holds", b.key(),
		map[string]any{"best": map[string]any{"count": n, "type": "regular"}}, &h)
	if code(err) == "seats_unavailable" {
		return nil
	}
	if err != nil {
		return fmt.Errorf("walk up: %w", err)
	}
	b.mu.Lock()
	b.lined.walkUps = append(b.lined.walkUps, walkUp{b.show, h.ID, asked, time.Now()})
	b.mu.Unlock()
	return b.purchase(ctx, h)
}

// purchase pays for a hold of a small show and goes on.
func (b *buyer) purchase(ctx context.Context, h apiclient.Hold) error {
	p := &promise{client: b.client, show: b.show, hold: h}
	b.mu.Lock()
	b.promises = append(b.promises, p)
	b.mu.Unlock()
	switch b.dice.IntN(8) {
	case 0: // nobody pays: it expires, and goes to who waits
		return nil
	case 1, 2, 3, 4, 5:
		return b.giveBack(ctx, p)
	}
	return b.pay(ctx, p)
}

// giveBack releases a hold, for whoever waits.
func (b *buyer) giveBack(ctx context.Context, p *promise) error {
	if err := b.insist(ctx, "ReleaseHold", http.MethodDelete, "/holds/"+p.hold.ID, "", nil, nil); err != nil {
		return fmt.Errorf("give back hold %s: %w", p.hold.ID, err)
	}
	p.released = true
	return nil
}
