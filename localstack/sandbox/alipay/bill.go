package alipay

import (
	"archive/zip"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// bill answers where the bill of a past day is.
func (w *Wire) bill(r request) (answer, error) {
	var in struct {
		Type string `json:"bill_type"`
		Date string `json:"bill_date"`
	}
	if err := strictly(r, &in); err != nil {
		return nil, err
	}
	day, err := time.ParseInLocation(time.DateOnly, in.Date, zone)
	if err != nil || in.Type != "trade" {
		return nil, no("isv.invalid-parameter")
	}
	next := day.AddDate(0, 0, 1)
	paid, back := w.books.Moved(day, next)
	if w.books.Now().Before(next) || len(paid)+len(back) == 0 {
		return nil, no("isp.bill_not_exist")
	}
	return answer{"bill_download_url": w.opt.URL + "/bills/" + in.Date + "/" + w.ticket(in.Date)}, nil
}

func (w *Wire) ticket(date string) string {
	m := hmac.New(sha256.New, []byte(w.salt))
	m.Write([]byte("bill." + date))
	return hex.EncodeToString(m.Sum(nil))[:32]
}

func (w *Wire) download(rw http.ResponseWriter, r *http.Request) {
	date := r.PathValue("date")
	day, err := time.ParseInLocation(time.DateOnly, date, zone)
	if err != nil || !hmac.Equal([]byte(r.PathValue("token")), []byte(w.ticket(date))) {
		http.NotFound(rw, r)
		return
	}
	table, sum := w.tables(day)
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, f := range []struct{ name, text string }{{"业务明细", table}, {"业务明细(汇总)", sum}} {
		in, err := z.Create(w.opt.Seller + "0156_" + strings.ReplaceAll(date, "-", "") + "_" + f.name + ".csv")
		if err == nil {
			err = gbk(in, f.text)
		}
		if err != nil {
			w.opt.Log.Error("bill", "err", err)
			http.Error(rw, "no bill", http.StatusInternalServerError)
			return
		}
	}
	if err := z.Close(); err != nil {
		w.opt.Log.Error("bill", "err", err)
	}
	rw.Header().Set("Content-Type", "application/zip")
	rw.Write(out.Bytes())
}

func gbk(to interface{ Write([]byte) (int, error) }, text string) error {
	raw, err := simplifiedchinese.GBK.NewEncoder().String(text)
	if err == nil {
		_, err = to.Write([]byte(raw))
	}
	return err
}

const (
	head = "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注\n"
	foot = "#-----------------------------------------业务明细列表结束------------------------------------\n"
)

// tables are the movements of a day, and their sum; values end in a tab, as Alipay's do.
func (w *Wire) tables(day time.Time) (movements, sum string) {
	var b strings.Builder
	fmt.Fprintf(&b, "#支付宝业务明细查询\n#账号：[%s0156]\n#起始日期：[%s]\n#-----------------------------------------业务明细列表----------------------------------------\n%s",
		w.opt.Seller, day.Format("2006年01月02日 15:04:05"), head)
	paid, back := w.books.Moved(day, day.AddDate(0, 0, 1))
	for _, p := range paid {
		line(&b, p.Ref, p.ID, "交易", p.Description, beijing(p.CreatedAt), beijing(p.PaidAt), yuan(p.Amount.Minor), "")
	}
	for _, r := range back {
		p, err := w.books.Payment(r.Payment)
		if err != nil {
			continue
		}
		line(&b, p.Ref, p.ID, "退款", p.Description, beijing(p.CreatedAt), beijing(r.At), "-"+yuan(r.Amount.Minor), r.ID)
	}
	b.WriteString(foot)
	return b.String(), fmt.Sprintf("#支付宝业务汇总查询\n门店编号,门店名称,交易订单总笔数,退款订单总笔数\n合计\t,\t,%d\t,%d\t\n", len(paid), len(back))
}

func line(b *strings.Builder, trade, number, kind, subject, made, done, amount, refund string) {
	cells := []string{trade, number, kind, strings.ReplaceAll(subject, ",", " "), made, done, "", "", "", "", "138****0000", amount, amount, "0.00", "0.00", "0.00", "0.00", "0.00", "", "0.00", "0.00", refund, "0.00", "0.00", ""}
	b.WriteString(strings.Join(cells, "\t,") + "\n")
}
