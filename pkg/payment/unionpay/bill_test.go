package unionpay

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/payment"
)

// line writes one as UnionPay does, column by column.
func line(columns map[int]string) string {
	var b strings.Builder
	for i, w := range append(slices.Clone(widths), 13, 13, 12, 2, 1, 32, 98) {
		text := columns[i]
		if i == 6 {
			text = fmt.Sprintf("%0*s", w, text)
		}
		fmt.Fprintf(&b, "%-*s ", w, text)
	}
	return b.String() + "\r\n"
}

func paidLine(order, query, at, fen string) string {
	return line(map[int]string{0: "S22", 4: at, 5: "6216***********0018", 6: fen, 9: query, 11: order, 19: "01", 20: "07", 27: "777290058110048", 30: "\xd1\xdd"})
}

func backLine(order, query, at, fen, original, reserved string) string {
	return line(map[int]string{0: "S30", 4: at, 6: fen, 9: query, 11: order, 19: "04", 20: "00", 26: original, 27: "777290058110048", 34: reserved})
}

func pack(t testing.TB, files ...string) string {
	t.Helper()
	var archive, out bytes.Buffer
	z := zip.NewWriter(&archive)
	for i := 0; i < len(files); i += 2 {
		w, err := z.Create(files[i])
		if err == nil {
			_, err = w.Write([]byte(files[i+1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	d := zlib.NewWriter(&out)
	if _, err := d.Write(archive.Bytes()); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(out.Bytes())
}

// billed is UnionPay with a file for some clearing days.
func billed(t *testing.T, files map[string]string, now time.Time) (*desk, *Provider) {
	d, p := newDesk(t, func(_ string, m message) message {
		out := message{"merId": m["merId"], "settleDate": m["settleDate"], "txnTime": m["txnTime"], "respCode": "98"}
		if text, ok := files[m["settleDate"]]; ok {
			out["respCode"] = "00"
			out["fileContent"] = pack(t, "INN26011588ZME_777290058110048", "disputes", "INN26011588ZM_777290058110048", text)
		}
		return out
	})
	p.now = func() time.Time { return now }
	return d, p
}

func TestBill(t *testing.T) {
	files := map[string]string{
		"0115": paidLine("ORD2026000000", "9", "0114235959", "100") + paidLine("ORD2026000001", "1", "0115000000", "1499") +
			backLine("RF2026000001", "2", "0115225959", "500", "1", "") + backLine("RF2026000002", "3", "0115120000", "1", "8", ""),
		"0116": paidLine("ORD2026000002", "4", "0115235959", "100000000") + backLine("RF2026000003", "5", "0115230000", "999", "1", "") +
			backLine("RF2026000004", "6", "0115231500", "7", "8", "ORD2025999999") + paidLine("ORD2026000003", "7", "0116000000", "1"),
	}
	day := time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)
	d, p := billed(t, files, time.Date(2026, 1, 17, 1, 0, 0, 0, time.UTC))
	got, err := p.Bill(t.Context(), day)
	if err != nil {
		t.Fatal(err)
	}
	at := func(h, m, s int) time.Time {
		return time.Date(2026, 1, 15, h, m, s, 0, time.FixedZone("", 8*3600)).UTC()
	}
	want := []payment.BillRow{
		{Kind: payment.BillPayment, Payment: "ORD2026000001", ProviderRef: "1", Amount: yuan(1499), At: at(0, 0, 0)},
		{Kind: payment.BillRefund, Payment: "ORD2026000001", Refund: "RF2026000001", ProviderRef: "2", Amount: yuan(500), At: at(22, 59, 59)},
		{Kind: payment.BillRefund, Refund: "RF2026000002", ProviderRef: "3", Amount: yuan(1), At: at(12, 0, 0)},
		{Kind: payment.BillPayment, Payment: "ORD2026000002", ProviderRef: "4", Amount: yuan(100000000), At: at(23, 59, 59)},
		{Kind: payment.BillRefund, Payment: "ORD2026000001", Refund: "RF2026000003", ProviderRef: "5", Amount: yuan(999), At: at(23, 0, 0)},
		{Kind: payment.BillRefund, Payment: "ORD2025999999", Refund: "RF2026000004", ProviderRef: "6", Amount: yuan(7), At: at(23, 15, 0)},
	}
	if !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
	asked := d.asked[0]
	if asked["txnType"] != "76" || asked["txnSubType"] != "01" || asked["fileType"] != "00" || asked["settleDate"] != "0115" || d.paths[0] != "/" || len(d.asked) != 2 {
		t.Errorf("asked %v at %v", asked, d.paths)
	}
}

func TestBillOfADayThatIsNotThere(t *testing.T) {
	day := time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)
	one := map[string]string{"0115": paidLine("ORD2026000001", "1", "0115000000", "1499")}
	for name, c := range map[string]struct {
		files map[string]string
		now   time.Time
		rows  int
		err   error
	}{
		"too early":        {one, time.Date(2026, 1, 17, 0, 59, 59, 0, time.UTC), 0, payment.ErrNotFound},
		"nothing moved":    {nil, time.Date(2026, 1, 18, 0, 0, 0, 0, time.UTC), 0, payment.ErrNotFound},
		"a quiet day then": {one, time.Date(2026, 1, 18, 0, 0, 0, 0, time.UTC), 1, nil},
		"an empty file":    {map[string]string{"0116": ""}, time.Date(2026, 1, 18, 0, 0, 0, 0, time.UTC), 0, nil},
	} {
		_, p := billed(t, c.files, c.now)
		got, err := p.Bill(t.Context(), day)
		if len(got) != c.rows || !errors.Is(err, c.err) || (c.err == nil) != (err == nil) {
			t.Errorf("%s: %v %v", name, got, err)
		}
	}
	_, p := billed(t, one, time.Date(2026, 1, 18, 0, 0, 0, 0, time.UTC))
	p.files = nil
	if _, err := p.Bill(t.Context(), day); !errors.Is(err, payment.ErrNotFound) {
		t.Errorf("without an address: %v", err)
	}
}

// TestBillAtNewYear: lines have no year, and a clearing day begins in the evening before.
func TestBillAtNewYear(t *testing.T) {
	_, p := billed(t, map[string]string{
		"1231": paidLine("ORD2026000001", "1", "1231100000", "1"), "0101": paidLine("ORD2026000002", "2", "1231233000", "1") + paidLine("ORD2026000003", "3", "0101000000", "1"),
	}, time.Date(2027, 1, 3, 0, 0, 0, 0, time.UTC))
	got, err := p.Bill(t.Context(), time.Date(2026, 12, 31, 1, 0, 0, 0, time.UTC))
	if err != nil || len(got) != 2 || got[0].Payment != "ORD2026000001" || got[1].Payment != "ORD2026000002" || got[1].At.Year() != 2026 {
		t.Errorf("%+v %v", got, err)
	}
}

// TestBillIsReadWholeOrNotAtAll: a line that cannot be right spoils the bill.
func TestBillIsReadWholeOrNotAtAll(t *testing.T) {
	good := paidLine("ORD2026000001", "1", "0115000000", "1499")
	for name, bad := range map[string]string{
		"cut":              good[:200],
		"another merchant": strings.Replace(good, "777290058110048", "777290058110049", 1),
		"another kind":     line(map[int]string{4: "0115000000", 6: "1", 9: "1", 11: "ORD2026000001", 19: "02", 27: "777290058110048"}),
		"no amount":        paidLine("ORD2026000001", "1", "0115000000", ""),
		"letters":          paidLine("ORD2026000001", "1", "0115000000", "14x9"),
		"no such day":      paidLine("ORD2026000001", "1", "0230000000", "1499"),
		"no order":         paidLine("", "1", "0115000000", "1499"),
		"no number":        paidLine("ORD2026000001", "", "0115000000", "1499"),
	} {
		_, p := billed(t, map[string]string{"0115": good + bad}, time.Date(2026, 1, 18, 0, 0, 0, 0, time.UTC))
		if got, err := p.Bill(t.Context(), sent); !errors.Is(err, payment.ErrOutcome) || got != nil {
			t.Errorf("%s: %v %v", name, got, err)
		}
	}
}

func TestUnpackRefuses(t *testing.T) {
	whole := pack(t, "INN26011588ZM_1", "x")
	raw, err := base64.StdEncoding.DecodeString(whole)
	if err != nil {
		t.Fatal(err)
	}
	var plain bytes.Buffer
	z := zlib.NewWriter(&plain)
	z.Write([]byte("not a ZIP"))
	z.Close()
	for name, content := range map[string]string{
		"nothing":    "",
		"not base64": "*",
		"not zlib":   base64.StdEncoding.EncodeToString([]byte("PK")),
		"not a ZIP":  base64.StdEncoding.EncodeToString(plain.Bytes()),
		"cut":        base64.StdEncoding.EncodeToString(raw[:len(raw)-5]),
		"no ZM":      pack(t, "INN26011588ZME_1", "x"),
	} {
		if text, err := unpack(content); err == nil {
			t.Errorf("%s: %q", name, text)
		}
	}
	if text, err := unpack(whole); err != nil || text != "x" {
		t.Errorf("%q %v", text, err)
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add(pack(f, "INN26011588ZM_1", paidLine("ORD2026000001", "1", "0115000000", "1499")))
	p := load(f).provider(f)
	f.Fuzz(func(t *testing.T, content string) {
		text, err := unpack(content)
		if err != nil {
			text = content
		}
		rows, err := p.lines(text, sent, map[string]payment.ID{})
		if err != nil && rows != nil {
			t.Fatalf("%v %v", rows, err)
		}
	})
}
