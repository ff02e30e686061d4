package e2e_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/fairseat/fairseat/localstack/sandbox/sim"
)

// simulator speaks to the controls of the payment provider.
type simulator struct{ url string }

func (s simulator) call(method, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequest(method, s.url+"/control/"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("simulator: %s %s: %d %s", method, path, res.StatusCode, answer)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer, out)
}

func (s simulator) must(t *testing.T, method, path string, in, out any) {
	t.Helper()
	must(t, s.call(method, path, in, out))
}

type listed[T any] struct{ Items []T }

// played are the paths of the sandbox itself and of the real providers that it plays.
var played = []string{"", "/alipay", "/unionpay", "/wechat"}

func (s simulator) at(path string) simulator { return simulator{s.url + path} }

// Payments of an order at all providers.
func (s simulator) Payments(order string) ([]sim.Payment, error) {
	return everywhere[sim.Payment](s, "payments?order="+order)
}

// Refunds of a payment, wherever it is.
func (s simulator) Refunds(payment string) ([]sim.Refund, error) {
	return everywhere[sim.Refund](s, "refunds?payment="+payment)
}

func everywhere[T any](s simulator, path string) ([]T, error) {
	var all []T
	for _, p := range played {
		var l listed[T]
		if err := s.at(p).call(http.MethodGet, path, nil, &l); err != nil {
			return nil, err
		}
		all = append(all, l.Items...)
	}
	return all, nil
}

func (s simulator) callbacks(t *testing.T, payment string) []sim.Callback {
	t.Helper()
	var l listed[sim.Callback]
	s.must(t, http.MethodGet, "callbacks?payment="+payment, nil, &l)
	return l.Items
}

// deliver sends a payment's latest callback again.
func (s simulator) deliver(t *testing.T, payment string, copies int, age time.Duration) []sim.Callback {
	t.Helper()
	var l listed[sim.Callback]
	s.must(t, http.MethodPost, "deliver", map[string]any{
		"payment": payment, "copies": copies, "age_seconds": int64(age.Seconds()),
	}, &l)
	return l.Items
}

// notice is a callback's body as the provider writes it.
type notice struct {
	ID      string   `json:"id"`
	Event   string   `json:"event"`
	Payment *payView `json:"payment,omitempty"`
}

type payView struct {
	ID     string `json:"id"`
	Order  string `json:"order_id"`
	Ref    string `json:"provider_ref"`
	State  string `json:"state"`
	Amount amount `json:"amount"`
	At     string `json:"at"`
}

type amount struct {
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
}

// signed are the headers of a callback that says body at the time.
func signed(secret string, at time.Time, body []byte) http.Header {
	ts := strconv.FormatInt(at.Unix(), 10)
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(ts + "."))
	m.Write(body)
	return http.Header{
		"Content-Type":        {"application/json"},
		"X-Sandbox-Timestamp": {ts},
		"X-Sandbox-Signature": {hex.EncodeToString(m.Sum(nil))},
	}
}
