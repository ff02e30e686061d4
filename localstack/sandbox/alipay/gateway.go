package alipay

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/fairseat/fairseat/localstack/sandbox/sim"
	"github.com/fairseat/fairseat/pkg/money"
)

const longest = 64 << 10

// no is a refusal by the rules of trades, code 40004.
type no string

func (n no) Error() string { return string(n) }

// answer is the node of an answer, its members in alphabetical order.
type answer map[string]any

// request is what a method needs of a form that was found good.
type request struct {
	content []byte
	notify  string
}

func (w *Wire) methods() map[string]func(request) (answer, error) {
	return map[string]func(request) (answer, error){
		"alipay.trade.precreate":                         w.precreate,
		"alipay.trade.query":                             w.query,
		"alipay.trade.close":                             w.close,
		"alipay.trade.refund":                            w.refund,
		"alipay.trade.fastpay.refund.query":              w.refundQuery,
		"alipay.data.dataservice.bill.downloadurl.query": w.bill,
	}
}

// gateway takes what is signed and shaped as Alipay wants it.
func (w *Wire) gateway(rw http.ResponseWriter, r *http.Request) {
	form, why := w.read(rw, r)
	do, known := w.methods()[form["method"]]
	if why == "" && !known {
		why = "isv.invalid-method"
	}
	rw.Header().Set("Content-Type", "text/html;charset=utf-8")
	if why != "" {
		w.opt.Log.Warn("refused", "method", form["method"], "why", why)
		io.WriteString(rw, text(map[string]any{"error_response": answer{"code": "40002", "msg": "Invalid Arguments", "sub_code": why, "sub_msg": "refused"}}))
		return
	}
	name := strings.ReplaceAll(form["method"], ".", "_") + "_response"
	fault := w.books.Fault()
	if fault == "unavailable" {
		io.WriteString(rw, w.signed(name, answer{"code": "20000", "msg": "Service Currently Unavailable", "sub_code": "isp.unknow-error", "sub_msg": "as asked for"}))
		return
	}
	out, err := do(request{[]byte(form["biz_content"]), form["notify_url"]})
	if fault == "lost" {
		panic(http.ErrAbortHandler) // it is done, and nobody hears of it
	}
	var refusal no
	switch {
	case errors.As(err, &refusal):
		out = answer{"code": "40004", "msg": "Business Failed", "sub_code": string(refusal), "sub_msg": "refused"}
	case err != nil:
		w.opt.Log.Error("failed", "method", form["method"], "err", err)
		out = answer{"code": "20000", "msg": "Service Currently Unavailable", "sub_code": "isp.unknow-error", "sub_msg": "see the log"}
	default:
		out["code"], out["msg"] = "10000", "Success"
	}
	io.WriteString(rw, w.signed(name, out))
}

// read answers the form and, where something is wrong with it, Alipay's word for it.
func (w *Wire) read(rw http.ResponseWriter, r *http.Request) (map[string]string, string) {
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, longest))
	if err != nil {
		return nil, "isv.invalid-parameter"
	}
	values, err := url.ParseQuery(string(body))
	if err != nil || r.URL.RawQuery != "charset=utf-8" || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return nil, "isv.invalid-parameter"
	}
	form := map[string]string{}
	for k, v := range values {
		if len(v) != 1 || v[0] == "" {
			return nil, "isv.invalid-parameter"
		}
		form[k] = v[0]
	}
	signature := form["sign"]
	delete(form, "sign")
	if form["app_id"] != w.opt.AppID {
		return form, "isv.invalid-app-id"
	}
	if form["sign_type"] != "RSA2" || !w.byShop(joined(form), signature) {
		return form, "isv.invalid-signature"
	}
	return form, w.shaped(form)
}

// shaped refuses what real requests do not have, and a clock in another zone.
func (w *Wire) shaped(form map[string]string) string {
	for k, v := range form {
		switch k {
		case "app_id", "method", "sign_type", "biz_content", "notify_url":
		case "format", "charset", "version":
			if v != map[string]string{"format": "JSON", "charset": "utf-8", "version": "1.0"}[k] {
				return "isv.invalid-" + k
			}
		case "timestamp":
			t, err := time.ParseInLocation(clock, v, zone)
			if age := time.Since(t); err != nil || age > 10*time.Minute || age < -10*time.Minute {
				return "isv.invalid-timestamp"
			}
		default:
			return "isv.invalid-parameter"
		}
	}
	for _, k := range []string{"charset", "timestamp", "version", "biz_content"} {
		if form[k] == "" {
			return "isv.missing-" + k
		}
	}
	return ""
}

func text(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // only our own maps come here
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// signed is the node, and the signature over its bytes.
func (w *Wire) signed(name string, node answer) string {
	raw := text(node)
	return `{"` + name + `":` + raw + `,"sign":"` + w.sign(raw) + `"}`
}

// strictly decodes the content; a member that Alipay's model lacks is refused.
func strictly(r request, into any) error {
	d := json.NewDecoder(bytes.NewReader(r.content))
	d.DisallowUnknownFields()
	if d.Decode(into) != nil {
		return no("ACQ.INVALID_PARAMETER")
	}
	return nil
}

var (
	ours        = regexp.MustCompile(`^[0-9A-Za-z_]{1,64}$`)
	twoDecimals = regexp.MustCompile(`^(0|[1-9]\d{0,8})\.\d\d$`)
)

// price reads yuan with two decimals.
func price(s string) (money.Amount, bool) {
	if !twoDecimals.MatchString(s) {
		return money.Amount{}, false
	}
	fen, err := strconv.ParseInt(strings.Replace(s, ".", "", 1), 10, 64)
	return money.Amount{Minor: fen, Currency: "CNY"}, err == nil && fen > 0
}

func encoded(f map[string]string) string {
	v := url.Values{}
	for k, s := range f {
		v.Set(k, s)
	}
	return v.Encode()
}

// refused gives a refusal of the books Alipay's word.
func refused(err error, words map[error]string) error {
	for of, word := range words {
		if errors.Is(err, of) {
			return no(word)
		}
	}
	var p *sim.Problem
	if errors.As(err, &p) {
		return no("ACQ.INVALID_PARAMETER")
	}
	return err
}
