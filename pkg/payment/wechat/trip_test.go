package wechat

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/payment"
)

func fen(n int64) money.Amount { return money.Amount{Minor: n, Currency: "CNY"} }

// TestBuyAndGiveBack goes the whole way against the simulator, in each mode of keys.
func TestBuyAndGiveBack(t *testing.T) {
	for name, mode := range map[string]struct {
		public, certificate bool
		callbacks           string
	}{
		"public key":              {true, false, "public"},
		"certificates":            {false, true, "certificate"},
		"moving, old callbacks":   {true, true, "certificate"},
		"moving, new callbacks":   {true, true, "public"},
		"certificates, from zero": {false, false, "certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, mode.public, mode.certificate)
			r.control("POST", "keys", set{"callbacks": mode.callbacks}, nil)
			in := r.intent("pay00001")
			c := r.create(in)
			if again := r.create(in); again != c || c.Action.Kind != payment.ActionQR || !strings.HasPrefix(c.Action.Value, r.url+"/pay/") || c.Report.State != payment.ReportPending {
				t.Errorf("%+v, %+v", c, again)
			}
			if q, err := r.p.Query(t.Context(), refTo(in)); err != nil || q.State != payment.ReportPending || q.Amount != price {
				t.Errorf("%+v %v", q, err)
			}
			r.pay(c.Action.Value)
			n := r.next()
			if n.Payment == nil || n.Payment.State != payment.ReportCaptured || n.Payment.Order != in.OrderID || n.Payment.Payment != in.ID || n.Payment.Amount != price || n.Payment.ProviderRef == "" {
				t.Fatalf("%+v", n)
			}
			if q, err := r.p.Query(t.Context(), refTo(in)); err != nil || q != *n.Payment {
				t.Errorf("%+v %v, the callback said %+v", q, err, *n.Payment)
			}
			if q, err := r.p.Close(t.Context(), refTo(in)); err != nil || q.State != payment.ReportCaptured {
				t.Errorf("%+v %v", q, err)
			}
			r.giveBack(in)
		})
	}
}

