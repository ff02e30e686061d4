package unionpay

import (
	"errors"
	"flag"
	"maps"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/payment/internal/fields"
)

var (
	mutations = flag.Int("mutations", 3000, "how many spoilt notices TestNoSpoiltNoticePasses tries; 100000 is the long run")
	begin     = flag.Uint64("seed", 1, "of TestNoSpoiltNoticePasses")
)

// TestNoSpoiltNoticePasses: of any number of notices that were changed at random, or signed
// by anybody but UnionPay, none says anything, unless only their writing was changed.
func TestNoSpoiltNoticePasses(t *testing.T) {
	v := load(t)
	p := v.provider(t)
	seed := *begin
	random := rand.New(rand.NewPCG(seed, 0))
	var genuine []string
	for _, c := range v.Callbacks {
		genuine = append(genuine, c.Request.Body)
	}
	same := 0
	for i := range *mutations {
		from := genuine[random.IntN(len(genuine))]
		body := spoil(t, random, from, v)
		n, err := p.ParseCallback(nil, []byte(body), v.Now)
		switch {
		case err == nil && !sameMessage(body, from):
			t.Fatalf("seed %d, %d: %+v of %s", seed, i, n, body)
		case err == nil:
			same++
		case n != (payment.Notice{}):
			t.Fatalf("seed %d, %d: %+v with %v", seed, i, n, err)
		case fault.KindOf(err) != fault.Forbidden && fault.KindOf(err) != fault.Invalid:
			t.Fatalf("seed %d, %d: %v of %s", seed, i, err, body)
		}
	}
	if same > *mutations/5 {
		t.Errorf("%d of %d were not spoilt at all", same, *mutations)
	}
	t.Logf("%d refused, %d written otherwise; seed %d", *mutations-same, same, seed)
}

func sameMessage(a, b string) bool {
	x, err1 := fields.Parse([]byte(a))
	y, err2 := fields.Parse([]byte(b))
	return err1 == nil && err2 == nil && maps.Equal(x, y)
}

// spoil makes one to three changes, by bytes and by fields.
func spoil(t *testing.T, r *rand.Rand, body string, v vectors) string {
	for range 1 + r.IntN(3) {
		parts := strings.Split(body, "&")
		i, j := r.IntN(len(parts)), r.IntN(len(parts))
		name, value, _ := strings.Cut(parts[i], "=")
		switch at := r.IntN(len(body)); r.IntN(14) {
		case 0: // a bit
			body = body[:at] + string(body[at]^(1<<r.IntN(8))) + body[at+1:]
			continue
		case 1: // a byte less
			body = body[:at] + body[at+1:]
			continue
		case 2: // a byte more
			body = body[:at] + string(rune(r.IntN(128))) + body[at:]
			continue
		case 3: // an end
			body = body[:at]
			if body == "" {
				return "x"
			}
			continue
		case 4:
			parts[i] = name + "="
		case 5:
			parts[i] = name + "=" + url.QueryEscape(text(r))
		case 6: // two fields' values
			other, theirs, _ := strings.Cut(parts[j], "=")
			parts[i], parts[j] = name+"="+theirs, other+"="+value
		case 7:
			parts = append(parts, text(r)+"="+url.QueryEscape(text(r)))
		case 8:
			parts = append(parts, parts[i])
		case 9:
			parts = append(parts[:i], parts[i+1:]...)
		case 10: // a field inside another's value: the text that is signed stays
			parts[i] += url.QueryEscape("&" + parts[j])
			parts = append(parts[:j], parts[j+1:]...)
		case 11: // another certificate, and its owner's signature at times
			keys := []string{"platform2", "merchant", "wrongcn", "testcn", "expired", "sha1", "middle", "root"}
			parts = recertify(parts, v.Keys[keys[r.IntN(len(keys))]].Cert)
		case 12: // another notice's signature
			parts = resign(parts, v.Mutations[r.IntN(len(v.Mutations))].Request.Body)
		case 13: // somebody else's own signature, under his certificate or UnionPay's
			parts = strings.Split(forge(t, r, body, v), "&")
		}
		if body = strings.Join(parts, "&"); body == "" {
			return "x"
		}
	}
	return body
}

