package wechat

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/payment/internal/rsakey"
)

func serialOf(t testing.TB, certificate string) string {
	t.Helper()
	c, _, err := rsakey.Certificate(certificate)
	if err != nil {
		t.Fatal(err)
	}
	return serialText(c)
}

// turn is one platform key with its certificate.
type turn struct {
	key    *rsa.PrivateKey
	cert   string
	serial string
}

func newTurn(t testing.TB, number int64, end time.Time) turn {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(number), Subject: pkix.Name{CommonName: "Tenpay.com sign"}, NotBefore: end.AddDate(-5, 0, 0), NotAfter: end}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return turn{key, text, serialOf(t, text)}
}

// house is WeChat as far as keys are concerned: it signs with one and lists some.
type house struct {
	t       *testing.T
	mu      sync.Mutex
	now     time.Time
	signs   turn
	lists   []turn
	sealing string
	down    bool
	calls   []string // paths
}

func (h *house) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *house) set(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f()
}

func (h *house) count(path string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, c := range h.calls {
		if strings.HasPrefix(c, path) {
			n++
		}
	}
	return n
}

func (h *house) RoundTrip(r *http.Request) (*http.Response, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls = append(h.calls, r.URL.Path)
	if h.down {
		return &http.Response{StatusCode: 502, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("bad gateway"))}, nil
	}
	body := `{"code_url":"weixin://wxpay/bizpayurl?pr=1"}`
	if r.URL.Path == "/v3/certificates" {
		var list []any
		for _, l := range h.lists {
			list = append(list, map[string]any{
				"serial_no": l.serial, "effective_time": "2026-01-01T00:00:00+08:00", "expire_time": "2031-01-01T00:00:00+08:00",
				"encrypt_certificate": map[string]string{
					"algorithm": sealing, "nonce": "cert00000001", "associated_data": "certificate", "ciphertext": seal(h.t, h.sealing, "cert00000001", "certificate", l.cert),
				},
			})
		}
		raw, err := json.Marshal(map[string]any{"data": list})
		if err != nil {
			h.t.Fatal(err)
		}
		body = string(raw)
	}
	return &http.Response{StatusCode: 200, Header: sign(h.t, h.signs.key, h.signs.serial, h.now, "n", body), Body: io.NopCloser(strings.NewReader(body))}, nil
}

