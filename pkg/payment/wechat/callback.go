package wechat

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/payment/internal/object"
)

// ParseCallback verifies, unseals, then reads; it calls nobody. An event of another
// kind than its content, a payment in another state than paid, and one of another
// merchant or app are authentic and of no use: [payment.ErrMismatch].
func (p *Provider) ParseCallback(header http.Header, body []byte, now time.Time) (payment.Notice, error) {
	if len(body) == 0 || len(body) > maxBody {
		return payment.Notice{}, fmt.Errorf("%w: %d bytes", payment.ErrMalformed, len(body))
	}
	if err := verify(header, body, now, p.ring.find); err != nil {
		return payment.Notice{}, err
	}
	r := object.Open(body)
	event, kind := r.Text("event_type"), r.Text("resource_type")
	sealed := r.Object("resource")
	of := sealed.Text("original_type")
	text, err := p.unseal(sealed)
	switch {
	case r.Err() != nil:
		return payment.Notice{}, fmt.Errorf("%w: %v", payment.ErrMalformed, r.Err())
	case err != nil:
		return payment.Notice{}, err
	case kind != "encrypt-resource":
		return payment.Notice{}, fmt.Errorf("%w: resource of type %.40q", payment.ErrMalformed, kind)
	}
	switch of {
	case "transaction":
		return p.paymentNotice(event, text)
	case "refund":
		return p.refundNotice(event, text)
	}
	return payment.Notice{}, fmt.Errorf("%w: %.40q around %.40q", payment.ErrMismatch, event, of)
}

func (p *Provider) paymentNotice(event string, text []byte) (payment.Notice, error) {
	if event != "TRANSACTION.SUCCESS" {
		return payment.Notice{}, fmt.Errorf("%w: %.40q around a transaction", payment.ErrMismatch, event)
	}
	report, err := p.readTransaction(text)
	if err != nil {
		return payment.Notice{}, malformed(err)
	}
	// REFUND means paid to whoever asks; a callback that brings it is out of order.
	if s := object.Open(text).Maybe("trade_state"); s != "SUCCESS" {
		return payment.Notice{}, fmt.Errorf("%w: payment %s is told as paid and is %.20q", payment.ErrMismatch, report.Payment, s)
	}
	return payment.Notice{Payment: &report}, nil
}

func (p *Provider) refundNotice(event string, text []byte) (payment.Notice, error) {
	r := object.Open(text)
	status := r.Text("refund_status")
	report, merchant := readRefund(r, status), r.Text("mchid")
	switch {
	case r.Err() != nil:
		return payment.Notice{}, malformed(r.Err())
	case merchant != p.opt.Merchant: // a refund names no app
		return payment.Notice{}, fmt.Errorf("%w: of another merchant", payment.ErrMismatch)
	case event != "REFUND."+status:
		return payment.Notice{}, fmt.Errorf("%w: %.40q around a refund that is %.20q", payment.ErrMismatch, event, status)
	}
	return payment.Notice{Refund: &report}, nil
}

// malformed keeps a kind that the error has.
func malformed(err error) error {
	if fault.KindOf(err) != fault.Internal {
		return err
	}
	return fmt.Errorf("%w: %v", payment.ErrMalformed, err)
}

// Acknowledge answers 200 to what was committed. To the rest it answers what makes
// WeChat come again, fifteen times in a day: an authentic report that does not fit is
// refused too, for a silent acknowledgement would lose the money it speaks of.
func (p *Provider) Acknowledge(err error) payment.Ack {
	status, code, word := http.StatusOK, "SUCCESS", "成功"
	if err != nil {
		code = "FAIL"
		status, word = refusal(err)
	}
	body, _ := json.Marshal(map[string]string{"code": code, "message": word})
	return payment.Ack{Status: status, ContentType: "application/json; charset=utf-8", Body: body}
}

func refusal(err error) (int, string) {
	switch fault.KindOf(err) {
	case fault.Forbidden:
		return http.StatusUnauthorized, "signature"
	case fault.Invalid:
		return http.StatusBadRequest, "malformed"
	case fault.NotFound:
		return http.StatusNotFound, "unknown payment"
	case fault.Conflict:
		return http.StatusConflict, "refused"
	}
	return http.StatusServiceUnavailable, "try again"
}
