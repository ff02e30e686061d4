package alipay

import (
	"context"
	"fmt"

	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/payment/internal/beijing"
	"github.com/fairseat/fairseat/pkg/payment/internal/yuan"
)

// Refund gives back a part or the whole, alipay.trade.refund, once for each number
// (out_request_no): whatever came of a try, the same number is safe.
//
// Only fund_change=Y says that money moved now. Without it, which is the answer to a
// repetition too, the refund is asked for by its number. The refund_fee of the answer
// is the sum given back so far and is not read. Alipay wants three seconds between two
// refunds of a trade; ours are thirty apart ([payment.NextAsk]).
func (p *Provider) Refund(ctx context.Context, req payment.RefundRequest) (payment.RefundReport, error) {
	r, err := p.refund(ctx, req)
	if err != nil {
		return payment.RefundReport{}, fmt.Errorf("refund %s: %w", req.ID, err)
	}
	return r, nil
}

func (p *Provider) refund(ctx context.Context, req payment.RefundRequest) (payment.RefundReport, error) {
	if err := usable(req.ID); err != nil {
		return payment.RefundReport{}, err
	}
	if err := usable(req.Payment.ID); err != nil {
		return payment.RefundReport{}, err
	}
	if req.Amount.Currency != currency || req.Amount.Minor < 1 {
		return payment.RefundReport{}, fmt.Errorf("%w: %v was never paid with Alipay", payment.ErrRefused, req.Amount)
	}
	a, err := p.call(ctx, "alipay.trade.refund", struct {
		Number payment.ID       `json:"out_trade_no"`
		Amount string           `json:"refund_amount"`
		Refund payment.RefundID `json:"out_request_no"`
		Reason string           `json:"refund_reason,omitempty"`
	}{req.Payment.ID, yuan.Format(req.Amount.Minor), req.ID, req.Reason}, "")
	if err != nil {
		return payment.RefundReport{}, final(err)
	}
	number, trade := a.Text("out_trade_no"), a.Text("trade_no")
	if a.Err() != nil || number != string(req.Payment.ID) {
		return payment.RefundReport{}, unusable(fmt.Errorf("answer about payment %.40q: %v", number, a.Err()))
	}
	if a.Maybe("fund_change") != "Y" {
		return p.queryRefund(ctx, req)
	}
	return payment.RefundReport{
		ID: req.ID, Payment: req.Payment.ID, ProviderRef: trade, State: payment.RefundDone, Amount: req.Amount, At: p.now().UTC(),
	}, nil
}

// queryRefund asks what became of a number, alipay.trade.fastpay.refund.query. Without
// a status it is under way, was never heard of or came to nothing: the same request
// again is right in each case.
func (p *Provider) queryRefund(ctx context.Context, req payment.RefundRequest) (payment.RefundReport, error) {
	a, err := p.call(ctx, "alipay.trade.fastpay.refund.query", struct {
		Number  payment.ID       `json:"out_trade_no"`
		Refund  payment.RefundID `json:"out_request_no"`
		Options []string         `json:"query_options"`
	}{req.Payment.ID, req.ID, []string{"gmt_refund_pay"}}, "")
	if err != nil {
		return payment.RefundReport{}, final(err)
	}
	r := payment.RefundReport{ID: req.ID, Payment: req.Payment.ID, State: payment.RefundPending, Amount: req.Amount, At: p.now().UTC()}
	if a.Maybe("refund_status") != "REFUND_SUCCESS" {
		return r, nil
	}
	payments, refund, trade := a.Text("out_trade_no"), a.Text("out_request_no"), a.Text("trade_no")
	back, err := amount(a.Text("refund_amount"))
	if a.Err() != nil || err != nil || payments != string(req.Payment.ID) || refund != string(req.ID) {
		return payment.RefundReport{}, unusable(fmt.Errorf("answer about refund %.40q of payment %.40q: %v", refund, payments, a.Err()))
	}
	if back != req.Amount {
		return payment.RefundReport{}, fmt.Errorf("%w: %v went back under this number", payment.ErrRefused, back)
	}
	r.State, r.ProviderRef = payment.RefundDone, trade
	if t, err := beijing.Parse(beijing.Seconds, a.Maybe("gmt_refund_pay")); err == nil {
		r.At = t
	}
	return r, nil
}
