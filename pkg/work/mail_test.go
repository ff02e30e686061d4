package work_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/mail"
	"github.com/fairseat/fairseat/pkg/relay"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/vault"
	"github.com/fairseat/fairseat/pkg/vault/vaulttest"
	"github.com/fairseat/fairseat/pkg/work"
)

// bag is a mail system in the test's hands.
type bag struct {
	*mail.Office
	carried []mail.Message
	fails   error
	said    bytes.Buffer
}

func newBag(s *scene) *bag {
	b := &bag{}
	b.Office = &mail.Office{
		Outbox: store.NewOutbox(s.db), Vault: vaulttest.Keeper(s.clock), Carrier: b, Clock: s.clock, Log: slog.New(slog.NewTextHandler(&b.said, nil)),
	}
	return b
}

func (b *bag) Carry(_ context.Context, m mail.Message) error {
	if b.fails == nil {
		b.carried = append(b.carried, m)
	}
	return b.fails
}

var letter = mail.Letter{ID: "m_1", Kind: mail.Verify, Locale: "en", To: "ada@example.com", Token: "a-token", At: noon}

// put is what the transaction does that causes a letter.
func (s *scene) put(p mail.Post) {
	s.t.Helper()
	if err := s.db.Transact(s.t.Context(), []store.Write{store.MailWrite(p)}, ""); err != nil {
		s.t.Fatal(err)
	}
}

func (b *bag) put(s *scene, l mail.Letter) {
	s.t.Helper()
	p, err := mail.Close(s.t.Context(), b.Vault, l)
	if err != nil {
		s.t.Fatal(err)
	}
	s.put(p)
}

func mailSamples() []sample {
	return []sample{
		{"relay-mail", func(s *scene) []byte {
			s.put(mail.Post{ID: "m_1", Kind: mail.Verify, Locale: "zh", Sealed: "fv1.203005.AAAA", At: noon})
			return s.stream(store.Mail, all)
		}, func(s *scene, in []byte) {
			s.ok(work.RelayMail(s)(s.t.Context(), streamEvent(s.t, in)))
			if len(s.sent) != 1 || s.sent[0].Queue != relay.Letters || s.sent[0].Body != `{"mail":"m_1"}` {
				s.t.Errorf("sent %+v", s.sent)
			}
		}},
		{"send-mail", func(s *scene) []byte { return s.queue("mail", "", relay.MailDue{Mail: "m_1"}) }, func(s *scene, in []byte) {
			b := newBag(s)
			b.put(s, letter)
			s.done(work.SendMail(b.Office)(s.t.Context(), queueEvent(s.t, in)))
			s.done(work.SendMail(b.Office)(s.t.Context(), queueEvent(s.t, in)))
			if len(b.carried) != 1 || b.carried[0].To != letter.To || !strings.Contains(b.carried[0].Text, letter.Token) {
				s.t.Errorf("carried %d letters", len(b.carried))
			}
		}},
	}
}

// TestALetterThatFails comes again at once, and leaves once in the end.
func TestALetterThatFails(t *testing.T) {
	s := newScene(t)
	b := newBag(s)
	b.put(s, letter)
	b.fails = errors.New("out of reach")
	if err := b.Send(t.Context(), letter.ID); err == nil || strings.Contains(err.Error(), letter.To) {
		t.Errorf("out of reach: %v", err)
	}
	b.fails = nil
	for range 2 {
		if err := b.Send(t.Context(), letter.ID); err != nil {
			t.Error(err)
		}
	}
	if len(b.carried) != 1 {
		t.Errorf("it left %d times", len(b.carried))
	}
}

// TestALetterInHand: of two senders at once one sends; after a crash of it the other
// one does, when the claim has lapsed.
func TestALetterInHand(t *testing.T) {
	s := newScene(t)
	b := newBag(s)
	b.put(s, letter)
	until := noon.Add(time.Minute)
	if _, found, err := b.Outbox.Claim(t.Context(), letter.ID, noon, until); err != nil || !found {
		t.Fatal(found, err)
	}
	if err := b.Send(t.Context(), letter.ID); !errors.Is(err, mail.ErrInHand) || len(b.carried) != 0 {
		t.Errorf("in another's hand: %v, %d left", err, len(b.carried))
	}
	s.now = until
	if err := b.Send(t.Context(), letter.ID); err != nil || len(b.carried) != 1 {
		t.Errorf("after the crash: %v, %d left", err, len(b.carried))
	}
}

// TestALetterRefusedForGood, or too old, is dropped, and its log names nobody.
func TestALetterRefusedForGood(t *testing.T) {
	for name, spoil := range map[string]func(*scene, *bag){
		"refused": func(_ *scene, b *bag) { b.fails = mail.ErrRefused },
		"old":     func(s *scene, _ *bag) { s.now = noon.Add(mail.Keep + time.Second) },
	} {
		s := newScene(t)
		b := newBag(s)
		b.put(s, letter)
		spoil(s, b)
		for range 2 {
			if err := b.Send(t.Context(), letter.ID); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		said := b.said.String()
		if len(b.carried) != 0 || strings.Count(said, "\n") != 1 || !strings.Contains(said, "m_1") || strings.Contains(said, "example.com") || strings.Contains(said, letter.Token) {
			t.Errorf("%s: %d left, and said\n%s", name, len(b.carried), said)
		}
	}
}

// TestALetterMoved to another row opens for nobody.
func TestALetterMoved(t *testing.T) {
	s := newScene(t)
	b := newBag(s)
	p, err := mail.Close(t.Context(), b.Vault, letter)
	if err != nil {
		t.Fatal(err)
	}
	p.ID = "m_2"
	s.put(p)
	if err := b.Send(t.Context(), "m_2"); !errors.Is(err, vault.ErrSealed) || len(b.carried) != 0 {
		t.Errorf("%v, %d left", err, len(b.carried))
	}
}
