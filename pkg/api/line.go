package api

import (
	"context"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/throttle/turnstile"
)

// JoinLine answers POST /shows/{show}/line (A8).
func JoinLine(e Edge, o *boxoffice.Office) Handler {
	return e.handle(map[string]operation{opJoinLine: queue{o}.join})
}

// ReadPlace answers GET /line/{waiter}, at once or when something has changed (A16).
func ReadPlace(e Edge, o *boxoffice.Office) Handler {
	return e.handle(map[string]operation{opReadPlace: queue{o}.read})
}

// AnswerOffer answers POST /line/{waiter}/accept and /decline, and DELETE /line/{waiter}.
func AnswerOffer(e Edge, o *boxoffice.Office) Handler {
	q := queue{o}
	return e.handle(map[string]operation{opAcceptOffer: q.accept, opDeclineOffer: q.decline, opLeaveLine: q.leave})
}

type queue struct{ office *boxoffice.Office }

// placeDoc is a place in line. Number and ahead are there once the number is
// written, ahead as long as the place is one of the line.
type placeDoc struct {
	ID         string      `json:"id"`
	ShowID     string      `json:"show_id"`
	State      string      `json:"state"`
	Seats      int         `json:"seats"`
	Types      []string    `json:"types"`
	Number     int64       `json:"number,omitempty"`
	Ahead      *int        `json:"ahead,omitempty"`
	Rule       string      `json:"rule"`
	RulePasses int         `json:"rule_passes,omitempty"`
	RuleText   string      `json:"rule_text"`
	WaitingFor *waitingDoc `json:"waiting_for,omitempty"`
	Offer      *offerDoc   `json:"offer,omitempty"`
	HoldID     string      `json:"hold_id,omitempty"`
	ExpiresAt  string      `json:"expires_at"`
	ServerTime string      `json:"server_time"`
	Version    string      `json:"version"`
}

// waitingDoc is the party in the way, perhaps one's own.
type waitingDoc struct {
	Number   int64 `json:"number"`
	Needs    int   `json:"needs"`
	SetAside int   `json:"set_aside"`
}

type offerDoc struct {
	Proposed  []string `json:"seats_proposed"`
	Free      []string `json:"seats_free_for_you"`
	ExpiresAt string   `json:"expires_at"`
}

// ruleTexts are the published rules (A15).
var ruleTexts = map[line.Rule]string{
	line.Strict: "Seats are offered in order of number. A party that does not fit yet is waited for: " +
		"nobody behind it is offered seats of its types before it.",
	line.Bounded: "Seats are offered in order of number. A party that does not fit yet may be passed by as many " +
		"later parties as rule_passes says; then it is waited for.",
}

// joinBody is the request; as JSON it is the canonical form.
type joinBody struct {
	Seats int      `json:"seats"`
	Types []string `json:"types,omitempty"`
}

func (q queue) join(ctx context.Context, c *call) (reply, error) {
	b, err := decodeJoin(c.body)
	if err != nil {
		return reply{}, err
	}
	solution, err := c.solution()
	if err != nil {
		return reply{}, err
	}
	if err := c.pass(ctx, turnstile.Join, 0); err != nil {
		return reply{}, err
	}
	j := boxoffice.Join{
		Buyer: c.buyer, Key: c.key, BodyHash: c.digest(canonical(b)), Show: catalog.ShowID(c.id("show")), Party: b.Seats,
		Types: make([]seatmap.SeatType, len(b.Types)), Solution: solution,
	}
	for i, t := range b.Types {
		j.Types[i] = seatmap.SeatType(t)
	}
	s, err := q.office.Join(ctx, j)
	if err != nil {
		return reply{}, err
	}
	r := q.place(c, s)
	r.status, r.location = 201, "/v1/line/"+string(s.Waiter.ID)
	if joining(s.Waiter) {
		r.status = 202
	}
	return r, nil
}

func decodeJoin(body string) (joinBody, error) {
	var b joinBody
	v, err := parse(body)
	if err != nil {
		return b, err
	}
	m, err := v.object("seats", "types")
	if err != nil {
		return b, err
	}
	seats, given := m["seats"]
	if !given {
		return b, bad("seats: required")
	}
	if b.Seats, err = seats.number(); err != nil {
		return b, err
	}
	if types, given := m["types"]; given {
		b.Types, err = types.texts()
	}
	return b, err
}

