package wechat

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/localstack/sandbox/sim"
)

// desk is a gateway, and a merchant who signs as he is told.
type desk struct {
	t    *testing.T
	keys Keys
	key  *rsa.PrivateKey
	h    http.Handler
}

var now = time.Date(2026, 1, 15, 4, 0, 0, 0, time.UTC)

func newDesk(t *testing.T) *desk {
	t.Helper()
	keys, err := NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	key, err := readPrivate(keys.Merchant)
	if err != nil {
		t.Fatal(err)
	}
	clock := func() time.Time { return now }
	w, err := New(Options{Keys: keys, Merchant: "1900000001", App: "wx1", URL: "http://127.0.0.1:1", Now: clock, Nonce: rand.Text, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	s, err := sim.New(sim.Options{Wire: w, Secret: w.Salt(), Now: clock, URL: "http://127.0.0.1:1", Random: func(int64) int64 { return 0 }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return &desk{t, keys, key, s.Handler()}
}

// head is a right Authorization.
func (d *desk) head(method, uri, body string, at time.Time) string {
	ts, nonce := fmt.Sprint(at.Unix()), strings.Repeat("n", 32)
	sum := sha256.Sum256([]byte(method + "\n" + uri + "\n" + ts + "\n" + nonce + "\n" + body + "\n"))
	sig, err := rsa.SignPKCS1v15(nil, d.key, crypto.SHA256, sum[:])
	if err != nil {
		d.t.Fatal(err)
	}
	return `WECHATPAY2-SHA256-RSA2048 mchid="1900000001",serial_no="` + d.keys.Serial + `",timestamp="` + ts +
		`",nonce_str="` + nonce + `",signature="` + base64.StdEncoding.EncodeToString(sig) + `"`
}

func (d *desk) do(method, uri, body, authorization string, change func(http.Header)) (int, string) {
	r := httptest.NewRequest(method, uri, strings.NewReader(body))
	r.Header.Set("Authorization", authorization)
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "test")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if change != nil {
		change(r.Header)
	}
	rec := httptest.NewRecorder()
	d.h.ServeHTTP(rec, r)
	out, _ := io.ReadAll(rec.Result().Body)
	return rec.Code, string(out)
}

func (d *desk) ask(method, uri, body string) (int, string) {
	return d.do(method, uri, body, d.head(method, uri, body, now), nil)
}

const native = "/v3/pay/transactions/native"

const good = `{"appid":"wx1","mchid":"1900000001","description":"d","out_trade_no":"ORD00001","time_expire":"2026-01-15T12:15:00+08:00","attach":"o_1","notify_url":"https://shop.test/n","amount":{"total":1499,"currency":"CNY"}}`

// TestHeader: one thing wrong with who asks, or with what he signs, and nothing is done.
func TestHeader(t *testing.T) {
	d := newDesk(t)
	right := d.head("POST", native, good, now)
	for name, c := range map[string]struct {
		authorization string
		change        func(http.Header)
	}{
		"none":            {"", nil},
		"another type":    {strings.Replace(right, "SHA256", "SM2", 1), nil},
		"a part less":     {strings.Replace(right, `mchid="1900000001",`, "", 1), nil},
		"a part twice":    {strings.Replace(right, `mchid="1900000001",`, `mchid="1900000001",mchid="1900000001",`, 1), nil},
		"a part more":     {right + `,x="1"`, nil},
		"another serial":  {strings.Replace(right, d.keys.Serial, "12", 1), nil},
		"a short nonce":   {strings.Replace(right, strings.Repeat("n", 32), "n", 1), nil},
		"another time":    {strings.Replace(right, fmt.Sprint(now.Unix()), fmt.Sprint(now.Unix()+1), 1), nil},
		"late":            {d.head("POST", native, good, now.Add(-301*time.Second)), nil},
		"early":           {d.head("POST", native, good, now.Add(301*time.Second)), nil},
		"another body":    {d.head("POST", native, good+" ", now), nil},
		"another path":    {d.head("POST", native+"/", good, now), nil},
		"another method":  {d.head("PUT", native, good, now), nil},
		"not base64":      {strings.Replace(right, `signature="`, `signature="!`, 1), nil},
		"no accept":       {right, func(h http.Header) { h.Del("Accept") }},
		"no agent":        {right, func(h http.Header) { h.Set("User-Agent", "") }},
		"a form":          {right, func(h http.Header) { h.Set("Content-Type", "application/x-www-form-urlencoded") }},
		"another key id":  {right, func(h http.Header) { h.Set("Wechatpay-Serial", "PUB_KEY_ID_1") }},
		"two authorities": {right, func(h http.Header) { h.Add("Authorization", right) }},
	} {
		if status, body := d.do("POST", native, good, c.authorization, c.change); status != 401 || !strings.Contains(body, "SIGN_ERROR") {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	if status, body := d.ask("GET", "/v3/pay/transactions/out-trade-no/ORD00001?mchid=1900000001", ""); status != 404 || !strings.Contains(body, "ORDER_NOT_EXIST") {
		t.Errorf("something was done: %d %s", status, body)
	}
	if status, body := d.do("POST", native, good, right, nil); status != 200 || !strings.Contains(body, "code_url") {
		t.Errorf("%d %s", status, body)
	}
}

// TestShape: what is signed rightly and asked wrongly.
func TestShape(t *testing.T) {
	d := newDesk(t)
	for name, change := range map[string][]string{
		"another app":       {`"wx1"`, `"wx2"`},
		"another merchant":  {`"1900000001"`, `"1900000002"`},
		"unknown member":    {`"attach"`, `"attachment"`},
		"null":              {`"o_1"`, `null`},
		"space":             {`"d",`, `"d", `},
		"short number":      {"ORD00001", "ORD1"},
		"number":            {"ORD00001", "ORD/0001"},
		"no description":    {`"d"`, `""`},
		"long description":  {`"d"`, `"` + strings.Repeat("票", 43) + `"`},
		"nothing":           {"1499", "0"},
		"a fraction":        {"1499", "14.99"},
		"text":              {"1499", `"1499"`},
		"dollars":           {"CNY", "USD"},
		"another zone":      {"12:15:00+08:00", "04:15:00Z"},
		"over":              {"12:15:00", "12:00:00"},
		"notify with query": {"/n", "/n?a=1"},
		"notify over http":  {"https://shop", "http://shop"},
	} {
		if status, body := d.ask("POST", native, strings.Replace(good, change[0], change[1], 1)); status != 400 {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	if status, body := d.ask("POST", native, good); status != 200 {
		t.Fatal(status, body)
	}
	for _, change := range [][]string{{"1499", "1498"}, {`"d"`, `"e"`}, {"o_1", "o_2"}, {"12:15", "12:16"}, {"/n", "/m"}} {
		if status, body := d.ask("POST", native, strings.Replace(good, change[0], change[1], 1)); status != 400 || !strings.Contains(body, "INVALID_REQUEST") {
			t.Errorf("again with %s: %d %s", change[1], status, body)
		}
	}
	for uri, want := range map[string]int{
		"/v3/pay/transactions/out-trade-no/ORD00001?mchid=1900000001":     200,
		"/v3/pay/transactions/out-trade-no/ORD00001":                      400,
		"/v3/pay/transactions/out-trade-no/ORD00001?mchid=1900000002":     400,
		"/v3/pay/transactions/out-trade-no/ORD00001?mchid=1900000001&a=1": 400,
		"/v3/pay/transactions/out-trade-no/ORD00002?mchid=1900000001":     404,
		"/v3/refund/domestic/refunds/RF1":                                 404,
		"/v3/certificates":                                                200,
		"/v3/bill/tradebill?bill_date=2026-01-14&bill_type=ALL":           400,
		"/v3/bill/tradebill?bill_date=yesterday&bill_type=ALL":            400,
		"/v3/billdownload/file?token=2026-01-14.x":                        403,
	} {
		if status, body := d.ask("GET", uri, ""); status != want {
			t.Errorf("%s: %d %s", uri, status, body)
		}
	}
	back := `{"out_trade_no":"ORD00001","out_refund_no":"RF1","notify_url":"https://shop.test/n","amount":{"refund":1,"total":1499,"currency":"CNY"}}`
	for name, change := range map[string][]string{
		"not paid":      {"", ""},
		"another total": {"1499", "1"},
		"nothing":       {`"refund":1`, `"refund":0`},
		"number":        {"RF1", "RF 1"},
	} {
		if status, body := d.ask("POST", "/v3/refund/domestic/refunds", strings.Replace(back, change[0], change[1], 1)); status != 400 {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
}

func TestKeysAreRead(t *testing.T) {
	good, err := NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Keys){
		"no key":         func(k *Keys) { k.Merchant = "" },
		"a certificate":  func(k *Keys) { k.Public = k.Certificate },
		"no platform":    func(k *Keys) { k.Platform = "x" },
		"no certificate": func(k *Keys) { k.Certificate = k.Platform },
		"short sealing":  func(k *Keys) { k.Sealing = "x" },
		"no serial":      func(k *Keys) { k.Serial = "" },
	} {
		k := good
		spoil(&k)
		var r ring
		if r.read(k) == nil {
			t.Error(name)
		}
	}
	if secret, err := good.Secret(true, true); err != nil || strings.Contains(secret, strings.Split(good.Platform, "\n")[3]) || strings.Contains(secret, strings.Split(good.Public, "\n")[3]) {
		t.Error("the shop is given what it must not have", err)
	}
}
