package alipay

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/localstack/sandbox/sim"
)

func drawn(t *testing.T) (*rsa.PrivateKey, string) {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return k, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// TestStrict: what is not signed and shaped as Alipay wants it is refused without a
// signature, and makes nothing.
func TestStrict(t *testing.T) {
	app, appText := drawn(t)
	_, ownText := drawn(t)
	log := slog.New(slog.DiscardHandler)
	w, err := New(Options{Keys: Keys{App: appText, Alipay: ownText}, AppID: "2021", Seller: "2088", URL: "http://h", Log: log})
	if err != nil {
		t.Fatal(err)
	}
	s, err := sim.New(sim.Options{Wire: w, Secret: w.Salt(), Now: time.Now, Random: func(int64) int64 { return 0 }, Log: log, URL: "http://h"})
	if err != nil {
		t.Fatal(err)
	}
	h := s.Handler()
	sign := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		sig, err := rsa.SignPKCS1v15(nil, app, crypto.SHA256, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		return base64.StdEncoding.EncodeToString(sig)
	}
	content := `{"out_trade_no":"p0000001","total_amount":"14.99","subject":"seats","seller_id":"2088","time_expire":"` + beijing(time.Now().Add(time.Hour)) + `","passback_params":"o1"}`
	good := map[string]string{
		"app_id": "2021", "method": "alipay.trade.precreate", "format": "JSON", "charset": "utf-8", "sign_type": "RSA2",
		"timestamp": beijing(time.Now()), "version": "1.0", "notify_url": "http://shop.test/callbacks/alipay", "biz_content": content,
	}
	send := func(target, body string) string {
		r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded;charset=utf-8")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Body.String()
	}
	signed := func(change func(map[string]string)) string {
		f := maps.Clone(good)
		change(f)
		f["sign"] = sign(joined(f))
		return encoded(f)
	}
	set := func(name, value string) string { return signed(func(f map[string]string) { f[name] = value }) }
	for name, body := range map[string]string{
		"unsigned": encoded(good), "application": set("app_id", "2022"), "algorithm": set("sign_type", "RSA"), "charset": set("charset", "gbk"),
		"version": set("version", "2.0"), "no timestamp": signed(func(f map[string]string) { delete(f, "timestamp") }),
		"another zone": set("timestamp", time.Now().UTC().Add(-time.Hour).Format(clock)), "unknown": set("return_to", "x"),
		"no content": signed(func(f map[string]string) { delete(f, "biz_content") }), "no such call": set("method", "alipay.trade.create"),
		"changed":   strings.Replace(signed(func(map[string]string) {}), "14.99", "14.98", 1),
		"twice":     signed(func(map[string]string) {}) + "&version=1.0",
		"empty one": signed(func(map[string]string) {}) + "&return_url=",
	} {
		if got := send("/gateway.do?charset=utf-8", body); !strings.HasPrefix(got, `{"error_response":`) || strings.Contains(got, `"sign"`) {
			t.Errorf("%s: %s", name, got)
		}
	}
	if got := send("/gateway.do", signed(func(map[string]string) {})); !strings.HasPrefix(got, `{"error_response":`) {
		t.Errorf("charset not in the address: %s", got)
	}
	for _, bad := range []string{
		strings.Replace(content, "14.99", "14.9", 1), strings.Replace(content, "14.99", "0.00", 1), strings.Replace(content, "seats", "a=b", 1),
		strings.Replace(content, "2088", "2089", 1), strings.Replace(content, "p0000001", "p-1", 1), strings.Replace(content, `"subject"`, `"Betreff"`, 1),
	} {
		if got := send("/gateway.do?charset=utf-8", set("biz_content", bad)); !strings.Contains(got, `"sub_code":"ACQ.INVALID_PARAMETER"`) {
			t.Errorf("%s: %s", bad, got)
		}
	}
	if _, err := s.Payment("p0000001"); err == nil {
		t.Error("something that was refused is there")
	}
	if got := send("/gateway.do?charset=utf-8", signed(func(map[string]string) {})); !strings.Contains(got, `"code":"10000"`) {
		t.Errorf("as it should be: %s", got)
	}
}
