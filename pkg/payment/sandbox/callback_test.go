package sandbox

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/payment"
)

const good = `{"id":"ev-1","event":"payment","payment":{"id":"p0000001","order_id":"o1","provider_ref":"sb-1","state":"captured","amount":{"amount":2998,"currency":"USD"},"at":"2026-01-02T03:04:05.678Z"}}`

const goodRefund = `{"id":"ev-2","event":"refund","refund":{"id":"r0000001","payment_id":"p0000001","provider_ref":"sbr-1","state":"done","amount":{"amount":2998,"currency":"USD"},"at":"2026-01-02T03:04:05.678Z"}}`

var t0 = time.Unix(1_750_000_000, 0)

func offline(t testing.TB) *Provider {
	t.Helper()
	p, err := New(http.DefaultClient, "http://127.0.0.1:1", secret, func() time.Time { return t0 })
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func signed(p *Provider, body string, at time.Time) http.Header {
	ts := strconv.FormatInt(at.Unix(), 10)
	h := http.Header{}
	h.Set(timestampHeader, ts)
	h.Set(signatureHeader, p.sign(ts, "", []byte(body)))
	return h
}

// The digest was made with another tool.
func TestSignature(t *testing.T) {
	p := offline(t)
	if got := p.sign("1750000000", "", []byte(`{"a":1}`)); got != "4f96e314a56e9ed80cb7fffd6836c6bfbd46964dc4fd86e4c32a7994acdd2b06" {
		t.Error(got)
	}
	if got := p.sign("1750000000", "request.GET./v1/payments/abcdefgh.", nil); got != "845bfec5e7e028ef837356ec2fef67c0dad5cef883689012b5b33584038994b1" {
		t.Error(got)
	}
}

func TestCallbackWindow(t *testing.T) {
	p := offline(t)
	for age, want := range map[time.Duration]error{
		0: nil, 5 * time.Minute: nil, -5 * time.Minute: nil,
		5*time.Minute + time.Second: payment.ErrReplayWindow, -5*time.Minute - time.Second: payment.ErrReplayWindow,
		240 * time.Hour: payment.ErrReplayWindow,
	} {
		if _, err := p.ParseCallback(signed(p, good, t0.Add(-age)), []byte(good), t0); !errors.Is(err, want) {
			t.Errorf("%v old: %v", age, err)
		}
	}
}

func TestCallbackMustBeAuthentic(t *testing.T) {
	p := offline(t)
	for name, change := range map[string]func(h http.Header, body *string){
		"another body":      func(_ http.Header, b *string) { *b = strings.Replace(*b, "2998", "2999", 1) },
		"a space more":      func(_ http.Header, b *string) { *b += " " },
		"a line end more":   func(_ http.Header, b *string) { *b += "\n" },
		"no signature":      func(h http.Header, _ *string) { h.Del(signatureHeader) },
		"no timestamp":      func(h http.Header, _ *string) { h.Del(timestampHeader) },
		"two signatures":    func(h http.Header, _ *string) { h.Add(signatureHeader, h.Get(signatureHeader)) },
		"two timestamps":    func(h http.Header, _ *string) { h.Add(timestampHeader, h.Get(timestampHeader)) },
		"another time":      func(h http.Header, _ *string) { h.Set(timestampHeader, "1750000001") },
		"spelt otherwise":   func(h http.Header, _ *string) { h.Set(timestampHeader, "+1750000000") },
		"cut signature":     func(h http.Header, _ *string) { h.Set(signatureHeader, h.Get(signatureHeader)[:63]) },
		"capital signature": func(h http.Header, _ *string) { h.Set(signatureHeader, strings.ToUpper(h.Get(signatureHeader))) },
		"empty signature":   func(h http.Header, _ *string) { h.Set(signatureHeader, "") },
		"as a request": func(h http.Header, b *string) {
			h.Set(signatureHeader, p.sign("1750000000", "request.POST./callback.", []byte(*b)))
		},
	} {
		h, body := signed(p, good, t0), good
		change(h, &body)
		if n, err := p.ParseCallback(h, []byte(body), t0); !errors.Is(err, payment.ErrSignature) || n != (payment.Notice{}) {
			t.Errorf("%s: %+v %v", name, n, err)
		}
	}
}

func TestCallbackTimestampHasOneSpelling(t *testing.T) {
	p := offline(t)
	for _, ts := range []string{"", "+1750000000", "01750000000", "1750000000.0", "1.75e9", "NaN", "99999999999999999999"} {
		h := http.Header{timestampHeader: {ts}, signatureHeader: {p.sign(ts, "", []byte(good))}}
		if _, err := p.ParseCallback(h, []byte(good), t0); !errors.Is(err, payment.ErrMalformed) {
			t.Errorf("%q: %v", ts, err)
		}
	}
}

// All of these are signed as they should be.
func TestCallbackMustBeWellFormed(t *testing.T) {
	p := offline(t)
	with := func(old, new string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("%s is not there", old)
		}
		return strings.Replace(good, old, new, 1)
	}
	for name, body := range map[string]string{
		"empty":              "",
		"too large":          good + strings.Repeat(" ", 64<<10),
		"long text":          with("ev-1", strings.Repeat("e", 2049)),
		"not JSON":           "payment",
		"a list":             "[" + good + "]",
		"cut":                good[:len(good)-1],
		"two":                good + good,
		"unknown member":     with(`"event"`, `"x":1,"event"`),
		"repeated member":    with(`"amount":2998`, `"amount":1,"amount":2998`),
		"repeated payment":   with(`"event"`, `"payment":{},"event"`),
		"other case":         with(`"state"`, `"State"`),
		"missing member":     with(`"state":"captured",`, ``),
		"null amount":        with(`2998`, `null`),
		"null payment":       `{"id":"ev-1","event":"payment","payment":null}`,
		"float":              with(`2998`, `2998.0`),
		"exponent":           with(`2998`, `3e3`),
		"text amount":        with(`2998`, `"2998"`),
		"leading nought":     with(`2998`, `02998`),
		"past 64 bits":       with(`2998`, `9223372036854775808`),
		"negative":           with(`2998`, `-2998`),
		"nothing":            with(`2998`, `0`),
		"small currency":     with(`USD`, `usd`),
		"no currency":        with(`,"currency":"USD"`, ``),
		"unknown state":      with(`captured`, `paid`),
		"empty id":           with(`p0000001`, ``),
		"not a time":         with(`2026-01-02T03:04:05.678Z`, `yesterday`),
		"event of a refund":  with(`"event":"payment"`, `"event":"refund"`),
		"refund as payment":  strings.Replace(goodRefund, `"event":"refund"`, `"event":"payment"`, 1),
		"refund of no state": strings.Replace(goodRefund, `"done"`, `"captured"`, 1),
		"both":               with(`"event"`, `"refund":{},"event"`),
	} {
		if n, err := p.ParseCallback(signed(p, body, t0), []byte(body), t0); !errors.Is(err, payment.ErrMalformed) || n != (payment.Notice{}) {
			t.Errorf("%s: %+v %v", name, n, err)
		}
	}
	for name, body := range map[string]string{
		"payment": good, "refund": goodRefund, "white space": " " + strings.ReplaceAll(good, ",", " ,\n") + "\n",
	} {
		if n, err := p.ParseCallback(signed(p, body, t0), []byte(body), t0); err != nil || (n.Payment == nil) == (n.Refund == nil) {
			t.Errorf("%s: %+v %v", name, n, err)
		}
	}
}

