package unionpay

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/payment/internal/beijing"
)

// What the fields say of ours: a QR code that the buyer scans, and yuan.
const (
	txnPay, subScan = "01", "07"
	channelMobile   = "08"
	channelPC       = "07"
	currency        = "CNY"
	currencyCode    = "156"
)

// settling is how long the same request may still be under way elsewhere.
const settling = 10 * time.Second

// Create asks for a QR code. Hints are ignored.
//
// UnionPay does not tell a code twice. Where a request turns out to be a repetition, its
// answer was lost, or is just being told to another copy of it: at first that is
// [payment.ErrOutcome], and past ten seconds the payment has failed, since nobody can
// pay with a code that nobody knows. Should somebody, it is money after a failure.
func (p *Provider) Create(ctx context.Context, in payment.Intent) (payment.Created, error) {
	if !in.ID.Valid() || in.Amount.Minor <= 0 || in.CreatedAt.IsZero() || in.ExpiresAt.IsZero() {
		return payment.Created{}, fmt.Errorf("create payment %.40q: %w: number, amount or times", in.ID, payment.ErrMalformed)
	}
	if in.Amount.Currency != currency {
		return payment.Created{}, fmt.Errorf("create payment %s: %w: not yuan", in.ID, payment.ErrRefused)
	}
	a, err := p.call(ctx, "backTransReq.do", p.request(in))
	if err != nil {
		return payment.Created{}, fmt.Errorf("create payment %s: %w", in.ID, err)
	}
	c, err := p.created(in, a)
	if err != nil {
		return payment.Created{}, fmt.Errorf("create payment %s: %w", in.ID, err)
	}
	return c, nil
}

// request is what asks for a QR code. Our order goes along where it holds nothing that
// UnionPay advises against in what it only hands back.
func (p *Provider) request(in payment.Intent) message {
	m := p.common(txnPay, subScan, channelMobile)
	m["orderId"] = string(in.ID)
	m["txnTime"] = beijing.Format(in.CreatedAt, beijing.Compact)
	m["txnAmt"] = strconv.FormatInt(in.Amount.Minor, 10)
	m["currencyCode"] = currencyCode
	m["backUrl"] = in.NotifyURL
	m["payTimeout"] = beijing.Format(in.ExpiresAt, beijing.Compact)
	if in.OrderID != "" && !strings.ContainsAny(in.OrderID, "&={}[]\"'") {
		m["reqReserved"] = in.OrderID // comes back with the notice
	}
	return m
}

func (p *Provider) created(in payment.Intent, a message) (payment.Created, error) {
	code := a["qrCode"]
	switch {
	case a["respCode"] == codeDuplicate && p.now().Sub(in.CreatedAt) > settling:
		return failed(in), nil
	case a["respCode"] == codeDuplicate:
		return payment.Created{}, unusable(errors.New("asked for twice"))
	case a["respCode"] != codeOK:
		return payment.Created{}, refusal(a)
	case len(code) > 1024 || !strings.HasPrefix(code, "https://") && !strings.HasPrefix(code, "http://"):
		return payment.Created{}, unusable(errors.New("no QR code in the answer"))
	}
	return payment.Created{Action: payment.Action{Kind: payment.ActionQR, Value: code}, Report: report(in, payment.ReportPending)}, nil
}

func failed(in payment.Intent) payment.Created {
	return payment.Created{Report: report(in, payment.ReportFailed)}
}

func report(in payment.Intent, s payment.ReportState) payment.Report {
	return payment.Report{Payment: in.ID, Order: in.OrderID, State: s, Amount: in.Amount, At: in.CreatedAt}
}

