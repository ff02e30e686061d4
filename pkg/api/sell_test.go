package api

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store/memstore"
	"github.com/fairseat/fairseat/pkg/ticket"
)

func seatIDs(ids ...string) []seatmap.SeatID {
	var out []seatmap.SeatID
	for _, id := range ids {
		out = append(out, seatmap.SeatID(id))
	}
	return out
}

const two = `{"seats":["D-1","D-2"]}`

func TestOpenSession(t *testing.T) {
	w := newWorld(t)
	a := w.expect(want{method: "POST", path: "/sessions"}, 201, "")
	if a.str("expires_at") != "2026-03-02T12:00:00.000Z" || a.Headers["Cache-Control"] != "no-store" {
		t.Errorf("%s %v", a.Body, a.Headers)
	}
	if w.guest() == a.str("session_token") {
		t.Error("two guests have one token")
	}
	w.expect(post("/sessions", `{}`), 201, "")
	w.expect(post("/sessions", `{"a":1}`), 400, "bad_request")
	w.expect(post("/sessions", `[]`), 400, "bad_request")
	w.expect(want{method: "POST", path: "/sessions", body: "a=1"}.with("Content-Type", "application/x-www-form-urlencoded"), 415, "unsupported_media_type")
}

func TestHold(t *testing.T) {
	w := newWorld(t)
	token := w.guest()
	a := w.hold(token, "open", "D-2", "C-3", "C-4")
	if a.str("state") != "held" || a.str("show_id") != "open" || a.doc["grace_seconds"] != 5.0 ||
		a.str("expires_at") != "2026-03-01T12:05:00.000Z" || a.str("server_time") != "2026-03-01T12:00:00.000Z" {
		t.Errorf("%s", a.Body)
	}
	if total := a.doc["total"].(map[string]any); total["amount"] != 4502.0 || total["currency"] != "USD" {
		t.Errorf("total %v", total)
	}
	if loc := a.Headers["Location"]; loc != "/v1/holds/"+a.str("id") {
		t.Errorf("Location %q", loc)
	}
	w.pass(time.Minute)
	b := w.expect(get("/holds/"+a.str("id")).by(token), 200, "")
	if b.str("state") != "held" || b.str("server_time") != "2026-03-01T12:01:00.000Z" || b.str("expires_at") != a.str("expires_at") {
		t.Errorf("%s", b.Body)
	}
	w.expect(get("/holds/"+a.str("id")).by(w.guest()), 404, "not_found")
	w.expect(drop("/holds/"+a.str("id")).by(w.guest()), 404, "not_found")
	for range 2 {
		w.expect(drop("/holds/"+a.str("id")).by(token), 204, "")
	}
	if s := w.expect(get("/holds/"+a.str("id")).by(token), 200, "").str("state"); s != "released" {
		t.Errorf("state %q", s)
	}
	w.hold(w.guest(), "open", "D-2", "C-3", "C-4")
}

func TestHoldExpires(t *testing.T) {
	w := newWorld(t)
	token := w.guest()
	id := w.hold(token, "open", "D-1").str("id")
	w.pass(policy.Hold + policy.Grace - time.Millisecond)
	if s := w.expect(get("/holds/"+id).by(token), 200, "").str("state"); s != "held" {
		t.Errorf("in its grace: %q", s)
	}
	w.pass(time.Millisecond)
	if s := w.expect(get("/holds/"+id).by(token), 200, "").str("state"); s != "expired" {
		t.Errorf("after its grace: %q", s)
	}
	w.expect(drop("/holds/"+id).by(token), 204, "")
	w.expect(post("/holds/"+id+"/payments", `{"provider":"sandbox"}`).by(token).keyed("late"), 409, "hold_expired")
}