func TestMembersRefuseNull(t *testing.T) {
	if _, err := members([]byte(`{"a":1}`), "a"); err != nil {
		t.Error(err)
	}
	if got, err := members([]byte(`{"a":null}`), "a"); err == nil {
		t.Error(got)
	}
}

func FuzzParseCallback(f *testing.F) {
	p := offline(f)
	f.Add([]byte(good), "1750000000", false)
	f.Add([]byte(goodRefund), "1750000000", true)
	f.Add([]byte(`{"id":"a","id":"b"}`), "x", false)
	f.Fuzz(func(t *testing.T, body []byte, ts string, forge bool) {
		sig := p.sign(ts, "", body)
		if forge {
			sig = "0" + sig[1:]
		}
		h := http.Header{timestampHeader: {ts}, signatureHeader: {sig}}
		n, err := p.ParseCallback(h, body, t0)
		if (err == nil) != ((n.Payment == nil) != (n.Refund == nil)) {
			t.Fatalf("%+v %v", n, err)
		}
		if err != nil {
			return
		}
		if n.Payment != nil && (n.Payment.Amount.Minor <= 0 || n.Payment.Payment == "" || n.Payment.State == "") {
			t.Fatalf("%+v", n.Payment)
		}
		if n.Refund != nil && (n.Refund.Amount.Minor <= 0 || n.Refund.ID == "" || n.Refund.State == "") {
			t.Fatalf("%+v", n.Refund)
		}
	})
}

func FuzzParseAnswer(f *testing.F) {
	f.Add([]byte(`{"action":{"kind":"url","value":"x"},"payment":{}}`))
	f.Add([]byte(`{"payment":{}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if c, err := parseCreated(body); err == nil && (c.Action.Value == "" || c.Report.State == "") {
			t.Fatalf("%+v", c)
		}
		if r, err := parsePaymentAnswer(body); err == nil && r.State == "" {
			t.Fatalf("%+v", r)
		}
		if r, err := parseRefundAnswer(body); err == nil && r.State == "" {
			t.Fatalf("%+v", r)
		}
	})
}
