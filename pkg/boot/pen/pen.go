// Package pen builds what signs tickets, apart from till, so that a function which
// only shows the public keys links no database.
package pen

import (
	"maps"

	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/ticket"
)

// Tickets signs tickets.
func Tickets(p *boot.Parts) *ticket.Signer {
	signs, _ := p.Secrets("TICKET_SECRET")
	return signer(p, signs)
}

// Keys are what tickets verify with, those of retired secrets and of the next one
// too, so that a door knows a key before and after it signs. They are derived when
// they are first asked for.
func Keys(p *boot.Parts) func() ticket.Keys {
	signs, retired := p.Secrets("TICKET_SECRET")
	var signers []*ticket.Signer
	for _, secret := range append([]string{signs}, retired...) {
		signers = append(signers, signer(p, secret))
	}
	return func() ticket.Keys {
		all := ticket.Keys{}
		for _, s := range signers {
			maps.Copy(all, s.Keys()) // an id is its key's digest
		}
		return all
	}
}

func signer(p *boot.Parts, secret string) *ticket.Signer {
	s, err := ticket.NewSigner(secret)
	if err != nil {
		p.Fail(err)
	}
	return s
}