func TestBestSeats(t *testing.T) {
	w := newWorld(t)
	q := post("/shows/open/holds", `{"best":{"count":2,"type":"premium"},"movie_id":"metropolis"}`).by(w.guest()).keyed("k")
	if seats := w.expect(q, 201, "").doc["seats"].([]any); len(seats) != 2 {
		t.Errorf("seats %v", seats)
	}
	a := w.expect(post("/shows/open/holds", `{"best":{"count":1,"type":"premium"}}`).by(w.guest()).keyed("k"), 409, "seats_unavailable")
	if c, there := a.doc["conflicts"].([]any); !there || len(c) != 0 || a.str("next") != "choose_other_seats" {
		t.Errorf("%s", a.Body)
	}
}

// The same key and body have the same answer, whatever became of the hold and
// however the body is written.
func TestReplay(t *testing.T) {
	w := newWorld(t)
	token := w.guest()
	q := post("/shows/open/holds", two).by(token).keyed("k1")
	first := w.expect(q, 201, "")
	other := q
	other.body = "{ \"seats\" : [\"D-1\",\n\"D\\u002d2\" ] }"
	w.pass(policy.Hold + policy.Grace + time.Hour)
	w.expect(get("/holds/"+first.str("id")).by(token), 200, "")
	for _, again := range []want{q, other} {
		a := w.expect(again, 201, "")
		if a.str("id") != first.str("id") || a.str("state") != "held" || a.str("expires_at") != first.str("expires_at") ||
			a.Headers["Location"] != first.Headers["Location"] {
			t.Errorf("%s\nfirst %s", a.Body, first.Body)
		}
	}
	for _, body := range []string{`{"seats":["D-2","D-1"]}`, `{"best":{"count":2}}`, `{"seats":["D-1","D-2"],"movie_id":"metropolis"}`} {
		q.body = body
		w.expect(q, 422, "idempotency_mismatch")
	}
	q.body, q.path = two, "/shows/kino/holds"
	w.expect(q, 422, "idempotency_mismatch")
	w.expect(post("/shows/open/holds", two).by(w.guest()).keyed("k1"), 201, "")
}

func TestMemberOrderDoesNotMatter(t *testing.T) {
	w := newWorld(t)
	q := post("/shows/open/holds", `{"best":{"count":2,"type":"regular"},"movie_id":"metropolis"}`).by(w.guest()).keyed("k")
	first := w.expect(q, 201, "")
	q.body = `{"movie_id":"metropolis","best":{"type":"regular","count":2}}`
	if a := w.expect(q, 201, ""); a.str("id") != first.str("id") {
		t.Errorf("another hold: %s", a.Body)
	}
}

func TestRefusedHolds(t *testing.T) {
	eleven := `["A-3","A-4","B-1","B-2","B-3","B-4","D-1","D-2","D-3","D-4","C-1"]`
	for _, c := range []struct {
		name, show, body string
		status           int
		code             string
		want             string // of the members beside the common ones
	}{
		{"taken", "open", `{"seats":["D-1","B-1","B-2"]}`, 409, "seats_unavailable",
			`[{"reason":"held","seat":"B-1","until":"2026-03-01T12:05:05.000Z"},{"reason":"held","seat":"B-2","until":"2026-03-01T12:05:05.000Z"}] choose_other_seats`},
		{"gap", "gap", `{"seats":["D-2"]}`, 409, "single_gap", `["D-1"]`},
		{"too early", "ahead", `{"seats":["D-2"]}`, 409, "sales_closed", `2026-03-01T13:00:00.000Z`},
		{"too late", "over", `{"seats":["D-2"]}`, 409, "sales_closed", ``},
		{"cancelled", "off", `{"best":{"count":1}}`, 409, "sales_closed", ``},
		{"eleven", "open", `{"seats":` + eleven + `}`, 422, "too_many_seats", eleven + " 10"},
		{"best eleven", "open", `{"best":{"count":11}}`, 422, "too_many_seats", `[] 10`},
		{"none", "open", `{"seats":[]}`, 422, "no_seats", `[]`},
		{"nothing", "open", `{}`, 422, "no_seats", `[]`},
		{"best none", "open", `{"best":{"count":0}}`, 422, "no_seats", `[]`},
		{"best less", "open", `{"best":{"count":-1}}`, 422, "no_seats", `[]`},
		{"twice", "open", `{"seats":["D-1","D-2","D-1"]}`, 422, "duplicate_seat", `["D-1"]`},
		{"unknown", "open", `{"seats":["D-1","Z-9",""]}`, 422, "unknown_seat", `["Z-9",""]`},
		{"half a loveseat", "open", `{"seats":["C-3"]}`, 422, "pair_split", `["C-4"]`},
		{"wrong movie", "open", `{"seats":["D-1"],"movie_id":"other"}`, 422, "wrong_movie", `[]`},
		{"no show", "none", `{"seats":["D-1"]}`, 404, "not_found", ``},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.hold(w.guest(), "open", "B-1", "B-2")
			a := w.expect(post("/shows/"+c.show+"/holds", c.body).by(w.guest()).keyed("k"), c.status, c.code)
			var got []string
			for _, name := range []string{"conflicts", "next", "stranded", "opens_at", "seats", "limit"} {
				if v, there := a.doc[name]; there {
					if s, ok := v.(string); ok {
						got = append(got, s)
					} else {
						got = append(got, marshal(v))
					}
				}
			}
			if s := strings.Join(got, " "); s != c.want {
				t.Errorf("members %s\nwant %s", s, c.want)
			}
		})
	}
}

