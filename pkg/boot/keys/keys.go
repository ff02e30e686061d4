// Package keys builds what judges developers' keys and what keeps them.
package keys

import (
	"context"
	"log/slog"
	"time"

	"github.com/fairseat/fairseat/pkg/api"
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/boot/desk"
	"github.com/fairseat/fairseat/pkg/developer"
	"github.com/fairseat/fairseat/pkg/developer/gate"
	"github.com/fairseat/fairseat/pkg/developer/keyring"
	"github.com/fairseat/fairseat/pkg/store"
)

// Door judges calls. The first developer's key is the gateway's own as well: the
// one that the usage plan knows.
func Door(p *boot.Parts) api.Door {
	first := p.Text("DEVELOPER_KEY")
	return api.Door{
		Clock: boot.Clock, Log: slog.Default(), Plan: first,
		Gate: &gate.Gate{Store: store.NewRegistry(desk.Tables(p)), First: first},
	}
}

// Ring keeps the keys of developers.
func Ring(p *boot.Parts) *keyring.Keyring {
	signs, retired := p.Secrets("SESSION_SECRET")
	press, err := developer.NewPress(signs, retired...)
	if err != nil {
		p.Fail(err)
	}
	return &keyring.Keyring{
		Store: store.NewRegistry(desk.Tables(p)), Press: press, Clock: boot.Clock,
		Pause: func(ctx context.Context, most time.Duration) error { return boot.Pause(ctx, boot.Jitter(most)) },
	}
}
