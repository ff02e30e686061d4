package alipay

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"flag"
	"maps"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/payment/internal/fields"
)

var (
	mutations = flag.Int("mutations", 2000, "how many spoilt notices TestMutatedNotices tries; 100000 is the long run")
	seed      = flag.Uint64("seed", 1, "of TestMutatedNotices")
)

// forger spoils genuine notices in ways that a forger could: with what he has seen,
// and with every key but Alipay's.
type forger struct {
	*rand.Rand
	seen          []string // genuine bodies
	own, stranger *Provider
	alipay        *Provider // used for signatures that Alipay never makes
}

// fields of a body that is well-formed.
func (f forger) read(body string) map[string]string {
	in, err := fields.Parse([]byte(body))
	if err != nil {
		panic(err)
	}
	return in
}

func (f forger) name(in map[string]string) string {
	return slices.Sorted(maps.Keys(in))[f.IntN(len(in))]
}

// worth is a value that somebody would like to see in a notice.
func (f forger) worth() string {
	all := []string{
		"", "0", "0.01", "14.99", "1499", "99999999.99", "TRADE_SUCCESS", "TRADE_FINISHED", "TRADE_CLOSED", "WAIT_BUYER_PAY", "ORD2026000001", "ORD2026000002",
		"2021000000000001", "2021000000000002", "2088000000000001", "RSA2", "RSA", "none", "rsa2", "utf-8", "gbk", "trade_status_sync", "a&total_amount=0.01", "\x00", "張",
	}
	return all[f.IntN(len(all))]
}

// ways change the bytes, the fields, or who signed what.
func (f forger) ways() []func(body string) string {
	return []func(string) string{
		func(b string) string { // a bit
			raw := []byte(b)
			raw[f.IntN(len(raw))] ^= 1 << f.IntN(8)
			return string(raw)
		},
		func(b string) string { i := f.IntN(len(b)); return b[:i] + b[i+1:] },
		func(b string) string { i := f.IntN(len(b)); return b[:i] + string(rune(f.IntN(256))) + b[i:] },
		func(b string) string { i, j := f.IntN(len(b)), f.IntN(len(b)); return b[:min(i, j)] + b[max(i, j):] },
		func(b string) string { return b[:f.IntN(len(b))] },
		func(b string) string { return b + "&" + f.name(f.read(b)) + "=" + url.QueryEscape(f.worth()) },
		func(b string) string { return f.name(f.read(b)) + "=" + url.QueryEscape(f.worth()) + "&" + b },
		func(b string) string {
			return b + "&extra_" + string(rune('a'+f.IntN(26))) + "=" + url.QueryEscape(f.worth())
		},
		f.fields(func(in map[string]string) { in[f.name(in)] = f.worth() }),
		f.fields(func(in map[string]string) { delete(in, f.name(in)) }),
		f.fields(func(in map[string]string) { a, b := f.name(in), f.name(in); in[a], in[b] = in[b], in[a] }),
		f.fields(func(in map[string]string) { n := f.name(in); in[strings.ToUpper(n)] = in[n]; delete(in, n) }),
		f.fields(func(in map[string]string) { n := f.name(in); in[n] = " " + in[n] }),
		f.fields(func(in map[string]string) { n := f.name(in); in[n] = url.QueryEscape(in[n]) }),
		f.fields(func(in map[string]string) { // one message's signature under another's words
			in["sign"] = f.read(f.seen[f.IntN(len(f.seen))])["sign"]
			in["total_amount"] = f.worth()
		}),
		f.fields(func(in map[string]string) { // what one message says in another
			n := f.name(in)
			in[n] = f.read(f.seen[f.IntN(len(f.seen))])[n]
		}),
		f.signed(func(in map[string]string) string { return must(f.own.sign(noticeText(in))) }),
		f.signed(func(in map[string]string) string { return must(f.stranger.sign(noticeText(in))) }),
		f.signed(func(in map[string]string) string { in["sign_type"] = "RSA"; return f.weak(noticeText(in)) }),
		f.signed(func(in map[string]string) string { return f.weak(noticeText(in)) }),
		f.signed(func(in map[string]string) string { return must(f.alipay.sign(requestText(in))) }), // as a request
	}
}

func must(s string, err error) string {
	if err != nil {
		panic(err)
	}
	return s
}

func (f forger) fields(change func(map[string]string)) func(string) string {
	return func(b string) string {
		in := f.read(b)
		change(in)
		return string(fields.Encode(in))
	}
}

// signed changes a field and signs anew, wrongly.
func (f forger) signed(sign func(map[string]string) string) func(string) string {
	return f.fields(func(in map[string]string) {
		in[f.name(in)] = f.worth()
		delete(in, "sign")
		in["sign_type"] = "RSA2"
		in["sign"] = sign(in)
	})
}

// weak is the right key with SHA-1, which sign_type=RSA meant.
func (f forger) weak(text string) string {
	sum := sha1.Sum([]byte(text))
	sig, err := rsa.SignPKCS1v15(nil, f.alipay.key, crypto.SHA1, sum[:])
	return must(base64.StdEncoding.EncodeToString(sig), err)
}