func TestSeatLimit(t *testing.T) {
	w := newWorld(t)
	token := w.guest()
	w.hold(token, "open", "A-3", "A-4", "B-1", "B-2", "B-3", "B-4", "D-1", "D-2", "D-3")
	a := w.expect(post("/shows/open/holds", `{"seats":["C-1","C-2"]}`).by(token).keyed("more"), 409, "seat_limit_reached")
	if a.doc["holding"] != 9.0 || a.doc["limit"] != 10.0 {
		t.Errorf("%s", a.Body)
	}
	w.hold(token, "kino", "C-1", "C-2")
}

// Refusals are not remembered: the same request succeeds once it can.
func TestRefusalIsForgotten(t *testing.T) {
	w := newWorld(t)
	holder, token := w.guest(), w.guest()
	id := w.hold(holder, "open", "D-1").str("id")
	q := post("/shows/open/holds", two).by(token).keyed("again")
	w.expect(q, 409, "seats_unavailable")
	w.expect(drop("/holds/"+id).by(holder), 204, "")
	w.expect(q, 201, "")
}

func TestNextCases(t *testing.T) {
	w := newWorld(t)
	all := [][]string{{"A-3", "A-4", "B-1", "B-2", "B-3", "B-4", "C-1", "C-2"}, {"C-3", "C-4", "D-1", "D-2", "D-3", "D-4"}}
	var tokens, holds []string
	for _, seats := range all {
		tokens = append(tokens, w.guest())
		holds = append(holds, w.hold(tokens[len(tokens)-1], "open", seats...).str("id"))
	}
	q := post("/shows/open/holds", `{"seats":["D-1"]}`).by(w.guest()).keyed("k")
	if next := w.expect(q, 409, "seats_unavailable").str("next"); next != "wait" {
		t.Errorf("all held: next %q", next)
	}
	for i := range holds {
		w.pay(tokens[i], holds[i], `{"provider":"sandbox"}`)
		w.report(payment.ReportCaptured)
	}
	a := w.expect(q, 409, "seats_unavailable")
	if c := a.doc["conflicts"].([]any)[0].(map[string]any); a.str("next") != "show_full" || c["reason"] != "sold" || c["until"] != nil {
		t.Errorf("all sold: %s", a.Body)
	}
}

func TestBusy(t *testing.T) {
	w := newWorld(t)
	q := post("/shows/open/holds", two).by(w.guest()).keyed("k")
	w.faults = func(op memstore.Op) memstore.Fault {
		if op.Kind == memstore.OpTransact {
			return memstore.Throttle
		}
		return memstore.NoFault
	}
	a := w.expect(q, 503, "busy")
	if a.Headers["Retry-After"] != "1" || w.log.Len() != 0 {
		t.Errorf("Retry-After %q, log %s", a.Headers["Retry-After"], w.log.String())
	}
	w.faults = func(op memstore.Op) memstore.Fault {
		if op.Kind == memstore.OpTransact {
			return memstore.LoseRequest
		}
		return memstore.NoFault
	}
	w.expect(q, 503, "outcome_unknown")
	w.faults = nil
	w.expect(q, 201, "")
}

