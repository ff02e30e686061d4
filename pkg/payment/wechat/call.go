package wechat

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/payment/internal/object"
	"github.com/fairseat/fairseat/pkg/payment/internal/wire"
)

const maxBody = 64 << 10

// What an order is already, where WeChat would be asked to change it.
var (
	errPaid   = errors.New("wechat: the order is paid")
	errClosed = errors.New("wechat: the order is closed")
	errPaying = errors.New("wechat: the buyer is paying")
)

// call sends a signed request and answers the body of a signed success; in may be nil.
func (p *Provider) call(ctx context.Context, method, uri string, in any) ([]byte, error) {
	if err := p.Ready(ctx); err != nil {
		return nil, err
	}
	body, err := encode(in)
	if err != nil {
		return nil, err
	}
	res, err := p.exchange(ctx, method, uri, body)
	if err != nil {
		return nil, err
	}
	if err := p.authentic(ctx, res); err != nil {
		return nil, unusable(fmt.Errorf("answer %d: %v", res.Status, err))
	}
	if res.Status == http.StatusOK || res.Status == http.StatusNoContent {
		return res.Body, nil
	}
	return nil, refused(res)
}

// encode writes JSON as it is signed and sent: no member that is not used, and nothing
// escaped for HTML.
func encode(in any) ([]byte, error) {
	if in == nil {
		return nil, nil
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(in)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// exchange sends a signed request. uri is path and query, without the prefix.
func (p *Provider) exchange(ctx context.Context, method, uri string, body []byte) (wire.Answer, error) {
	to, err := p.base.Parse(p.prefix + uri)
	if err != nil {
		return wire.Answer{}, err
	}
	req, err := http.NewRequestWithContext(ctx, method, to.String(), bytes.NewReader(body))
	if err != nil {
		return wire.Answer{}, err
	}
	auth, err := p.opt.Keys.authorization(p.opt.Merchant, method, req.URL.RequestURI(), p.opt.Now(), p.opt.Nonce(), body)
	if err != nil {
		return wire.Answer{}, err
	}
	req.Header.Set("Authorization", auth)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "fairseat")
	if len(body) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	if id := p.opt.Keys.publicID; id != "" {
		req.Header.Set(headSerial, id) // asks that the answer be signed with it
	}
	return wire.Send(p.opt.Client, req, limit(uri))
}

// limit is how many bytes an answer may have; only a bill is long.
func limit(uri string) int64 {
	if strings.HasPrefix(uri, billFile) {
		return maxBill
	}
	return maxBody
}

// authentic verifies an answer. A serial that is not known here means that WeChat has
// changed its key, for only the host that we called can have answered.
func (p *Provider) authentic(ctx context.Context, res wire.Answer) error {
	now := p.opt.Now()
	if serial := res.Header.Get(headSerial); serial != "" {
		if _, ok := p.ring.find(serial, now); !ok {
			if err := p.renew(ctx, true); err != nil {
				return err
			}
		}
	}
	return verify(res.Header, res.Body, now, p.ring.find)
}

// refused reads an authentic refusal. Codes are spelt with and without underscores,
// by the age of the page that names them. Only what says that nothing was taken on is
// told as that: of any other the outcome is unknown.
func refused(res wire.Answer) error {
	r := object.Open(res.Body)
	code := r.Maybe("code")
	switch code {
	case "ORDER_NOT_EXIST", "ORDERNOTEXIST", "RESOURCE_NOT_EXISTS", "REFUND_NOT_EXISTS", "REFUNDNOTEXIST",
		"NO_STATEMENT_EXIST", "STATEMENT_CREATING": // a bill that there is not, or not yet
		return fmt.Errorf("%w: %s", payment.ErrNotFound, code)
	case "ORDER_PAID", "ORDERPAID":
		return errPaid
	case "ORDER_CLOSED", "ORDERCLOSED":
		return errClosed
	case "USER_PAYING", "USERPAYING":
		return errPaying
	case "FREQUENCY_LIMITED", "FREQUENCY_LIMIT_EXCEED", "RATELIMIT_EXCEEDED":
		return fmt.Errorf("%w: %s", payment.ErrProviderDown, code)
	case "SIGN_ERROR", "PARAM_ERROR", "APPID_MCHID_NOT_MATCH", "MCH_NOT_EXISTS", "NO_AUTH":
		return fmt.Errorf("wechat: our request was refused as %s", code)
	}
	switch {
	case res.Status == http.StatusTooManyRequests:
		return fmt.Errorf("%w: answer 429", payment.ErrProviderDown)
	case res.Status == http.StatusBadRequest || res.Status == http.StatusForbidden:
		return fmt.Errorf("%w: %.40q", payment.ErrRefused, code)
	}
	return unusable(fmt.Errorf("answer %d, %.40q", res.Status, code))
}

// unusable marks an answer that was given, or lost, and cannot be read: what was asked
// for may have happened.
func unusable(err error) error { return fmt.Errorf("%w: %v", payment.ErrOutcome, err) }
