package unionpay

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/payment/internal/beijing"
)

const (
	txnRefund = "04"
	txnVoid   = "31"
)

// Refund gives back a part or the whole, within eleven months. Its number at UnionPay is
// ours and the time of the first try.
//
// It is asked about before it is asked for: the gateway wants the time of a request to be
// near its own, so a repetition after hours would not be told to be one.
func (p *Provider) Refund(ctx context.Context, req payment.RefundRequest) (payment.RefundReport, error) {
	r, err := p.giveBack(ctx, txnRefund, req)
	if err != nil {
		return payment.RefundReport{}, fmt.Errorf("refund %.40q: %w", req.ID, err)
	}
	return r, nil
}

// Void takes the whole payment back before its clearing day is over, 23:00 in Beijing;
// after that UnionPay refuses. The shop refunds throughout; this is for a person.
func (p *Provider) Void(ctx context.Context, req payment.RefundRequest) (payment.RefundReport, error) {
	if req.Amount != req.Payment.Amount {
		return payment.RefundReport{}, fmt.Errorf("void %.40q: %w: not the whole payment", req.ID, payment.ErrRefused)
	}
	r, err := p.giveBack(ctx, txnVoid, req)
	if err != nil {
		return payment.RefundReport{}, fmt.Errorf("void %.40q: %w", req.ID, err)
	}
	return r, nil
}

func (p *Provider) giveBack(ctx context.Context, kind string, req payment.RefundRequest) (payment.RefundReport, error) {
	switch {
	case !req.ID.Valid() || !req.Payment.ID.Valid() || req.Amount.Minor <= 0 || req.RequestedAt.IsZero():
		return payment.RefundReport{}, fmt.Errorf("%w: number, amount or time", payment.ErrMalformed)
	case req.Amount.Currency != currency:
		return payment.RefundReport{}, fmt.Errorf("%w: not yuan", payment.ErrRefused)
	case !word(req.Payment.ProviderRef, 1, 32):
		return payment.RefundReport{}, fmt.Errorf("%w: UnionPay's number of the payment is not known", payment.ErrNotFound)
	}
	asked, err := p.ask(ctx, string(req.ID), req.RequestedAt)
	if err != nil {
		return payment.RefundReport{}, err
	}
	switch code := asked["respCode"]; {
	case code == codeAbsent || code == codeOK && asked["origRespCode"] == codeAbsent:
		return p.begin(ctx, kind, req)
	case code != codeOK:
		return payment.RefundReport{}, refusal(asked)
	}
	return stands(req, asked)
}

// stale is when the time of a first try may be too old for the gateway, which wants it to
// be near its own and does not say how near.
const stale = 10 * time.Minute

// sentAt is the time that a refund is asked for with. One of the whole that nobody took on
// when it was promised, for the gateway was away, is asked for as of now: its end is then
// told by notice alone, but it cannot be done twice, since UnionPay gives back no more than
// was paid. A part could be, so it keeps its time and is refused rather.
func sentAt(req payment.RefundRequest, now time.Time) time.Time {
	if now.Sub(req.RequestedAt) > stale && req.Amount == req.Payment.Amount {
		return now
	}
	return req.RequestedAt
}

// begin asks for a refund that UnionPay does not know. Success means accepted, no more, so
// it is asked about once, at once; where that says nothing new it is pending.
func (p *Provider) begin(ctx context.Context, kind string, req payment.RefundRequest) (payment.RefundReport, error) {
	m := p.common(kind, "00", channelPC)
	m["orderId"] = string(req.ID)
	at := sentAt(req, p.now())
	m["txnTime"] = beijing.Format(at, beijing.Compact)
	m["txnAmt"] = strconv.FormatInt(req.Amount.Minor, 10)
	m["origQryId"] = req.Payment.ProviderRef
	m["backUrl"] = p.notify
	m["reqReserved"] = string(req.Payment.ID) // comes back with the notice, which names no payment of ours
	a, err := p.call(ctx, "backTransReq.do", m)
	if err != nil {
		return payment.RefundReport{}, err
	}
	switch code := a["respCode"]; {
	case code == codeOK, code == codeDuplicate, open(code):
		if asked, err := p.ask(ctx, string(req.ID), at); err == nil && asked["respCode"] == codeOK && asked["origRespCode"] != codeAbsent {
			return stands(req, asked)
		}
		r := refundReport(req, payment.RefundPending)
		if word(a["queryId"], 1, 32) {
			r.ProviderRef = a["queryId"]
		}
		return r, nil
	case code == codeAbsent:
		return payment.RefundReport{}, payment.ErrNotFound
	}
	return payment.RefundReport{}, refusal(a)
}

// stands reads the answer about a refund that UnionPay knows.
func stands(req payment.RefundRequest, a message) (payment.RefundReport, error) {
	code := a["origRespCode"]
	if code == "" {
		return payment.RefundReport{}, unusable(errors.New("no code of the refund"))
	}
	if code != codeOK {
		if open(code) {
			return refundReport(req, payment.RefundPending), nil
		}
		return refundReport(req, payment.RefundFailed), nil
	}
	r := refundReport(req, payment.RefundDone)
	got, err := amount(a)
	if err != nil {
		return payment.RefundReport{}, unusable(err)
	}
	if got != req.Amount {
		return payment.RefundReport{}, fmt.Errorf("%w: the number is of a refund of %v", payment.ErrRefused, got)
	}
	if r.At, err = happened(a); err != nil {
		return payment.RefundReport{}, unusable(err)
	}
	if word(a["queryId"], 1, 32) {
		r.ProviderRef = a["queryId"]
	}
	return r, nil
}

func refundReport(req payment.RefundRequest, s payment.RefundState) payment.RefundReport {
	return payment.RefundReport{ID: req.ID, Payment: req.Payment.ID, State: s, Amount: req.Amount, At: req.RequestedAt}
}
