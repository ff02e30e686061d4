package mail

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Outbox is what sending needs of the store.
type Outbox interface {
	// Claim makes a letter one sender's until a moment, unless it is another's then:
	// ErrInHand. found is false for a letter that is gone: it was sent.
	Claim(ctx context.Context, id ID, now, until time.Time) (p Post, found bool, err error)
	// Release gives a claim up: the letter was not sent, and may be at once.
	Release(ctx context.Context, id ID, until time.Time) error
	// Done removes a letter, also one that is gone.
	Done(ctx context.Context, id ID) error
}

// Carrier hands a message over to the mail system, or fails: with ErrRefused where
// trying again is in vain. Its errors hold nothing of the message.
type Carrier interface {
	Carry(ctx context.Context, m Message) error
}

// Office sends letters.
type Office struct {
	Outbox  Outbox
	Vault   Sealer
	Carrier Carrier
	Clock   func() time.Time
	Log     *slog.Logger
}

// Send sends one letter of the outbox, once unless something crashes. An error means
// that it is to be tried again; a letter that is refused for good, or that has been
// there for too long, is removed and logged by its id.
func (o *Office) Send(ctx context.Context, id ID) error {
	now := o.Clock()
	until := now.Add(claimed)
	p, found, err := o.Outbox.Claim(ctx, id, now, until)
	if err != nil || !found {
		return err
	}
	if now.After(p.At.Add(Keep)) {
		o.Log.WarnContext(ctx, "letter too old to send", "mail", string(id), "kind", string(p.Kind))
		return o.Outbox.Done(ctx, id)
	}
	err = o.carry(ctx, p)
	if errors.Is(err, ErrRefused) {
		o.Log.WarnContext(ctx, "letter refused for good", "mail", string(id), "kind", string(p.Kind), "err", err.Error())
		err = nil
	}
	if err != nil {
		return errors.Join(err, o.Outbox.Release(ctx, id, until))
	}
	return o.Outbox.Done(ctx, id)
}

func (o *Office) carry(ctx context.Context, p Post) error {
	l, err := open(ctx, o.Vault, p)
	if err != nil {
		return err
	}
	m, err := Compose(l)
	if err != nil {
		return err
	}
	if err := o.Carrier.Carry(ctx, m); err != nil {
		return fmt.Errorf("mail: send %s: %w", p.ID, err)
	}
	return nil
}
