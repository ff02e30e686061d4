package alipay

import (
	"context"
	"errors"
	"fmt"

	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/payment/internal/beijing"
	"github.com/fairseat/fairseat/pkg/payment/internal/object"
)

type byNumber struct {
	Number payment.ID `json:"out_trade_no"`
}

// Query asks how a trade stands, alipay.trade.query. [payment.ErrNotFound] is the
// answer for a QR code that nobody has scanned, which can still be paid.
func (p *Provider) Query(ctx context.Context, ref payment.Ref) (payment.Report, error) {
	r, err := p.query(ctx, ref)
	if err != nil {
		return payment.Report{}, fmt.Errorf("query payment %s: %w", ref.ID, err)
	}
	return r, nil
}

func (p *Provider) query(ctx context.Context, ref payment.Ref) (payment.Report, error) {
	if err := usable(ref.ID); err != nil {
		return payment.Report{}, err
	}
	a, err := p.call(ctx, "alipay.trade.query", byNumber{ref.ID}, "")
	if err != nil {
		return payment.Report{}, final(err)
	}
	r, err := p.report(a, ref)
	if err != nil {
		return payment.Report{}, unusable(err)
	}
	return r, nil
}

// report reads a trade. What was closed after it had been paid was refunded, which the
// time of payment tells; to us that is money that came.
func (p *Provider) report(a *object.Reader, ref payment.Ref) (payment.Report, error) {
	number, status, paid := a.Text("out_trade_no"), a.Text("trade_status"), a.Maybe("send_pay_date")
	r := payment.Report{Payment: ref.ID, Order: ref.OrderID, ProviderRef: a.Text("trade_no"), At: p.now().UTC()}
	price, err := amount(a.Text("total_amount"))
	if err := errors.Join(a.Err(), err); err != nil {
		return payment.Report{}, err
	}
	if number != string(ref.ID) {
		return payment.Report{}, fmt.Errorf("answer is about payment %.40q", number)
	}
	r.Amount = price
	switch {
	case status == waiting:
		r.State = payment.ReportPending
	case status == success, status == finished, status == closed && paid != "":
		r.State = payment.ReportCaptured
	case status == closed:
		r.State = payment.ReportClosed
	default:
		return payment.Report{}, fmt.Errorf("status %.40q", status)
	}
	if t, err := beijing.Parse(beijing.Seconds, paid); err == nil {
		r.At = t
	}
	return r, nil
}

// Close ends a trade that waits for its buyer, alipay.trade.close. Whatever other
// status it has is asked for: a refusal to close never means that no money came.
// alipay.trade.cancel would do both at once, but gives money back that we know nothing
// of. A code that nobody has scanned cannot be closed: [payment.ErrNotFound].
func (p *Provider) Close(ctx context.Context, ref payment.Ref) (payment.Report, error) {
	r, err := p.close(ctx, ref)
	if err != nil {
		return payment.Report{}, fmt.Errorf("close payment %s: %w", ref.ID, err)
	}
	return r, nil
}

func (p *Provider) close(ctx context.Context, ref payment.Ref) (payment.Report, error) {
	if err := usable(ref.ID); err != nil {
		return payment.Report{}, err
	}
	a, err := p.call(ctx, "alipay.trade.close", byNumber{ref.ID}, "")
	if saysNo(err, "TRADE_STATUS_ERROR", "REASON_TRADE_STATUS_INVALID", "REASON_ILLEGAL_STATUS", "TRADE_HAS_CLOSE", "TRADE_HAS_SUCCESS", "TRADE_HAS_FINISHED") {
		return p.query(ctx, ref)
	}
	if err != nil {
		return payment.Report{}, final(err)
	}
	number, trade := a.Text("out_trade_no"), a.Text("trade_no")
	if a.Err() != nil || number != string(ref.ID) {
		return payment.Report{}, unusable(fmt.Errorf("answer about payment %.40q: %v", number, a.Err()))
	}
	return payment.Report{Payment: ref.ID, Order: ref.OrderID, ProviderRef: trade, State: payment.ReportClosed, Amount: ref.Amount, At: p.now().UTC()}, nil
}
