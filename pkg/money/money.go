// Package money holds amounts: whole minor units of an ISO 4217 currency, never a float.
//
// Start with [Amount]. The exponent of a currency (JPY 0, CNY 2, KWD 3) matters
// only where an amount is written for people; arithmetic never looks at it.
package money

import (
	"errors"
	"fmt"
	"math"
)

// Amount is minor units of Currency, e.g. {1499 USD} is 14.99 dollars.
type Amount struct {
	Minor    int64  `json:"amount"`
	Currency string `json:"currency"` // three capital letters, ISO 4217
}

// ErrCurrency is returned where two currencies meet.
var ErrCurrency = errors.New("money: different currencies")

// ErrOverflow is returned instead of a wrapped sum.
var ErrOverflow = errors.New("money: amount out of range")

// Add returns a + b; both must be of one currency.
func (a Amount) Add(b Amount) (Amount, error) {
	if a.Currency != b.Currency {
		return Amount{}, ErrCurrency
	}
	if b.Minor > 0 && a.Minor > math.MaxInt64-b.Minor || b.Minor < 0 && a.Minor < math.MinInt64-b.Minor {
		return Amount{}, ErrOverflow
	}
	return Amount{a.Minor + b.Minor, a.Currency}, nil
}

// Valid reports whether the currency has the form of ISO 4217 and the amount is not negative.
func (a Amount) Valid() bool {
	if len(a.Currency) != 3 || a.Minor < 0 {
		return false
	}
	for _, c := range []byte(a.Currency) {
		if c < 'A' || c > 'Z' {
			return false
		}
	}
	return true
}

// Exponent is the number of decimal places that people write, by ISO 4217.
func Exponent(currency string) int {
	switch currency {
	case "JPY", "KRW", "VND", "CLP", "ISK", "UGX", "XAF", "XOF", "XPF", "PYG", "RWF", "KMF", "GNF", "DJF", "BIF", "VUV":
		return 0
	case "KWD", "BHD", "OMR", "JOD", "TND", "IQD", "LYD":
		return 3
	}
	return 2
}

// String is for people and logs: "14.99 USD", "2000 JPY".
func (a Amount) String() string {
	e := Exponent(a.Currency)
	if e == 0 {
		return fmt.Sprintf("%d %s", a.Minor, a.Currency)
	}
	sign, m := "", uint64(a.Minor)
	if a.Minor < 0 {
		sign, m = "-", -m
	}
	unit := uint64(100)
	if e == 3 {
		unit = 1000
	}
	return fmt.Sprintf("%s%d.%0*d %s", sign, m/unit, e, m%unit, a.Currency)
}