func (q queue) read(ctx context.Context, c *call) (reply, error) {
	since, wait, err := c.poll()
	if err != nil {
		return reply{}, err
	}
	s, err := q.office.Await(ctx, c.buyer, line.WaiterID(c.id("waiter")), since, wait)
	if err != nil {
		return reply{}, err
	}
	return q.place(c, s), nil
}

// maxPoll is the longest that a request is kept, below the 29 seconds of a gateway.
const maxPoll = 25

// poll reads since and wait_seconds. Without since nothing is waited for: there is
// nothing that an answer could differ from.
func (c *call) poll() (since string, wait time.Duration, err error) {
	seconds := maxPoll
	if text, given := c.query["wait_seconds"]; given {
		n, ok := whole(text)
		if !ok || n > maxPoll {
			return "", 0, bad("wait_seconds: must be a whole number from 0 to 25")
		}
		seconds = n
	}
	since, given := c.query["since"]
	switch {
	case !given:
		return "", 0, nil
	case !printable(since, maxID):
		return "", 0, bad("since: must be a version")
	}
	return since, time.Duration(seconds) * time.Second, nil
}

func (q queue) accept(ctx context.Context, c *call) (reply, error) {
	seats, err := decodeAccept(c.body)
	if err != nil {
		return reply{}, err
	}
	w := boxoffice.Choose{
		Buyer: c.buyer, Waiter: line.WaiterID(c.id("waiter")), Key: c.key, BodyHash: c.digest(canonical(seats)),
		Seats: make([]seatmap.SeatID, len(seats)),
	}
	for i, s := range seats {
		w.Seats[i] = seatmap.SeatID(s)
	}
	h, err := q.office.AcceptOffer(ctx, w)
	if err != nil {
		return reply{}, err
	}
	// The same request has the same answer, also when the hold has ended since.
	r, err := holds(q).doc(c, h, booking.Held)
	r.status, r.location = 201, "/v1/holds/"+string(h.ID)
	return r, err
}

// decodeAccept gives no seats for {}, which is the proposal. An empty list is
// another thing: a choice of none.
func decodeAccept(body string) ([]string, error) {
	v, err := parse(body)
	if err != nil {
		return nil, err
	}
	m, err := v.object("seats")
	if err != nil {
		return nil, err
	}
	seats, given := m["seats"]
	if !given {
		return nil, nil
	}
	list, err := seats.texts()
	if err == nil && len(list) == 0 {
		err = line.ErrPartySize
	}
	return list, err
}

func (q queue) decline(ctx context.Context, c *call) (reply, error) {
	if err := c.emptyBody(); err != nil {
		return reply{}, err
	}
	return reply{status: 204}, q.office.DeclineOffer(ctx, c.buyer, line.WaiterID(c.id("waiter")))
}

func (q queue) leave(ctx context.Context, c *call) (reply, error) {
	return reply{status: 204}, q.office.LeaveLine(ctx, c.buyer, line.WaiterID(c.id("waiter")))
}

// joining: it has asked, and is not acknowledged.
func joining(w line.Waiter) bool { return w.State == line.Asked || w.State == line.Entering }

func (q queue) place(c *call, s boxoffice.Standing) reply {
	w := s.Waiter
	d := placeDoc{
		ID: string(w.ID), ShowID: string(w.Show), State: w.State.String(), Seats: w.Party, Types: texts(w.Types), Number: w.Number,
		Rule: s.Policy.Rule.String(), RuleText: ruleTexts[s.Policy.Rule], HoldID: string(w.Hold),
		ExpiresAt: wireTime(w.ExpiresAt), ServerTime: wireTime(c.edge.Clock()), Version: s.Version(),
	}
	if s.Policy.Rule == line.Bounded {
		d.RulePasses = s.Policy.Passes
	}
	switch {
	case joining(w):
		d.State, d.Number = "joining", 0
	case !w.State.Ended():
		d.Ahead = &s.Ahead
	}
	if s.Why != nil {
		d.WaitingFor = &waitingDoc{s.Why.Number, s.Why.Needs, s.Why.Aside}
	}
	if w.State == line.Offered {
		d.Offer = &offerDoc{Free: asideIDs(s.Choice), Proposed: asideIDs(w.Offer.Seats), ExpiresAt: wireTime(w.Offer.ExpiresAt)}
	}
	return ok(d)
}

func asideIDs(as []line.Aside) []string {
	ids := make([]string, len(as))
	for i, a := range as {
		ids[i] = string(a.Seat)
	}
	return ids
}
