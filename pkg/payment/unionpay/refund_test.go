package unionpay

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/payment"
)

func refund() payment.RefundRequest {
	r := ref()
	r.ProviderRef = "202601151200001234568"
	return payment.RefundRequest{
		ID: "RF2026000001", Payment: r, Amount: yuan(500), Reason: "seats no longer available", RequestedAt: sent.Add(5 * time.Minute),
	}
}

// TestRefundSendsTheVector: what is asked for is the vector and the payment's number.
func TestRefundSendsTheVector(t *testing.T) {
	d, p := newDesk(t, func(path string, m message) message {
		if strings.HasSuffix(path, "queryTrans.do") {
			return echo(m, "respCode", "34")
		}
		return echo(m, "respCode", "00", "queryId", "202601151205001234569")
	})
	r, err := p.Refund(t.Context(), refund())
	want := payment.RefundReport{
		ID: "RF2026000001", Payment: "ORD2026000001", ProviderRef: "202601151205001234569", State: payment.RefundPending,
		Amount: yuan(500), At: sent.Add(5 * time.Minute),
	}
	if err != nil || r != want || len(d.asked) != 3 || d.paths[1] != "/gateway/api/backTransReq.do" {
		t.Fatalf("%+v %v after %v", r, err, d.paths)
	}
	got := d.asked[1]
	if got["reqReserved"] != "ORD2026000001" {
		t.Errorf("the payment goes along as %q", got["reqReserved"])
	}
	delete(got, "reqReserved")
	if got.text() != d.v.Requests[2].Canonical {
		t.Errorf("sent %s", got.text())
	}
}

func TestRefundOutcomes(t *testing.T) {
	known := func(orig string, more ...string) []string {
		return append([]string{"respCode", "00", "origRespCode", orig, "txnAmt", "500", "currencyCode", "156", "queryId", "9"}, more...)
	}
	absent := []string{"respCode", "34"}
	for _, c := range []struct {
		name         string
		asked, begun []string
		state        payment.RefundState
		err          error
	}{
		{"new", absent, []string{"respCode", "00"}, payment.RefundPending, nil},
		{"new by the second layer", known("34"), []string{"respCode", "00"}, payment.RefundPending, nil},
		{"begun by another copy meanwhile", absent, []string{"respCode", "12"}, payment.RefundPending, nil},
		{"accepted", absent, []string{"respCode", "05"}, payment.RefundPending, nil},
		{"no such payment", absent, absent, "", payment.ErrNotFound},
		{"too much", absent, []string{"respCode", "36"}, "", payment.ErrRefused},
		{"closed for now", absent, []string{"respCode", "02"}, "", payment.ErrProviderDown},
		{"no word", absent, nil, "", payment.ErrOutcome},
		{"done", known("00"), nil, payment.RefundDone, nil},
		{"under way", known("05"), nil, payment.RefundPending, nil},
		{"with a defect", known("A6"), nil, payment.RefundPending, nil},
		{"failed", known("01"), nil, payment.RefundFailed, nil},
		{"another amount before", known("00", "txnAmt", "501"), nil, "", payment.ErrRefused},
		{"no amount", known("00", "txnAmt", ""), nil, "", payment.ErrOutcome},
		{"no code", known(""), nil, "", payment.ErrOutcome},
		{"not known whether it is", []string{"respCode", "04"}, nil, "", payment.ErrOutcome},
		{"asked too often", []string{"respCode", "37"}, nil, "", payment.ErrProviderDown},
	} {
		began := 0
		_, p := newDesk(t, func(path string, m message) message {
			if strings.HasSuffix(path, "queryTrans.do") {
				return echo(m, c.asked...)
			}
			began++
			return echo(m, c.begun...)
		})
		r, err := p.Refund(t.Context(), refund())
		if r.State != c.state || !errors.Is(err, c.err) || (c.err == nil) != (err == nil) {
			t.Errorf("%s: %+v %v", c.name, r, err)
		}
		if want := c.asked[1] == "34" || len(c.asked) > 3 && c.asked[3] == "34"; (began == 1) != want || began > 1 {
			t.Errorf("%s: asked for it %d times", c.name, began)
		}
	}
}

// TestRefundIsAskedAboutAtOnce: many are done as soon as they are accepted.
func TestRefundIsAskedAboutAtOnce(t *testing.T) {
	for orig, want := range map[string]payment.RefundState{"00": payment.RefundDone, "05": payment.RefundPending, "01": payment.RefundFailed, "34": payment.RefundPending} {
		begun := false
		_, p := newDesk(t, func(path string, m message) message {
			switch {
			case !strings.HasSuffix(path, "queryTrans.do"):
				begun = true
				return echo(m, "respCode", "00")
			case !begun:
				return echo(m, "respCode", "34")
			}
			return echo(m, "respCode", "00", "origRespCode", orig, "txnAmt", "500", "currencyCode", "156", "queryId", "9")
		})
		if r, err := p.Refund(t.Context(), refund()); err != nil || r.State != want {
			t.Errorf("%s: %+v %v", orig, r, err)
		}
	}
}

func TestRefundNeedsWhatFindsThePayment(t *testing.T) {
	d, p := newDesk(t, func(_ string, m message) message { return m })
	for name, c := range map[string]struct {
		change func(*payment.RefundRequest)
		err    error
	}{
		"number":          {func(r *payment.RefundRequest) { r.ID = "r" }, payment.ErrMalformed},
		"payment":         {func(r *payment.RefundRequest) { r.Payment.ID = "" }, payment.ErrMalformed},
		"amount":          {func(r *payment.RefundRequest) { r.Amount.Minor = 0 }, payment.ErrMalformed},
		"time":            {func(r *payment.RefundRequest) { r.RequestedAt = time.Time{} }, payment.ErrMalformed},
		"currency":        {func(r *payment.RefundRequest) { r.Amount.Currency = "USD" }, payment.ErrRefused},
		"their number":    {func(r *payment.RefundRequest) { r.Payment.ProviderRef = "" }, payment.ErrNotFound},
		"a number of two": {func(r *payment.RefundRequest) { r.Payment.ProviderRef = "1&txnAmt=2" }, payment.ErrNotFound},
	} {
		r := refund()
		c.change(&r)
		if got, err := p.Refund(t.Context(), r); !errors.Is(err, c.err) {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
	if len(d.asked) != 0 {
		t.Errorf("sent %v", d.asked)
	}
}

// TestVoid: the whole alone, and by its own kind of transaction.
func TestVoid(t *testing.T) {
	d, p := newDesk(t, func(path string, m message) message {
		if strings.HasSuffix(path, "queryTrans.do") {
			return echo(m, "respCode", "34")
		}
		return echo(m, "respCode", "00")
	})
	if r, err := p.Void(t.Context(), refund()); !errors.Is(err, payment.ErrRefused) || len(d.asked) != 0 {
		t.Errorf("a part: %+v %v", r, err)
	}
	req := refund()
	req.Amount = req.Payment.Amount
	r, err := p.Void(t.Context(), req)
	if err != nil || r.State != payment.RefundPending || d.asked[1]["txnType"] != "31" || d.asked[1]["txnAmt"] != "1499" {
		t.Errorf("%+v %v, sent %v", r, err, d.asked)
	}
}
