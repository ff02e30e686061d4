// Package beijing has the time in which the payment providers write: eight hours ahead
// of UTC the whole year. It is fixed, for a function has no zone files.
package beijing

import "time"

// Zone is China Standard Time.
var Zone = time.FixedZone("CST", 8*60*60)

// Layouts of the providers.
const (
	Seconds = "2006-01-02 15:04:05" // Alipay, and bills
	Compact = "20060102150405"      // UnionPay
	Day     = "2006-01-02"
)

// Format writes t as a clock in Beijing shows it.
func Format(t time.Time, layout string) string { return t.In(Zone).Format(layout) }

// Parse reads what a clock in Beijing showed, and answers it in UTC.
func Parse(layout, s string) (time.Time, error) {
	t, err := time.ParseInLocation(layout, s, Zone)
	return t.UTC(), err
}
