// Package lobby builds what the functions around accounts share.
package lobby

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/fairseat/fairseat/pkg/account/password"
	"github.com/fairseat/fairseat/pkg/account/reception"
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/boot/desk"
	"github.com/fairseat/fairseat/pkg/boot/front"
	"github.com/fairseat/fairseat/pkg/boot/safe"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/throttle"
)

// Reception is where people register, log in and keep their accounts.
func Reception(p *boot.Parts) *reception.Reception {
	t := desk.Tables(p)
	signs, _ := p.Secrets("SESSION_SECRET")
	names, err := throttle.NewNamer(signs)
	if err != nil {
		p.Fail(err)
	}
	attempts := p.Number("FAIRSEAT_ATTEMPTS")
	if attempts < 1 {
		p.Fail(fmt.Errorf("FAIRSEAT_ATTEMPTS is not at least one"))
		return nil
	}
	return &reception.Reception{
		Store: store.NewAccountBook(t), Safe: safe.Vault(p, t), Limits: store.NewLimiter(t), Names: names, Tokens: front.Sessions(p),
		Hasher: reception.Argon2id{Parameters: password.Standard, Random: rand.Reader}, Random: rand.Reader, Clock: boot.Clock,
		Rates: reception.Standard(attempts),
		Pause: func(ctx context.Context, most time.Duration) error { return boot.Pause(ctx, boot.Jitter(most)) },
	}
}
