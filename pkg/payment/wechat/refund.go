package wechat

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/payment/internal/object"
)

type refund struct {
	Payment   string     `json:"out_trade_no"`
	Number    string     `json:"out_refund_no"`
	Reason    string     `json:"reason,omitempty"`
	NotifyURL string     `json:"notify_url"`
	Amount    refundPart `json:"amount"`
}

type refundPart struct {
	Refund   int64  `json:"refund"`
	Total    int64  `json:"total"` // of the order, not what is left of it
	Currency string `json:"currency"`
}

// Refund gives money back, once for each number, until a year after the payment and in
// at most fifty parts a minute apart. WeChat's first answer is mostly pending: it has
// taken the refund on, and the callback or the same request again tells the end.
func (p *Provider) Refund(ctx context.Context, req payment.RefundRequest) (payment.RefundReport, error) {
	err := errors.Join(payable(req.ID, req.Amount), payable(req.Payment.ID, req.Payment.Amount))
	if err != nil {
		return payment.RefundReport{}, fmt.Errorf("refund %s: %w", req.ID, err)
	}
	body, err := p.call(ctx, "POST", refunds, refund{
		Payment: string(req.Payment.ID), Number: string(req.ID), Reason: cut(req.Reason, 80), NotifyURL: p.opt.NotifyURL,
		Amount: refundPart{req.Amount.Minor, req.Payment.Amount.Minor, currency},
	})
	if errors.Is(err, payment.ErrRefused) {
		// It may be under way in other words, e.g. with the address of before a move.
		if r, known := p.underWay(ctx, req); known {
			return r, nil
		}
	}
	if errors.Is(err, errClosed) || errors.Is(err, errPaying) {
		err = fmt.Errorf("%w: %v", payment.ErrRefused, err) // nothing was paid
	}
	if errors.Is(err, errPaid) {
		err = unusable(err)
	}
	if err != nil {
		return payment.RefundReport{}, fmt.Errorf("refund %s: %w", req.ID, err)
	}
	report, err := answered(body, req)
	if err != nil {
		return payment.RefundReport{}, fmt.Errorf("refund %s: %w", req.ID, unusable(err))
	}
	return report, nil
}

const refunds = "/v3/refund/domestic/refunds"

// underWay asks for the refund of that number, if it is the one that is meant.
func (p *Provider) underWay(ctx context.Context, req payment.RefundRequest) (payment.RefundReport, bool) {
	body, err := p.call(ctx, "GET", refunds+"/"+string(req.ID), nil)
	if err != nil {
		return payment.RefundReport{}, false
	}
	r, err := answered(body, req)
	return r, err == nil
}

func answered(body []byte, req payment.RefundRequest) (payment.RefundReport, error) {
	r := object.Open(body)
	report := readRefund(r, r.Text("status"))
	err := r.Err()
	if err == nil && (report.ID != req.ID || report.Payment != req.Payment.ID || report.Amount != req.Amount) {
		err = errors.New("answer is about another refund")
	}
	return report, err
}

// refundStates by status. CLOSED: nothing moved, mostly for want of balance. ABNORMAL:
// the buyer's account takes nothing, and a person must decide where the money goes;
// once decided the same number tells of success. Both need somebody to look.
var refundStates = map[string]payment.RefundState{
	"PROCESSING": payment.RefundPending, "SUCCESS": payment.RefundDone,
	"CLOSED": payment.RefundFailed, "ABNORMAL": payment.RefundFailed,
}

// readRefund reads what answers and callbacks say of a refund, whose status they name
// differently. Only answers name the currency.
func readRefund(r *object.Reader, status string) payment.RefundReport {
	a := r.Object("amount")
	out := payment.RefundReport{
		ID: payment.RefundID(r.Text("out_refund_no")), Payment: payment.ID(r.Text("out_trade_no")), ProviderRef: r.Text("refund_id"),
		Amount: money.Amount{Minor: a.Whole("refund"), Currency: currency},
	}
	if a.Has("currency") {
		out.Amount.Currency = a.Text("currency")
	}
	state, known := refundStates[status]
	if !known {
		r.Refuse("status", "is not a known one")
	}
	out.State = state
	switch {
	case state == payment.RefundDone:
		out.At = r.Time("success_time")
	case r.Has("create_time"):
		out.At = r.Time("create_time")
	default:
		out.At = time.Time{}
	}
	return out
}
