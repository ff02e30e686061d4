package wechat

import (
	"context"
	"crypto/sha1"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/payment/internal/beijing"
	"github.com/fairseat/fairseat/pkg/payment/internal/object"
	"github.com/fairseat/fairseat/pkg/payment/internal/yuan"
)

const (
	billFile = "/v3/billdownload/file"
	maxBill  = 256 << 20 // half a million lines or more
)

// Bill answers what WeChat booked on a day: its transaction bill of type ALL, which is
// ready at ten o'clock of the next day and kept for three months. Refunds are in it on
// the day on which they were taken on, and stand there whatever became of them.
//
// The file comes from an address that a signed answer names, unsigned itself; it is
// the one whose SHA-1 that answer told. The address must be the provider's own.
func (p *Provider) Bill(ctx context.Context, day time.Time) ([]payment.BillRow, error) {
	date := beijing.Format(day, beijing.Day)
	body, err := p.call(ctx, "GET", "/v3/bill/tradebill?"+url.Values{"bill_date": {date}, "bill_type": {"ALL"}}.Encode(), nil)
	if err != nil {
		return nil, fmt.Errorf("bill of %s: %w", date, err)
	}
	file, err := p.file(ctx, object.Open(body))
	if err != nil {
		return nil, fmt.Errorf("bill of %s: %w", date, err)
	}
	rows, err := p.readBill(file, date)
	if err != nil {
		return nil, fmt.Errorf("bill of %s: %w", date, unusable(err))
	}
	return rows, nil
}

func (p *Provider) file(ctx context.Context, r *object.Reader) ([]byte, error) {
	kind, want, from := r.Text("hash_type"), r.Text("hash_value"), r.Text("download_url")
	if r.Err() != nil || kind != "SHA1" {
		return nil, unusable(errors.Join(r.Err(), fmt.Errorf("hash of type %.20q", kind)))
	}
	u, err := url.Parse(from)
	if err != nil || u.Scheme != p.base.Scheme || u.Host != p.base.Host || u.Path != p.prefix+billFile || u.User != nil {
		return nil, unusable(errors.New("the file is at another address than the provider's"))
	}
	res, err := p.exchange(ctx, "GET", strings.TrimPrefix(u.RequestURI(), p.prefix), nil)
	if err != nil {
		return nil, err
	}
	sum := sha1.Sum(res.Body)
	if res.Status != 200 || !strings.EqualFold(hex.EncodeToString(sum[:]), want) {
		return nil, unusable(fmt.Errorf("answer %d, or a file of another SHA-1", res.Status))
	}
	return res.Body, nil
}

// Columns of a bill, found by their names: WeChat promises no order of them.
const (
	colTime     = "交易时间"
	colMerchant = "商户号"
	colPayment  = "商户订单号"
	colState    = "交易状态"
	colCurrency = "货币种类"
	colRef      = "微信订单号"
	colTotal    = "订单金额"
	colRefund   = "商户退款单号"
	colBackRef  = "微信退款单号"
	colBack     = "申请退款金额"
	summary     = "总交易单数" // begins the totals, which end the bill
)

// readBill reads a table of commas whose values begin with a grave accent each. That
// it has not ended in the middle, the totals show.
func (p *Provider) readBill(file []byte, date string) ([]payment.BillRow, error) {
	c := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(file), "\ufeff")))
	c.FieldsPerRecord, c.LazyQuotes, c.ReuseRecord = -1, true, true
	head, err := c.Read()
	if err != nil {
		return nil, errors.New("no line")
	}
	at := map[string]int{}
	for i, name := range head {
		at[name] = i
	}
	for _, name := range []string{colTime, colMerchant, colPayment, colState, colCurrency, colRef, colTotal, colRefund, colBackRef, colBack} {
		if _, ok := at[name]; !ok {
			return nil, fmt.Errorf("no column %s", name)
		}
	}
	width := len(head)
	var rows []payment.BillRow
	for {
		line, err := c.Read()
		if err != nil {
			return nil, errors.New("it ends before its totals")
		}
		if line[0] == summary {
			return rows, totals(c, len(rows))
		}
		if len(line) != width {
			return nil, fmt.Errorf("line %d has %d values", len(rows)+2, len(line))
		}
		row, err := p.billRow(func(name string) string { return strings.TrimPrefix(line[at[name]], "`") }, date)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", len(rows)+2, err)
		}
		rows = append(rows, row)
	}
}

func (p *Provider) billRow(value func(string) string, date string) (payment.BillRow, error) {
	if value(colMerchant) != p.opt.Merchant {
		return payment.BillRow{}, errors.New("of another merchant")
	}
	if c := value(colCurrency); c != currency {
		return payment.BillRow{}, fmt.Errorf("in %.8q", c)
	}
	row := payment.BillRow{Kind: payment.BillPayment, Payment: payment.ID(value(colPayment)), ProviderRef: value(colRef)}
	amount := value(colTotal)
	switch s := value(colState); s {
	case "SUCCESS":
	case "REFUND", "REVOKED": // given back by us, or by taking a barcode's payment back
		row.Kind, row.Refund, row.ProviderRef = payment.BillRefund, payment.RefundID(value(colRefund)), value(colBackRef)
		amount = value(colBack)
	default:
		return payment.BillRow{}, fmt.Errorf("state %.20q", s)
	}
	fen, err := yuan.Parse(amount)
	if err != nil {
		return payment.BillRow{}, err
	}
	if row.At, err = beijing.Parse(beijing.Seconds, value(colTime)); err != nil {
		return payment.BillRow{}, errors.New("its time is none")
	}
	if beijing.Format(row.At, beijing.Day) != date {
		return payment.BillRow{}, errors.New("of another day")
	}
	row.Amount = money.Amount{Minor: fen, Currency: currency}
	return row, nil
}

// totals compares the number of lines; the sums count in coupons, which we do not.
func totals(c *csv.Reader, lines int) error {
	line, err := c.Read()
	if err != nil || line[0] != fmt.Sprintf("`%d", lines) {
		return fmt.Errorf("its totals are not of %d lines", lines)
	}
	if _, err := c.Read(); err != io.EOF {
		return errors.New("lines follow its totals")
	}
	return nil
}
