package api

import (
	"context"

	"github.com/fairseat/fairseat/pkg/adoption"
	"github.com/fairseat/fairseat/pkg/boxoffice"
)

// AdoptGuest answers POST /me/adoptions (B1): what a guest has becomes the account's.
func AdoptGuest(e Edge, o *boxoffice.Office) Handler {
	return e.handle(map[string]operation{opAdoptGuest: adopter{o}.adopt})
}

type adopter struct{ office *boxoffice.Office }

type adoptedDoc struct {
	Moved []string  `json:"moved"`
	Kept  []keptDoc `json:"kept"`
}

type keptDoc struct {
	ShowID string `json:"show_id"`
	Reason string `json:"reason"`
}

var keptFor = map[adoption.Reason]string{adoption.SeatLimit: "seat_limit_reached", adoption.TwoPlaces: "already_waiting"}

// adopt takes the guest's token as the proof that he who logged in is the guest; it is
// judged like any other, and a token of another kind is none.
func (a adopter) adopt(ctx context.Context, c *call) (reply, error) {
	if !c.buyer.Account() {
		return reply{}, &refusal{code: "unauthorized", detail: "Only an account adopts what a guest has."}
	}
	v, err := parse(c.body)
	if err != nil {
		return reply{}, err
	}
	m, err := v.object("guest_token")
	if err != nil {
		return reply{}, err
	}
	member, given := m["guest_token"]
	if !given {
		return reply{}, bad("guest_token: required")
	}
	token, err := member.text()
	if err != nil {
		return reply{}, err
	}
	guest, err := c.edge.Buyer(token, c.now)
	if err != nil || !guest.Guest() {
		return reply{}, &refusal{code: "unknown_guest"}
	}
	got, err := a.office.Adopt(ctx, guest, c.buyer)
	if err != nil {
		return reply{}, err
	}
	d := adoptedDoc{Moved: texts(got.Moved), Kept: make([]keptDoc, len(got.Kept))}
	for i, k := range got.Kept {
		d.Kept[i] = keptDoc{string(k.Show), keptFor[k.Why]}
	}
	return ok(d), nil
}
