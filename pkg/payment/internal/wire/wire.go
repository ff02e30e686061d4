// Package wire sends requests to payment providers, and tells what is known when
// no answer comes.
package wire

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"

	"github.com/fairseat/fairseat/pkg/payment"
)

// Answer is what came back, unverified.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Still is the client without redirects: a provider's address is the one configured.
func Still(c *http.Client) *http.Client {
	still := *c
	still.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &still
}

// Send sends once and reads at most limit bytes. Errors: [payment.ErrProviderDown]
// where no connection was made, so that nothing was taken on; else
// [payment.ErrOutcome], for the request may have been carried out.
func Send(c *http.Client, req *http.Request, limit int64) (Answer, error) {
	res, err := c.Do(req)
	if err != nil {
		var asked *url.Error
		if errors.As(err, &asked) {
			err = asked.Err // the rest quotes the address, whose query may be secret
		}
		var op *net.OpError
		if errors.As(err, &op) && op.Op == "dial" {
			return Answer{}, fmt.Errorf("%w: %v", payment.ErrProviderDown, err)
		}
		return Answer{}, fmt.Errorf("%w: %v", payment.ErrOutcome, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, limit+1))
	if err != nil {
		return Answer{}, fmt.Errorf("%w: read answer: %v", payment.ErrOutcome, err)
	}
	if int64(len(body)) > limit {
		return Answer{}, fmt.Errorf("%w: answer is longer than %d bytes", payment.ErrOutcome, limit)
	}
	return Answer{res.StatusCode, res.Header, body}, nil
}

// Base reads the address of a provider: http or https, no query, no user.
func Base(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.User != nil || u.Fragment != "" {
		return nil, fmt.Errorf("%q is not an http or https address without a query", text)
	}
	return u, nil
}
