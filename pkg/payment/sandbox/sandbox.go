// Package sandbox speaks to the sandbox provider, which moves no money.
//
// It decides which of its messages are authentic: HMAC-SHA256 in lower-case hex
// under X-Sandbox-Signature, Unix seconds under X-Sandbox-Timestamp, five minutes
// either way, over
//
//	request   <timestamp>.request.<METHOD>.<path and query>.<body>
//	answer    <timestamp>.answer.<status>.<signature of the request>.<body>
//	callback  <timestamp>.<body>
//
// The three cannot be taken for one another, since a callback's body begins with
// a brace. Start with [New]; the simulator is localstack/sandbox.
package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/payment"
)

// Provider is a [payment.Provider].
type Provider struct {
	client *http.Client
	base   *url.URL
	secret []byte
	now    func() time.Time
}

var _ payment.Provider = (*Provider)(nil)

// New makes a provider; it calls nobody. base is the simulator's address without
// a path; now is read for each request, to sign it. The client's own limits and
// the context's bound each call.
func New(client *http.Client, base, secret string, now func() time.Time) (*Provider, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return nil, fmt.Errorf("sandbox: %q is not an address without a path", base)
	}
	if secret == "" {
		return nil, errors.New("sandbox: secret is empty")
	}
	if client == nil || now == nil {
		return nil, errors.New("sandbox: client or clock is missing")
	}
	still := *client
	still.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Provider{client: &still, base: u, secret: []byte(secret), now: now}, nil
}

// Name is [payment.Sandbox].
func (p *Provider) Name() payment.Name { return payment.Sandbox }

type order struct {
	ID          payment.ID   `json:"id"`
	Order       string       `json:"order_id"`
	Amount      money.Amount `json:"amount"`
	Description string       `json:"description,omitempty"`
	NotifyURL   string       `json:"notify_url"`
	ExpiresAt   time.Time    `json:"expires_at"`
	Outcome     string       `json:"outcome,omitempty"`
	Callback    *manner      `json:"callback,omitempty"`
}

type manner struct {
	Copies  int   `json:"copies,omitempty"`
	DelayMS int64 `json:"delay_ms,omitempty"`
	Drop    bool  `json:"drop,omitempty"`
}

// Create asks for money. Hints: outcome (success, decline, never, late, person),
// and of the callback copies (0 to 10), delay_ms (to a day) and drop (true,
// false). Any other is [payment.ErrMalformed] before anything is sent.
func (p *Provider) Create(ctx context.Context, in payment.Intent) (payment.Created, error) {
	o := order{
		ID: in.ID, Order: in.OrderID, Amount: in.Amount, Description: in.Description,
		NotifyURL: in.NotifyURL, ExpiresAt: in.ExpiresAt.UTC(),
	}
	if err := errors.Join(usable(in.ID), o.hint(in.Hints)); err != nil {
		return payment.Created{}, fmt.Errorf("create payment %s: %w", in.ID, err)
	}
	answer, err := p.call(ctx, http.MethodPost, "/v1/payments", o)
	if err != nil {
		return payment.Created{}, fmt.Errorf("create payment %s: %w", in.ID, err)
	}
	c, err := parseCreated(answer)
	if err == nil {
		err = answers(c.Report, payment.Ref{ID: in.ID, OrderID: in.OrderID})
	}
	if err != nil {
		return payment.Created{}, fmt.Errorf("create payment %s: %w", in.ID, unusable(err))
	}
	return c, nil
}

func (o *order) hint(hints map[string]string) error {
	for k, v := range hints {
		if err := o.hintOne(k, v); err != nil {
			return err
		}
	}
	return nil
}

func (o *order) hintOne(k, v string) error {
	if k == "outcome" {
		switch v {
		case "success", "decline", "never", "late", "person":
			o.Outcome = v
			return nil
		}
		return fmt.Errorf("%w: outcome %q", payment.ErrMalformed, v)
	}
	if o.Callback == nil {
		o.Callback = &manner{}
	}
	var err error
	switch k {
	case "copies":
		o.Callback.Copies, err = strconv.Atoi(v)
	case "delay_ms":
		o.Callback.DelayMS, err = strconv.ParseInt(v, 10, 64)
	case "drop":
		o.Callback.Drop, err = strconv.ParseBool(v)
	default:
		return fmt.Errorf("%w: hint %q", payment.ErrMalformed, k)
	}
	m := *o.Callback
	if err != nil || m.Copies < 0 || m.Copies > 10 || m.DelayMS < 0 || m.DelayMS > 86_400_000 {
		return fmt.Errorf("%w: hint %s=%q", payment.ErrMalformed, k, v)
	}
	return nil
}

