package unionpay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/payment/internal/fields"
	"github.com/fairseat/fairseat/pkg/payment/internal/wire"
)

const (
	maxBody = 64 << 10
	maxBill = 32 << 20 // an answer with a day's bill
)

// Codes of answers, by the table that open.unionpay.com shows.
const (
	codeOK        = "00"
	codeDuplicate = "12" // number and time were used before
	codeAbsent    = "34" // no such transaction, which may be too early to say
	codeNoFile    = "98"
)

// open reports whether a transaction with this code may yet have money moved, or has in
// a way that needs a look: time out, unknown, accepted (03, 04, 05); the buyer is typing,
// the bank is at it (70, 83); paid past its time, paid but not booked (42, 74, 75);
// success with a defect (A1, A6). UnionPay asks to query after 03, 04, 05 and A6; of the
// others it is safe to know nothing.
func open(code string) bool {
	switch code {
	case "03", "04", "05", "42", "70", "74", "75", "83", "A1", "A6":
		return true
	}
	return false
}

// busy reports whether nothing was taken on: closed for now, busy, asked too often.
func busy(code string) bool { return code == "02" || code == "06" || code == "37" }

// refusal is the error of an answer whose code is not good. What it may have moved is
// unknown unless the code says that it moved nothing.
func refusal(a message) error {
	code := a["respCode"]
	switch {
	case code == codeAbsent:
		return payment.ErrNotFound
	case busy(code):
		return fmt.Errorf("%w: respCode %.8q", payment.ErrProviderDown, code)
	case open(code), code == "":
		return fmt.Errorf("%w: respCode %.8q", payment.ErrOutcome, code)
	}
	return fmt.Errorf("%w: respCode %.8q", payment.ErrRefused, code)
}

// common are the fields of every request. What has no value is not sent: UnionPay's own
// SDKs do not agree on how it is signed.
func (p *Provider) common(txnType, txnSubType, channel string) message {
	return message{
		"version": version, "encoding": "UTF-8", "signMethod": signMethod, "accessType": "0",
		"txnType": txnType, "txnSubType": txnSubType, "bizType": "000000", "channelType": channel,
		"merId": p.merchant,
	}
}

// call sends a request and answers an authentic answer, whatever its code is.
func (p *Provider) call(ctx context.Context, path string, m message) (message, error) {
	a, err := p.send(ctx, p.gateway.JoinPath("/gateway/api/"+path), m, maxBody)
	if err == nil && (a["merId"] != p.merchant || a["orderId"] != m["orderId"] || a["txnTime"] != m["txnTime"]) {
		err = unusable(errors.New("answer is about something else"))
	}
	return a, err
}

func (p *Provider) send(ctx context.Context, to *url.URL, m message, limit int64) (message, error) {
	if err := p.sign(m); err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), bytes.NewReader(fields.Encode(m)))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded;charset=UTF-8")
	res, err := wire.Send(p.client, req, limit)
	if err != nil {
		return nil, err
	}
	if res.Status != http.StatusOK {
		return nil, unusable(fmt.Errorf("status %d", res.Status))
	}
	a, err := parseAnswer(res.Body)
	if err == nil {
		err = p.verify(a, p.now())
	}
	if err != nil {
		return nil, unusable(err)
	}
	return a, nil
}

// unusable marks an answer that cannot be believed: what was asked for may have happened.
func unusable(err error) error { return fmt.Errorf("%w: %v", payment.ErrOutcome, err) }
