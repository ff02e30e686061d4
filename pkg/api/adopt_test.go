package api

import (
	"fmt"
	"testing"

	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/session"
)

// device is the token of the n-th account, of a log-in of its own each time.
func (w *world) device(n byte) string {
	w.keys++
	token, _ := w.keeper.Access(session.AccountID{n}, session.LoginID{byte(w.keys)}, w.clock())
	return token
}

func adopting(guest string) want {
	return post("/me/adoptions", fmt.Sprintf(`{"guest_token":%q}`, guest))
}

// TestAdoptGuest: two devices of one account have what the guest had, and the guest has
// nothing left of it; in the lists it moves, too.
func TestAdoptGuest(t *testing.T) {
	w := newWorld(t)
	guest, phone, desk := w.guest(), w.device(1), w.device(1)
	hold := w.hold(guest, "open", "B-1").str("id")
	order := w.pay(guest, w.hold(guest, "kino", "B-2").str("id"), `{"provider":"sandbox"}`).str("order_id")
	w.report(payment.ReportCaptured)
	w.record()
	for _, device := range []string{phone, desk, phone} {
		if a := w.expect(adopting(guest).by(device), 200, ""); a.Body != `{"moved":["kino","open"],"kept":[]}` {
			t.Fatalf("adopted %s", a.Body)
		}
	}
	w.record()
	for _, path := range []string{"/holds/" + hold, "/orders/" + order} {
		w.expect(get(path).by(guest), 404, "not_found")
		w.expect(get(path).by(desk), 200, "")
	}
	if got := items(w.expect(get("/me/orders").by(guest), 200, "")); len(got) != 0 {
		t.Errorf("the guest's list %v", got)
	}
	if got := items(w.expect(get("/me/tickets").by(phone), 200, "")); len(got) != 1 || got[0]["order_id"] != order {
		t.Errorf("the account's tickets %v", got)
	}
	w.expect(drop("/holds/"+hold).by(guest), 404, "not_found")
	w.expect(drop("/holds/"+hold).by(phone), 204, "")
}

func TestAdoptKeeps(t *testing.T) {
	w := newWorld(t)
	guest, token := w.guest(), w.device(1)
	w.hold(guest, "open", "B-1", "B-2", "B-4")
	w.hold(token, "open", "C-1", "C-2", "D-1", "D-2", "D-3", "D-4", "A-3", "A-4")
	if a := w.expect(adopting(guest).by(token), 200, ""); a.Body != `{"moved":[],"kept":[{"show_id":"open","reason":"seat_limit_reached"}]}` {
		t.Errorf("kept %s", a.Body)
	}
}

func TestAdoptRefused(t *testing.T) {
	w := newWorld(t)
	guest, mine, other := w.guest(), w.device(1), w.device(2)
	w.expect(adopting(guest), 401, "unauthorized")
	w.expect(adopting(guest).by(w.guest()), 401, "unauthorized") // a guest adopts nobody
	for _, body := range []string{``, `{}`, `[]`, `{"guest_token":1}`, `{"guest_token":null}`, `{"guest_token":"x","more":1}`, `{"guest_token":"x","guest_token":"x"}`} {
		w.expect(post("/me/adoptions", body).by(mine), 400, "bad_request")
	}
	for _, token := range []string{"", "x", guest + "x", mine, other} {
		w.expect(adopting(token).by(mine), 422, "unknown_guest")
	}
	w.expect(adopting(guest).by(mine), 200, "")
	w.expect(adopting(guest).by(other), 409, "already_adopted")
	w.pass(session.Length - 1)
	late := w.device(1)
	w.pass(1e9)
	w.expect(adopting(guest).by(late), 422, "unknown_guest")
}

// TestTwoDevicesOneEffect: the same key from two devices of an account is one request;
// another key for the same seats is refused, and makes no second order (B7).
func TestTwoDevicesOneEffect(t *testing.T) {
	w := newWorld(t)
	phone, desk := w.device(1), w.device(1)
	ask := post("/shows/open/holds", `{"seats":["B-1","B-2"]}`)
	hold := w.expect(ask.by(phone).keyed("one"), 201, "").str("id")
	if again := w.expect(ask.by(desk).keyed("one"), 201, "").str("id"); again != hold {
		t.Errorf("the other device has hold %s, not %s", again, hold)
	}
	w.expect(post("/shows/open/holds", `{"seats":["B-4"]}`).by(desk).keyed("one"), 422, "idempotency_mismatch")
	w.expect(ask.by(desk).keyed("two"), 409, "seats_unavailable")

	pay := post("/holds/"+hold+"/payments", `{"provider":"sandbox"}`)
	first := w.expect(pay.by(phone).keyed("pay"), 201, "")
	for key, device := range map[string]string{"pay": desk, "another": desk} {
		if p := w.expect(pay.by(device).keyed(key), 201, ""); p.str("id") != first.str("id") || p.str("order_id") != first.str("order_id") {
			t.Errorf("key %q: payment %s, not %s", key, p.Body, first.Body)
		}
	}
	w.report(payment.ReportCaptured)
	w.expect(pay.by(desk).keyed("a third"), 409, "already_paid")
	w.record()
	if got := items(w.expect(get("/me/orders").by(desk), 200, "")); len(got) != 1 {
		t.Errorf("%d orders of one purchase", len(got))
	}
}
