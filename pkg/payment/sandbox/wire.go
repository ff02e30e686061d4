package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/payment"
)

// members takes an object apart. encoding/json alone would keep the last of two
// equal names, match names without case, and read null as nothing: each a way to
// make two readers see two messages. Every name must be there once.
func members(raw []byte, names ...string) (map[string]json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("not an object")
	}
	out := map[string]json.RawMessage{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, ok := t.(string)
		if _, twice := out[name]; !ok || twice || !slices.Contains(names, name) {
			return nil, fmt.Errorf("member %q is repeated or unknown", name)
		}
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return nil, err
		}
		if string(v) == "null" {
			return nil, fmt.Errorf("member %q is null", name)
		}
		out[name] = v
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("something follows the object")
	}
	if len(out) != len(names) {
		return nil, fmt.Errorf("%d of %d members", len(out), len(names))
	}
	return out, nil
}

// reader reads members of one object and keeps the first error.
type reader struct {
	in  map[string]json.RawMessage
	err error
}

func open(raw []byte, names ...string) *reader {
	in, err := members(raw, names...)
	return &reader{in, err}
}

func (r *reader) value(name string, into any) {
	if r.err == nil {
		if err := json.Unmarshal(r.in[name], into); err != nil {
			r.err = fmt.Errorf("member %q: %w", name, err)
		}
	}
}

func (r *reader) text(name string) string {
	var s string
	r.value(name, &s)
	if r.err == nil && (s == "" || len(s) > 2048) {
		r.err = fmt.Errorf("member %q is empty or too long", name)
	}
	return s
}

func (r *reader) time(name string) time.Time {
	s := r.text(name)
	if r.err != nil {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		r.err = fmt.Errorf("member %q is not a time", name)
	}
	return t.UTC()
}

func (r *reader) amount(name string) money.Amount {
	if r.err != nil {
		return money.Amount{}
	}
	in := open(r.in[name], "amount", "currency")
	var a money.Amount
	in.value("amount", &a.Minor)
	a.Currency = in.text("currency")
	if in.err == nil && (!a.Valid() || a.Minor == 0) {
		in.err = errors.New("not an amount")
	}
	r.err = in.err
	return a
}

// read sets r.err where parse fails.
func read[T any](r *reader, name string, parse func([]byte) (T, error)) T {
	var zero T
	if r.err != nil {
		return zero
	}
	v, err := parse(r.in[name])
	if err != nil {
		r.err = fmt.Errorf("member %q: %w", name, err)
		return zero
	}
	return v
}

func parseReport(raw []byte) (payment.Report, error) {
	r := open(raw, "id", "order_id", "provider_ref", "state", "amount", "at")
	out := payment.Report{
		Payment:     payment.ID(r.text("id")),
		Order:       r.text("order_id"),
		ProviderRef: r.text("provider_ref"),
		Amount:      r.amount("amount"),
		At:          r.time("at"),
	}
	state := r.text("state")
	if r.err != nil {
		return payment.Report{}, r.err
	}
	var err error
	if out.State, err = payment.ParseReportState(state); err != nil {
		return payment.Report{}, err
	}
	return out, nil
}

func parseRefund(raw []byte) (payment.RefundReport, error) {
	r := open(raw, "id", "payment_id", "provider_ref", "state", "amount", "at")
	out := payment.RefundReport{
		ID:          payment.RefundID(r.text("id")),
		Payment:     payment.ID(r.text("payment_id")),
		ProviderRef: r.text("provider_ref"),
		Amount:      r.amount("amount"),
		At:          r.time("at"),
	}
	state := r.text("state")
	if r.err != nil {
		return payment.RefundReport{}, r.err
	}
	var err error
	if out.State, err = payment.ParseRefundState(state); err != nil {
		return payment.RefundReport{}, err
	}
	return out, nil
}

func parseAction(raw []byte) (payment.Action, error) {
	r := open(raw, "kind", "value")
	kind, value := r.text("kind"), r.text("value")
	if r.err != nil {
		return payment.Action{}, r.err
	}
	k, err := payment.ParseActionKind(kind)
	return payment.Action{Kind: k, Value: value}, err
}

func parseCreated(raw []byte) (payment.Created, error) {
	r := open(raw, "action", "payment")
	c := payment.Created{Action: read(r, "action", parseAction), Report: read(r, "payment", parseReport)}
	return c, r.err
}

func parsePaymentAnswer(raw []byte) (payment.Report, error) {
	r := open(raw, "payment")
	report := read(r, "payment", parseReport)
	return report, r.err
}

func parseRefundAnswer(raw []byte) (payment.RefundReport, error) {
	r := open(raw, "refund")
	report := read(r, "refund", parseRefund)
	return report, r.err
}

// parseNotice reads a callback, whose kind is in its event and in its members.
func parseNotice(raw []byte) (payment.Notice, error) {
	if r := open(raw, "id", "event", "payment"); r.err == nil {
		event, report := r.text("event"), read(r, "payment", parseReport)
		r.text("id")
		if r.err == nil && event != "payment" {
			r.err = fmt.Errorf("event %q with a payment", event)
		}
		return payment.Notice{Payment: &report}, r.err
	}
	r := open(raw, "id", "event", "refund")
	event, report := r.text("event"), read(r, "refund", parseRefund)
	r.text("id")
	if r.err == nil && event != "refund" {
		r.err = fmt.Errorf("event %q with a refund", event)
	}
	return payment.Notice{Refund: &report}, r.err
}
