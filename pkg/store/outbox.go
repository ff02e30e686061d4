package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/fairseat/fairseat/pkg/mail"
)

const (
	mailPrefix = "MAIL#"
	skMail     = "MAIL"
	aSealed    = "sealed"
)

func mailKey(id mail.ID) Key { return Key{Mail, mailPrefix + string(id), skMail} }

// MailWrite puts a letter into the outbox, as a part of the transaction that causes it:
// both are or neither. The same letter again is refused with its transaction.
func MailWrite(p mail.Post) Write {
	return Write{Key: mailKey(p.ID), Where: Absent{}, Put: Item{
		aKind: string(p.Kind), aLocale: p.Locale, aSealed: p.Sealed, aMade: p.At.UnixMilli(), aTTL: p.At.Add(2 * mail.Keep).Unix(),
	}}
}

// PostFromItem reads a letter as the outbox and its stream show it.
func PostFromItem(it Item) (mail.Post, error) {
	r := row{item: it}
	p := mail.Post{
		ID: mail.ID(strings.TrimPrefix(r.str("pk"), mailPrefix)), Kind: mail.Kind(r.str(aKind)), Locale: r.str(aLocale),
		Sealed: r.str(aSealed), At: r.time(aMade),
	}
	return p, r.err
}

// Outbox is what sends the letters. It needs the right to update and to delete in the
// table Mail; who writes letters, that to put.
type Outbox struct{ t Tables }

var _ mail.Outbox = (*Outbox)(nil)

// NewOutbox sends those of the tables.
func NewOutbox(t Tables) *Outbox { return &Outbox{t} }

// Claim is one conditional update; its refusal tells why. What it claims is read before:
// a letter never changes.
func (o *Outbox) Claim(ctx context.Context, id mail.ID, now, until time.Time) (mail.Post, bool, error) {
	it, err := o.t.Get(ctx, mailKey(id), true)
	if err != nil || it == nil {
		return mail.Post{}, false, err
	}
	p, err := PostFromItem(it)
	if err != nil {
		return mail.Post{}, false, err
	}
	err = o.t.Transact(ctx, []Write{{
		Key: mailKey(id), Where: All{Exists{}, Any{NoAttr{aUntil}, AtMost{aUntil, now.UnixMilli()}}},
		Update: []Change{{Attr: aUntil, Op: SetTo, To: until.UnixMilli()}},
	}}, "")
	var c *Canceled
	switch {
	case err == nil:
		return p, true, nil
	case errors.As(err, &c) && c.Has(ReasonCondition) && c.Reasons[0].Old == nil:
		return mail.Post{}, false, nil
	case errors.As(err, &c) && (c.Has(ReasonCondition) || c.Has(ReasonConflict)):
		return mail.Post{}, false, mail.ErrInHand
	}
	return mail.Post{}, false, fmt.Errorf("claim a letter: %w", classify(err))
}

// Release gives up the claim that ends then, if it still stands.
func (o *Outbox) Release(ctx context.Context, id mail.ID, until time.Time) error {
	err := o.t.Transact(ctx, []Write{{
		Key: mailKey(id), Where: Equal{aUntil, until.UnixMilli()}, Update: []Change{{Attr: aUntil, Op: Unset}},
	}}, "")
	var c *Canceled
	if err == nil || errors.As(err, &c) && c.Has(ReasonCondition) {
		return nil
	}
	return fmt.Errorf("release a letter: %w", classify(err))
}

// Done removes a letter.
func (o *Outbox) Done(ctx context.Context, id mail.ID) error {
	if err := o.t.Transact(ctx, []Write{{Key: mailKey(id), Delete: true}}, ""); err != nil {
		return fmt.Errorf("remove a letter: %w", classify(err))
	}
	return nil
}
