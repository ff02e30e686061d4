package api

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/fairseat/fairseat/pkg/account/reception"
)

// SignIn answers what people ask who are not logged in (B1): to register, to verify
// the address, to log in and to renew that, to reset a password.
func SignIn(e Edge, r *reception.Reception) Handler {
	d := door{r}
	return e.handle(map[string]operation{
		opRegister: d.register, opVerifyAddress: d.verify, opLogIn: d.logIn, opRefreshLogin: d.refresh,
		opAskReset: d.askReset, opResetPassword: d.reset,
	})
}

type door struct{ desk *reception.Reception }

// pendingDoc is the answer whether the address has an account or not.
type pendingDoc struct {
	State string `json:"state"`
}

var pending = reply{status: 202, doc: pendingDoc{"pending"}}

type grantDoc struct {
	Account          string `json:"account_id"`
	Access           string `json:"access_token"`
	ExpiresAt        string `json:"expires_at"`
	Refresh          string `json:"refresh_token"`
	RefreshExpiresAt string `json:"refresh_expires_at"`
	ServerTime       string `json:"server_time"`
}

func (d door) register(ctx context.Context, c *call) (reply, error) {
	m, err := members(c.body, []string{"email", "password"}, "locale")
	if err != nil {
		return reply{}, err
	}
	a := reception.Application{Email: m["email"], Password: m["password"], Locale: "en", Key: c.key, From: c.from()}
	if l, given := m["locale"]; given {
		if !isLocale(l) {
			return reply{}, errLocale
		}
		a.Locale = l
	}
	return pending, d.desk.Register(ctx, a)
}

func (d door) verify(ctx context.Context, c *call) (reply, error) {
	m, err := members(c.body, []string{"token", "password"})
	if err != nil {
		return reply{}, err
	}
	return reply{status: 204}, d.desk.Confirm(ctx, m["token"], m["password"], c.from())
}

func (d door) logIn(ctx context.Context, c *call) (reply, error) {
	m, err := members(c.body, []string{"email", "password"}, "code")
	if err != nil {
		return reply{}, err
	}
	g, err := d.desk.LogIn(ctx, reception.Credentials{Email: m["email"], Password: m["password"], Code: m["code"], From: c.from()})
	return granted(c, 201, g), err
}

func (d door) refresh(ctx context.Context, c *call) (reply, error) {
	m, err := members(c.body, []string{"refresh_token"})
	if err != nil {
		return reply{}, err
	}
	g, err := d.desk.Renew(ctx, m["refresh_token"])
	return granted(c, 200, g), err
}

func granted(c *call, status int, g reception.Grant) reply {
	return reply{status: status, doc: grantDoc{
		Account: string(g.Account.Buyer()), Access: g.Access, ExpiresAt: wireTime(g.AccessEnds),
		Refresh: g.Renewal, RefreshExpiresAt: wireTime(g.RenewalEnds), ServerTime: wireTime(c.edge.Clock()),
	}}
}

func (d door) askReset(ctx context.Context, c *call) (reply, error) {
	m, err := members(c.body, []string{"email"})
	if err != nil {
		return reply{}, err
	}
	return pending, d.desk.AskReset(ctx, m["email"], c.key, c.from())
}

func (d door) reset(ctx context.Context, c *call) (reply, error) {
	m, err := members(c.body, []string{"token", "password"})
	if err != nil {
		return reply{}, err
	}
	return reply{status: 204}, d.desk.Reset(ctx, m["token"], m["password"], c.from())
}

// maxText is longer than any text of these calls that means something.
const maxText = 1024

// members reads an object of texts.
func members(body string, needed []string, optional ...string) (map[string]string, error) {
	v, err := parse(body)
	if err != nil {
		return nil, err
	}
	m, err := v.object(slices.Concat(needed, optional)...)
	if err != nil {
		return nil, err
	}
	out := make(map[string]string, len(m))
	for _, name := range sortedKeys(m) {
		if out[name], err = m[name].text(); err != nil {
			return nil, err
		}
		if len(out[name]) > maxText {
			return nil, bad(name + ": too long")
		}
	}
	for _, name := range needed {
		if _, given := out[name]; !given {
			return nil, bad(name + ": required")
		}
	}
	return out, nil
}

// from is the network's address that a request came from, as far as it is one
// client's: of the next protocol's a subscriber has 2⁶⁴.
func (c *call) from() string {
	a, err := netip.ParseAddr(c.event.RequestContext.Identity.SourceIP)
	if err != nil {
		return "unknown"
	}
	a = a.Unmap().WithZone("")
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}

var (
	errLocale = bad("locale: must be a language tag like en, zh or zh-Hant-TW")
	errPhone  = bad("phone: must be + and 7 to 15 digits (E.164)")
	errName   = bad("name: must be 1 to 100 characters on one line")
)

// isLocale takes language, script and region (BCP 47): en, zh-Hant, zh-Hant-TW, es-419.
func isLocale(s string) bool {
	parts := strings.Split(s, "-")
	if !all(parts[0], 'a', 'z', 2, 3) {
		return false
	}
	rest := parts[1:]
	if len(rest) > 0 && len(rest[0]) == 4 && all(rest[0][:1], 'A', 'Z', 1, 1) && all(rest[0][1:], 'a', 'z', 3, 3) {
		rest = rest[1:]
	}
	return len(rest) == 0 || len(rest) == 1 && (all(rest[0], 'A', 'Z', 2, 2) || all(rest[0], '0', '9', 3, 3))
}

// isPhone takes a number as E.164 writes it.
func isPhone(s string) bool {
	digits, ok := strings.CutPrefix(s, "+")
	return ok && all(digits, '0', '9', 7, 15) && digits[0] != '0'
}

// all tells least to most bytes from low to high.
func all(s string, low, high byte, least, most int) bool {
	if len(s) < least || len(s) > most {
		return false
	}
	for _, b := range []byte(s) {
		if b < low || b > high {
			return false
		}
	}
	return true
}

func isName(s string) bool {
	return s == strings.TrimSpace(s) && s != "" && utf8.RuneCountInString(s) <= 100 && !strings.ContainsFunc(s, unicode.IsControl)
}