func text(r *rand.Rand) string {
	const alphabet = "0123456789abcxyzTXN=&%+ \r\n{}[]@中\x00"
	b := make([]byte, 1+r.IntN(12))
	for i := range b {
		b[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(b)
}

func forge(t *testing.T, r *rand.Rand, body string, v vectors) string {
	m, err := fields.Parse([]byte(body))
	if err != nil {
		return body
	}
	others := []string{"merchant", "wrongcn", "testcn", "expired", "sha1", "middle", "root"}
	who := others[r.IntN(len(others))]
	m["signPubKeyCert"] = v.Keys[[]string{who, "platform"}[r.IntN(2)]].Cert
	m["txnAmt"] = "1"
	return string(fields.Encode(v.signed(t, who, m)))
}

func recertify(parts []string, cert string) []string {
	for i, p := range parts {
		if strings.HasPrefix(p, "signPubKeyCert=") {
			parts[i] = "signPubKeyCert=" + url.QueryEscape(cert)
		}
	}
	return parts
}

func resign(parts []string, other string) []string {
	at := strings.Index(other, "signature=")
	if at < 0 {
		return parts[:len(parts)-1]
	}
	sig, _, _ := strings.Cut(other[at:], "&")
	for i, p := range parts {
		if strings.HasPrefix(p, "signature=") {
			parts[i] = sig
		}
	}
	return parts
}

// FuzzParseCallback: no bytes make it panic, and none that were not signed pass.
func FuzzParseCallback(f *testing.F) {
	v := load(f)
	p := v.provider(f)
	for _, m := range v.Mutations {
		f.Add([]byte(m.Request.Body))
	}
	passed := map[string]bool{}
	for _, c := range v.Callbacks {
		passed[c.Request.Body] = true
		f.Add([]byte(c.Request.Body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		n, err := p.ParseCallback(nil, body, v.Now)
		if (err == nil) != ((n.Payment == nil) != (n.Refund == nil)) {
			t.Fatalf("%+v %v", n, err)
		}
	})
}

// FuzzParseAnswer: an answer is what it is signed over, whatever its bytes are.
func FuzzParseAnswer(f *testing.F) {
	v := load(f)
	for _, r := range v.Responses {
		f.Add([]byte(r.Body))
	}
	f.Add([]byte("a={x&y}&b=[&]c&d="))
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := parseAnswer(body)
		if err == nil && (len(m) == 0 || len(message(m).text()) > len(body)) {
			t.Fatalf("%v", m)
		}
	})
}

func TestParseAnswer(t *testing.T) {
	m, err := parseAnswer([]byte("a=1&b={x&y=2}&c=[&]d&e=&f=g=h+i\r\n&z={&"))
	want := message{"a": "1", "b": "{x&y=2}", "c": "[&]d", "e": "", "f": "g=h+i\r\n", "z": "{&"}
	if err != nil || m.text() != want.text() {
		t.Errorf("%v %v", m, err)
	}
	for _, s := range []string{"", "a", "a=1&", "a=1&b", "=1", "a=1&a=1", "a=\xff", "a=1&&b=2"} {
		if m, err := parseAnswer([]byte(s)); err == nil {
			t.Errorf("%q: %v", s, m)
		}
	}
}

// TestAuthenticAndUnfit: UnionPay signed it, and it is still not what we may act on.
func TestAuthenticAndUnfit(t *testing.T) {
	v := load(t)
	p := v.provider(t)
	good, err := fields.Parse([]byte(v.Callbacks[0].Request.Body))
	if err != nil {
		t.Fatal(err)
	}
	delete(good, "signature")
	for name, change := range map[string]func(message){
		"another merchant":    func(m message) { m["merId"] = "777290058110049" },
		"another encoding":    func(m message) { m["encoding"] = "GBK" },
		"another kind":        func(m message) { m["txnType"] = "02" },
		"no kind":             func(m message) { delete(m, "txnType") },
		"a page's payment":    func(m message) { m["txnSubType"] = "01" },
		"no word":             func(m message) { m["respCode"] = "" },
		"no order":            func(m message) { m["orderId"] = "" },
		"no number of theirs": func(m message) { delete(m, "queryId") },
		"no time":             func(m message) { m["txnTime"] = "2026-01-15" },
		"a day that is not":   func(m message) { m["traceTime"] = "0230120000" },
		"amount of yuan":      func(m message) { m["txnAmt"] = "14.99" },
		"amount with a sign":  func(m message) { m["txnAmt"] = "+1499" },
		"amount with noughts": func(m message) { m["txnAmt"] = "0001499" },
		"nothing":             func(m message) { m["txnAmt"] = "0" },
		"more than there is":  func(m message) { m["txnAmt"] = "9999999999999" },
		"a refund of nothing": func(m message) { m["txnType"] = "04" },
	} {
		m := message{}
		for k, x := range good {
			m[k] = x
		}
		change(m)
		body := fields.Encode(v.signed(t, "platform", m))
		if n, err := p.ParseCallback(nil, body, v.Now); !errors.Is(err, payment.ErrMismatch) || n != (payment.Notice{}) {
			t.Errorf("%s: %+v %v", name, n, err)
		}
	}
	for name, body := range map[string]string{"empty": "", "too long": strings.Repeat("a", maxBody+1), "no form": "a", "twice": "a=1&a=1"} {
		if n, err := p.ParseCallback(nil, []byte(body), v.Now); !errors.Is(err, payment.ErrMalformed) {
			t.Errorf("%s: %+v %v", name, n, err)
		}
	}
}

// TestFieldsInsideAValue: a text can be cut into fields in more than one way, and only
// one of them is what was signed.
func TestFieldsInsideAValue(t *testing.T) {
	v := load(t)
	p := v.provider(t)
	for name, body := range map[string]string{
		"merged": strings.Replace(v.Callbacks[0].Request.Body, "&settleDate=", "%26settleDate%3D", 1),
		"named":  strings.Replace(v.Callbacks[0].Request.Body, "settleAmt=1499&", "settleAmt%3D1499%26", 1),
	} {
		m, err := fields.Parse([]byte(body))
		good, _ := fields.Parse([]byte(v.Callbacks[0].Request.Body))
		if err != nil || message(m).text() != message(good).text() {
			t.Fatalf("%s: the text is not the same", name)
		}
		if n, err := p.ParseCallback(nil, []byte(body), v.Now); !errors.Is(err, payment.ErrSignature) {
			t.Errorf("%s: %+v %v", name, n, err)
		}
	}
	in := message{"a": "{x&y=2}", "b": "[&]c"}
	if !in.plain() || (message{"a": "{x}&y=2"}).plain() || (message{"a=b": ""}).plain() || (message{"a&b": ""}).plain() {
		t.Error("brackets alone may hold an &")
	}
}

// TestNoticeOfARefund: success and failure are told, with the payment that we sent along.
func TestNoticeOfARefund(t *testing.T) {
	v := load(t)
	p := v.provider(t)
	good, err := fields.Parse([]byte(v.Callbacks[1].Request.Body))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		code, reserved string
		kind           string
		state          payment.RefundState
		of             payment.ID
	}{
		{"00", "ORD2026000001", "04", payment.RefundDone, "ORD2026000001"},
		{"00", "ORD2026000001", "31", payment.RefundDone, "ORD2026000001"},
		{"00", "", "04", payment.RefundDone, ""},
		{"00", "by hand", "04", payment.RefundDone, ""},
		{"01", "ORD2026000001", "04", payment.RefundFailed, "ORD2026000001"},
		{"05", "ORD2026000001", "04", payment.RefundPending, "ORD2026000001"},
		{"A6", "ORD2026000001", "04", payment.RefundPending, "ORD2026000001"},
	} {
		m := message{}
		for k, x := range good {
			m[k] = x
		}
		m["respCode"], m["reqReserved"], m["txnType"] = c.code, c.reserved, c.kind
		n, err := p.ParseCallback(nil, fields.Encode(v.signed(t, "platform", m)), v.Now)
		if err != nil || n.Refund == nil || n.Refund.State != c.state || n.Refund.Payment != c.of || n.Refund.Amount != yuan(500) {
			t.Errorf("%+v: %+v %v", c, n.Refund, err)
		}
	}
}

