// Package pen builds what signs tickets, apart from till, so that a function which
// only shows the public keys links no database.
package pen

import (
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/ticket"
)

// Tickets signs tickets.
func Tickets(p *boot.Parts) *ticket.Signer {
	s, err := ticket.NewSigner(p.Text("TICKET_SECRET"))
	if err != nil {
		p.Fail(err)
	}
	return s
}
