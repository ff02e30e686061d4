package alipay

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/payment/internal/beijing"
	"github.com/fairseat/fairseat/pkg/payment/internal/wire"
	"github.com/fairseat/fairseat/pkg/payment/internal/yuan"
)

const (
	maxBill  = 32 << 20  // bytes, zipped
	maxTable = 512 << 20 // bytes, unzipped: a bill cannot fill the memory of whoever reads it
)

var _ payment.Biller = (*Provider)(nil)

// Bill fetches the trade bill of a day, alipay.data.dataservice.bill.downloadurl.query:
// an address that is good for thirty seconds, of a zip of two tables in GBK, whose
// columns are named in a line of their own and whose comments begin with #. Alipay has
// a day's bill after nine the next morning. Source: Alipay's page on the call as
// republished (Aliyun 710932), and the tables as programs that read them describe them.
func (p *Provider) Bill(ctx context.Context, day time.Time) ([]payment.BillRow, error) {
	date := beijing.Format(day, beijing.Day)
	rows, err := p.bill(ctx, date)
	if err != nil {
		return nil, fmt.Errorf("bill of %s: %w", date, err)
	}
	return rows, nil
}

func (p *Provider) bill(ctx context.Context, date string) ([]payment.BillRow, error) {
	a, err := p.call(ctx, "alipay.data.dataservice.bill.downloadurl.query", struct {
		Type string `json:"bill_type"`
		Date string `json:"bill_date"`
	}{"trade", date}, "")
	var no *refusedError
	if errors.As(err, &no) && (strings.HasSuffix(strings.ToUpper(no.code), "BILL_NOT_EXIST") || strings.HasSuffix(strings.ToUpper(no.code), "NO_BILL_DATA")) {
		return nil, fmt.Errorf("%w: %v", payment.ErrNotFound, err)
	}
	if err != nil {
		return nil, final(err)
	}
	from := a.Text("bill_download_url")
	if err := a.Err(); err != nil {
		return nil, unusable(err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil, unusable(errors.New("address of the bill is none"))
	}
	answer, err := wire.Send(p.client, req, maxBill)
	if err == nil && answer.Status != http.StatusOK {
		err = unusable(fmt.Errorf("status %d", answer.Status))
	}
	if err != nil {
		return nil, err
	}
	rows, err := readBill(answer.Body)
	if err != nil {
		return nil, unusable(err)
	}
	return rows, nil
}

// readBill reads every table of the zip that lists movements; the summary does not.
func readBill(zipped []byte) ([]payment.BillRow, error) {
	z, err := zip.NewReader(bytes.NewReader(zipped), int64(len(zipped)))
	if err != nil {
		return nil, fmt.Errorf("not a zip: %w", err)
	}
	rows, lists := []payment.BillRow{}, 0
	for _, f := range z.File {
		more, listed, err := readTable(f)
		if err != nil {
			return nil, err
		}
		if listed {
			rows, lists = append(rows, more...), lists+1
		}
	}
	if lists != 1 {
		return nil, fmt.Errorf("%d lists of movements, not one", lists)
	}
	return rows, nil
}

func readTable(f *zip.File) (rows []payment.BillRow, listed bool, err error) {
	if f.UncompressedSize64 > maxTable {
		return nil, false, errors.New("table is too large")
	}
	in, err := f.Open()
	if err != nil {
		return nil, false, err
	}
	defer in.Close()
	lines := csv.NewReader(simplifiedchinese.GBK.NewDecoder().Reader(io.LimitReader(in, maxTable)))
	lines.Comment, lines.FieldsPerRecord, lines.LazyQuotes = '#', -1, true
	var at columns
	for {
		line, err := lines.Read()
		if err == io.EOF {
			return rows, listed, nil
		}
		if err != nil {
			return nil, false, err
		}
		for i := range line {
			line[i] = strings.TrimSpace(line[i]) // each value ends in a tab, lest a spreadsheet take it for a number
		}
		if !listed {
			at, listed = headed(line)
			continue
		}
		row, err := at.read(line)
		if err != nil {
			return nil, false, err
		}
		rows = append(rows, row)
	}
}

// columns is where in a line each value stands.
type columns struct{ trade, number, kind, at, amount, refund int }

func headed(line []string) (c columns, ok bool) {
	for name, at := range map[string]*int{
		"支付宝交易号": &c.trade, "商户订单号": &c.number, "业务类型": &c.kind, "完成时间": &c.at, "订单金额（元）": &c.amount, "退款批次号/请求号": &c.refund,
	} {
		if *at = slices.Index(line, name); *at < 0 {
			return columns{}, false
		}
	}
	return c, true
}

func (c columns) read(line []string) (payment.BillRow, error) {
	if len(line) <= max(c.trade, c.number, c.kind, c.at, c.amount, c.refund) {
		return payment.BillRow{}, fmt.Errorf("a line of %d columns", len(line))
	}
	row := payment.BillRow{Payment: payment.ID(line[c.number]), ProviderRef: line[c.trade]}
	sum := line[c.amount]
	switch line[c.kind] {
	case "交易":
		row.Kind = payment.BillPayment
	case "退款":
		row.Kind, row.Refund = payment.BillRefund, payment.RefundID(line[c.refund])
		sum = strings.TrimPrefix(sum, "-")
	default:
		return payment.BillRow{}, fmt.Errorf("payment %.40q: movement of kind %.40q", row.Payment, line[c.kind])
	}
	minor, err := yuan.Parse(sum)
	row.Amount = money.Amount{Minor: minor, Currency: currency}
	if err == nil {
		row.At, err = beijing.Parse(beijing.Seconds, line[c.at])
	}
	if err != nil {
		return payment.BillRow{}, fmt.Errorf("payment %.40q: %w", row.Payment, err)
	}
	return row, nil
}
