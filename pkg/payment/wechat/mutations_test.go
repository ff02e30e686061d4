package wechat

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"time"
)

var (
	mutations    = flag.Int("mutations", 4000, "how many changed callbacks are tried")
	mutationSeed = flag.Uint64("mutation-seed", 1, "where they begin")
)

func signature(t testing.TB, key *rsa.PrivateKey, text string) string {
	t.Helper()
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(sig)
}

func seal(t testing.TB, key, nonce, with, text string) string {
	t.Helper()
	block, err := aes.NewCipher([]byte(key))
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(gcm.Seal(nil, []byte(nonce), []byte(text), []byte(with)))
}

const plainPayment = `{"mchid":"1900000001","appid":"wx0000000000000001","out_trade_no":"ORD2026000001","transaction_id":"4200","trade_type":"NATIVE","trade_state":"SUCCESS","trade_state_desc":"支付成功","bank_type":"OTHERS","attach":"o","success_time":"2026-01-15T11:59:58+08:00","payer":{"openid":"oUpF8uMuAJO"},"amount":{"total":1499,"payer_total":1499,"currency":"CNY","payer_currency":"CNY"}}`

func envelope(t testing.TB, key, text string) string {
	raw, err := json.Marshal(map[string]any{
		"id": "EV-1", "create_time": "2026-01-15T12:00:00+08:00", "resource_type": "encrypt-resource", "event_type": "TRANSACTION.SUCCESS", "summary": "paid",
		"resource": map[string]string{
			"original_type": "transaction", "algorithm": sealing, "nonce": "a1B2c3D4e5F6", "associated_data": "transaction",
			"ciphertext": seal(t, key, "a1B2c3D4e5F6", "transaction", text),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// change makes one to three random changes of bytes.
func change(r *rand.Rand, s string) string {
	b := []byte(s)
	for range 1 + r.IntN(3) {
		i, j := r.IntN(len(b)+1), r.IntN(len(b)+1)
		i, j = min(i, j), max(i, j)
		j = min(j, i+1+r.IntN(40))
		switch k := min(i, len(b)-1); r.IntN(8) {
		case 0:
			b[k] ^= 1 << r.IntN(8)
		case 1:
			b[k] = byte(r.IntN(256))
		case 2:
			b = slices.Delete(b, i, j)
		case 3:
			b = slices.Insert(b, i, b[i:j]...)
		case 4:
			b = slices.Insert(b, i, []byte(words[r.IntN(len(words))])...)
		case 5:
			b[k] = "0123456789"[r.IntN(10)]
		case 6:
			b[k], b[r.IntN(len(b))] = b[r.IntN(len(b))], b[k]
		case 7:
			b = b[:max(i, 1)]
		}
		if len(b) == 0 {
			b = []byte{' '}
		}
	}
	return string(b)
}

// words are what readers of JSON and base64 differ about.
var words = []string{
	"\n", "\r\n", " ", "\x00", "=", "==", "0", "-", "+", ".0", "e1", "null", "{}", "[]", `"`, `\u0000`, "\ufeff", "\xff", `,"amount":{"total":1}`,
	`"out_trade_no":"ORD2026000002",`, `"trade_state":"SUCCESS",`, "WECHATPAY/SIGNTEST/", "CNY", "1499",
}

// TestMutatedCallbacks: an authentic callback is changed by chance in four ways. Of
// what an attacker could send nothing is accepted; what only WeChat could have signed
// sells nothing but the same payment at the same price. Nothing panics.
func TestMutatedCallbacks(t *testing.T) {
	v := vectors(t)
	s := v.shop(t, v.Unix)
	r := rand.New(rand.NewPCG(*mutationSeed, 0))
	platform, evil, merchant := private(t, v.Keys.Signing), private(t, v.Keys.Evil), private(t, v.Keys.Merchant)
	serials := []string{serialOf(t, v.Keys.Platform), v.Keys.PublicID, v.Keys.Serial, "PUB_KEY_ID_", "00"}
	good := envelope(t, v.Keys.Sealing, plainPayment)
	nonce := "NONCE00000000000000000000000001x"
	head := sign(t, platform, serials[0], s.now, nonce, good)
	if sold, err := v.shop(t, v.Unix).hear(head, []byte(good)); !sold || err != nil {
		t.Fatal(err)
	}
	tried, same, accepted := map[string]int{}, 0, 0
	begun := time.Now()
	for n := range *mutations {
		h, body, kind := maps.Clone(head), good, ""
		mine := false // WeChat's own key has signed it
		switch n % 8 {
		case 0, 1, 2:
			kind, body = "body", change(r, good)
		case 3, 4, 5:
			kind = "header"
			names := []string{headTime, headNonce, headSerial, headSignature}
			name := names[r.IntN(len(names))]
			h[name] = []string{change(r, h.Get(name))}
		case 6:
			kind = "another key"
			body = envelope(t, v.Keys.Sealing, change(r, plainPayment))
			h = sign(t, []*rsa.PrivateKey{evil, merchant}[r.IntN(2)], serials[r.IntN(len(serials))], s.now.Add(time.Duration(r.IntN(3)-1)*time.Minute), nonce, body)
		case 7:
			kind, mine = "right key", true
			if r.IntN(2) == 0 {
				body = change(r, good)
			} else {
				body = envelope(t, v.Keys.Sealing, change(r, plainPayment))
			}
			h = sign(t, platform, serials[0], s.now, nonce, body)
		}
		if body == good && equal(h, head) {
			continue // no change at all
		}
		tried[kind]++
		sold, err := v.hear(s, h, body)
		switch {
		case !mine && err == nil:
			accepted++
			t.Errorf("mutation %d (%s, seed %d) was accepted:\n%v\n%s", n, kind, *mutationSeed, h, body)
		case mine && sold:
			same++
		}
	}
	if accepted > 0 || same == 0 {
		t.Errorf("%d accepted, %d of the right key sold", accepted, same)
	}
	t.Logf("%v tried in %v: %d accepted; of the right key's %d told of the same payment", tried, time.Since(begun).Round(time.Millisecond), accepted, same)
}

// hear lets a shop hear that has sold nothing, and checks what it sold.
func (v vectorFile) hear(s *shop, h http.Header, body string) (sold bool, err error) {
	one := *s
	sold, err = one.hear(h, []byte(body))
	if sold && (one.pay.ProviderRef == "" || one.pay.Amount.Minor != v.Fen || string(one.pay.ID) != v.Order) {
		return sold, fmt.Errorf("sold %+v", one.pay)
	}
	return sold, err
}

func equal(a, b http.Header) bool { return maps.EqualFunc(a, b, slices.Equal) }

// FuzzCallback: no callback panics, and none is accepted that was not signed.
func FuzzCallback(f *testing.F) {
	v := vectors(f)
	for _, m := range v.Mutations {
		h := m.Request.header()
		f.Add(h.Get(headTime), h.Get(headNonce), h.Get(headSerial), h.Get(headSignature), h.Get(headType), m.Request.Body)
	}
	good := map[string]bool{}
	for _, m := range v.Mutations {
		good[m.Request.header().Get(headSignature)] = true
	}
	s := v.shop(f, v.MutationsUnix)
	f.Fuzz(func(t *testing.T, ts, nonce, serial, sig, kind, body string) {
		h := http.Header{headTime: {ts}, headNonce: {nonce}, headSerial: {serial}, headSignature: {sig}, headType: {kind}}
		if _, err := s.p.ParseCallback(h, []byte(body), s.now); err == nil && !good[sig] {
			t.Fatalf("accepted %v %s", h, body)
		}
	})
}

// FuzzUnsealed: what WeChat alone can write is read without a panic.
func FuzzUnsealed(f *testing.F) {
	v := vectors(f)
	f.Add([]byte(plainPayment), "TRANSACTION.SUCCESS")
	f.Add([]byte(`{"mchid":"1900000001","out_trade_no":"ORD2026000001","refund_id":"5","out_refund_no":"RF2026000001","refund_status":"SUCCESS","success_time":"2026-01-15T12:00:00+08:00","amount":{"total":1499,"refund":500}}`), "REFUND.SUCCESS")
	p := v.provider(f, v.Unix, nil)
	f.Fuzz(func(t *testing.T, text []byte, event string) {
		if n, err := p.paymentNotice(event, text); err == nil && (n.Payment == nil || n.Payment.Amount.Minor < 0) {
			t.Fatal(n)
		}
		if n, err := p.refundNotice(event, text); err == nil && n.Refund == nil {
			t.Fatal(n)
		}
	})
}
