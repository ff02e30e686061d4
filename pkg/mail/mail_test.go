package mail_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/mail"
	"github.com/fairseat/fairseat/pkg/vault"
	"github.com/fairseat/fairseat/pkg/vault/vaulttest"
)

var noon = time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC)

func sealer() *vault.Keeper { return vaulttest.Keeper(func() time.Time { return noon }) }

var kinds = []mail.Kind{mail.Verify, mail.Reset, mail.Taken, mail.Changed, mail.Nobody}

func letter(k mail.Kind) mail.Letter {
	l := mail.Letter{ID: "m_1", Kind: k, Locale: "en", To: "ada@example.com", At: noon}
	if k == mail.Verify || k == mail.Reset {
		l.Token = "a-token-0123"
	}
	return l
}

// TestWords: each letter has them in both languages, with its token once, on a line
// of its own, and in no address.
func TestWords(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range kinds {
		for locale, want := range map[string]string{"en": "en", "zh": "zh", "zh-Hant-TW": "zh", "ZH-cn": "zh", "de": "en", "": "en", "zhx": "en"} {
			l := letter(k)
			l.Locale = locale
			m, err := mail.Compose(l)
			if err != nil {
				t.Fatal(err)
			}
			if m.Language != want || m.To != l.To || m.ID != l.ID || m.Subject == "" || strings.ContainsAny(m.Subject, "\r\n{") || strings.Contains(m.Text, "{") || strings.Contains(m.Text, "http") {
				t.Errorf("%s in %q: %+v", k, locale, m)
			}
			if l.Token != "" && strings.Count(m.Text, "\n"+l.Token+"\n") != 1 {
				t.Errorf("%s in %q: the token is not on a line of its own\n%s", k, locale, m.Text)
			}
			seen[m.Subject] = true
		}
	}
	if len(seen) != 2*len(kinds) {
		t.Errorf("%d subjects for %d letters in two languages", len(seen), len(kinds))
	}
	if _, err := mail.Compose(mail.Letter{Kind: "../en/verify"}); !errors.Is(err, mail.ErrLetter) {
		t.Error(err)
	}
}

// TestClose: nothing of whom or what stands in the outbox, and what cannot be sent is
// not put there.
func TestClose(t *testing.T) {
	for _, k := range kinds {
		l := letter(k)
		p, err := mail.Close(t.Context(), sealer(), l)
		if err != nil {
			t.Fatal(err)
		}
		if !vault.IsSealed(p.Sealed) || strings.Contains(p.Sealed, l.To) || l.Token != "" && strings.Contains(p.Sealed, l.Token) || p.Kind != k || p.At != noon {
			t.Errorf("%+v", p)
		}
	}
	for name, spoil := range map[string]func(*mail.Letter){
		"no id":              func(l *mail.Letter) { l.ID = "" },
		"an id of a header":  func(l *mail.Letter) { l.ID = "a>\r\nBcc: x" },
		"a long id":          func(l *mail.Letter) { l.ID = mail.ID(strings.Repeat("a", 65)) },
		"no kind":            func(l *mail.Letter) { l.Kind = "" },
		"another kind":       func(l *mail.Letter) { l.Kind = "offer" },
		"no address":         func(l *mail.Letter) { l.To = "" },
		"two addresses":      func(l *mail.Letter) { l.To = "a@b.cd, e@f.gh" },
		"a header":           func(l *mail.Letter) { l.To = "a@b.cd\r\nBcc: e@f.gh" },
		"no token":           func(l *mail.Letter) { l.Token = "" },
		"a token in pieces":  func(l *mail.Letter) { l.Token = "a b" },
		"a token for nobody": func(l *mail.Letter) { l.Kind = mail.Taken },
		"no time":            func(l *mail.Letter) { l.At = time.Time{} },
	} {
		l := letter(mail.Verify)
		spoil(&l)
		if _, err := mail.Close(t.Context(), sealer(), l); !errors.Is(err, mail.ErrLetter) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
