package wechat

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/payment/internal/beijing"
	"github.com/fairseat/fairseat/pkg/payment/internal/object"
)

const native = "/v3/pay/transactions/native"

type order struct {
	App         string `json:"appid"`
	Merchant    string `json:"mchid"`
	Description string `json:"description"`
	Number      string `json:"out_trade_no"`
	Expires     string `json:"time_expire"`
	Attach      string `json:"attach,omitempty"` // comes back with each report
	NotifyURL   string `json:"notify_url"`
	Amount      total  `json:"amount"`
}

type total struct {
	Total    int64  `json:"total"`
	Currency string `json:"currency"`
}

// order of an intent, the same for the same intent: WeChat refuses a repeated number
// with other parameters. It wants an order to live a minute at least; money that comes
// in the rest of it is late money. Whole seconds are cut off, never added.
func (p *Provider) order(in payment.Intent) order {
	end := in.ExpiresAt
	if least := in.CreatedAt.Add(time.Minute + time.Second); end.Before(least) {
		end = least
	}
	return order{
		App: p.opt.App, Merchant: p.opt.Merchant, Description: cut(in.Description, 127), Number: string(in.ID),
		Expires: beijing.Format(end, time.RFC3339), Attach: in.OrderID, NotifyURL: in.NotifyURL,
		Amount: total{in.Amount.Minor, in.Amount.Currency},
	}
}

// Create makes a Native order; its action is the text of a QR code, good for two hours
// whatever the order's end. The order id goes along as attach, at most 128 bytes.
// Hints are ignored. An amount that is not in CNY is [payment.ErrRefused] before
// anything is sent.
func (p *Provider) Create(ctx context.Context, in payment.Intent) (payment.Created, error) {
	err := payable(in.ID, in.Amount)
	if err == nil && (!bare(in.NotifyURL) || len(in.OrderID) > 128 || in.Description == "") {
		err = fmt.Errorf("%w: notify URL, order id or description", payment.ErrMalformed)
	}
	if err != nil {
		return payment.Created{}, fmt.Errorf("create payment %s: %w", in.ID, err)
	}
	report := payment.Report{Payment: in.ID, Order: in.OrderID, State: payment.ReportPending, Amount: in.Amount, At: in.CreatedAt}
	body, err := p.call(ctx, "POST", native, p.order(in))
	switch {
	case errors.Is(err, errClosed):
		report.State, report.At = payment.ReportFailed, p.opt.Now()
		return payment.Created{Report: report}, nil
	case errors.Is(err, errPaid), errors.Is(err, errPaying): // only asking tells of money
		err = unusable(err)
	}
	if err != nil {
		return payment.Created{}, fmt.Errorf("create payment %s: %w", in.ID, err)
	}
	r := object.Open(body)
	code := r.Text("code_url")
	if err := r.Err(); err != nil {
		return payment.Created{}, fmt.Errorf("create payment %s: %w", in.ID, unusable(err))
	}
	return payment.Created{Action: payment.Action{Kind: payment.ActionQR, Value: code}, Report: report}, nil
}

// about is the path of an order by our number.
func about(id payment.ID) string { return "/v3/pay/transactions/out-trade-no/" + string(id) }

// Query asks how a payment stands.
func (p *Provider) Query(ctx context.Context, ref payment.Ref) (payment.Report, error) {
	if !ref.ID.Valid() {
		return payment.Report{}, fmt.Errorf("query payment: %w: number %q", payment.ErrMalformed, ref.ID)
	}
	body, err := p.call(ctx, "GET", about(ref.ID)+"?"+url.Values{"mchid": {p.opt.Merchant}}.Encode(), nil)
	if err != nil {
		return payment.Report{}, fmt.Errorf("query payment %s: %w", ref.ID, err)
	}
	r, err := p.readTransaction(body)
	if err == nil && r.Payment != ref.ID {
		err = errors.New("answer is about another payment")
	}
	if err != nil {
		return payment.Report{}, fmt.Errorf("query payment %s: %w", ref.ID, unusable(err))
	}
	return complete(r, ref), nil
}

// Close ends an order that is not paid. Who was paying at that moment may still win:
// then the report is pending or captured, and the next call tells.
func (p *Provider) Close(ctx context.Context, ref payment.Ref) (payment.Report, error) {
	if !ref.ID.Valid() {
		return payment.Report{}, fmt.Errorf("close payment: %w: number %q", payment.ErrMalformed, ref.ID)
	}
	in := struct {
		Merchant string `json:"mchid"`
	}{p.opt.Merchant}
	_, err := p.call(ctx, "POST", about(ref.ID)+"/close", in)
	r := payment.Report{Payment: ref.ID, State: payment.ReportClosed, Amount: ref.Amount, At: p.opt.Now()}
	switch {
	case errors.Is(err, errPaid):
		return p.Query(ctx, ref)
	case errors.Is(err, errPaying):
		r.State = payment.ReportPending
	case err != nil && !errors.Is(err, errClosed):
		return payment.Report{}, fmt.Errorf("close payment %s: %w", ref.ID, err)
	}
	return complete(r, ref), nil
}

// complete adds what an answer leaves out; what it says is left to be judged.
func complete(r payment.Report, ref payment.Ref) payment.Report {
	if r.Order == "" {
		r.Order = ref.OrderID
	}
	return r
}

// states are those of a Native order, and those of a barcode's. One that was refunded,
// in part or whole, was paid; an attempt that failed leaves the order unpaid.
var states = map[string]payment.ReportState{
	"NOTPAY": payment.ReportPending, "USERPAYING": payment.ReportPending, "ACCEPT": payment.ReportPending,
	"SUCCESS": payment.ReportCaptured, "REFUND": payment.ReportCaptured,
	"CLOSED": payment.ReportClosed, "REVOKED": payment.ReportClosed,
	"PAYERROR": payment.ReportFailed,
}

// readTransaction reads an order as queries and callbacks tell of it. amount.total is
// the price that was asked for; payer_total is less after a coupon and not looked at.
// [payment.ErrMismatch] where it is of another merchant or app.
func (p *Provider) readTransaction(body []byte) (payment.Report, error) {
	r := object.Open(body)
	out := payment.Report{
		Payment: payment.ID(r.Text("out_trade_no")), Order: r.Maybe("attach"), ProviderRef: r.Maybe("transaction_id"),
	}
	merchant, app := r.Text("mchid"), r.Text("appid")
	state, known := states[r.Text("trade_state")]
	if !known {
		r.Refuse("trade_state", "is not a known one")
	}
	out.State = state
	paid := out.State == payment.ReportCaptured
	if paid || r.Has("amount") {
		a := r.Object("amount")
		out.Amount = money.Amount{Minor: a.Whole("total"), Currency: a.Text("currency")}
	}
	if paid {
		out.At = r.Time("success_time")
		if out.ProviderRef == "" {
			r.Refuse("transaction_id", "is missing")
		}
	}
	if r.Err() != nil {
		return payment.Report{}, r.Err()
	}
	if merchant != p.opt.Merchant || app != p.opt.App {
		return payment.Report{}, fmt.Errorf("%w: of another merchant or app", payment.ErrMismatch)
	}
	return out, nil
}
