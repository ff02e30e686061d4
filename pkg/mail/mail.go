// Package mail tells people things at their e-mail address: what a letter says, and that
// it leaves.
//
// A letter is put into the outbox by the transaction that causes it, as a row whose
// address and token are sealed ([Close], [Post]); the outbox's stream sends its id
// through a queue to send-mail, which claims, opens, sends and then removes it
// ([Office.Send]). Nothing on the way but the row knows whom it is for.
//
// SMTP has no transactions: a crash between the server's word and the removal of the
// row sends the letter once more when the claim has lapsed, under the same Message-ID,
// by which a mail system may drop it. Without a crash each letter leaves once. What
// nobody has sent within [Keep] is removed unsent: its token is worth nothing any more.
//
// Start with [Letter], [Close] and [Office].
package mail

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/vault"
)

// ID names a letter for ever. Its cause derives it, so that a repeated cause is the
// same letter: 1 to 64 letters, digits, - and _.
type ID string

// Kind is what a letter says. The zero value is invalid.
type Kind string

const (
	Verify  Kind = "verify"  // whose address it is sends the token back
	Reset   Kind = "reset"   // who has the token may set a new password
	Taken   Kind = "taken"   // somebody tried to register with an address that has an account
	Changed Kind = "changed" // the password was changed
	Nobody  Kind = "nobody"  // somebody asked to reset the password of an address that has no account
)

// Letter is what is told to whom. To and Token are never logged.
type Letter struct {
	ID     ID
	Kind   Kind
	Locale string // BCP 47; Chinese in any form is zh, all else en
	To     string // one address, as vault.Email has it
	Token  string // with Verify and Reset
	At     time.Time
}

// Post is a letter as the outbox has it.
type Post struct {
	ID     ID
	Kind   Kind
	Locale string
	Sealed string // address and token
	At     time.Time
}

// Keep is how long an outbox keeps a letter, whatever happens.
const Keep = 24 * time.Hour

// claimed is how long a letter is one sender's: longer than send-mail may run.
const claimed = time.Minute

// Sentinels.
var (
	ErrLetter = errors.New("mail: a letter that cannot be sent")
	// ErrInHand comes back from the queue later.
	ErrInHand = fault.New(fault.Stale, "", "mail: another sender has it in hand")
	// ErrRefused is a carrier's word that this letter will never be taken.
	ErrRefused = errors.New("mail: refused for good")
)

// Sealer is what a letter needs of the vault.
type Sealer interface {
	Seal(ctx context.Context, at vault.Place, plain string) (string, error)
	Open(ctx context.Context, at vault.Place, sealed string) (string, error)
}

func place(id ID) vault.Place { return vault.Place{Table: "mail", Item: string(id), Field: "letter"} }

// secrets is what is sealed.
type secrets struct {
	To    string `json:"to"`
	Token string `json:"token,omitempty"`
}

// Close seals a letter for the outbox. What cannot be sent is refused here, before its
// cause is committed.
func Close(ctx context.Context, s Sealer, l Letter) (Post, error) {
	if !l.valid() {
		return Post{}, ErrLetter
	}
	text, err := json.Marshal(secrets{l.To, l.Token})
	if err != nil {
		return Post{}, ErrLetter
	}
	sealed, err := s.Seal(ctx, place(l.ID), string(text))
	if err != nil {
		return Post{}, fmt.Errorf("mail: close %s: %w", l.ID, err)
	}
	return Post{l.ID, l.Kind, language(l.Locale), sealed, l.At}, nil
}

func (l Letter) valid() bool {
	_, address := vault.Email.Normal(l.To)
	wants := l.Kind == Verify || l.Kind == Reset
	return l.ID.valid() && l.Kind.valid() && address && (l.Token != "") == wants && !strings.ContainsAny(l.Token, " \r\n") && !l.At.IsZero()
}

func (k Kind) valid() bool {
	return k == Verify || k == Reset || k == Taken || k == Changed || k == Nobody
}

func (id ID) valid() bool {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return id != "" && len(id) <= 64 && strings.Trim(string(id), letters) == ""
}

func open(ctx context.Context, s Sealer, p Post) (Letter, error) {
	text, err := s.Open(ctx, place(p.ID), p.Sealed)
	if err != nil {
		return Letter{}, fmt.Errorf("mail: open %s: %w", p.ID, err)
	}
	var in secrets
	if json.Unmarshal([]byte(text), &in) != nil {
		return Letter{}, ErrLetter
	}
	return Letter{p.ID, p.Kind, p.Locale, in.To, in.Token, p.At}, nil
}

func language(locale string) string {
	if tag, _, _ := strings.Cut(strings.ToLower(locale), "-"); tag == "zh" {
		return "zh"
	}
	return "en"
}