// TestCertificates: what was found to be UnionPay's is compared with the time again, and
// memory of it has a bound.
func TestCertificates(t *testing.T) {
	v := load(t)
	p := v.provider(t)
	body := []byte(v.Callbacks[0].Request.Body)
	for _, at := range []struct {
		now time.Time
		err error
	}{
		{v.Now, nil},
		{time.Date(2019, 12, 31, 0, 0, 0, 0, time.UTC), payment.ErrSignature},
		{time.Date(2045, 1, 2, 0, 0, 0, 0, time.UTC), payment.ErrSignature},
		{v.Now, nil},
	} {
		if _, err := p.ParseCallback(nil, body, at.now); !errors.Is(err, at.err) || (at.err == nil) != (err == nil) {
			t.Errorf("%v: %v", at.now, err)
		}
	}
	for i := range 3 * maxKnown {
		p.trust.keep([32]byte{byte(i)}, signer{})
	}
	if len(p.trust.known) > maxKnown {
		t.Errorf("%d certificates are kept", len(p.trust.known))
	}
	if _, err := p.ParseCallback(nil, body, v.Now); err != nil {
		t.Error(err)
	}
}

func TestHappened(t *testing.T) {
	for _, c := range []struct{ sent, at, want string }{
		{"20260115120000", "0115120307", "2026-01-15T04:03:07Z"},
		{"20261231235900", "0101000100", "2026-12-31T16:01:00Z"},
		{"20260101000100", "0101000059", "2025-12-31T16:00:59Z"},
		{"20260115120000", "", "2026-01-15T04:00:00Z"},
	} {
		got, err := happened(message{"txnTime": c.sent, "traceTime": c.at})
		if err != nil || got.Format(time.RFC3339) != c.want {
			t.Errorf("%+v: %v %v", c, got, err)
		}
	}
}

func TestAcknowledge(t *testing.T) {
	p := load(t).provider(t)
	for err, want := range map[error]int{
		nil: 200, payment.ErrSignature: 401, payment.ErrMalformed: 400, payment.ErrMismatch: 409, payment.ErrNotFound: 404,
		payment.ErrProviderDown: 503, errors.New("x"): 503,
	} {
		if got := p.Acknowledge(err); got.Status != want || (string(got.Body) == "ok") != (err == nil) {
			t.Errorf("%v: %+v", err, got)
		}
	}
}
