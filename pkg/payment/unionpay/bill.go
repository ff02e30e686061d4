package unionpay

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/payment/internal/beijing"
)

// What a day's bill comes as, by UnionPay's demonstration pages and the code beside them:
// txnType 76 at an address of its own answers fileContent, which is base64 of zlib of a
// ZIP; in it the file with ZM_ in its name has a line for each transaction, of columns of
// fixed width with one byte between. ZME_, beside it, has disputes, which are no
// movements of ours.
const (
	txnFile    = "76"
	maxFile    = 64 << 20 // unpacked
	clearingAt = 23       // o'clock: a clearing day runs from the evening before to this
	readyAt    = 9        // o'clock on the next day
)

// The columns of a line that matter, of 41: where they begin and how wide they are. The
// text is GBK, but not in these.
type column struct{ at, wide int }

// widths are those that parseZMFile of the demonstration has, up to the merchant's own
// field. What follows is another from year to year.
var widths = []int{
	3, 11, 11, 6, 10, 19, 12, 4, 2, 21, 2, 32, 2, 6, 10, 13, 13, 4, 15, 2, 2, 6, 2, 4, 32, 1, 21, 15, 1, 15, 32, 13, 13, 8, 32,
}

var (
	colTime     = columnOf(4) // MMDDhhmmss
	colAmount   = columnOf(6) // fen
	colQuery    = columnOf(9)
	colOrder    = columnOf(11)
	colKind     = columnOf(19) // txnType
	colOriginal = columnOf(26) // queryId of what is given back
	colMerchant = columnOf(27)
	colReserved = columnOf(34) // reqReserved
)

func columnOf(n int) column {
	at := n
	for _, w := range widths[:n] {
		at += w
	}
	return column{at, widths[n]}
}

func (c column) of(line string) string { return strings.TrimSpace(line[c.at : c.at+c.wide]) }

var _ payment.Biller = (*Provider)(nil)

// Bill answers what moved on a day in Beijing. UnionPay clears from eleven to eleven in the
// evening, so a day is in two of its bills, and whole on the second morning after it. A
// refund whose payment is in neither bill, and that did not bring our number along, names
// no payment.
func (p *Provider) Bill(ctx context.Context, day time.Time) ([]payment.BillRow, error) {
	if p.files == nil {
		return nil, fmt.Errorf("bill: %w: no address of bills", payment.ErrNotFound)
	}
	local := day.In(beijing.Zone)
	from := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, beijing.Zone)
	to := from.AddDate(0, 0, 1)
	if p.now().Before(to.AddDate(0, 0, 1).Add(readyAt * time.Hour)) {
		return nil, fmt.Errorf("bill of %s: %w: not ready yet", from.Format(beijing.Day), payment.ErrNotFound)
	}
	var rows []payment.BillRow
	paid := map[string]payment.ID{}
	missing := 0
	for _, settled := range []time.Time{from, to} {
		text, err := p.file(ctx, settled)
		if errors.Is(err, payment.ErrNotFound) {
			missing++
			continue
		}
		var some []payment.BillRow
		if err == nil {
			some, err = p.lines(text, settled, paid)
		}
		if err != nil {
			return nil, fmt.Errorf("bill of %s: %w", settled.Format(beijing.Day), err)
		}
		rows = append(rows, some...)
	}
	if missing == 2 {
		return nil, fmt.Errorf("bill of %s: %w", from.Format(beijing.Day), payment.ErrNotFound)
	}
	out := []payment.BillRow{}
	for _, r := range rows {
		if !r.At.Before(from) && r.At.Before(to) {
			out = append(out, r)
		}
	}
	return out, nil
}

// file answers the transactions that were cleared on a day.
func (p *Provider) file(ctx context.Context, settled time.Time) (string, error) {
	m := p.common(txnFile, "01", channelPC)
	delete(m, "channelType")
	m["settleDate"] = settled.Format("0102")
	m["txnTime"] = beijing.Format(p.now(), beijing.Compact)
	m["fileType"] = "00"
	a, err := p.send(ctx, p.files.JoinPath("/"), m, maxBill)
	switch {
	case err != nil:
		return "", err
	case a["merId"] != p.merchant || a["settleDate"] != m["settleDate"]:
		return "", unusable(errors.New("answer is about something else"))
	case a["respCode"] == codeNoFile:
		return "", payment.ErrNotFound
	case a["respCode"] != codeOK:
		return "", refusal(a)
	}
	text, err := unpack(a["fileContent"])
	if err != nil {
		return "", unusable(err)
	}
	return text, nil
}

