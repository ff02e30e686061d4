package wechat

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/payment/internal/object"
	"github.com/fairseat/fairseat/pkg/payment/internal/rsakey"
)

type message struct {
	Headers map[string]string
	Body    string
}

func (m message) header() http.Header {
	h := http.Header{}
	for k, v := range m.Headers {
		h.Add(k, v)
	}
	return h
}

type vectorFile struct {
	Unix   int64
	Order  string
	Fen    int64 `json:"amount_fen"`
	Config struct{ Mchid, Appid string }
	Keys   struct {
		Merchant  string `json:"merchant_private_pem"`
		Serial    string `json:"merchant_serial"`
		Cert      string `json:"merchant_cert_pem"`
		Platform  string `json:"platform_cert_pem"`
		Signing   string `json:"platform_private_pem"`
		PublicID  string `json:"public_key_id"`
		Public    string `json:"public_key_pem"`
		PublicKey string `json:"public_key_private_pem"`
		Sealing   string `json:"api_v3_key"`
		Evil      string `json:"evil_private_pem"`
	}
	Requests []struct {
		Name, Method, URL, Body, Authorization, Timestamp string
		Nonce                                             string `json:"nonce_str"`
	}
	Responses []struct {
		Status int
		message
	}
	Sealed []struct {
		Key, Nonce, Plaintext string
		With                  string `json:"associated_data"`
		Ciphertext            string `json:"ciphertext_and_tag_base64"`
	} `json:"aes_256_gcm"`
	Callbacks []struct {
		Name    string
		Request message
	}
	MutationsUnix int64 `json:"mutations_unix"`
	Mutations     []struct {
		Name, Expect, Why string
		Request           message
	}
}

func vectors(t testing.TB) vectorFile {
	t.Helper()
	raw, err := os.ReadFile("testdata/vectors.json")
	var v vectorFile
	if err == nil {
		err = json.Unmarshal(raw, &v)
	}
	if err != nil || len(v.Mutations) != 58 || len(v.Requests) != 4 || len(v.Responses) != 3 || len(v.Sealed) != 4 || len(v.Callbacks) != 4 {
		t.Fatalf("%v: %d %d %d %d %d", err, len(v.Mutations), len(v.Requests), len(v.Responses), len(v.Sealed), len(v.Callbacks))
	}
	return v
}