func TestPay(t *testing.T) {
	w := newWorld(t)
	token := w.guest()
	id := w.hold(token, "open", "D-1", "D-2").str("id")
	a := w.pay(token, id, `{"provider":"sandbox"}`)
	order := a.str("order_id")
	if act, _ := a.doc["action"].(map[string]any); a.str("state") != "pending" || act["kind"] != "url" || act["value"] != "https://bank.test/?a=1&b=<2>" {
		t.Errorf("%s", a.Body)
	}
	if !strings.Contains(a.Body, "?a=1&b=<2>") {
		t.Errorf("escaped: %s", a.Body)
	}
	if a.Headers["Location"] != "/v1/orders/"+order || w.bank.asked[0].Hints["outcome"] != "success" {
		t.Errorf("Location %q, asked %v", a.Headers["Location"], w.bank.asked)
	}
	if b := w.pay(token, id, `{"provider":"sandbox","outcome":"never"}`); b.str("id") != a.str("id") {
		t.Errorf("a second payment while one is pending: %s", b.Body)
	}
	if o := w.expect(get("/orders/"+order).by(token), 200, ""); o.str("status") != "PENDING" || len(o.doc["tickets"].([]any)) != 0 {
		t.Errorf("%s", o.Body)
	}
	if ack := w.report(payment.ReportCaptured); ack.StatusCode != 202 || ack.Body != "thanks" || ack.Headers["Content-Type"] != "text/plain" {
		t.Errorf("%d %s", ack.StatusCode, ack.Body)
	}
	w.report(payment.ReportCaptured)
	w.checkTickets(token, order)
	if s := w.expect(get("/holds/"+id).by(token), 200, "").str("state"); s != "sold" {
		t.Errorf("state %q", s)
	}
	w.expect(post("/holds/"+id+"/payments", `{"provider":"sandbox"}`).by(token).keyed("once more"), 409, "already_paid")
	w.expect(drop("/holds/"+id).by(token), 409, "already_paid")
	w.expect(get("/orders/"+order).by(w.guest()), 404, "not_found")
	w.expect(get("/orders/none").by(token), 404, "not_found")
}

func (w *world) checkTickets(token, order string) {
	w.t.Helper()
	o := w.expect(get("/orders/"+order).by(token), 200, "")
	tickets := o.doc["tickets"].([]any)
	if o.str("status") != "PAID" || len(tickets) != 2 {
		w.t.Fatalf("%s", o.Body)
	}
	keys, err := ticket.ParseKeys([]byte(w.expect(get("/ticket-keys"), 200, "").Body))
	must(w.t, err)
	for _, x := range tickets {
		x := x.(map[string]any)
		tk, err := ticket.Verify(keys, x["code"].(string))
		if err != nil || tk.Seat != x["seat"] || tk.Show != "open" || string(tk.ID) != x["id"] {
			w.t.Errorf("ticket %v: %v, %v", x, tk, err)
		}
	}
}

func TestDecline(t *testing.T) {
	w := newWorld(t)
	token := w.guest()
	id := w.hold(token, "open", "D-1", "D-2").str("id")
	first := w.pay(token, id, `{"provider":"sandbox","outcome":"decline"}`)
	if w.bank.asked[0].Hints["outcome"] != "decline" {
		t.Errorf("asked %v", w.bank.asked)
	}
	w.report(payment.ReportFailed)
	if s := w.expect(get("/holds/"+id).by(token), 200, "").str("state"); s != "held" {
		t.Errorf("state %q", s)
	}
	w.bank.refuse = true
	second := w.pay(token, id, `{"provider":"sandbox"}`)
	if second.str("state") != "failed" || second.doc["action"] != nil {
		t.Errorf("refused at once: %s", second.Body)
	}
	w.bank.refuse = false
	third := w.pay(token, id, `{"provider":"sandbox"}`)
	if third.str("id") == first.str("id") || third.str("order_id") != first.str("order_id") || third.str("state") != "pending" {
		t.Errorf("%s\nfirst %s", third.Body, first.Body)
	}
	w.report(payment.ReportCaptured)
	w.checkTickets(token, third.str("order_id"))
}

