package street

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// Crowd is how many come within what time, and what they want.
type Crowd struct {
	Buyers int
	Within time.Duration
	Seed   uint64
	Best   bool // two to six of the best seats; else one to four named ones
	Tries  int  // requests a buyer makes at the most
}

// Asked is one request for seats and its answer.
type Asked struct {
	Reply
	Party     int
	Code      string
	Next      string
	Conflicts []string
	Hold      booking.HoldID
	Seats     []string
}

// Rush lets a crowd come. Like a person each asks for what he liked before the sale
// began; refused, he looks at the map a second or two later and asks for other seats
// that it shows as free, until he has had enough or is told that the show is full.
func (s *Stack) Rush(ctx context.Context, h *House, c Crowd) (asked []Asked, late time.Duration, err error) {
	var mu sync.Mutex
	rng := rand.New(rand.NewPCG(c.Seed, 2))
	shots := make([]Shot, c.Buyers)
	for i := range shots {
		token, err := s.Guest()
		if err != nil {
			return nil, 0, err
		}
		b := &person{Stack: s, house: h, token: token, rng: rand.New(rand.NewPCG(c.Seed, uint64(i)+3)), tries: c.Tries, best: c.Best}
		b.party = parties[b.rng.IntN(len(parties))]
		if c.Best {
			b.party = 2 + b.rng.IntN(5)
		}
		at := time.Duration(0)
		if c.Within > 0 {
			at = time.Duration(rng.Int64N(int64(c.Within)))
		}
		shots[i] = Shot{At: at, Do: func(due time.Time) {
			got := b.come(ctx, due)
			mu.Lock()
			defer mu.Unlock()
			asked = append(asked, got...)
		}}
	}
	sortShots(shots)
	late, err = Volley(ctx, shots)
	return asked, late, err
}

// parties of one to four, most of them two.
var parties = []int{1, 1, 2, 2, 2, 2, 2, 3, 4, 4}

type person struct {
	*Stack
	house *House
	token string
	rng   *rand.Rand
	party int
	tries int
	best  bool
}

func (b *person) come(ctx context.Context, due time.Time) (asked []Asked) {
	want := b.favourite()
	for n := 0; b.tries > 0 && ctx.Err() == nil; n++ {
		b.tries--
		a := b.ask(ctx, due, fmt.Sprint(n), want)
		asked = append(asked, a)
		switch {
		case a.Status == 503:
			n--
		case a.Code != "seats_unavailable" || a.Next == "show_full" || b.best:
			return asked
		}
		due = time.Now().Add(time.Second + time.Duration(b.rng.Int64N(int64(time.Second))))
		pause(ctx, due)
		if a.Status != 503 {
			if want = b.fromMap(ctx); want == nil {
				return asked
			}
		}
	}
	return asked
}

func pause(ctx context.Context, until time.Time) {
	t := time.NewTimer(time.Until(until))
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

func (b *person) ask(ctx context.Context, due time.Time, key string, want []string) Asked {
	var body any = map[string]any{"seats": want}
	if b.best {
		body = map[string]any{"best": map[string]any{"count": b.party, "type": "regular"}}
	}
	text, err := json.Marshal(body)
	if err != nil {
		return Asked{Reply: Reply{Err: err}}
	}
	r := b.Send(ctx, due, Request{Kind: "hold", Method: "POST", Path: "/shows/" + string(b.house.Show) + "/holds", Token: b.token, Key: key, Body: string(text), Keep: true})
	a := Asked{Reply: r, Party: b.party}
	var doc struct {
		ID        string `json:"id"`
		Code      string `json:"code"`
		Next      string `json:"next"`
		Conflicts []struct {
			Seat string `json:"seat"`
		} `json:"conflicts"`
		Seats []struct {
			ID string `json:"id"`
		} `json:"seats"`
	}
	if r.Err == nil && (r.Status == 201 || strings.HasPrefix(r.Header.Get("Content-Type"), "application/problem+json")) {
		a.Err = json.Unmarshal(r.Body, &doc)
	}
	a.Code, a.Next, a.Hold = doc.Code, doc.Next, booking.HoldID(doc.ID)
	for _, c := range doc.Conflicts {
		a.Conflicts = append(a.Conflicts, c.Seat)
	}
	for _, c := range doc.Seats {
		a.Seats = append(a.Seats, c.ID)
	}
	return a
}

func (b *person) favourite() []string {
	row, first := b.rng.IntN(b.house.Rows), b.rng.IntN(b.house.Width-b.party+1)
	return b.run(row*b.house.Width+first, func(int) bool { return true })
}

func (b *person) run(first int, free func(int) bool) []string {
	var ids []string
	for i := first; i < first+b.party; i++ {
		if i >= b.house.Layout.Len() || i/b.house.Width != first/b.house.Width || !free(i) {
			return nil
		}
		ids = append(ids, string(b.house.Layout.At(i).ID))
	}
	return ids
}

// fromMap is a run of free neighbours as the map shows them, or any free seats.
func (b *person) fromMap(ctx context.Context) []string {
	r := b.Send(ctx, time.Now(), Request{Kind: "map", Method: "GET", Path: "/shows/" + string(b.house.Show) + "/seatmap", Keep: true})
	var doc struct {
		States []byte `json:"states"`
	}
	if r.Err != nil || r.Status != 200 || json.Unmarshal(r.Body, &doc) != nil {
		return nil
	}
	p, err := seatmap.ParsePacked(doc.States, b.house.Layout.Len())
	if err != nil {
		return nil
	}
	free := func(i int) bool { return p.Get(i) == seatmap.Free }
	var open []int
	for i := range b.house.Layout.Len() {
		if free(i) {
			open = append(open, i)
		}
	}
	if len(open) < b.party {
		return nil
	}
	b.rng.Shuffle(len(open), func(i, j int) { open[i], open[j] = open[j], open[i] })
	for _, first := range open {
		if ids := b.run(first, free); ids != nil {
			return ids
		}
	}
	var ids []string
	for _, i := range open[:b.party] {
		ids = append(ids, string(b.house.Layout.At(i).ID))
	}
	return ids
}

// Truth is whose each seat is after a rush, and when that hold was begun.
type Truth struct {
	Taken int
	Since map[string]time.Time
}

// Truth reads the claims and their holds.
func (s *Stack) Truth(ctx context.Context, h *House) (Truth, error) {
	t := Truth{Since: map[string]time.Time{}}
	owners := map[seatmap.SeatID]boxoffice.Owner{}
	var ids []booking.HoldID
	for _, b := range h.Layout.Blocks() {
		claims, err := s.Store.BlockClaims(ctx, h.Show, b.Name)
		if err != nil {
			return t, err
		}
		for seat, o := range claims {
			owners[seat] = o
			if !slices.Contains(ids, o.Hold) {
				ids = append(ids, o.Hold)
			}
		}
	}
	holds, err := s.Store.HoldsByID(ctx, ids)
	if err != nil {
		return t, err
	}
	for seat, o := range owners {
		t.Since[string(seat)] = holds[o.Hold].MadeAt
		t.Taken++
	}
	return t, nil
}

// Lies counts refusals of seats that were free for the whole of their request: taken
// by nobody, or by a hold that was begun after the answer had come. Nobody gives a
// seat back in a rush.
func (t Truth) Lies(asked []Asked) int {
	n := 0
	for _, a := range asked {
		for _, seat := range a.Conflicts {
			if since, taken := t.Since[seat]; !taken || since.After(a.Due.Add(a.Took)) {
				n++
			}
		}
	}
	return n
}