// secret has both a certificate and the public key, as during a merchant's move.
func (v vectorFile) secret(t testing.TB) Keys {
	t.Helper()
	raw, err := json.Marshal(map[string]any{
		"merchant_key": v.Keys.Merchant, "merchant_serial": v.Keys.Serial, "api_v3_key": v.Keys.Sealing,
		"public_key_id": v.Keys.PublicID, "public_key": v.Keys.Public, "platform_certificates": []string{v.Keys.Platform},
	})
	if err != nil {
		t.Fatal(err)
	}
	k, err := ParseKeys(string(raw))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// transport answers requests without a network, and shows them to a test.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func (v vectorFile) provider(t testing.TB, now int64, answers transport) *Provider {
	t.Helper()
	if answers == nil {
		answers = func(r *http.Request) (*http.Response, error) {
			t.Errorf("called %s", r.URL)
			return nil, errors.New("nobody is there")
		}
	}
	p, err := New(Options{
		Client: &http.Client{Transport: answers}, Base: "https://api.mch.weixin.qq.com", Merchant: v.Config.Mchid, App: v.Config.Appid,
		Keys: v.secret(t), NotifyURL: "https://pay.example.test/pay/notify/wechat-refund",
		Now: func() time.Time { return time.Unix(now, 0) }, Nonce: rand.Text,
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestRequestVectors: what is sent is what the vectors have, to the byte.
func TestRequestVectors(t *testing.T) {
	v := vectors(t)
	fen := func(n int64) money.Amount { return money.Amount{Minor: n, Currency: "CNY"} }
	made := time.Unix(v.Unix, 0)
	id := payment.ID(v.Order)
	for i, do := range []func(*Provider) error{
		func(p *Provider) error {
			c, err := p.Create(t.Context(), payment.Intent{
				ID: id, Amount: fen(v.Fen), Description: "演唱会门票", NotifyURL: "https://pay.example.test/pay/notify/wechat",
				CreatedAt: made, ExpiresAt: made.Add(15 * time.Minute),
			})
			if err == nil && (c.Action != payment.Action{Kind: payment.ActionQR, Value: "weixin://wxpay/bizpayurl?pr=TESTONLY1"} || c.Report.State != payment.ReportPending) {
				err = fmt.Errorf("%+v", c)
			}
			return err
		},
		func(p *Provider) error { _, err := p.Query(t.Context(), payment.Ref{ID: id}); return err },
		func(p *Provider) error { _, err := p.Close(t.Context(), payment.Ref{ID: id}); return err },
		func(p *Provider) error {
			_, err := p.Refund(t.Context(), payment.RefundRequest{
				ID: "RF2026000001", Payment: payment.Ref{ID: id, Amount: fen(v.Fen)}, Amount: fen(500), Reason: "退票",
			})
			return err
		},
	} {
		want, sent := v.Requests[i], false
		p := v.provider(t, v.Unix, func(r *http.Request) (*http.Response, error) {
			body, _ := io.ReadAll(r.Body)
			sent = true
			if r.Method != want.Method || r.URL.RequestURI() != want.URL || string(body) != want.Body || r.Header.Get("Authorization") != want.Authorization {
				t.Errorf("%s: %s %s\n%s\n%s\nwant %s\n%s", want.Name, r.Method, r.URL, body, r.Header.Get("Authorization"), want.Body, want.Authorization)
			}
			if r.Header.Get("Wechatpay-Serial") != v.Keys.PublicID || r.Header.Get("Accept") != "application/json" {
				t.Errorf("%s: %v", want.Name, r.Header)
			}
			res := v.Responses[map[int]int{0: 0, 1: 1, 2: 2, 3: 0}[i]]
			return &http.Response{StatusCode: res.Status, Header: res.header(), Body: io.NopCloser(bytes.NewReader([]byte(res.Body)))}, nil
		})
		p.opt.Nonce = func() string { return want.Nonce }
		// The answers that fit are of a create and of a close; others are no answer.
		if err := do(p); !sent || (i == 0 || i == 2) != (err == nil) || err != nil && !errors.Is(err, payment.ErrOutcome) {
			t.Errorf("%s: %v", want.Name, err)
		}
	}
}

func TestAnswerVectors(t *testing.T) {
	v := vectors(t)
	p := v.provider(t, v.Unix, nil)
	for i, r := range v.Responses {
		if err := verify(r.header(), []byte(r.Body), time.Unix(v.Unix, 0), p.ring.find); err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
}

func TestSealVectors(t *testing.T) {
	v := vectors(t)
	p := v.provider(t, v.Unix, nil)
	for _, s := range v.Sealed {
		raw, _ := json.Marshal(map[string]string{"algorithm": sealing, "nonce": s.Nonce, "associated_data": s.With, "ciphertext": s.Ciphertext})
		got, err := p.unseal(object.Open(raw))
		if err != nil || string(got) != s.Plaintext || s.Key != string(p.opt.Keys.sealing) {
			t.Errorf("%.20s: %q %v", s.Plaintext, got, err)
		}
	}
	if _, err := p.unseal(object.Open([]byte(`{"algorithm":"AEAD_AES_256_GCM","nonce":"sixteen letters.","ciphertext":"AAAA"}`))); !errors.Is(err, payment.ErrSignature) {
		t.Error(err)
	}
}

// shop is our side of the vectors: one order, paid when a callback says so.
type shop struct {
	p   *Provider
	pay payment.Payment
	now time.Time
}

func (v vectorFile) shop(t testing.TB, now int64) *shop {
	return &shop{v.provider(t, now, nil), payment.Payment{
		ID: payment.ID(v.Order), OrderID: "o", Provider: payment.WeChat, State: payment.Pending,
		Amount: money.Amount{Minor: v.Fen, Currency: "CNY"},
	}, time.Unix(now, 0)}
}

// hear answers whether the callback was accepted and whether it changed anything.
func (s *shop) hear(h http.Header, body []byte) (sold bool, err error) {
	n, err := s.p.ParseCallback(h, body, s.now)
	if err != nil {
		return false, err
	}
	n = n.By(s.p.Name())
	if n.Payment == nil {
		return false, nil
	}
	r := *n.Payment
	if r.Payment != s.pay.ID {
		return false, payment.ErrNotFound
	}
	view := payment.HoldPayable
	if s.pay.State == payment.Captured {
		view = payment.HoldSoldByThis
	}
	verdict, err := payment.Settle(s.pay, payment.OrderView{ID: s.pay.OrderID, Total: s.pay.Amount}, view, r)
	if err != nil || verdict != payment.Confirm {
		return false, err
	}
	s.pay.State, s.pay.ProviderRef = payment.Captured, r.ProviderRef
	return true, nil
}

func TestCallbackVectors(t *testing.T) {
	v := vectors(t)
	for _, c := range v.Callbacks {
		s := v.shop(t, v.Unix)
		n, err := s.p.ParseCallback(c.Request.header(), []byte(c.Request.Body), s.now)
		if err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		paid := payment.Report{
			Payment: payment.ID(v.Order), ProviderRef: "4200205595984554069803434364", State: payment.ReportCaptured,
			Amount: s.pay.Amount, At: time.Date(2026, 1, 15, 3, 59, 58, 0, time.UTC),
		}
		back := payment.RefundReport{
			ID: "RF2026000001", Payment: payment.ID(v.Order), ProviderRef: "5020559598455406980343436496", State: payment.RefundDone,
			Amount: money.Amount{Minor: 500, Currency: "CNY"}, At: time.Date(2026, 1, 15, 4, 0, 0, 0, time.UTC),
		}
		all := back
		all.ID, all.Amount.Minor = "RF2026000002", v.Fen
		want := map[string]payment.Notice{
			"payment": {Payment: &paid}, "payment, public-key mode": {Payment: &paid}, "partial refund": {Refund: &back}, "full refund": {Refund: &all},
		}[c.Name]
		if !reflect.DeepEqual(n, want) {
			t.Errorf("%s: %+v", c.Name, n)
		}
	}
}

// TestMutationVectors: 58 callbacks, each alone; what is to be idempotent comes after
// the same money, and so does the money under a second number.
func TestMutationVectors(t *testing.T) {
	v := vectors(t)
	authentic := []error{payment.ErrSignature, payment.ErrReplayWindow, payment.ErrMalformed}
	business := []error{payment.ErrMismatch, payment.ErrMalformed, payment.ErrNotFound}
	of := func(err error, kinds []error) bool {
		return slices.ContainsFunc(kinds, func(k error) bool { return errors.Is(err, k) })
	}
	for _, m := range v.Mutations {
		s := v.shop(t, v.MutationsUnix)
		if m.Expect == "idempotent" || m.Name == "second-transaction-id" {
			first := v.Mutations[0].Request
			if sold, err := s.hear(first.header(), []byte(first.Body)); !sold || err != nil {
				t.Fatal(err)
			}
		}
		sold, err := s.hear(m.Request.header(), []byte(m.Request.Body))
		var right bool
		switch m.Expect {
		case "accept":
			right = sold && err == nil
		case "idempotent":
			right = !sold && err == nil
		case "reject-signature":
			right = !sold && of(err, authentic)
		case "reject-business":
			right = !sold && of(err, business)
		}
		if !right {
			t.Errorf("%s (%s): want %s, got sold %v, %v", m.Name, m.Why, m.Expect, sold, err)
		}
		if ack := s.p.Acknowledge(err); (ack.Status == 200) != (err == nil) || err != nil && (ack.Status < 400 || !bytes.Contains(ack.Body, []byte(`"FAIL"`))) {
			t.Errorf("%s: acknowledged with %d %s", m.Name, ack.Status, ack.Body)
		}
	}
}

// sign makes a callback or an answer as WeChat does.
func sign(t testing.TB, key *rsa.PrivateKey, serial string, at time.Time, nonce, body string) http.Header {
	t.Helper()
	ts := fmt.Sprint(at.Unix())
	return http.Header{
		headTime: {ts}, headNonce: {nonce}, headSerial: {serial}, headType: {scheme},
		headSignature: {signature(t, key, ts+"\n"+nonce+"\n"+body+"\n")},
	}
}

func private(t testing.TB, pem string) *rsa.PrivateKey {
	t.Helper()
	k, err := rsakey.Private(pem)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestHeadersAreSingle: a second value of any header is refused, whichever is right.
func TestHeadersAreSingle(t *testing.T) {
	v := vectors(t)
	s, good := v.shop(t, v.Unix), v.Callbacks[0].Request
	for _, name := range slices.Sorted(maps.Keys(good.header())) {
		if name == "Content-Type" {
			continue
		}
		h := good.header()
		h.Add(name, h.Get(name))
		if _, err := s.p.ParseCallback(h, []byte(good.Body), s.now); !errors.Is(err, payment.ErrSignature) {
			t.Errorf("%s twice: %v", name, err)
		}
	}
	h := good.header()
	h.Del(headType) // older callbacks have none
	if _, err := s.p.ParseCallback(h, []byte(good.Body), s.now); err != nil {
		t.Error(err)
	}
	if _, err := s.p.ParseCallback(good.header(), append([]byte(good.Body), make([]byte, maxBody)...), s.now); !errors.Is(err, payment.ErrMalformed) {
		t.Error(err)
	}
}