func unpack(content string) (string, error) {
	packed, err := base64.StdEncoding.DecodeString(content)
	if err != nil || len(packed) == 0 {
		return "", errors.New("fileContent is not base64")
	}
	z, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		return "", errors.New("fileContent is not zlib")
	}
	archive, err := bounded(z)
	if err != nil {
		return "", err
	}
	r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return "", errors.New("the file is not a ZIP")
	}
	for _, f := range r.File {
		if !strings.Contains(f.Name, "ZM_") {
			continue
		}
		in, err := f.Open()
		if err != nil {
			return "", err
		}
		text, err := bounded(in)
		return string(text), errors.Join(err, in.Close())
	}
	return "", errors.New("no ZM_ in the ZIP")
}

func bounded(r io.Reader) ([]byte, error) {
	out, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err == nil && len(out) > maxFile {
		err = fmt.Errorf("more than %d bytes", maxFile)
	}
	return out, err
}

// lines reads a bill as a whole or not at all. paid is filled with whose payment a number
// of UnionPay's is.
func (p *Provider) lines(text string, settled time.Time, paid map[string]payment.ID) ([]payment.BillRow, error) {
	var out []payment.BillRow
	var of []string // what each refund gives back
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			continue
		}
		r, original, err := p.row(line, settled)
		if err != nil {
			return nil, unusable(fmt.Errorf("line %d: %w", len(out)+1, err))
		}
		if r.Kind == payment.BillPayment {
			paid[r.ProviderRef] = r.Payment
		}
		out, of = append(out, r), append(of, original)
	}
	for i := range out {
		if out[i].Kind == payment.BillRefund && out[i].Payment == "" {
			out[i].Payment = paid[of[i]]
		}
	}
	return out, nil
}

func (p *Provider) row(line string, settled time.Time) (r payment.BillRow, original string, err error) {
	if len(line) < colReserved.at+colReserved.wide {
		return r, "", fmt.Errorf("%d bytes", len(line))
	}
	if colMerchant.of(line) != p.merchant {
		return r, "", errors.New("another merchant's")
	}
	r.ProviderRef, original = colQuery.of(line), colOriginal.of(line)
	number := colOrder.of(line)
	switch colKind.of(line) {
	case txnPay:
		r.Kind, r.Payment = payment.BillPayment, payment.ID(number)
	case txnRefund, txnVoid:
		r.Kind, r.Refund = payment.BillRefund, payment.RefundID(number)
		if id := payment.ID(colReserved.of(line)); id.Valid() {
			r.Payment = id
		}
	default:
		return r, "", errors.New("neither a payment nor a refund")
	}
	if !payment.ID(number).Valid() || !word(r.ProviderRef, 1, 32) {
		return r, "", errors.New("a number has not the form of one")
	}
	fen := strings.TrimLeft(colAmount.of(line), "0")
	if r.Amount, err = amount(message{"txnAmt": fen, "currencyCode": currencyCode}); err != nil {
		return r, "", err
	}
	r.At, err = clearedAt(colTime.of(line), settled)
	return r, original, err
}

// clearedAt completes MMDDhhmmss by the year of the clearing day, which may begin in the
// year before.
func clearedAt(s string, settled time.Time) (time.Time, error) {
	end := time.Date(settled.Year(), settled.Month(), settled.Day(), clearingAt, 0, 0, 0, beijing.Zone)
	t, err := beijing.Parse(beijing.Compact, fmt.Sprintf("%04d%s", settled.Year(), s))
	if err != nil {
		return t, errors.New("the time is not one")
	}
	if t.After(end.AddDate(0, 6, 0)) {
		t = t.AddDate(-1, 0, 0)
	}
	return t, nil
}
