package wechat

import (
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/payment"
)

// bill is laid out as in WeChat's own example of a downloaded one.
const bill = "\ufeff交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注\n" +
	"`2026-01-15 00:00:00,`wx0000000000000001,`1900000001,`0,`,`4200,`ORD2026000001,`oyak5qR,`NATIVE,`SUCCESS,`OTHERS,`CNY,`14.00,`0.99,`0,`0,`0.00,`0.00,`,`,`d,`o,`0.08000,`0.60%,`14.99,`0.00,`\n" +
	"`2026-01-15 23:59:59,`wx0000000000000001,`1900000001,`0,`,`4200,`ORD2026000001,`oyak5qR,`NATIVE,`REFUND,`OTHERS,`CNY,`0.00,`0.00,`50,`RF2026000001,`4.70,`0.00,`ORIGINAL,`PROCESSING,`d,`o,`-0.03000,`0.60%,`0.00,`5.00,`\n" +
	"总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\n" +
	"`2,`14.00,`4.70,`0.00,`0.05000,`14.99,`5.00\n"

// books is a provider whose bill is the text, told of by a signed answer.
func (v vectorFile) books(t *testing.T, text, from, sum string) *Provider {
	key, now := private(t, v.Keys.Signing), time.Unix(v.Unix, 0)
	return v.provider(t, v.Unix, func(r *http.Request) (*http.Response, error) {
		if r.URL.Path == billFile {
			if r.URL.RawQuery != "token=secret" || !strings.Contains(r.Header.Get("Authorization"), v.Config.Mchid) {
				t.Errorf("%s %v", r.URL, r.Header)
			}
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(text))}, nil
		}
		if r.URL.RequestURI() != "/v3/bill/tradebill?bill_date=2026-01-15&bill_type=ALL" {
			t.Error(r.URL)
		}
		body := `{"hash_type":"SHA1","hash_value":"` + sum + `","download_url":"` + from + `"}`
		return &http.Response{StatusCode: 200, Header: sign(t, key, serialOf(t, v.Keys.Platform), now, "n", body), Body: io.NopCloser(strings.NewReader(body))}, nil
	})
}

func sha1Of(s string) string {
	sum := sha1.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}

func TestBill(t *testing.T) {
	v := vectors(t)
	const from = "https://api.mch.weixin.qq.com/v3/billdownload/file?token=secret"
	day := time.Date(2026, 1, 14, 16, 0, 0, 0, time.UTC) // midnight of the 15th in Beijing
	rows, err := v.books(t, bill, from, sha1Of(bill)).Bill(t.Context(), day)
	want := []payment.BillRow{
		{Kind: payment.BillPayment, Payment: "ORD2026000001", ProviderRef: "4200", Amount: money.Amount{Minor: 1499, Currency: "CNY"}, At: day},
		{Kind: payment.BillRefund, Payment: "ORD2026000001", Refund: "RF2026000001", ProviderRef: "50", Amount: money.Amount{Minor: 500, Currency: "CNY"}, At: day.Add(24*time.Hour - time.Second)},
	}
	if err != nil || !reflect.DeepEqual(rows, want) {
		t.Errorf("%+v %v", rows, err)
	}
	none := bill[:strings.Index(bill, "`")] + bill[strings.Index(bill, "总"):strings.LastIndex(bill, "`2,")] + "`0,`0.00,`0.00,`0.00,`0.00000,`0.00,`0.00\n"
	if rows, err := v.books(t, none, from, sha1Of(none)).Bill(t.Context(), day); err != nil || len(rows) != 0 {
		t.Errorf("%+v %v", rows, err)
	}
	for name, change := range map[string][]string{
		"another merchant": {"`1900000001", "`1900000002"},
		"dollars":          {"`CNY", "`USD"},
		"another state":    {"`REFUND", "`LOST"},
		"another day":      {"2026-01-15 23", "2026-01-16 00"},
		"amount":           {"`14.99,`0.00,", "`1e1,`0.00,"},
		"no column":        {"申请退款金额,", "x,"},
		"a value too many": {"`NATIVE", "`NATIVE,`"},
		"a line less":      {"`2,", "`3,"},
		"cut":              {bill[strings.Index(bill, "总"):], ""},
		"more":             {"`14.99,`5.00\n", "`14.99,`5.00\n`1\n"},
		"nothing":          {bill, ""},
	} {
		text := strings.Replace(bill, change[0], change[1], 1)
		if rows, err := v.books(t, text, from, sha1Of(text)).Bill(t.Context(), day); !errors.Is(err, payment.ErrOutcome) {
			t.Errorf("%s: %+v %v", name, rows, err)
		}
	}
	for name, c := range map[string][2]string{
		"another host":   {"https://api.mch.weixin.qq.com.evil.test/v3/billdownload/file?token=secret", sha1Of(bill)},
		"another scheme": {"http://api.mch.weixin.qq.com/v3/billdownload/file?token=secret", sha1Of(bill)},
		"another path":   {"https://api.mch.weixin.qq.com/v3/certificates", sha1Of(bill)},
		"another file":   {from, sha1Of(bill + " ")},
		"no hash":        {from, ""},
	} {
		if rows, err := v.books(t, bill, c[0], c[1]).Bill(t.Context(), day); !errors.Is(err, payment.ErrOutcome) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %+v %v", name, rows, err)
		}
	}
	for _, code := range []string{"NO_STATEMENT_EXIST", "STATEMENT_CREATING"} {
		if rows, err := v.answers(t, 400, `{"code":"`+code+`"}`).Bill(t.Context(), day); !errors.Is(err, payment.ErrNotFound) {
			t.Errorf("%s: %+v %v", code, rows, err)
		}
	}
}
