package till

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/fairseat/fairseat/localstack/sandbox/unionpay"
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/payment"
)

// TestUnionPayOf: it is there where its address is, with keys of the form that the
// template puts together, and what it is told to believe besides has its limits.
func TestUnionPayOf(t *testing.T) {
	k, err := unionpay.Make(time.Now(), "777290058110048")
	if err != nil {
		t.Fatal(err)
	}
	ours, err := json.Marshal(map[string]string{"key": k.Key, "certificate": k.Certificate})
	if err != nil {
		t.Fatal(err)
	}
	authorities, err := json.Marshal(k.Authorities)
	if err != nil {
		t.Fatal(err)
	}
	text := `{"ours":` + string(ours) + "\n" + `,"authorities":` + string(authorities) + "\n}"
	shelved, _ := shelf(t, &text)
	set := map[string]string{}
	parts := &boot.Parts{Env: func(name string) string {
		if v, ok := set[name]; ok {
			return v
		}
		return shelved.Env(name)
	}}
	if p := unionpayOf(parts); p != nil || parts.Err() != nil {
		t.Error("without an address", parts.Err())
	}
	set["UNIONPAY_URL"], set["UNIONPAY_MERCHANT"], set["UNIONPAY_SECRET"], set["PUBLIC_URL"] = "http://127.0.0.1:1", "777290058110048", "bank", "https://shop.example/v1"
	for trust, gateway := range map[string]string{"": "", "strict": "", "sha1": "https://gateway.95516.com", "test": "https://gateway.test.95516.com"} {
		set["UNIONPAY_TRUST"] = trust
		if gateway != "" {
			set["UNIONPAY_URL"] = gateway
		}
		p := unionpayOf(parts)
		if p == nil || p.Name() != payment.UnionPay || parts.Err() != nil {
			t.Fatalf("%q: %v %v", trust, p, parts.Err())
		}
		if err := p.(payment.Keyed).Ready(t.Context()); err != nil {
			t.Errorf("%q: %v", trust, err)
		}
	}
	set["UNIONPAY_URL"], set["UNIONPAY_TRUST"] = "https://gateway.95516.com", "test"
	if err := unionpayOf(parts).(payment.Keyed).Ready(t.Context()); !errors.Is(err, payment.ErrProviderDown) {
		t.Errorf("the test environment's signer at the real gateway: %v", err)
	}
	set["UNIONPAY_TRUST"] = "all"
	if p := unionpayOf(parts); p != nil || parts.Err() == nil {
		t.Error("a trust that nobody knows")
	}
}
