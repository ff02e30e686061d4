// Package yuan writes and reads amounts of yuan as decimal text: 1499 fen are "14.99".
// No float is ever between.
package yuan

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

var form = regexp.MustCompile(`^\d{1,9}(\.\d{1,2})?$`)

// Format writes fen, which are not negative.
func Format(fen int64) string { return fmt.Sprintf("%d.%02d", fen/100, fen%100) }

// Parse answers fen. A sign, an exponent, spaces, a third decimal and whatever else is
// not one to nine digits with at most two decimals is refused; samples of the providers
// have "20" and "2.0" as well as "2.00".
func Parse(s string) (int64, error) {
	if !form.MatchString(s) {
		return 0, fmt.Errorf("%.20q is not an amount of yuan", s)
	}
	whole, part, _ := strings.Cut(s, ".")
	return strconv.ParseInt(whole+(part + "00")[:2], 10, 64)
}
