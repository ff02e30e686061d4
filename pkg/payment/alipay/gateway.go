package alipay

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/payment/internal/beijing"
	"github.com/fairseat/fairseat/pkg/payment/internal/fields"
	"github.com/fairseat/fairseat/pkg/payment/internal/object"
	"github.com/fairseat/fairseat/pkg/payment/internal/wire"
)

const (
	signType  = "RSA2"
	charset   = "utf-8"
	currency  = "CNY"
	maxAnswer = 256 << 10
)

// Statuses of a trade (AlipayTradeQueryResponse). A closed one was never paid, or was
// refunded in whole.
const (
	waiting  = "WAIT_BUYER_PAY"
	success  = "TRADE_SUCCESS"
	finished = "TRADE_FINISHED" // paid, and past the time for refunds
	closed   = "TRADE_CLOSED"
)

// refusedError is a signed "no" of Alipay's business side, whose sub_code says why.
type refusedError struct{ code string }

func (e *refusedError) Error() string { return "alipay: " + e.code }

// saysNo reports whether err is a refusal for one of the reasons; for any, if none.
func saysNo(err error, codes ...string) bool {
	var no *refusedError
	if !errors.As(err, &no) {
		return false
	}
	for _, c := range codes {
		if no.code == "ACQ."+c {
			return true
		}
	}
	return len(codes) == 0
}

// call asks the gateway and answers the members of the verified node of a code 10000.
// Errors: a refusedError for 40004; those of the port otherwise.
func (p *Provider) call(ctx context.Context, method string, content any, notify string) (*object.Reader, error) {
	form, err := p.request(method, content, notify)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.gateway+"?charset="+charset, bytes.NewReader(fields.Encode(form)))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded;charset="+charset)
	answer, err := wire.Send(p.client, req, maxAnswer)
	if err != nil {
		return nil, err
	}
	if answer.Status != http.StatusOK {
		return nil, unusable(fmt.Errorf("status %d", answer.Status))
	}
	node, err := p.open(method, answer.Body)
	if err != nil {
		return nil, unusable(err)
	}
	return node, judge(node)
}

// request is the whole form. The content is marshalled once: its bytes are signed and
// sent as they are. The time is Beijing's, whatever zone the machine is in.
func (p *Provider) request(method string, content any, notify string) (map[string]string, error) {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(content); err != nil {
		return nil, err
	}
	form := map[string]string{
		"app_id": p.app, "method": method, "format": "JSON", "charset": charset, "sign_type": signType,
		"timestamp": beijing.Format(p.now(), beijing.Seconds), "version": "1.0",
		"biz_content": strings.TrimSuffix(text.String(), "\n"),
	}
	if notify != "" {
		form["notify_url"] = notify
	}
	var err error
	form["sign"], err = p.sign(requestText(form))
	return form, err
}

// open verifies an answer: the bytes of its node as they came, never written anew. A
// fault of the gateway comes as another node, often unsigned, and is no answer.
func (p *Provider) open(method string, body []byte) (*object.Reader, error) {
	name := strings.ReplaceAll(method, ".", "_") + "_response"
	all := object.Open(body)
	signature, node := all.Text("sign"), all.Raw(name)
	if err := all.Err(); err != nil {
		return nil, err
	}
	if node == nil || !p.verify(node, signature) {
		return nil, errors.New("signature of the answer does not verify")
	}
	in := all.Object(name)
	return in, all.Err()
}

// judge reads the code of a verified answer. That 10003 and 20000 mean "ask again" is
// general practice, not in a public document; what nobody explains means so, too.
func judge(node *object.Reader) error {
	code, sub := node.Text("code"), strings.TrimPrefix(node.Maybe("sub_code"), "aop.")
	if err := node.Err(); err != nil {
		return unusable(err)
	}
	switch {
	case code == "10000":
		return nil
	case code == "40004" && sub != "ACQ.SYSTEM_ERROR" && sub != "":
		return &refusedError{sub}
	case code == "40001", code == "40002", code == "40006", code == "20001":
		return fmt.Errorf("%w: code %s, %.60q", payment.ErrProviderDown, code, sub) // our keys, contract or form: nothing was done
	}
	return unusable(fmt.Errorf("code %.10q, %.60q", code, sub))
}

// unusable marks an answer that was given but cannot be used: what was asked for may
// have happened.
func unusable(err error) error { return fmt.Errorf("%w: %v", payment.ErrOutcome, err) }

// final gives a refusal the port's word for it.
func final(err error) error {
	switch {
	case saysNo(err, "TRADE_NOT_EXIST"):
		return fmt.Errorf("%w: %v", payment.ErrNotFound, err)
	case saysNo(err):
		return fmt.Errorf("%w: %v", payment.ErrRefused, err)
	}
	return err
}

// usable refuses a number that another provider would not take either.
func usable(id interface{ Valid() bool }) error {
	if !id.Valid() {
		return fmt.Errorf("%w: number %q", payment.ErrMalformed, id)
	}
	return nil
}