// pay is what a person does on the page.
func (r *rig) pay(page string) {
	r.t.Helper()
	res, err := http.PostForm(page, map[string][]string{"decision": {"approve"}})
	if err != nil {
		r.t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 200 {
		r.t.Fatal(res.Status)
	}
}

// giveBack refunds a part at once and the rest later, each twice, and then too much.
func (r *rig) giveBack(in payment.Intent) {
	t := r.t
	t.Helper()
	part := payment.RefundRequest{ID: "back0001", Payment: refTo(in), Amount: fen(998), Reason: "seats no longer available"}
	for range 2 {
		if got, err := r.p.Refund(t.Context(), part); err != nil || got.State != payment.RefundDone || got.Amount != fen(998) || got.ProviderRef == "" {
			t.Errorf("%+v %v", got, err)
		}
	}
	moved := r.provider(func(o *Options) { o.NotifyURL += "/elsewhere" }, true, true)
	if got, err := moved.Refund(t.Context(), part); err != nil || got.State != payment.RefundDone {
		t.Errorf("in other words: %+v %v", got, err)
	}
	other := part
	other.Amount = fen(997)
	if got, err := r.p.Refund(t.Context(), other); !errors.Is(err, payment.ErrRefused) {
		t.Errorf("another amount under a used number: %+v %v", got, err)
	}
	r.control("PUT", "defaults", set{"refund_delay_ms": 200}, nil)
	rest := payment.RefundRequest{ID: "back0002", Payment: refTo(in), Amount: fen(2000)}
	if got, err := r.p.Refund(t.Context(), rest); err != nil || got.State != payment.RefundPending {
		t.Errorf("%+v %v", got, err)
	}
	n := r.next()
	if n.Refund == nil || n.Refund.State != payment.RefundDone || n.Refund.ID != "back0002" || n.Refund.Payment != in.ID || n.Refund.Amount != fen(2000) {
		t.Errorf("%+v", n)
	}
	if got, err := r.p.Refund(t.Context(), rest); err != nil || got.State != payment.RefundDone {
		t.Errorf("%+v %v", got, err)
	}
	if got, err := r.p.Refund(t.Context(), payment.RefundRequest{ID: "back0003", Payment: refTo(in), Amount: fen(1)}); !errors.Is(err, payment.ErrRefused) {
		t.Errorf("more than there was: %+v %v", got, err)
	}
	if q, err := r.p.Query(t.Context(), refTo(in)); err != nil || q.State != payment.ReportCaptured {
		t.Errorf("a refunded payment was paid: %+v %v", q, err)
	}
	r.control("POST", "advance", set{"seconds": 86_400}, nil)
	rows, err := r.p.Bill(t.Context(), time.Now())
	if err != nil || len(rows) != 3 || rows[0].Kind != payment.BillPayment || rows[0].Amount != price || rows[2].Refund != "back0002" || rows[2].Amount != fen(2000) {
		t.Errorf("%+v %v", rows, err)
	}
}

// TestTroubles: what the simulator can be told to do.
func TestTroubles(t *testing.T) {
	r := newRig(t, true, false)
	t.Run("refused by its buyer", func(t *testing.T) {
		in := r.intent(number(1))
		r.create(in)
		r.control("POST", "decide", set{"payment": in.ID, "decision": "decline"}, nil)
		if q, err := r.p.Query(t.Context(), refTo(in)); err != nil || q.State != payment.ReportClosed {
			t.Errorf("%+v %v", q, err)
		}
		if c, err := r.p.Create(t.Context(), in); err != nil || c.Report.State != payment.ReportFailed {
			t.Errorf("%+v %v", c, err)
		}
	})
	t.Run("closed, and paid all the same", func(t *testing.T) {
		in := r.intent(number(2))
		r.create(in)
		for range 2 {
			if q, err := r.p.Close(t.Context(), refTo(in)); err != nil || q.State != payment.ReportClosed {
				t.Errorf("%+v %v", q, err)
			}
		}
		r.control("POST", "pay", set{"payment": in.ID}, nil)
		if n := r.next(); n.Payment == nil || n.Payment.State != payment.ReportCaptured {
			t.Errorf("%+v", n)
		}
	})
	t.Run("twice, and again after a refusal", func(t *testing.T) {
		r.control("PUT", "defaults", set{"callback": set{"copies": 2}}, nil)
		defer r.control("PUT", "defaults", set{"callback": set{}}, nil)
		in := r.intent(number(3))
		c := r.create(in)
		r.fail <- struct{}{}
		r.pay(c.Action.Value)
		first := r.next()
		for range 2 { // the other copy, and the refused one a second later
			if n := r.next(); *n.Payment != *first.Payment {
				t.Errorf("%+v, then %+v", first.Payment, n.Payment)
			}
		}
	})
	t.Run("old", func(t *testing.T) {
		r.control("POST", "deliver", set{"payment": number(3), "age_seconds": 301}, nil)
		c := <-r.calls
		if _, err := r.p.ParseCallback(c.header, c.body, c.at); !errors.Is(err, payment.ErrReplayWindow) {
			t.Error(err)
		}
	})
	t.Run("silent", func(t *testing.T) {
		r.control("PUT", "defaults", set{"outcome": "never"}, nil)
		defer r.control("PUT", "defaults", set{"outcome": "person"}, nil)
		in := r.intent(number(4))
		r.create(in)
		if q, err := r.p.Query(t.Context(), refTo(in)); err != nil || q.State != payment.ReportCaptured {
			t.Errorf("%+v %v", q, err)
		}
	})
	t.Run("too busy", func(t *testing.T) {
		r.control("PUT", "defaults", set{"fault": "unavailable"}, nil)
		defer r.control("PUT", "defaults", set{"fault": ""}, nil)
		if c, err := r.p.Create(t.Context(), r.intent(number(5))); !errors.Is(err, payment.ErrProviderDown) {
			t.Errorf("%+v %v", c, err)
		}
	})
	t.Run("done and not told", func(t *testing.T) {
		in := r.intent(number(6))
		r.control("PUT", "defaults", set{"fault": "lost"}, nil)
		if c, err := r.p.Create(t.Context(), in); !errors.Is(err, payment.ErrOutcome) {
			t.Errorf("%+v %v", c, err)
		}
		r.control("PUT", "defaults", set{"fault": ""}, nil)
		if q, err := r.p.Query(t.Context(), refTo(in)); err != nil || q.State != payment.ReportPending {
			t.Errorf("%+v %v", q, err)
		}
		r.create(in)
	})
	t.Run("refund that fails", func(t *testing.T) {
		r.control("PUT", "defaults", set{"refund_fails": true}, nil)
		defer r.control("PUT", "defaults", set{"refund_fails": false}, nil)
		in := r.intent(number(4))
		if got, err := r.p.Refund(t.Context(), payment.RefundRequest{ID: "back0009", Payment: refTo(in), Amount: price}); err != nil || got.State != payment.RefundFailed {
			t.Errorf("%+v %v", got, err)
		}
	})
	t.Run("unknown", func(t *testing.T) {
		in := r.intent(number(99))
		_, query := r.p.Query(t.Context(), refTo(in))
		_, shut := r.p.Close(t.Context(), refTo(in))
		_, back := r.p.Refund(t.Context(), payment.RefundRequest{ID: "back0010", Payment: refTo(in), Amount: price})
		_, bill := r.p.Bill(t.Context(), time.Now().AddDate(0, 0, -3))
		_, early := r.p.Bill(t.Context(), time.Now())
		for _, err := range []error{query, shut, back, bill, early} {
			if !errors.Is(err, payment.ErrNotFound) {
				t.Error(err)
			}
		}
	})
	t.Run("another request under a used number", func(t *testing.T) {
		in := r.intent(number(7))
		r.create(in)
		in.Amount = fen(1)
		if c, err := r.p.Create(t.Context(), in); !errors.Is(err, payment.ErrRefused) {
			t.Errorf("%+v %v", c, err)
		}
	})
}

// TestStrangers: the simulator takes requests of its merchant alone.
func TestStrangers(t *testing.T) {
	r := newRig(t, true, false)
	other := newRig(t, true, false)
	for name, change := range map[string]func(*Options){
		"another merchant": func(o *Options) { o.Merchant = "1900000002" },
		"another app":      func(o *Options) { o.App = "wx0000000000000002" },
		"another key":      func(o *Options) { o.Keys.private = other.p.opt.Keys.private },
		"another serial":   func(o *Options) { o.Keys.serial = "1234" },
		"a slow clock":     func(o *Options) { o.Now = func() time.Time { return time.Now().Add(-6 * time.Minute) } },
		"a short nonce":    func(o *Options) { o.Nonce = func() string { return "x" } },
	} {
		if c, err := r.provider(change, true, false).Create(t.Context(), r.intent(number(1))); err == nil {
			t.Errorf("%s: %+v", name, c)
		}
	}
	if q, err := r.p.Query(t.Context(), refTo(r.intent(number(1)))); !errors.Is(err, payment.ErrNotFound) {
		t.Errorf("a stranger's order was made: %+v %v", q, err)
	}
}

// TestTurn: the simulator's next certificate is learned from its answers.
func TestTurn(t *testing.T) {
	r := newRig(t, false, true)
	r.control("POST", "keys", set{"callbacks": "certificate"}, nil)
	r.control("POST", "turn", set{}, nil)
	in := r.intent(number(1))
	c := r.create(in)
	r.pay(c.Action.Value)
	if n := r.next(); n.Payment == nil {
		t.Error(n)
	}
}

// TestTogether: a provider is used by many at once.
func TestTogether(t *testing.T) {
	r := newRig(t, false, false)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			in := r.intent(number(i))
			if _, err := r.p.Create(t.Context(), in); err != nil {
				t.Error(err)
			}
			if q, err := r.p.Query(t.Context(), refTo(in)); err != nil || q.Order != in.OrderID {
				t.Errorf("%+v %v", q, err)
			}
		})
	}
	all.Wait()
}
