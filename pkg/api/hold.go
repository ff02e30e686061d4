package api

import (
	"context"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/throttle/turnstile"
)

// ReserveSeats answers POST /shows/{show}/holds (A7, A10, A12).
func ReserveSeats(e Edge, o *boxoffice.Office) Handler {
	return e.handle(map[string]operation{opReserveSeats: holds{o}.reserve})
}

// ReadHold answers GET /holds/{hold}.
func ReadHold(e Edge, o *boxoffice.Office) Handler {
	return e.handle(map[string]operation{opReadHold: holds{o}.read})
}

// ReleaseHold answers DELETE /holds/{hold}.
func ReleaseHold(e Edge, o *boxoffice.Office) Handler {
	return e.handle(map[string]operation{opReleaseHold: holds{o}.release})
}

type holds struct{ office *boxoffice.Office }

type holdDoc struct {
	ID           string       `json:"id"`
	ShowID       string       `json:"show_id"`
	Seats        []pricedDoc  `json:"seats"`
	Total        money.Amount `json:"total"`
	State        string       `json:"state"`
	ExpiresAt    string       `json:"expires_at"`
	ServerTime   string       `json:"server_time"`
	GraceSeconds int          `json:"grace_seconds"`
}

type pricedDoc struct {
	ID    string       `json:"id"`
	Type  string       `json:"type"`
	Price money.Amount `json:"price"`
}

// holdBody is the request; as JSON it is the canonical form.
type holdBody struct {
	Seats []string  `json:"seats,omitempty"`
	Best  *bestBody `json:"best,omitempty"`
	Movie string    `json:"movie_id,omitempty"`
}

type bestBody struct {
	Count int    `json:"count"`
	Type  string `json:"type,omitempty"`
}

func (h holds) reserve(ctx context.Context, c *call) (reply, error) {
	b, err := decodeHold(c.body)
	if err != nil {
		return reply{}, err
	}
	solution, err := c.solution()
	if err != nil {
		return reply{}, err
	}
	if err := c.pass(ctx, turnstile.Hold, 0); err != nil {
		return reply{}, err
	}
	w := boxoffice.Wish{
		Buyer: c.buyer, Key: c.key, BodyHash: c.digest(canonical(b)),
		Show: catalog.ShowID(c.id("show")), Movie: catalog.MovieID(b.Movie), Solution: solution,
	}
	w.Seats = make([]seatmap.SeatID, len(b.Seats))
	for i, s := range b.Seats {
		w.Seats[i] = seatmap.SeatID(s)
	}
	if b.Best != nil {
		w.Best = &seatmap.Want{Count: b.Best.Count, Type: seatmap.SeatType(b.Best.Type)}
	}
	got, err := h.office.Reserve(ctx, w)
	if err != nil {
		return reply{}, err
	}
	// The same request has the same answer, also when the hold has ended since;
	// GET tells the truth.
	r, err := h.doc(c, got, booking.Held)
	r.status, r.location = 201, "/v1/holds/"+string(got.ID)
	return r, err
}

func decodeHold(body string) (holdBody, error) {
	var b holdBody
	v, err := parse(body)
	if err != nil {
		return b, err
	}
	m, err := v.object("seats", "best", "movie_id")
	if err != nil {
		return b, err
	}
	seats, named := m["seats"]
	best, any := m["best"]
	if named && any {
		return b, bad("best: not together with seats")
	}
	if named {
		if b.Seats, err = seats.texts(); err != nil {
			return b, err
		}
	}
	if any {
		if b.Best, err = decodeBest(best); err != nil {
			return b, err
		}
	}
	if movie, given := m["movie_id"]; given {
		if b.Movie, err = movie.text(); err == nil && b.Movie == "" {
			err = bad("movie_id: must not be empty")
		}
	}
	return b, err
}

func decodeBest(v value) (*bestBody, error) {
	m, err := v.object("count", "type")
	if err != nil {
		return nil, err
	}
	count, given := m["count"]
	if !given {
		return nil, bad("best.count: required")
	}
	var b bestBody
	if b.Count, err = count.number(); err != nil {
		return nil, err
	}
	typ, given := m["type"]
	if !given {
		return &b, nil
	}
	if b.Type, err = typ.text(); err != nil {
		return nil, err
	}
	if !seatmap.SeatType(b.Type).Valid() {
		return nil, bad("best.type: not a type of seat")
	}
	return &b, nil
}

func (h holds) read(ctx context.Context, c *call) (reply, error) {
	got, err := h.office.Look(ctx, c.buyer, booking.HoldID(c.id("hold")))
	if err != nil {
		return reply{}, err
	}
	state := got.State
	if state == booking.Refunded {
		state = booking.Released
	}
	return h.doc(c, got, state)
}

func (h holds) release(ctx context.Context, c *call) (reply, error) {
	if err := h.office.GiveBack(ctx, c.buyer, booking.HoldID(c.id("hold"))); err != nil {
		return reply{}, err
	}
	return reply{status: 204}, nil
}

func (h holds) doc(c *call, got booking.Hold, state booking.State) (reply, error) {
	total, err := got.Total()
	if err != nil {
		return reply{}, err
	}
	d := holdDoc{
		ID: string(got.ID), ShowID: string(got.Show), Seats: make([]pricedDoc, len(got.Seats)), Total: total, State: state.String(),
		ExpiresAt: wireTime(got.ExpiresAt), ServerTime: wireTime(c.edge.Clock()), GraceSeconds: int(h.office.Policy.Grace.Seconds()),
	}
	for i, s := range got.Seats {
		d.Seats[i] = pricedDoc{string(s.ID), string(s.Type), s.Price}
	}
	return ok(d), nil
}