// Query asks how a payment stands. After the time it was to be paid in, whatever is
// neither success nor undecided is final, as UnionPay's demonstration pages say.
func (p *Provider) Query(ctx context.Context, ref payment.Ref) (payment.Report, error) {
	if !ref.ID.Valid() || ref.CreatedAt.IsZero() {
		return payment.Report{}, fmt.Errorf("query payment %.40q: %w: number or time", ref.ID, payment.ErrMalformed)
	}
	a, err := p.ask(ctx, string(ref.ID), ref.CreatedAt)
	if err == nil && a["txnType"] != txnPay && a["txnType"] != "00" && a["txnType"] != "" {
		err = unusable(errors.New("answer is not about a payment"))
	}
	var r payment.Report
	if err == nil {
		r, err = p.reported(ref, a)
	}
	if err != nil {
		return payment.Report{}, fmt.Errorf("query payment %s: %w", ref.ID, err)
	}
	return r, nil
}

// ask queries a transaction of any kind by its number and time.
func (p *Provider) ask(ctx context.Context, number string, sent time.Time) (message, error) {
	m := p.common("00", "00", channelPC)
	m["orderId"] = number
	m["txnTime"] = beijing.Format(sent, beijing.Compact)
	a, err := p.call(ctx, "queryTrans.do", m)
	if _, named := a["currencyCode"]; err == nil && !named {
		a["currencyCode"] = currencyCode // nothing else was asked for, and the amount is compared
	}
	return a, err
}

// reported reads both layers of an answer: whether the query went well, then whether
// what was asked about did.
func (p *Provider) reported(ref payment.Ref, a message) (payment.Report, error) {
	r := payment.Report{Payment: ref.ID, Order: ref.OrderID, State: payment.ReportUnknown}
	if open(a["respCode"]) {
		return r, nil
	}
	if a["respCode"] != codeOK {
		return r, refusal(a)
	}
	switch code := a["origRespCode"]; {
	case code == codeOK:
		r.State = payment.ReportCaptured
	case code == "":
		return r, unusable(errors.New("no code of the payment"))
	case open(code):
		return r, nil
	case code == codeAbsent:
		return r, payment.ErrNotFound
	case !ref.ExpiresAt.IsZero() && p.now().After(ref.ExpiresAt):
		r.State = payment.ReportClosed
		return r, nil
	default:
		r.State = payment.ReportFailed
		return r, nil
	}
	var err error
	if r.Amount, err = amount(a); err == nil {
		r.At, err = happened(a)
	}
	if r.ProviderRef = a["queryId"]; err == nil && !word(r.ProviderRef, 1, 32) {
		err = errors.New("no queryId")
	}
	if err != nil {
		return r, unusable(err)
	}
	return r, nil
}

// Close asks how a payment stands: nothing can end one before its time.
func (p *Provider) Close(ctx context.Context, ref payment.Ref) (payment.Report, error) {
	return p.Query(ctx, ref)
}

// amount reads txnAmt, the price; settleAmt may be less after a discount. A currency that
// is not ours is told as what it is, or as XXX, ISO 4217's word for none.
func amount(m message) (money.Amount, error) {
	s := m["txnAmt"]
	if len(s) > 12 || s == "" || s[0] == '0' || strings.Trim(s, "0123456789") != "" {
		return money.Amount{}, errors.New("txnAmt is not an amount")
	}
	minor, err := strconv.ParseInt(s, 10, 64)
	a := money.Amount{Minor: minor, Currency: currency}
	if m["currencyCode"] != currencyCode {
		a.Currency = "XXX"
	}
	return a, err
}

// happened reads traceTime, MMDDhhmmss, in the year that brings it nearest after the
// order; without it the order's own time.
func happened(m message) (time.Time, error) {
	sent, err := beijing.Parse(beijing.Compact, m["txnTime"])
	if err != nil {
		return time.Time{}, errors.New("txnTime is not a time")
	}
	at := m["traceTime"]
	if at == "" {
		return sent, nil
	}
	year := sent.In(beijing.Zone).Year()
	for _, y := range []int{year, year + 1} {
		t, err := beijing.Parse(beijing.Compact, fmt.Sprintf("%04d%s", y, at))
		if err != nil {
			return time.Time{}, errors.New("traceTime is not a time")
		}
		if !t.Before(sent.Add(-24 * time.Hour)) {
			return t, nil
		}
	}
	return sent, nil
}