// TestMutatedNotices: of any number of spoilt notices none is believed. One that only
// spells the same fields otherwise is the same message, and must say the same; that it
// does is judged by the form parser of the standard library.
func TestMutatedNotices(t *testing.T) {
	v := load(t)
	f := forger{Rand: rand.New(rand.NewPCG(*seed, 2)), own: v.provider(t), alipay: v.alipay(t)}
	opt := v.options()
	opt.Key = private(fresh())
	var err error
	if f.stranger, err = New(opt); err != nil {
		t.Fatal(err)
	}
	for _, c := range v.Callbacks {
		f.seen = append(f.seen, c.Request.Body)
	}
	p, ways := v.provider(t), f.ways()
	kinds := map[error]int{}
	same := 0
	for n := range *mutations {
		was := f.seen[f.IntN(len(f.seen))]
		body := was
		for range 1 + f.IntN(2) {
			if next, ok := tried(ways[f.IntN(len(ways))], body); ok {
				body = next
			}
		}
		got, err := p.ParseCallback(nil, []byte(body), v.Now)
		if meaning(body) == meaning(was) {
			same++
			if truth, _ := p.ParseCallback(nil, []byte(was), v.Now); err == nil && !equal(got, truth) {
				t.Fatalf("seed %d, mutation %d says otherwise what says the same: %+v\n%s", *seed, n, got, body)
			}
			continue
		}
		if err == nil && !slices.ContainsFunc(f.seen, func(s string) bool { return meaning(s) == meaning(body) }) {
			t.Fatalf("seed %d, mutation %d was believed: %+v\n%s", *seed, n, got, body)
		}
		kinds[kind(err)]++
	}
	t.Logf("%d mutations of seed %d: %d signatures, %d malformed, %d mismatches, %d spelt otherwise or genuine", *mutations, *seed,
		kinds[payment.ErrSignature], kinds[payment.ErrMalformed], kinds[payment.ErrMismatch], same+kinds[nil])
	if kinds[payment.ErrSignature] < *mutations/4 || kinds[payment.ErrMismatch] > 0 {
		t.Errorf("%v: a forger got past the signature, or the mutations are no good", kinds)
	}
}

func equal(a, b payment.Notice) bool {
	return (a.Payment == nil) == (b.Payment == nil) && (a.Payment == nil || *a.Payment == *b.Payment) && (a.Refund == nil || *a.Refund == *b.Refund)
}

// tried applies a way to a body that it can be applied to: a spoilt one may be none.
func tried(way func(string) string, body string) (out string, ok bool) {
	if _, err := fields.Parse([]byte(body)); err != nil || body == "" {
		return body, false
	}
	return way(body), true
}

// meaning is a body's fields by another reader, without what Alipay leaves empty; ""
// where they cannot be read or a name is there twice.
func meaning(body string) string {
	in, err := url.ParseQuery(body)
	if err != nil {
		return ""
	}
	for k, v := range in {
		if len(v) != 1 {
			return ""
		}
		if v[0] == "" {
			delete(in, k)
		}
	}
	return in.Encode()
}

func kind(err error) error {
	for _, k := range []error{payment.ErrSignature, payment.ErrMalformed, payment.ErrMismatch} {
		if errors.Is(err, k) {
			return k
		}
	}
	return err
}

// FuzzParseCallback: no input panics, and none that was not signed is believed.
func FuzzParseCallback(f *testing.F) {
	v := load(f)
	for _, c := range v.Callbacks {
		f.Add([]byte(c.Request.Body))
	}
	for _, m := range v.Mutations {
		f.Add([]byte(m.Request.Body))
	}
	p := v.provider(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		n, err := p.ParseCallback(nil, body, v.Now)
		if (err == nil) != ((n.Payment == nil) != (n.Refund == nil)) {
			t.Fatalf("%+v %v", n, err)
		}
		if again, err2 := p.ParseCallback(nil, body, v.Now); err2 == nil != (err == nil) || err == nil && again.Payment != nil && *again.Payment != *n.Payment {
			t.Fatalf("%+v %v, then %+v %v", n, err, again, err2)
		}
	})
}

// FuzzSignedNotice: whatever Alipay might sign, nothing panics, and what is believed is
// ours, of a price, in a state that there is.
func FuzzSignedNotice(f *testing.F) {
	v := load(f)
	bank, p := v.alipay(f), v.provider(f)
	for _, c := range v.Callbacks {
		f.Add([]byte(c.Request.Body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		in, err := fields.Parse(body)
		if err != nil {
			return
		}
		in["sign_type"] = signType
		in["sign"] = must(bank.sign(noticeText(in)))
		n, err := p.ParseCallback(nil, fields.Encode(in), v.Now)
		switch {
		case err != nil:
		case n.Payment != nil && (n.Payment.Amount.Minor < 1 || n.Payment.Amount.Currency != "CNY" || !n.Payment.Payment.Valid() || n.Payment.State == "" || in["app_id"] != testApp || in["seller_id"] != testSeller):
			t.Fatalf("%+v", n.Payment)
		case n.Refund != nil && (n.Refund.State == payment.RefundDone && n.Refund.Amount.Minor < 1 || !n.Refund.Payment.Valid()):
			t.Fatalf("%+v", n.Refund)
		}
	})
}

// FuzzAnswer: an answer that is signed may say anything.
func FuzzAnswer(f *testing.F) {
	v := load(f)
	bank, p := v.alipay(f), v.provider(f)
	for _, r := range v.Responses {
		f.Add(r.Canonical)
	}
	f.Add(`{"code":"10000","out_trade_no":"p0000001","trade_no":"1","trade_status":"TRADE_SUCCESS","total_amount":"1.00"}`)
	f.Fuzz(func(t *testing.T, node string) {
		body := `{"alipay_trade_query_response":` + node + `,"sign":"` + must(bank.sign(node)) + `"}`
		in, err := p.open("alipay.trade.query", []byte(body))
		if err != nil || judge(in) != nil {
			return
		}
		if r, err := p.report(in, payment.Ref{ID: "p0000001"}); err == nil && (r.Amount.Minor < 1 || r.State == "" || r.ProviderRef == "") {
			t.Fatalf("%+v", r)
		}
	})
}
