package till

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/localstack/secrets"
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/payment/sandbox"
)

// keys is what a test's secret holds.
type keys struct {
	Secret string `json:"secret"`
}

// shelf serves one secret, and counts who asked.
func shelf(t *testing.T, text *string) (p *boot.Parts, asked *int) {
	t.Helper()
	asked = new(int)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked++
		secrets.New([]secrets.Secret{{Name: "bank", ARN: "arn:bank", Text: *text}}, time.Now()).ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return &boot.Parts{Env: func(name string) string {
		return map[string]string{
			"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_ENDPOINT_URL_SECRETS_MANAGER": s.URL,
		}[name]
	}}, asked
}

func TestKeysAreReadOnceAndLate(t *testing.T) {
	text := `{"secret":"golden"}`
	parts, asked := shelf(t, &text)
	p := fromSecret(parts, payment.Alipay, "bank", func(k keys) (payment.Provider, error) {
		return sandbox.New(client(), "http://127.0.0.1:1", k.Secret, boot.Clock)
	})
	if p.Name() != payment.Alipay || *asked != 0 {
		t.Errorf("a start asked %d times", *asked)
	}
	if _, err := p.ParseCallback(nil, []byte("{}"), time.Now()); !errors.Is(err, payment.ErrProviderDown) || *asked != 0 {
		t.Errorf("a callback before the keys: %v, asked %d times", err, *asked)
	}
	if ack := p.Acknowledge(nil); ack.Status != http.StatusServiceUnavailable {
		t.Errorf("acknowledged without keys: %d", ack.Status)
	}
	for name, bad := range map[string]string{"no JSON": "golden", "another form": `{"secret":"golden","more":1}`, "no key": `{}`} {
		text = bad
		err := p.(payment.Keyed).Ready(t.Context())
		if !errors.Is(err, payment.ErrProviderDown) || strings.Contains(err.Error(), "golden") {
			t.Errorf("%s: %v", name, err)
		}
	}
	text = `{"secret":"golden"}`
	if _, err := p.Query(t.Context(), payment.Ref{ID: "p0000001"}); !errors.Is(err, payment.ErrProviderDown) { // nobody listens there
		t.Error(err)
	}
	if _, err := p.ParseCallback(nil, []byte("{}"), time.Now()); !errors.Is(err, payment.ErrSignature) {
		t.Error(err)
	}
	for range 3 {
		if err := p.(payment.Keyed).Ready(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if *asked != 4 {
		t.Errorf("asked %d times", *asked)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	other := fromSecret(parts, payment.Alipay, "bank", func(keys) (payment.Provider, error) { panic("made") })
	if _, err := other.Create(gone, payment.Intent{}); !errors.Is(err, payment.ErrProviderDown) {
		t.Error(err)
	}
}

func TestOneCurrency(t *testing.T) {
	p := &late{}
	if !p.Takes(money.Amount{Minor: 1, Currency: "CNY"}) || p.Takes(money.Amount{Minor: 1, Currency: "USD"}) {
		t.Error("CNY is what they take")
	}
}

// TestAlipayOf: it is there where its address is, and then all else must be.
func TestAlipayOf(t *testing.T) {
	set := map[string]string{"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"}
	parts := &boot.Parts{Env: func(name string) string { return set[name] }}
	if p := alipayOf(parts); p != nil {
		t.Error("without an address")
	}
	set["ALIPAY_URL"], set["ALIPAY_APP_ID"], set["ALIPAY_SELLER_ID"], set["ALIPAY_SECRET"] = "http://127.0.0.1:1/gateway.do", "1", "2", "arn"
	if p := alipayOf(parts); p == nil || p.Name() != payment.Alipay {
		t.Error(p)
	}
}

// TestTheSandboxStandsAlone: nobody gets seats for nothing where money is taken.
func TestTheSandboxStandsAlone(t *testing.T) {
	for _, c := range []struct {
		sandbox, alipay, wechat string
		fails                   bool
	}{
		{"http://127.0.0.1:3010", "", "", false},
		{"http://127.0.0.1:3010", "http://127.0.0.1:3010/alipay/gateway.do", "http://[::1]:3010/wechat", false},
		{"", "https://openapi.alipay.com/gateway.do", "https://api.mch.weixin.qq.com", false},
		{"http://127.0.0.1:3010", "https://openapi.alipay.com/gateway.do", "", true},
		{"https://sandbox.example", "", "https://api.mch.weixin.qq.com", true},
		{"https://sandbox.example", "", "http://localhost.example", true},
	} {
		set := map[string]string{"SANDBOX_URL": c.sandbox, "ALIPAY_URL": c.alipay, "WECHAT_URL": c.wechat}
		if c.alipay == "" { // any of them will do
			set["UNIONPAY_URL"], set["WECHAT_URL"] = c.wechat, ""
		}
		parts := &boot.Parts{Env: func(name string) string { return set[name] }}
		if alone(parts); (parts.Err() != nil) != c.fails {
			t.Errorf("%+v: %v", c, parts.Err())
		}
	}
}