// Query asks how a payment stands.
func (p *Provider) Query(ctx context.Context, ref payment.Ref) (payment.Report, error) {
	r, err := p.about(ctx, http.MethodGet, "/v1/payments/"+string(ref.ID), ref)
	if err != nil {
		return payment.Report{}, fmt.Errorf("query payment %s: %w", ref.ID, err)
	}
	return r, nil
}

// Close ends a payment that is still pending.
func (p *Provider) Close(ctx context.Context, ref payment.Ref) (payment.Report, error) {
	r, err := p.about(ctx, http.MethodPost, "/v1/payments/"+string(ref.ID)+"/close", ref)
	if err != nil {
		return payment.Report{}, fmt.Errorf("close payment %s: %w", ref.ID, err)
	}
	return r, nil
}

func (p *Provider) about(ctx context.Context, method, path string, ref payment.Ref) (payment.Report, error) {
	if err := usable(ref.ID); err != nil {
		return payment.Report{}, err
	}
	answer, err := p.call(ctx, method, path, nil)
	if err != nil {
		return payment.Report{}, err
	}
	r, err := parsePaymentAnswer(answer)
	if err == nil {
		err = answers(r, ref)
	}
	if err != nil {
		return payment.Report{}, unusable(err)
	}
	return r, nil
}

// Refund gives money back, once for each number.
func (p *Provider) Refund(ctx context.Context, req payment.RefundRequest) (payment.RefundReport, error) {
	body := struct {
		ID     payment.RefundID `json:"id"`
		Amount money.Amount     `json:"amount"`
		Reason string           `json:"reason,omitempty"`
	}{req.ID, req.Amount, req.Reason}
	if err := errors.Join(usable(req.ID), usable(req.Payment.ID)); err != nil {
		return payment.RefundReport{}, fmt.Errorf("refund %s: %w", req.ID, err)
	}
	path := "/v1/payments/" + string(req.Payment.ID) + "/refunds"
	answer, err := p.call(ctx, http.MethodPost, path, body)
	if err != nil {
		return payment.RefundReport{}, fmt.Errorf("refund %s: %w", req.ID, err)
	}
	r, err := parseRefundAnswer(answer)
	if err == nil && (r.ID != req.ID || r.Payment != req.Payment.ID || r.Amount != req.Amount) {
		err = errors.New("answer is about another refund")
	}
	if err != nil {
		return payment.RefundReport{}, fmt.Errorf("refund %s: %w", req.ID, unusable(err))
	}
	return r, nil
}

// usable refuses a number that another provider would not take either, and that
// could lead out of a path.
func usable(id interface{ Valid() bool }) error {
	if !id.Valid() {
		return fmt.Errorf("%w: number %q", payment.ErrMalformed, id)
	}
	return nil
}

// answers refuses an answer to another question. What it says of the amount is
// for [payment.Settle] to judge.
func answers(r payment.Report, ref payment.Ref) error {
	if r.Payment != ref.ID || ref.OrderID != "" && r.Order != ref.OrderID {
		return fmt.Errorf("answer is about payment %s of order %s", r.Payment, r.Order)
	}
	return nil
}

// unusable marks an answer that was given but cannot be read: what was asked for
// may have happened.
func unusable(err error) error {
	return fmt.Errorf("%w: %v", payment.ErrOutcome, err)
}

// ParseCallback verifies, then reads. An empty body, one past 64 KiB, and one
// with repeated, unknown, missing or null members are [payment.ErrMalformed].
func (p *Provider) ParseCallback(header http.Header, body []byte, now time.Time) (payment.Notice, error) {
	if len(body) == 0 || len(body) > maxBody {
		return payment.Notice{}, fmt.Errorf("%w: %d bytes", payment.ErrMalformed, len(body))
	}
	if err := p.verify(header, "", body, now); err != nil {
		return payment.Notice{}, err
	}
	n, err := parseNotice(body)
	if err != nil {
		return payment.Notice{}, fmt.Errorf("%w: %v", payment.ErrMalformed, err)
	}
	return n, nil
}

// Acknowledge answers 200 to what was committed, and to the rest a status that
// makes the sandbox try again: an authentic report that does not fit is refused
// too, for a silent acknowledgement would lose the money it speaks of.
func (p *Provider) Acknowledge(err error) payment.Ack {
	status, word := http.StatusOK, "ok"
	if err != nil {
		status, word = refusal(err)
	}
	body, _ := json.Marshal(map[string]string{"status": word})
	return payment.Ack{Status: status, ContentType: "application/json", Body: body}
}

func refusal(err error) (int, string) {
	switch fault.KindOf(err) {
	case fault.Forbidden:
		return http.StatusUnauthorized, "unauthorized"
	case fault.Invalid:
		return http.StatusBadRequest, "malformed"
	case fault.NotFound:
		return http.StatusNotFound, "unknown payment"
	case fault.Conflict:
		return http.StatusConflict, "refused"
	}
	return http.StatusServiceUnavailable, "try again"
}

// down reports whether the request cannot have arrived.
func down(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}
