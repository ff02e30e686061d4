package wechat

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// bill answers where the bill of a past day is, and what its bytes hash to.
func (w *Wire) bill(r *http.Request, _ []byte) (any, error) {
	date, of := r.URL.Query().Get("bill_date"), r.URL.Query().Get("bill_type")
	day, err := time.ParseInLocation(time.DateOnly, date, zone)
	if err != nil || of != "ALL" || len(r.URL.Query()) != 2 {
		return nil, bad
	}
	next := day.AddDate(0, 0, 1)
	if w.books.Now().Before(next) {
		return nil, no{http.StatusBadRequest, "STATEMENT_CREATING"}
	}
	if paid, back := w.books.Moved(day, next); len(paid)+len(back) == 0 {
		return nil, no{http.StatusBadRequest, "NO_STATEMENT_EXIST"}
	}
	sum := sha1.Sum([]byte(w.table(day)))
	return members{
		"hash_type": "SHA1", "hash_value": hex.EncodeToString(sum[:]),
		"download_url": w.opt.URL + "/v3/billdownload/file?" + url.Values{"token": {date + "." + w.ticket(date)}}.Encode(),
	}, nil
}

func (w *Wire) ticket(date string) string {
	m := hmac.New(sha256.New, []byte(w.salt))
	m.Write([]byte("bill." + date))
	return hex.EncodeToString(m.Sum(nil))[:32]
}

// download wants a signed request and signs nothing.
func (w *Wire) download(rw http.ResponseWriter, r *http.Request) {
	date, ticket, _ := strings.Cut(r.URL.Query().Get("token"), ".")
	day, err := time.ParseInLocation(time.DateOnly, date, zone)
	if err == nil {
		err = w.authorized(r, nil)
	}
	if err != nil || !hmac.Equal([]byte(ticket), []byte(w.ticket(date))) {
		send(rw, http.StatusForbidden, text(members{"code": "NO_AUTH", "message": "refused"}))
		return
	}
	rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
	rw.Write([]byte(w.table(day)))
}

const (
	head = "\ufeff交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注\n"
	foot = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\n"
)

// table is the movements of a day and their sums, each value behind a grave accent.
func (w *Wire) table(day time.Time) string {
	paid, back := w.books.Moved(day, day.AddDate(0, 0, 1))
	var b strings.Builder
	b.WriteString(head)
	var in, out int64
	for _, p := range paid {
		in += p.Amount.Minor
		w.line(&b, p.PaidAt, p.Ref, p.ID, "SUCCESS", p.Amount.Minor, 0, "0", "0", "", p.Description, p.Extra["attach"])
	}
	for _, r := range back {
		p, err := w.books.Payment(r.Payment)
		if err != nil {
			continue
		}
		out += r.Amount.Minor
		w.line(&b, r.At, p.Ref, p.ID, "REFUND", 0, r.Amount.Minor, r.Ref, r.ID, refundStates[r.State], p.Description, p.Extra["attach"])
	}
	b.WriteString(foot)
	row(&b, fmt.Sprint(len(paid)+len(back)), yuan(in), yuan(out), "0.00", "0.00000", yuan(in), yuan(out))
	return b.String()
}

func (w *Wire) line(b *strings.Builder, at time.Time, ref, number, state string, paid, back int64, backRef, backNumber, status, goods, attach string) {
	kind := ""
	if back > 0 {
		kind = "ORIGINAL"
	}
	row(b, at.In(zone).Format(time.DateTime), w.opt.App, w.opt.Merchant, "0", "", ref, number, "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", "NATIVE", state, "OTHERS", "CNY",
		yuan(paid), "0.00", backRef, backNumber, yuan(back), "0.00", kind, status, strings.ReplaceAll(goods, ",", " "), attach, "0.00000", "0.60%", yuan(paid), yuan(back), "")
}

func row(b *strings.Builder, values ...string) {
	b.WriteString("`" + strings.Join(values, ",`") + "\n")
}

func yuan(fen int64) string { return fmt.Sprintf("%d.%02d", fen/100, fen%100) }
