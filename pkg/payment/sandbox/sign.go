package sandbox

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/fairseat/fairseat/pkg/payment"
)

const (
	timestampHeader = "X-Sandbox-Timestamp"
	signatureHeader = "X-Sandbox-Signature"
	window          = 5 * time.Minute
	maxBody         = 64 << 10
)

func (p *Provider) sign(timestamp, what string, body []byte) string {
	m := hmac.New(sha256.New, p.secret)
	m.Write([]byte(timestamp + "." + what))
	m.Write(body)
	return hex.EncodeToString(m.Sum(nil))
}

// verify checks the signature first, so that only the provider's own messages
// learn that they are too old.
func (p *Provider) verify(h http.Header, what string, body []byte, now time.Time) error {
	ts, ok := single(h, timestampHeader)
	if !ok {
		return fmt.Errorf("%w: no single timestamp", payment.ErrSignature)
	}
	got, ok := single(h, signatureHeader)
	if !ok || !hmac.Equal([]byte(got), []byte(p.sign(ts, what, body))) {
		return payment.ErrSignature
	}
	sec, err := strconv.ParseInt(ts, 10, 64)
	if err != nil || strconv.FormatInt(sec, 10) != ts {
		return fmt.Errorf("%w: timestamp", payment.ErrMalformed)
	}
	if age := now.Sub(time.Unix(sec, 0)); age > window || age < -window {
		return payment.ErrReplayWindow
	}
	return nil
}

func single(h http.Header, name string) (string, bool) {
	v := h.Values(name)
	if len(v) != 1 {
		return "", false
	}
	return v[0], true
}

// call sends a signed request and answers the body of a signed 200.
func (p *Provider) call(ctx context.Context, method, path string, in any) ([]byte, error) {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return nil, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, p.base.JoinPath(path).String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	ts := strconv.FormatInt(p.now().Unix(), 10)
	sig := p.sign(ts, "request."+method+"."+req.URL.RequestURI()+".", body)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(timestampHeader, ts)
	req.Header.Set(signatureHeader, sig)
	return p.send(req, sig)
}

func (p *Provider) send(req *http.Request, sig string) ([]byte, error) {
	res, err := p.client.Do(req)
	if err != nil {
		if down(err) {
			return nil, fmt.Errorf("%w: %v", payment.ErrProviderDown, err)
		}
		return nil, unusable(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxBody+1))
	if err != nil || len(answer) > maxBody {
		return nil, unusable(errors.Join(err, fmt.Errorf("body of %d bytes", len(answer))))
	}
	what := "answer." + strconv.Itoa(res.StatusCode) + "." + sig + "."
	if err := p.verify(res.Header, what, answer, p.now()); err != nil {
		return nil, unusable(fmt.Errorf("answer %d: %v", res.StatusCode, err))
	}
	if err := refused(res.StatusCode); err != nil {
		return nil, err
	}
	return answer, nil
}

// refused reads the status of an authentic answer.
func refused(status int) error {
	switch status {
	case http.StatusOK:
		return nil
	case http.StatusNotFound:
		return payment.ErrNotFound
	case http.StatusConflict:
		return payment.ErrRefused
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		return payment.ErrProviderDown
	case http.StatusBadRequest:
		return errors.New("sandbox: our request was malformed")
	}
	return unusable(fmt.Errorf("answer %d", status))
}
