package wechat

import (
	"errors"
	"net/http"

	"github.com/fairseat/fairseat/localstack/sandbox/sim"
	"github.com/fairseat/fairseat/pkg/money"
)

// refund takes one on, once for each number.
func (w *Wire) refund(_ *http.Request, body []byte) (any, error) {
	var in struct {
		Payment string `json:"out_trade_no"`
		Number  string `json:"out_refund_no"`
		Reason  string `json:"reason"`
		Notify  string `json:"notify_url"`
		Amount  struct {
			Refund   int64  `json:"refund"`
			Total    int64  `json:"total"`
			Currency string `json:"currency"`
		} `json:"amount"`
	}
	if err := strictly(body, &in); err != nil {
		return nil, err
	}
	if !tradeNumber.MatchString(in.Payment) || !refundNumber.MatchString(in.Number) || len(in.Reason) > 80 ||
		in.Notify != "" && !callable(in.Notify) || in.Amount.Refund < 1 || in.Amount.Currency != "CNY" {
		return nil, bad
	}
	p, err := w.books.Payment(in.Payment)
	if errors.Is(err, sim.ErrNotFound) {
		return nil, errNoRefund
	}
	if err != nil {
		return nil, err
	}
	was, err := w.books.Refund(in.Number)
	if p.Amount.Minor != in.Amount.Total || err == nil && (was.NotifyURL != in.Notify || was.Reason != in.Reason) {
		return nil, errOther
	}
	back, _, err := w.books.Return(in.Payment, sim.Refund{
		ID: in.Number, Amount: money.Amount{Minor: in.Amount.Refund, Currency: "CNY"}, Reason: in.Reason, NotifyURL: in.Notify,
	})
	if err != nil {
		return nil, refused(err, map[error]no{sim.ErrOther: errOther, sim.ErrTooMuch: errOther, sim.ErrNotPaid: errOther})
	}
	return refundView(p, back), nil
}

func (w *Wire) refundQuery(r *http.Request, body []byte) (any, error) {
	if r.URL.RawQuery != "" || len(body) > 0 {
		return nil, bad
	}
	back, err := w.books.Refund(r.PathValue("number"))
	if err != nil {
		return nil, refused(err, map[error]no{sim.ErrNotFound: errNoRefund})
	}
	p, err := w.books.Payment(back.Payment)
	if err != nil {
		return nil, err
	}
	return refundView(p, back), nil
}

var refundStates = map[sim.State]string{sim.Pending: "PROCESSING", sim.Done: "SUCCESS", sim.Failed: "CLOSED"}

func refundView(p sim.Payment, r sim.Refund) members {
	out := members{
		"refund_id": r.Ref, "out_refund_no": r.ID, "transaction_id": p.Ref, "out_trade_no": p.ID, "channel": "ORIGINAL",
		"user_received_account": "支付用户零钱", "create_time": beijing(r.CreatedAt), "status": refundStates[r.State], "funds_account": "AVAILABLE",
		"amount": members{
			"total": p.Amount.Minor, "refund": r.Amount.Minor, "payer_total": p.Amount.Minor, "payer_refund": r.Amount.Minor,
			"settlement_total": p.Amount.Minor, "settlement_refund": r.Amount.Minor, "discount_refund": 0, "currency": r.Amount.Currency,
		},
	}
	if r.State == sim.Done {
		out["success_time"] = beijing(r.At)
	}
	return out
}

// refundNews is a callback's: another name for the status, and no currency.
func (w *Wire) refundNews(p sim.Payment, r sim.Refund) members {
	out := members{
		"mchid": w.opt.Merchant, "transaction_id": p.Ref, "out_trade_no": p.ID, "refund_id": r.Ref, "out_refund_no": r.ID,
		"refund_status": refundStates[r.State], "user_received_account": "支付用户零钱",
		"amount": members{"total": p.Amount.Minor, "refund": r.Amount.Minor, "payer_total": p.Amount.Minor, "payer_refund": r.Amount.Minor},
	}
	if r.State == sim.Done {
		out["success_time"] = beijing(r.At)
	}
	return out
}