func TestPaymentReplay(t *testing.T) {
	w := newWorld(t)
	token := w.guest()
	path := "/holds/" + w.hold(token, "open", "D-1").str("id") + "/payments"
	q := post(path, `{"provider":"sandbox","outcome":"success"}`).by(token).keyed("k")
	first := w.expect(q, 201, "")
	w.report(payment.ReportCaptured)
	q.body = ` {"outcome":"success","provider":"sandbox"}`
	if a := w.expect(q, 201, ""); a.Body != first.Body {
		t.Errorf("%s\nfirst %s", a.Body, first.Body)
	}
	q.body = `{"provider":"sandbox","outcome":"late"}`
	w.expect(q, 422, "idempotency_mismatch")
}

func TestPayRefused(t *testing.T) {
	w := newWorld(t)
	token := w.guest()
	id := w.hold(token, "open", "D-1").str("id")
	path := "/holds/" + id + "/payments"
	for body, names := range map[string]string{
		`{"provider":"alipay"}`: "provider", `{"provider":""}`: "provider", `{"provider":"sandbox","outcome":"person"}`: "outcome",
		`{"provider":"alipay","outcome":"success"}`: "outcome", `{"provider":"sandbox","outcome":""}`: "outcome", `{}`: "provider",
		`{"provider":null}`: "provider", `{"provider":1}`: "provider", `{"outcome":"success"}`: "provider",
		`{"provider":"sandbox","outcome":null}`: "outcome", `{"provider":"sandbox","amount":1}`: "amount",
	} {
		a := w.expect(post(path, body).by(token).keyed("k"), 400, "bad_request")
		if !strings.HasPrefix(a.str("detail"), names+":") {
			t.Errorf("%s: %q does not name %s", body, a.str("detail"), names)
		}
	}
	w.expect(post(path, `{"provider":"sandbox"}`).by(w.guest()).keyed("k"), 404, "not_found")
	w.expect(post("/holds/none/payments", `{"provider":"sandbox"}`).by(token).keyed("k"), 404, "not_found")
	w.bank.fail = payment.ErrProviderDown
	w.expect(post(path, `{"provider":"sandbox"}`).by(token).keyed("down"), 503, "busy")
	w.bank.fail = nil
	w.expect(drop("/holds/"+id).by(token), 204, "")
	w.expect(post(path, `{"provider":"sandbox"}`).by(token).keyed("ended"), 409, "hold_ended")
}

func TestExpiredOrder(t *testing.T) {
	w := newWorld(t)
	token := w.guest()
	id := w.hold(token, "open", "D-1", "D-2").str("id")
	order := w.pay(token, id, `{"provider":"sandbox","outcome":"never"}`).str("order_id")
	w.pass(policy.Hold + policy.Grace)
	if s := w.expect(get("/orders/"+order).by(token), 200, "").str("status"); s != "CANCELLED" {
		t.Errorf("status %q", s)
	}
	w.report(payment.ReportCaptured) // late, but the seats are still free
	w.checkTickets(token, order)
}

func TestPaymentState(t *testing.T) {
	want := map[payment.State]string{
		payment.Pending: "pending", payment.Captured: "captured", payment.Failed: "failed",
		payment.Refunding: "captured", payment.Refunded: "captured",
	}
	for _, s := range payment.States {
		if got := paymentState(s); got != want[s] {
			t.Errorf("%s is told as %q, want %q", s, got, want[s])
		}
	}
}

