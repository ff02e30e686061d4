// Package front builds what the HTTP functions share: the edge, and who may pass.
package front

import (
	"crypto/rand"
	"log/slog"

	"github.com/fairseat/fairseat/pkg/api"
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/session"
)

// Open is the edge of a function that asks nobody who he is.
func Open() api.Edge { return api.Edge{Clock: boot.Clock, Log: slog.Default()} }

// Guarded is the edge of a function that serves a buyer.
func Guarded(p *boot.Parts) api.Edge {
	e := Open()
	e.Buyer = Sessions(p).Verify
	return e
}

// Members is the edge of a function that serves people with accounts.
func Members(p *boot.Parts) api.Edge {
	e := Open()
	e.Person = Sessions(p).Account
	return e
}

// Sessions issues and verifies tokens.
func Sessions(p *boot.Parts) *session.Keeper {
	signs, retired := p.Secrets("SESSION_SECRET")
	k, err := session.New(rand.Reader, signs, retired...)
	if err != nil {
		p.Fail(err)
		return &session.Keeper{}
	}
	return k
}