func (h *house) provider(v vectorFile, secret map[string]any) *Provider {
	h.t.Helper()
	secret["merchant_key"], secret["merchant_serial"], secret["api_v3_key"] = v.Keys.Merchant, v.Keys.Serial, v.Keys.Sealing
	raw, err := json.Marshal(secret)
	if err != nil {
		h.t.Fatal(err)
	}
	k, err := ParseKeys(string(raw))
	if err != nil {
		h.t.Fatal(err)
	}
	p, err := New(Options{
		Client: &http.Client{Transport: h}, Base: "https://api.mch.weixin.qq.com", Merchant: v.Config.Mchid, App: v.Config.Appid,
		Keys: k, NotifyURL: "https://shop.test/callbacks/wechat", Now: h.clock, Nonce: rand.Text,
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

func newHouse(t *testing.T, v vectorFile) (*house, turn, turn) {
	now := time.Unix(v.Unix, 0)
	a, b := newTurn(t, 0x0a00000001, now.AddDate(1, 0, 0)), newTurn(t, 0x7b01, now.AddDate(5, 0, 0))
	return &house{t: t, now: now, signs: a, lists: []turn{a}, sealing: v.Keys.Sealing}, a, b
}

func intent() payment.Intent {
	at := time.Unix(1768449600, 0)
	return payment.Intent{
		ID: "ORD2026000001", OrderID: "o", Amount: money.Amount{Minor: 1499, Currency: "CNY"}, Description: "d",
		NotifyURL: "https://shop.test/callbacks/wechat", CreatedAt: at, ExpiresAt: at.Add(5 * time.Minute),
	}
}

// says is a callback that the turn signs.
func (v vectorFile) says(t *testing.T, p *Provider, by turn, now time.Time) error {
	body := envelope(t, v.Keys.Sealing, plainPayment)
	_, err := p.ParseCallback(sign(t, by.key, by.serial, now, "n", body), []byte(body), now)
	return err
}

const list = "/v3/certificates"

// TestFirstDownload: a secret without platform keys has them fetched once, before
// anything is asked for; a callback that comes before is refused, and WeChat repeats it.
func TestFirstDownload(t *testing.T) {
	v := vectors(t)
	h, a, _ := newHouse(t, v)
	p := h.provider(v, map[string]any{})
	if err := v.says(t, p, a, h.clock()); !errors.Is(err, payment.ErrSignature) || len(h.calls) != 0 {
		t.Error(err, h.calls)
	}
	h.set(func() { h.down = true })
	if _, err := p.Create(t.Context(), intent()); !errors.Is(err, payment.ErrProviderDown) || h.count("/v3/pay") != 0 {
		t.Error("asked without a key to verify the answer:", err)
	}
	h.set(func() { h.down, h.now = false, h.now.Add(patience) })
	for range 3 {
		if _, err := p.Create(t.Context(), intent()); err != nil {
			t.Error(err)
		}
	}
	if err := v.says(t, p, a, h.clock()); err != nil || h.count(list) != 2 || h.count("/v3/pay") != 3 {
		t.Error(err, h.calls)
	}
}

// TestForgedSerialCallsNobody: nor does anything else that a callback holds.
func TestForgedSerialCallsNobody(t *testing.T) {
	v := vectors(t)
	h, a, b := newHouse(t, v)
	p := h.provider(v, map[string]any{"platform_certificates": []string{a.cert}})
	forged := b
	for i := range 20 {
		if i%2 == 1 {
			forged.serial = fmt.Sprintf("PUB_KEY_ID_%d", i)
		}
		if err := p.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := v.says(t, p, forged, h.clock()); !errors.Is(err, payment.ErrSignature) {
			t.Error(err)
		}
	}
	if len(h.calls) != 0 {
		t.Error(h.calls)
	}
	h.set(func() { h.now = h.now.Add(renewal) }) // even when it is time, once
	for range 20 {
		if err := errors.Join(p.Ready(t.Context()), v.says(t, p, forged, h.clock())); !errors.Is(err, payment.ErrSignature) {
			t.Error(err)
		}
	}
	if len(h.calls) != 1 || h.count(list) != 1 {
		t.Error(h.calls)
	}
}

// TestRotation: WeChat lists the next certificate beside the last, then signs with it,
// then lists it alone.
func TestRotation(t *testing.T) {
	v := vectors(t)
	h, a, b := newHouse(t, v)
	p := h.provider(v, map[string]any{"platform_certificates": []string{a.cert}})
	h.set(func() { h.lists, h.now = []turn{a, b}, h.now.Add(renewal) })
	if err := errors.Join(p.Ready(t.Context()), v.says(t, p, a, h.clock()), v.says(t, p, b, h.clock())); err != nil {
		t.Error(err)
	}
	h.set(func() { h.signs, h.lists, h.now = b, []turn{b}, h.now.Add(renewal) })
	if _, err := p.Create(t.Context(), intent()); err != nil {
		t.Error(err)
	}
	if err := v.says(t, p, b, h.clock()); err != nil {
		t.Error(err)
	}
	if err := v.says(t, p, a, h.clock()); !errors.Is(err, payment.ErrSignature) {
		t.Error("a certificate that is listed no more still counts:", err)
	}
	if h.count(list) != 2 {
		t.Error(h.calls)
	}
}

// TestAnswerOfAnotherKey: only an answer to our own request may hasten a download, once
// a minute.
func TestAnswerOfAnotherKey(t *testing.T) {
	v := vectors(t)
	h, a, b := newHouse(t, v)
	p := h.provider(v, map[string]any{"platform_certificates": []string{a.cert}})
	h.set(func() { h.signs, h.lists = b, []turn{a, b} })
	if _, err := p.Create(t.Context(), intent()); err != nil || h.count(list) != 1 {
		t.Error(err, h.calls)
	}
	stranger := newTurn(t, 3, v.later())
	h.set(func() { h.signs = stranger })
	for range 5 {
		if _, err := p.Create(t.Context(), intent()); !errors.Is(err, payment.ErrOutcome) {
			t.Error(err)
		}
	}
	if h.count(list) != 1 {
		t.Error(h.calls)
	}
	h.set(func() { h.now = h.now.Add(patience) })
	if _, err := p.Create(t.Context(), intent()); !errors.Is(err, payment.ErrOutcome) || h.count(list) != 2 {
		t.Error(err, h.calls)
	}
	if err := v.says(t, p, a, h.clock()); err != nil {
		t.Error("a list that cannot be verified took the keys away:", err)
	}
}

func (v vectorFile) later() time.Time { return time.Unix(v.Unix, 0).AddDate(1, 0, 0) }

// TestBadLists: each leaves the keys as they are.
func TestBadLists(t *testing.T) {
	v := vectors(t)
	for name, spoil := range map[string]func(h *house, a, b turn){
		"empty":                func(h *house, _, _ turn) { h.lists = nil },
		"sealed by another":    func(h *house, _, _ turn) { h.sealing = strings.Repeat("x", 32) },
		"of another serial":    func(h *house, a, b turn) { b.serial = "77"; h.lists = []turn{a, b} },
		"not a certificate":    func(h *house, a, b turn) { b.cert = v.Keys.Public; h.lists = []turn{a, b} },
		"ours":                 func(h *house, a, _ turn) { h.lists = []turn{a, {cert: v.Keys.Cert, serial: v.Keys.Serial}} },
		"signed by an old key": func(h *house, _, b turn) { h.signs = b },
		"all ended":            func(h *house, _, _ turn) { h.lists = []turn{newTurn(t, 9, h.now)} },
		"too many":             func(h *house, a, _ turn) { h.lists = slices.Repeat([]turn{a}, mostCerts+1) },
	} {
		h, a, b := newHouse(t, v)
		p := h.provider(v, map[string]any{"platform_certificates": []string{a.cert}})
		h.set(func() { h.now = h.now.Add(renewal); spoil(h, a, b) })
		if err := p.Ready(t.Context()); err != nil || h.count(list) != 1 { // the old list serves on
			t.Errorf("%s: %v %v", name, err, h.calls)
		}
		if err := v.says(t, p, a, h.clock()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := v.says(t, p, b, h.clock()); !errors.Is(err, payment.ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEndedCertificate(t *testing.T) {
	v := vectors(t)
	h, a, _ := newHouse(t, v)
	p := h.provider(v, map[string]any{"platform_certificates": []string{a.cert}})
	end := h.clock().AddDate(1, 0, 0)
	if err := v.says(t, p, a, end.Add(-time.Second)); err != nil {
		t.Error(err)
	}
	if err := v.says(t, p, a, end); !errors.Is(err, payment.ErrSignature) {
		t.Error(err)
	}
}

// TestNearTheEnd: a new instance whose certificate ends soon asks for the next one at once.
func TestNearTheEnd(t *testing.T) {
	v := vectors(t)
	h, _, b := newHouse(t, v)
	near := newTurn(t, 5, h.clock().AddDate(0, 5, 0))
	p := h.provider(v, map[string]any{"platform_certificates": []string{near.cert}})
	h.set(func() { h.signs, h.lists = near, []turn{near, b} })
	if err := errors.Join(p.Ready(t.Context()), v.says(t, p, b, h.clock())); err != nil || h.count(list) != 1 {
		t.Error(err, h.calls)
	}
}

// TestPublicKeyMode downloads nothing, whoever signs.
func TestPublicKeyMode(t *testing.T) {
	v := vectors(t)
	h, a, _ := newHouse(t, v)
	p := h.provider(v, map[string]any{"public_key_id": v.Keys.PublicID, "public_key": v.Keys.Public})
	h.set(func() { h.signs = turn{key: private(t, v.Keys.PublicKey), serial: v.Keys.PublicID} })
	if _, err := p.Create(t.Context(), intent()); err != nil {
		t.Error(err)
	}
	h.set(func() { h.now = h.now.Add(48 * time.Hour) })
	if err := p.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	h.set(func() { h.signs = a })
	if _, err := p.Create(t.Context(), intent()); !errors.Is(err, payment.ErrOutcome) || h.count(list) != 0 {
		t.Error(err, h.calls)
	}
}

// TestRenewTogether: many at once cause one download.
func TestRenewTogether(t *testing.T) {
	v := vectors(t)
	h, a, _ := newHouse(t, v)
	p := h.provider(v, map[string]any{})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, err := p.Create(t.Context(), intent()); err != nil {
				t.Error(err)
			}
			if err := v.says(t, p, a, h.clock()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if h.count(list) != 1 {
		t.Error(h.calls)
	}
}

func TestSecretIsRefused(t *testing.T) {
	v := vectors(t)
	good := map[string]any{"merchant_key": v.Keys.Merchant, "merchant_serial": v.Keys.Serial, "api_v3_key": v.Keys.Sealing}
	for name, with := range map[string]map[string]any{
		"no key":             {"merchant_key": ""},
		"a public key":       {"merchant_key": v.Keys.Public},
		"no serial":          {"merchant_serial": ""},
		"short sealing":      {"api_v3_key": "0123456789abcdef"},
		"id without key":     {"public_key_id": v.Keys.PublicID},
		"key without id":     {"public_key": v.Keys.Public},
		"id of another form": {"public_key": v.Keys.Public, "public_key_id": "KEY_1"},
		"our certificate":    {"platform_certificates": []string{v.Keys.Cert}},
		"key as certificate": {"platform_certificates": []string{v.Keys.Public}},
	} {
		in := map[string]any{}
		for _, m := range []map[string]any{good, with} {
			for k, x := range m {
				in[k] = x
			}
		}
		raw, _ := json.Marshal(in)
		if _, err := ParseKeys(string(raw)); err == nil || strings.Contains(err.Error(), "MII") || strings.Contains(err.Error(), v.Keys.Sealing) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, text := range []string{"", "{", "[]", `{"merchant_key":1}`} {
		if _, err := ParseKeys(text); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}