func TestCallback(t *testing.T) {
	w := newWorld(t)
	q := want{method: "POST", path: "/callbacks/sandbox", body: `{}`}
	if a := w.do(q); a.StatusCode != 418 {
		t.Errorf("unsigned: %d", a.StatusCode)
	}
	if a := w.do(q.with(strings.ToUpper(bankMark), "genuine")); a.StatusCode != 418 {
		t.Errorf("about an unknown payment: %d", a.StatusCode)
	}
	ev, _ := q.event()
	ev.Headers = map[string]string{strings.ToLower(bankMark): "genuine"}
	_, err := w.handlers[fnReceiveCallback](t.Context(), ev)
	must(t, err)
	if log := w.log.String(); strings.Count(log, "\n") != 3 || strings.Count(log, `"level":"ERROR"`) != 2 || !strings.Contains(log, `"level":"WARN"`) || !strings.Contains(log, "req-1") {
		t.Errorf("log %s", log)
	}
	w.expect(want{method: "POST", path: "/callbacks/nobody"}, 404, "not_found")
	q.body = strings.Repeat(" ", maxBody+1)
	w.expect(q, 413, "payload_too_large")
}

// stranger is another provider of the house, and keyless one that cannot read its keys.
type (
	stranger struct{ *bank }
	keyless  struct{ *bank }
)

func (stranger) Name() payment.Name             { return payment.Alipay }
func (keyless) Ready(ctx context.Context) error { return payment.ErrProviderDown }

// A provider's word is about payments at that provider alone, and none is heard before
// its keys are there.
func TestCallbackOfAnother(t *testing.T) {
	w := newWorld(t)
	token := w.guest()
	order := w.pay(token, w.hold(token, "open", "D-1", "D-2").str("id"), `{"provider":"sandbox"}`).str("order_id")
	right := w.office.Provider
	for name, other := range map[string]payment.Provider{"stranger": stranger{w.bank}, "keyless": keyless{w.bank}} {
		w.office.Provider = func(payment.Name) (payment.Provider, bool) { return other, true }
		if a := w.report(payment.ReportCaptured); a.StatusCode != 418 {
			t.Errorf("%s: %d", name, a.StatusCode)
		}
		if got := w.expect(get("/orders/"+order).by(token), 200, "").str("status"); got != "PENDING" {
			t.Errorf("%s: the order is %s", name, got)
		}
	}
	w.office.Provider = right
	if a := w.report(payment.ReportCaptured); a.StatusCode != 202 {
		t.Errorf("its own: %d", a.StatusCode)
	}
}

// The raw bytes reach the provider, also when the gateway has encoded them.
func TestCallbackBase64(t *testing.T) {
	w := newWorld(t)
	token := w.guest()
	id := w.hold(token, "open", "D-1", "D-2").str("id")
	order := w.pay(token, id, `{"provider":"sandbox"}`).str("order_id")
	in := w.bank.asked[0]
	body := fmt.Sprintf(`{"Payment":%q,"Order":%q,"State":"captured","Amount":{"amount":3000,"currency":"USD"}}`, in.ID, in.OrderID)
	a := w.do(want{method: "POST", path: "/callbacks/sandbox", body: base64.StdEncoding.EncodeToString([]byte(body)), base64: true}.with(bankMark, "genuine"))
	if a.StatusCode != 202 {
		t.Fatalf("%d: %s", a.StatusCode, w.log.String())
	}
	w.checkTickets(token, order)
}

func TestRefundedShowsReleased(t *testing.T) {
	w := newWorld(t)
	token := w.guest()
	id := w.hold(token, "open", "D-1", "D-2").str("id")
	order := w.pay(token, id, `{"provider":"sandbox"}`).str("order_id")
	w.report(payment.ReportCaptured)
	_, err := w.office.End(t.Context(), booking.HoldID(id), booking.ByRefund)
	must(t, err)
	if s := w.expect(get("/holds/"+id).by(token), 200, "").str("state"); s != "released" {
		t.Errorf("state %q", s)
	}
	if o := w.expect(get("/orders/"+order).by(token), 200, ""); o.str("status") != "REFUNDED" || len(o.doc["tickets"].([]any)) != 0 {
		t.Errorf("%s", o.Body)
	}
}
