package unionpay

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/fairseat/fairseat/localstack/sandbox/sim"
)

// file answers the bill of a clearing day: base64 of zlib of a ZIP with a line of fixed
// width for each transaction, from nine o'clock on the morning after.
func (w *Wire) file(s *sim.Sim, m message) message {
	if m["txnType"]+m["txnSubType"]+m["bizType"]+m["fileType"] != "760100000000" {
		return message{"respCode": malformed}
	}
	day, there := past(m["settleDate"], s.Now())
	if !there {
		return message{"respCode": noFile}
	}
	paid, back := s.Moved(day.Add(-time.Hour), day.Add(23*time.Hour))
	if len(paid)+len(back) == 0 {
		return message{"respCode": noFile}
	}
	var text strings.Builder
	for _, p := range paid {
		text.WriteString(w.line("S22", "01", "07", p.ID, p.Amount.Minor, p.At, w.Ref(sim.OfPayment, p.ID), "", p.Extra["reqReserved"]))
	}
	for _, r := range back {
		ref, of := w.Ref(sim.OfRefund, r.ID), w.Ref(sim.OfPayment, r.Payment)
		text.WriteString(w.line("S30", r.Extra["txnType"], "00", r.ID, r.Amount.Minor, r.At, ref, of, r.Extra["reqReserved"]))
	}
	name := "INN" + day.Format("060102") + "88ZM_" + w.keys.merchant
	content, err := pack(name, text.String())
	if err != nil {
		w.log.Error("bill", "err", err)
		return message{"respCode": noFile}
	}
	return message{"respCode": ok, "fileName": w.keys.merchant + "_" + day.Format("20060102") + ".zip", "fileContent": content}
}

// past is the last clearing day of that month and day whose bill is ready.
func past(monthDay string, now time.Time) (time.Time, bool) {
	now = now.In(beijing)
	for _, year := range []int{now.Year(), now.Year() - 1} {
		d, err := time.ParseInLocation("20060102", strconv.Itoa(year)+monthDay, beijing)
		if err == nil && !now.Before(d.AddDate(0, 0, 1).Add(9*time.Hour)) {
			return d, true
		}
	}
	return time.Time{}, false
}

// line has the columns of a ZM file, each followed by a space.
func (w *Wire) line(code, kind, sub, order string, fen int64, at time.Time, ref, of, reserved string) string {
	if len(reserved) > 32 {
		reserved = ""
	}
	var b strings.Builder
	for _, c := range []struct {
		wide int
		text string
	}{
		{3, code}, {11, ""}, {11, ""}, {6, ref[15:21]}, {10, at.In(beijing).Format("0102150405")}, {19, "6216***********0018"},
		{12, fmt.Sprintf("%012d", fen)}, {4, "7832"}, {2, "08"}, {21, ref}, {2, ""}, {32, order}, {2, "01"}, {6, ""}, {10, ""},
		{13, "D00000000000"}, {13, fmt.Sprintf("C%012d", fen)}, {4, "0002"}, {15, ""}, {2, kind}, {2, sub}, {6, "000000"}, {2, "01"},
		{4, ""}, {32, ""}, {1, ""}, {21, of}, {15, w.keys.merchant}, {1, ""}, {15, ""}, {32, ""}, {13, ""}, {13, ""}, {8, ""},
		{32, reserved}, {13, ""}, {13, ""}, {12, ""}, {2, ""}, {1, ""}, {32, ""}, {98, ""},
	} {
		fmt.Fprintf(&b, "%-*s ", c.wide, c.text)
	}
	return b.String() + "\r\n"
}

func pack(name, text string) (string, error) {
	var archive, out bytes.Buffer
	z := zip.NewWriter(&archive)
	f, err := z.Create(name)
	if err == nil {
		_, err = f.Write([]byte(text))
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		return "", err
	}
	d := zlib.NewWriter(&out)
	if _, err = d.Write(archive.Bytes()); err == nil {
		err = d.Close()
	}
	return base64.StdEncoding.EncodeToString(out.Bytes()), err
}
