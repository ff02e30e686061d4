package api

import (
	"fmt"
	"testing"

	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/store/memstore"
)

// TestReplayOfOthers plays what went wrong at others' edges; pkg/boxoffice has the rest.
func TestReplayOfOthers(t *testing.T) {
	t.Run("hi-events-598", answeredAndLost)
}

// answeredAndLost: there a callback was answered with success while its order
// stayed as it was, so the provider never said it again. Here the answer is no
// success as long as nothing is committed, whatever goes wrong, and the repeat
// that this causes is carried out.
func answeredAndLost(t *testing.T) {
	for name, f := range map[string]memstore.Fault{
		"the request was lost": memstore.LoseRequest, "throttled": memstore.Throttle, "in conflict": memstore.Conflict,
	} {
		w := newWorld(t)
		token := w.guest()
		order := w.pay(token, w.hold(token, "open", "D-1", "D-2").str("id"), `{"provider":"sandbox"}`).str("order_id")
		in := w.bank.asked[0]
		say := want{method: "POST", path: "/callbacks/sandbox", body: fmt.Sprintf(
			`{"Payment":%q,"Order":%q,"State":%q,"Amount":{"amount":3000,"currency":"USD"}}`, in.ID, in.OrderID, payment.ReportCaptured)}.with(bankMark, "genuine")
		w.faults = func(op memstore.Op) memstore.Fault {
			if op.Kind == memstore.OpTransact {
				return f
			}
			return memstore.NoFault
		}
		if a := w.do(say); a.StatusCode != 418 {
			t.Errorf("%s: the callback is answered %d", name, a.StatusCode)
		}
		w.faults = nil
		if o := w.expect(get("/orders/"+order).by(token), 200, ""); o.str("status") != "PENDING" {
			t.Errorf("%s: %s", name, o.Body)
		}
		for range 2 {
			if a := w.do(say); a.StatusCode != 202 {
				t.Errorf("%s, said again: %d", name, a.StatusCode)
			}
		}
		w.checkTickets(token, order)
	}
}
