package unionpay

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/payment/internal/beijing"
	"github.com/fairseat/fairseat/pkg/payment/internal/fields"
)

// ParseCallback reads a notice: what UnionPay signed, of any set om message. now is
// compared with the certificate's dates; a notice itself is never too old, so the
// payment's state is what makes a repetition harmless. One that is authentic and not
// for us, or not as it should be, is [payment.ErrMismatch].
//
// UnionPay's pages ask to follow a notice of success by a query. That is not done: both
// are signed by one key over one code, and a sale would wait for it.
func (p *Provider) ParseCallback(_ http.Header, body []byte, now time.Time) (payment.Notice, error) {
	if len(body) == 0 || len(body) > maxBody {
		return payment.Notice{}, fmt.Errorf("%w: %d bytes", payment.ErrMalformed, len(body))
	}
	m, err := fields.Parse(body)
	if err != nil {
		return payment.Notice{}, fmt.Errorf("%w: %v", payment.ErrMalformed, err)
	}
	if err := p.verify(m, now); err != nil {
		return payment.Notice{}, err
	}
	switch {
	case m["merId"] != p.merchant:
		return payment.Notice{}, fmt.Errorf("%w: another merchant's", payment.ErrMismatch)
	case !strings.EqualFold(m["encoding"], "UTF-8"):
		return payment.Notice{}, fmt.Errorf("%w: encoding", payment.ErrMismatch)
	}
	n, err := notice(m)
	if err != nil {
		return payment.Notice{}, fmt.Errorf("%w: %v", payment.ErrMismatch, err)
	}
	return n, nil
}

// notice reads by the kind of transaction: a refund of an order's number is no payment.
func notice(m message) (payment.Notice, error) {
	switch m["txnType"] {
	case txnPay:
		if m["txnSubType"] != subScan {
			return payment.Notice{}, errors.New("a payment that was not asked for by a QR code")
		}
		r, err := paid(m)
		return payment.Notice{Payment: &r}, err
	case txnRefund, txnVoid:
		r, err := givenBack(m)
		return payment.Notice{Refund: &r}, err
	}
	return payment.Notice{}, errors.New("neither a payment nor a refund")
}

// paid reads a notice of a payment. UnionPay sends one for success alone; should another
// come, the buyer has failed once and may try again.
func paid(m message) (payment.Report, error) {
	r := payment.Report{Payment: payment.ID(m["orderId"]), Order: m["reqReserved"], ProviderRef: m["queryId"], State: payment.ReportFailed}
	code := m["respCode"]
	switch {
	case code == codeOK:
		r.State = payment.ReportCaptured
	case code == "":
		return payment.Report{}, errors.New("no respCode")
	case open(code):
		r.State = payment.ReportUnknown
	}
	if !r.Payment.Valid() || !word(r.ProviderRef, 1, 32) {
		return payment.Report{}, errors.New("orderId or queryId has not the form of one")
	}
	var err error
	if r.CreatedAt, err = beijing.Parse(beijing.Compact, m["txnTime"]); err != nil {
		return payment.Report{}, errors.New("txnTime is not a time")
	}
	if r.Amount, err = amount(m); err != nil {
		return payment.Report{}, err
	}
	r.At, err = happened(m)
	return r, err
}

// givenBack reads a notice of a refund or a void, which are told in success and failure.
// The payment is what we had sent along; one that we did not ask for names none.
func givenBack(m message) (payment.RefundReport, error) {
	r := payment.RefundReport{ID: payment.RefundID(m["orderId"]), ProviderRef: m["queryId"], State: payment.RefundFailed}
	if id := payment.ID(m["reqReserved"]); id.Valid() {
		r.Payment = id
	}
	code := m["respCode"]
	switch {
	case code == codeOK:
		r.State = payment.RefundDone
	case code == "":
		return payment.RefundReport{}, errors.New("no respCode")
	case open(code):
		r.State = payment.RefundPending
	}
	if !r.ID.Valid() || !word(r.ProviderRef, 1, 32) || !word(m["origQryId"], 1, 32) {
		return payment.RefundReport{}, errors.New("orderId, queryId or origQryId has not the form of one")
	}
	var err error
	if r.Amount, err = amount(m); err != nil {
		return payment.RefundReport{}, err
	}
	r.At, err = happened(m)
	return r, err
}

// Acknowledge answers 200 to what was committed; the words do not matter. To anything
// else UnionPay repeats the notice, five times in twelve minutes, and then falls silent:
// who is refused for good is in the log by then, and the query goes on.
func (p *Provider) Acknowledge(err error) payment.Ack {
	status, word := http.StatusOK, "ok"
	if err != nil {
		status, word = http.StatusServiceUnavailable, "fail"
		switch fault.KindOf(err) {
		case fault.Forbidden:
			status = http.StatusUnauthorized
		case fault.Invalid:
			status = http.StatusBadRequest
		case fault.NotFound:
			status = http.StatusNotFound
		case fault.Conflict:
			status = http.StatusConflict
		}
	}
	return payment.Ack{Status: status, ContentType: "text/plain; charset=utf-8", Body: []byte(word)}
}
