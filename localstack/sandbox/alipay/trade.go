package alipay

import (
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/fairseat/fairseat/localstack/sandbox/sim"
)

// precreate makes a code, and no trade.
func (w *Wire) precreate(r request) (answer, error) {
	var in struct {
		Number  string `json:"out_trade_no"`
		Price   string `json:"total_amount"`
		Subject string `json:"subject"`
		Seller  string `json:"seller_id"`
		Ends    string `json:"time_expire"`
		Back    string `json:"passback_params"`
	}
	if err := strictly(r, &in); err != nil {
		return nil, err
	}
	amount, ok := price(in.Price)
	ends, err := time.ParseInLocation(clock, in.Ends, zone)
	if !ok || err != nil || !ours.MatchString(in.Number) || in.Subject == "" || strings.ContainsAny(in.Subject, "/=&") || in.Seller != w.opt.Seller {
		return nil, no("ACQ.INVALID_PARAMETER")
	}
	order, err := url.QueryUnescape(in.Back)
	if err != nil || order == "" {
		return nil, no("ACQ.INVALID_PARAMETER") // Alipay would not mind; here it finds payments for people
	}
	was, err := w.books.Payment(in.Number)
	if err == nil && was.Amount == amount {
		switch was.State {
		case sim.Captured:
			return nil, no("ACQ.TRADE_HAS_SUCCESS")
		case sim.Closed, sim.Failed:
			return nil, no("ACQ.TRADE_HAS_CLOSE")
		}
	}
	p, err := w.books.Make(sim.Order{
		ID: in.Number, Order: order, Amount: amount, Description: in.Subject, NotifyURL: r.notify, ExpiresAt: ends,
	})
	if err != nil {
		return nil, refused(err, map[error]string{sim.ErrOther: "ACQ.CONTEXT_INCONSISTENT"})
	}
	return answer{"out_trade_no": p.ID, "qr_code": w.books.Page(p.ID)}, nil
}

// trade finds what somebody has scanned.
func (w *Wire) trade(r request) (sim.Payment, error) {
	var in struct {
		Number string `json:"out_trade_no"`
	}
	if err := strictly(r, &in); err != nil {
		return sim.Payment{}, err
	}
	return w.scanned(in.Number)
}

func (w *Wire) scanned(number string) (sim.Payment, error) {
	p, err := w.books.Payment(number)
	if err == nil && !p.Seen && p.State != sim.Failed {
		err = sim.ErrNotFound
	}
	if err != nil {
		return p, refused(err, map[error]string{sim.ErrNotFound: "ACQ.TRADE_NOT_EXIST"})
	}
	return p, nil
}

func (w *Wire) query(r request) (answer, error) {
	p, err := w.trade(r)
	if err != nil {
		return nil, err
	}
	out := answer{
		"out_trade_no": p.ID, "trade_no": p.Ref, "trade_status": status(p), "total_amount": yuan(p.Amount.Minor),
		"buyer_pay_amount": yuan(p.Amount.Minor), "point_amount": "0.00", "buyer_logon_id": "138****0000",
	}
	if p.State == sim.Captured {
		out["send_pay_date"] = beijing(p.PaidAt)
	}
	return out, nil
}

func (w *Wire) close(r request) (answer, error) {
	p, err := w.trade(r)
	if err != nil {
		return nil, err
	}
	switch status(p) {
	case "TRADE_SUCCESS":
		return nil, no("ACQ.TRADE_STATUS_ERROR")
	case "TRADE_CLOSED":
		return nil, no("ACQ.TRADE_HAS_CLOSE")
	}
	if p, err = w.books.Shut(p.ID); err != nil {
		return nil, err
	}
	if p.State == sim.Captured {
		return nil, no("ACQ.REASON_TRADE_STATUS_INVALID") // paid a moment ago
	}
	return answer{"out_trade_no": p.ID, "trade_no": p.Ref}, nil
}

// refund tells of money that moved by this call alone, and of the sum so far.
func (w *Wire) refund(r request) (answer, error) {
	var in struct {
		Number string `json:"out_trade_no"`
		Amount string `json:"refund_amount"`
		Refund string `json:"out_request_no"`
		Reason string `json:"refund_reason"`
	}
	if err := strictly(r, &in); err != nil {
		return nil, err
	}
	amount, ok := price(in.Amount)
	if !ok || !ours.MatchString(in.Refund) || len(in.Reason) > 256 {
		return nil, no("ACQ.INVALID_PARAMETER")
	}
	if _, err := w.scanned(in.Number); err != nil {
		return nil, err
	}
	back, fresh, err := w.books.Return(in.Number, sim.Refund{ID: in.Refund, Amount: amount, Reason: in.Reason})
	if err != nil {
		return nil, refused(err, map[error]string{
			sim.ErrOther: "ACQ.DISCORDANT_REPEAT_REQUEST", sim.ErrTooMuch: "ACQ.REASON_TRADE_REFUND_FEE_ERR", sim.ErrNotPaid: "ACQ.TRADE_STATUS_ERROR",
		})
	}
	if back.State == sim.Failed {
		return nil, no("ACQ.SELLER_BALANCE_NOT_ENOUGH")
	}
	p, err := w.books.Payment(in.Number)
	if err != nil {
		return nil, err
	}
	moved := "N"
	if fresh && back.State == sim.Done {
		moved = "Y"
	}
	return answer{
		"out_trade_no": p.ID, "trade_no": p.Ref, "refund_fee": yuan(p.Refunded), "fund_change": moved, "buyer_logon_id": "138****0000",
		"gmt_refund_pay": beijing(back.At),
	}, nil
}

// refundQuery leaves the status out of what is not done, and of what it never heard of.
func (w *Wire) refundQuery(r request) (answer, error) {
	var in struct {
		Number  string   `json:"out_trade_no"`
		Refund  string   `json:"out_request_no"`
		Options []string `json:"query_options"`
	}
	if err := strictly(r, &in); err != nil {
		return nil, err
	}
	p, err := w.scanned(in.Number)
	if err != nil {
		return nil, err
	}
	back, err := w.books.Refund(in.Refund)
	if errors.Is(err, sim.ErrNotFound) || err == nil && (back.Payment != p.ID || back.State != sim.Done) {
		return answer{}, nil
	}
	if err != nil {
		return nil, err
	}
	return answer{
		"out_trade_no": p.ID, "trade_no": p.Ref, "out_request_no": back.ID, "total_amount": yuan(p.Amount.Minor),
		"refund_amount": yuan(back.Amount.Minor), "refund_status": "REFUND_SUCCESS", "gmt_refund_pay": beijing(back.At),
	}, nil
}
