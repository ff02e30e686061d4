package api

import (
	"context"

	"github.com/fairseat/fairseat/pkg/account"
	"github.com/fairseat/fairseat/pkg/account/reception"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/developer"
	"github.com/fairseat/fairseat/pkg/developer/keyring"
	"github.com/fairseat/fairseat/pkg/history"
)

// KeepAccount answers what people ask about their own account (B1). The bearer is
// an account, and its log-in is looked up: what was logged out is out at once here.
// The developer keys of an account that is erased end with it.
func KeepAccount(e Edge, r *reception.Reception, keys *keyring.Keyring, b *history.Book) Handler {
	m := me{r, keys, b}
	return e.handle(map[string]operation{
		opLogOut: m.logOut, opLogOutEverywhere: m.logOutEverywhere, opReadMe: m.read, opChangeMe: m.change, opEraseMe: m.erase,
		opChangePassword: m.changePassword, opSetUpTotp: m.setUp, opConfirmTotp: m.turnOn, opRemoveTotp: m.turnOff, opExportMe: m.export,
	})
}

type me struct {
	desk *reception.Reception
	keys *keyring.Keyring
	book *history.Book
}

type profileDoc struct {
	ID        string  `json:"id"`
	Email     string  `json:"email"`
	Name      *string `json:"name"`
	Phone     *string `json:"phone"`
	Locale    string  `json:"locale"`
	Totp      bool    `json:"totp"`
	CreatedAt string  `json:"created_at"`
}

func profileOf(p reception.Profile) profileDoc {
	return profileDoc{string(p.ID.Buyer()), p.Email, given(p.Name), given(p.Phone), p.Locale, p.Factor, wireTime(p.MadeAt)}
}

// given is null for what is not there.
func given(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func (m me) read(ctx context.Context, c *call) (reply, error) {
	p, err := m.desk.Profile(ctx, c.person)
	return ok(profileOf(p)), err
}

func (m me) change(ctx context.Context, c *call) (reply, error) {
	ch, err := decodeChanges(c.body)
	if err != nil {
		return reply{}, err
	}
	p, err := m.desk.Change(ctx, c.person, ch)
	return ok(profileOf(p)), err
}

func decodeChanges(body string) (ch reception.Changes, err error) {
	v, err := parse(body)
	if err != nil {
		return ch, err
	}
	all, err := v.object("name", "phone", "locale")
	if err != nil {
		return ch, err
	}
	for _, f := range []struct {
		name  string
		to    **string
		is    func(string) bool
		wrong error
		null  bool
	}{{"locale", &ch.Locale, isLocale, errLocale, false}, {"name", &ch.Name, isName, errName, true}, {"phone", &ch.Phone, isPhone, errPhone, true}} {
		v, there := all[f.name]
		if !there {
			continue
		}
		text := ""
		if v.is != nil || !f.null {
			if text, err = v.text(); err != nil {
				return ch, err
			}
			if !f.is(text) {
				return ch, f.wrong
			}
		}
		*f.to = &text
	}
	return ch, nil
}

// erase ends the keys after the account: an erasure that is refused must not. Where
// it fails in between, the same call again ends them.
func (m me) erase(ctx context.Context, c *call) (reply, error) {
	if err := m.desk.Erase(ctx, c.person); err != nil {
		return reply{}, err
	}
	return reply{status: 204}, m.keys.Close(ctx, developer.ID(c.buyer))
}

func (m me) logOut(ctx context.Context, c *call) (reply, error) {
	return reply{status: 204}, m.desk.LogOut(ctx, c.person)
}

func (m me) logOutEverywhere(ctx context.Context, c *call) (reply, error) {
	return reply{status: 204}, m.desk.LogOutEverywhere(ctx, c.person)
}

func (m me) changePassword(ctx context.Context, c *call) (reply, error) {
	b, err := members(c.body, []string{"current_password", "new_password"})
	if err != nil {
		return reply{}, err
	}
	return reply{status: 204}, m.desk.ChangePassword(ctx, c.person, b["current_password"], b["new_password"])
}

type enrolmentDoc struct {
	Secret string `json:"secret"`
	URI    string `json:"uri"`
}

func (m me) setUp(ctx context.Context, c *call) (reply, error) {
	if err := c.emptyBody(); err != nil {
		return reply{}, err
	}
	e, err := m.desk.SetUpFactor(ctx, c.person, c.key)
	return reply{status: 201, doc: enrolmentDoc(e)}, err
}

type recoveryDoc struct {
	Codes []string `json:"recovery_codes"`
}

func (m me) turnOn(ctx context.Context, c *call) (reply, error) {
	b, err := members(c.body, []string{"code"})
	if err != nil {
		return reply{}, err
	}
	codes, err := m.desk.ConfirmFactor(ctx, c.person, b["code"], c.key)
	return reply{status: 201, doc: recoveryDoc{codes}}, err
}

func (m me) turnOff(ctx context.Context, c *call) (reply, error) {
	return reply{status: 204}, m.desk.DropFactor(ctx, c.person)
}

type exportDoc struct {
	Profile profileDoc       `json:"profile"`
	Logins  []loginDoc       `json:"logins"`
	Orders  []listedOrderDoc `json:"orders"`
}

type loginDoc struct {
	ID        string `json:"id"`
	CreatedAt string `json:"created_at"`
	RenewedAt string `json:"renewed_at"`
	ExpiresAt string `json:"expires_at"`
	EndedAt   string `json:"ended_at,omitempty"`
	Current   bool   `json:"current"`
}

// mostExported orders: an answer of a function has six megabytes. Who has more pages
// through GET /me/orders.
const mostExported = 10_000

func (m me) export(ctx context.Context, c *call) (reply, error) {
	r, err := m.desk.Export(ctx, c.person)
	if err != nil {
		return reply{}, err
	}
	d := exportDoc{Profile: profileOf(r.Profile), Logins: []loginDoc{}, Orders: []listedOrderDoc{}}
	for _, l := range r.Logins {
		d.Logins = append(d.Logins, loginOf(l, c))
	}
	for p := (catalog.Page{Limit: catalog.MaxLimit}); ; {
		l, err := m.book.Orders(ctx, c.buyer, "", p)
		if err != nil {
			return reply{}, err
		}
		for _, e := range l.Items {
			d.Orders = append(d.Orders, listedOrder(e))
		}
		if p.Cursor = l.Next; p.Cursor == "" || len(d.Orders) >= mostExported {
			return ok(d), nil
		}
	}
}

func loginOf(l account.Login, c *call) loginDoc {
	return loginDoc{
		ID: l.ID.String(), CreatedAt: wireTime(l.MadeAt), RenewedAt: wireTime(l.TurnedAt), ExpiresAt: wireTime(l.EndsAt),
		EndedAt: wireTime(l.EndedAt), Current: l.ID == c.person.Login,
	}
}
