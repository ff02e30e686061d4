package alipay

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/payment/internal/beijing"
	"github.com/fairseat/fairseat/pkg/payment/internal/fields"
	"github.com/fairseat/fairseat/pkg/payment/internal/yuan"
)

const maxNotice = 64 << 10

// ParseCallback verifies, then reads. There is no window of time: Alipay signs none
// and repeats a notice for 25 hours, so an old one is as good as a new one, and what
// protects is that the payment's state decides. An empty field counts as absent, as
// Alipay's own SDK for Java reads it.
func (p *Provider) ParseCallback(_ http.Header, body []byte, now time.Time) (payment.Notice, error) {
	if len(body) == 0 || len(body) > maxNotice {
		return payment.Notice{}, fmt.Errorf("%w: %d bytes", payment.ErrMalformed, len(body))
	}
	in, err := fields.Parse(body)
	if err != nil {
		return payment.Notice{}, fmt.Errorf("%w: %v", payment.ErrMalformed, err)
	}
	if in["sign_type"] != signType || !p.verify([]byte(noticeText(in)), in["sign"]) {
		return payment.Notice{}, payment.ErrSignature
	}
	n := notice{in, now}
	if err := n.ours(p.app, p.seller); err != nil {
		return payment.Notice{}, fmt.Errorf("%w: %v", payment.ErrMismatch, err)
	}
	out, err := n.read()
	if err != nil {
		return payment.Notice{}, fmt.Errorf("%w: %v", payment.ErrMismatch, err)
	}
	return out, nil
}

// notice is an authentic one.
type notice struct {
	in  map[string]string
	now time.Time
}

// ours refuses what Alipay signed for somebody else, with the same key, or in a form
// that we did not ask for.
func (n notice) ours(app, seller string) error {
	switch {
	case !strings.EqualFold(n.in["charset"], charset):
		return fmt.Errorf("charset %.20q", n.in["charset"])
	case n.in["notify_type"] != "trade_status_sync":
		return fmt.Errorf("notice of type %.40q", n.in["notify_type"])
	case n.in["app_id"] != app || n.in["auth_app_id"] != "" && n.in["auth_app_id"] != app:
		return fmt.Errorf("notice is for application %.40q", n.in["app_id"])
	case n.in["seller_id"] != seller:
		return fmt.Errorf("notice is for seller %.40q", n.in["seller_id"])
	}
	return nil
}

func (n notice) read() (payment.Notice, error) {
	id, trade := payment.ID(n.in["out_trade_no"]), n.in["trade_no"]
	if !id.Valid() || trade == "" || len(trade) > 64 {
		return payment.Notice{}, fmt.Errorf("payment %.40q, trade %.70q", id, trade)
	}
	price, err := amount(n.in["total_amount"])
	if err != nil {
		return payment.Notice{}, fmt.Errorf("payment %s: total: %w", id, err)
	}
	back, refund, err := n.refunded(price)
	if err != nil {
		return payment.Notice{}, fmt.Errorf("payment %s: %w", id, err)
	}
	if refund {
		return payment.Notice{Refund: &payment.RefundReport{
			ID: payment.RefundID(n.in["out_biz_no"]), Payment: id, ProviderRef: trade,
			State: back.state, Amount: back.amount, At: n.at("gmt_refund"),
		}}, nil
	}
	state, ok := map[string]payment.ReportState{
		waiting: payment.ReportPending, success: payment.ReportCaptured, finished: payment.ReportCaptured, closed: payment.ReportClosed,
	}[n.in["trade_status"]]
	if !ok {
		return payment.Notice{}, fmt.Errorf("payment %s: status %.40q", id, n.in["trade_status"])
	}
	order, err := url.QueryUnescape(n.in["passback_params"])
	if err != nil {
		return payment.Notice{}, fmt.Errorf("payment %s: passback_params", id)
	}
	at := map[payment.ReportState]string{payment.ReportCaptured: "gmt_payment", payment.ReportClosed: "gmt_close"}[state]
	return payment.Notice{Payment: &payment.Report{Payment: id, Order: order, ProviderRef: trade, State: state, Amount: price, At: n.at(at)}}, nil
}

type givenBack struct {
	state  payment.RefundState
	amount money.Amount
}

// refunded tells a notice of a refund from one of a payment: both come to one address,
// and after a refund in part with the status of a payment. A refund_fee of nothing is
// in plain notices of payments, too. The fee is the sum given back so far, so only the
// whole price tells what one refund was; of any other the query is to be asked.
func (n notice) refunded(price money.Amount) (givenBack, bool, error) {
	fee := money.Amount{Currency: price.Currency}
	if s := n.in["refund_fee"]; s != "" {
		minor, err := yuan.Parse(s)
		if err != nil || minor > price.Minor {
			return givenBack{}, false, fmt.Errorf("refund_fee %.20q of %v", s, price)
		}
		fee.Minor = minor
	}
	switch {
	case fee.Minor == 0 && n.in["gmt_refund"] == "":
		return givenBack{}, false, nil
	case fee == price:
		return givenBack{payment.RefundDone, price}, true, nil
	}
	return givenBack{state: payment.RefundPending}, true, nil
}

// at is when it happened; a time that is missing or odd is the one of the notice, then
// ours, for nothing is decided by it.
func (n notice) at(name string) time.Time {
	for _, s := range []string{n.in[name], n.in["notify_time"]} {
		if t, err := beijing.Parse(beijing.Seconds, s); err == nil {
			return t
		}
	}
	return n.now.UTC()
}

// amount reads a price, which is more than nothing; domestic Alipay knows one currency.
func amount(s string) (money.Amount, error) {
	minor, err := yuan.Parse(s)
	if err == nil && minor == 0 {
		err = fmt.Errorf("nothing was to be paid")
	}
	return money.Amount{Minor: minor, Currency: currency}, err
}

// Acknowledge answers the seven bytes "success", which end the repetitions, to what
// was committed alone: the eight of 25 hours are the chance of everything else, and an
// authentic notice that does not fit is seen by somebody in that time, or must be.
func (p *Provider) Acknowledge(err error) payment.Ack {
	status, word := http.StatusOK, "success"
	if err != nil {
		status, word = refusal(err), "fail"
	}
	return payment.Ack{Status: status, ContentType: "text/plain; charset=utf-8", Body: []byte(word)}
}

func refusal(err error) int {
	switch fault.KindOf(err) {
	case fault.Forbidden:
		return http.StatusUnauthorized
	case fault.Invalid:
		return http.StatusBadRequest
	case fault.NotFound:
		return http.StatusNotFound
	case fault.Conflict:
		return http.StatusConflict
	}
	return http.StatusServiceUnavailable
}
