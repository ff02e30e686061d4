// Package porch builds what stands before the box office against those who come too
// often: limits and challenges (B7).
package porch

import (
	"crypto/rand"
	"strconv"

	"github.com/fairseat/fairseat/pkg/api"
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/boot/desk"
	"github.com/fairseat/fairseat/pkg/boot/front"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/challenge"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/throttle"
	"github.com/fairseat/fairseat/pkg/throttle/turnstile"
)

// Open is the edge of a function that asks nobody who he is, and counts how often an
// address comes.
func Open(p *boot.Parts) api.Edge { return limited(p, front.Open()) }

// Guarded is the edge of a function that serves a buyer, and counts how often he
// comes, and his address.
func Guarded(p *boot.Parts) api.Edge { return limited(p, front.Guarded(p)) }

func limited(p *boot.Parts, e api.Edge) api.Edge {
	signs, _ := p.Secrets("SESSION_SECRET")
	names, err := throttle.NewNamer(signs)
	if err != nil {
		p.Fail(err)
	}
	n := turnstile.Numbers{
		Sessions: number(p, "SESSIONS_PER_ADDRESS"), Holds: number(p, "HOLDS_PER_ADDRESS"),
		BuyerHolds: number(p, "HOLDS_PER_BUYER"), AddressSeats: number(p, "SEATS_PER_ADDRESS"),
	}
	e.Limit = turnstile.New(store.NewLimiter(desk.Tables(p)), names, n, boot.Clock).Pass
	return e
}

// number of a limit that the function has; one that it has not is none.
func number(p *boot.Parts, name string) int {
	text := p.Env(name)
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		p.Fail(err)
	}
	return n
}

// Office is the box office with its line, which takes solutions.
func Office(p *boot.Parts) *boxoffice.Office { return challenging(p, desk.Lined(p)) }

// Challenger is the box office as far as it poses challenges.
func Challenger(p *boot.Parts) *boxoffice.Office { return challenging(p, desk.Office(p)) }

func challenging(p *boot.Parts, o *boxoffice.Office) *boxoffice.Office {
	signs, retired := p.Secrets("SESSION_SECRET")
	k, err := challenge.New(rand.Reader, signs, retired...)
	if err != nil {
		p.Fail(err)
	}
	o.Challenges = k
	return o
}
