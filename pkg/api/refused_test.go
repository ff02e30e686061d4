package api

import (
	"testing"

	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/payment"
)

// domestic is a provider that takes yuan alone, and the seats cost dollars.
type domestic struct{ *bank }

func (domestic) Takes(a money.Amount) bool { return a.Currency == "CNY" }

// TestRefusedByProvider: who is refused by one provider pays at another: nothing stays
// pending that can never be paid.
func TestRefusedByProvider(t *testing.T) {
	w := newWorld(t)
	token := w.guest()
	id := w.hold(token, "open", "D-1", "D-2").str("id")
	path := "/holds/" + id + "/payments"
	w.office.Provider = func(n payment.Name) (payment.Provider, bool) {
		if n == payment.Sandbox {
			return w.bank, true
		}
		return domestic{w.bank}, true
	}
	w.expect(post(path, `{"provider":"wechat"}`).by(token).keyed("dollars"), 409, "payment_refused")
	if len(w.bank.asked) != 0 {
		t.Error(w.bank.asked)
	}
	w.bank.fail = payment.ErrRefused
	for _, key := range []string{"a", "b"} {
		w.expect(post(path, `{"provider":"sandbox"}`).by(token).keyed(key), 409, "payment_refused")
	}
	if s := w.expect(post(path, `{"provider":"sandbox"}`).by(token).keyed("a"), 201, "").str("state"); s != "failed" {
		t.Errorf("asked again it is %s", s)
	}
	w.bank.fail = nil
	if s := w.expect(post(path, `{"provider":"sandbox"}`).by(token).keyed("c"), 201, "").str("state"); s != "pending" {
		t.Errorf("at last it is %s", s)
	}
}
