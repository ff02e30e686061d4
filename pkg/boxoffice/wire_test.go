package boxoffice_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/fairseat/fairseat/localstack/sandbox/sim"
	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/order"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/payment/sandbox"
)

// direct hands a request to a handler without a socket.
type direct struct{ http.Handler }

func (h direct) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result(), nil
}

// TestSimulatorIsAsked: against the real simulator, signed both ways, an order is
// settled without any callback.
func TestSimulatorIsAsked(t *testing.T) {
	for outcome, want := range map[string]struct {
		hold  booking.State
		order order.Status
		pay   payment.State
	}{
		"success": {booking.Sold, order.Paid, payment.Captured},
		"never":   {booking.Sold, order.Paid, payment.Captured},
		"decline": {booking.Held, order.Pending, payment.Failed},
	} {
		t.Run(outcome, func(t *testing.T) {
			d := newDesk(t)
			s, err := sim.New(sim.Options{
				Secret: "shared secret of the test", Grace: policy.Grace, Now: d.clock.Now, URL: "http://bank.example",
				Random: func(int64) int64 { return 0 }, Log: slog.New(slog.DiscardHandler),
			})
			if err != nil {
				t.Fatal(err)
			}
			p, err := sandbox.New(&http.Client{Transport: direct{s.Handler()}}, "http://bank.example", "shared secret of the test", d.clock.Now)
			if err != nil {
				t.Fatal(err)
			}
			d.Provider = func(payment.Name) (payment.Provider, bool) { return p, true }
			h := d.hold("ann", "k", "A-1", "A-2")
			w := payWish(h, "p")
			w.Hints = map[string]string{"outcome": outcome}
			pay, err := d.Pay(d.ctx(), w)
			if err != nil {
				t.Fatal(err)
			}
			d.appointments(pay.ID, 2)
			d.wantHold(h.ID, want.hold)
			d.wantOrder(pay.OrderID, want.order)
			d.wantPayment(pay.ID, want.pay)
			d.sound()
		})
	}
}
