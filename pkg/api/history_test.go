package api

import (
	"testing"

	"github.com/fairseat/fairseat/pkg/payment"
)

// TestListOrders: the newest first, by state, in pages; nobody else's.
func TestListOrders(t *testing.T) {
	w := newWorld(t)
	token := w.guest()
	first := w.pay(token, w.hold(token, "open", "B-1").str("id"), `{"provider":"sandbox"}`).str("order_id")
	w.report(payment.ReportCaptured)
	w.pass(1e9)
	second := w.pay(token, w.hold(token, "kino", "B-2", "B-3").str("id"), `{"provider":"sandbox"}`).str("order_id")
	w.record()
	w.record()

	all := items(w.expect(get("/me/orders").by(token), 200, ""))
	if len(all) != 2 || all[0]["id"] != second || all[1]["id"] != first || all[0]["show_id"] != "kino" || all[0]["starts_at"] != "2026-03-02T17:00:00.000Z" {
		t.Fatalf("orders %v", all)
	}
	paid := items(w.expect(get("/me/orders?status=PAID").by(token), 200, ""))
	if len(paid) != 1 || paid[0]["id"] != first {
		t.Errorf("paid %v", paid)
	}
	page := w.expect(get("/me/orders?limit=1").by(token), 200, "")
	rest := w.expect(get("/me/orders?limit=1&cursor="+page.str("next_cursor")).by(token), 200, "")
	if got := items(rest); len(got) != 1 || got[0]["id"] != first || rest.doc["next_cursor"] != nil {
		t.Errorf("second page %s", rest.Body)
	}
	other := w.guest()
	if got := items(w.expect(get("/me/orders").by(other), 200, "")); len(got) != 0 {
		t.Errorf("another sees %v", got)
	}
	w.expect(get("/me/orders?cursor="+page.str("next_cursor")).by(other), 400, "bad_request")
	for _, bad := range []string{"status=paid", "status=", "limit=0", "limit=101", "cursor=AAAA", "when=past", "status=PAID&status=PAID"} {
		w.expect(get("/me/orders?"+bad).by(token), 400, "bad_request")
	}
	w.expect(get("/me/orders"), 401, "unauthorized")
}

// TestListTickets: by the end of the show; the ids are those of the order.
func TestListTickets(t *testing.T) {
	w := newWorld(t)
	token := w.guest()
	id := w.pay(token, w.hold(token, "open", "B-1", "B-2").str("id"), `{"provider":"sandbox"}`).str("order_id")
	w.record()
	if got := items(w.expect(get("/me/tickets").by(token), 200, "")); len(got) != 0 {
		t.Errorf("unpaid tickets %v", got)
	}
	w.report(payment.ReportCaptured)
	w.record()
	order := w.expect(get("/orders/"+id).by(token), 200, "")
	got := items(w.expect(get("/me/tickets?when=upcoming").by(token), 200, ""))
	if len(got) != 1 || got[0]["order_id"] != id || got[0]["show_id"] != "open" || got[0]["ends_at"] != "2026-03-02T15:00:00.000Z" {
		t.Fatalf("tickets %v", got)
	}
	want := order.doc["tickets"].([]any)
	for i, v := range got[0]["tickets"].([]any) {
		if is, was := v.(map[string]any), want[i].(map[string]any); is["id"] != was["id"] || is["seat"] != was["seat"] {
			t.Errorf("ticket %v, in the order %v", is, was)
		}
	}
	if got := items(w.expect(get("/me/tickets?when=past").by(token), 200, "")); len(got) != 0 {
		t.Errorf("past %v", got)
	}
	for _, bad := range []string{"when=", "when=now", "status=PAID"} {
		w.expect(get("/me/tickets?"+bad).by(token), 400, "bad_request")
	}
}
