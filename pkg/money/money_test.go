package money_test

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/fairseat/fairseat/pkg/money"
)

func TestAdd(t *testing.T) {
	for _, tt := range []struct {
		a, b money.Amount
		want money.Amount
		err  error
	}{
		{money.Amount{Minor: 1499, Currency: "USD"}, money.Amount{Minor: 1, Currency: "USD"}, money.Amount{Minor: 1500, Currency: "USD"}, nil},
		{money.Amount{Minor: 5, Currency: "USD"}, money.Amount{Minor: -7, Currency: "USD"}, money.Amount{Minor: -2, Currency: "USD"}, nil},
		{money.Amount{Minor: 1, Currency: "USD"}, money.Amount{Minor: 1, Currency: "EUR"}, money.Amount{}, money.ErrCurrency},
		{money.Amount{Minor: 1}, money.Amount{Minor: 1, Currency: "EUR"}, money.Amount{}, money.ErrCurrency},
		{money.Amount{Minor: math.MaxInt64, Currency: "USD"}, money.Amount{Minor: 1, Currency: "USD"}, money.Amount{}, money.ErrOverflow},
		{money.Amount{Minor: math.MinInt64, Currency: "USD"}, money.Amount{Minor: -1, Currency: "USD"}, money.Amount{}, money.ErrOverflow},
		{money.Amount{Minor: math.MaxInt64 - 1, Currency: "USD"}, money.Amount{Minor: 1, Currency: "USD"}, money.Amount{Minor: math.MaxInt64, Currency: "USD"}, nil},
	} {
		if got, err := tt.a.Add(tt.b); got != tt.want || err != tt.err {
			t.Errorf("%v + %v = %v, %v; want %v, %v", tt.a, tt.b, got, err, tt.want, tt.err)
		}
	}
}

// TestAddAgainstBig: the sum is exact or refused.
func TestAddAgainstBig(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		near := rapid.OneOf(rapid.Int64(), rapid.Int64Range(math.MaxInt64-3, math.MaxInt64), rapid.Int64Range(math.MinInt64, math.MinInt64+3))
		a, b := near.Draw(rt, "a"), near.Draw(rt, "b")
		sum := new(big.Int).Add(big.NewInt(a), big.NewInt(b))
		got, err := money.Amount{Minor: a, Currency: "USD"}.Add(money.Amount{Minor: b, Currency: "USD"})
		if sum.IsInt64() != (err == nil) || err == nil && got.Minor != sum.Int64() {
			rt.Fatalf("%d + %d = %v, %v; want %v", a, b, got, err, sum)
		}
	})
}

func TestValid(t *testing.T) {
	for a, want := range map[money.Amount]bool{
		{Minor: 0, Currency: "USD"}: true, {Minor: 1, Currency: "KWD"}: true, {Minor: -1, Currency: "USD"}: false,
		{Minor: 1}: false, {Minor: 1, Currency: "usd"}: false, {Minor: 1, Currency: "US"}: false,
		{Minor: 1, Currency: "USDX"}: false, {Minor: 1, Currency: "U1D"}: false, {Minor: 1, Currency: "ÄB"}: false,
	} {
		if a.Valid() != want {
			t.Errorf("%+v valid: %v", a, a.Valid())
		}
	}
}

func TestString(t *testing.T) {
	for want, a := range map[string]money.Amount{
		"14.99 USD": {Minor: 1499, Currency: "USD"}, "0.05 CNY": {Minor: 5, Currency: "CNY"}, "2000 JPY": {Minor: 2000, Currency: "JPY"},
		"1.500 KWD": {Minor: 1500, Currency: "KWD"}, "-0.05 EUR": {Minor: -5, Currency: "EUR"}, "-2000 KRW": {Minor: -2000, Currency: "KRW"},
		"-92233720368547758.08 USD": {Minor: math.MinInt64, Currency: "USD"}, "0.00 USD": {Currency: "USD"},
	} {
		if got := a.String(); got != want {
			t.Errorf("%+v is %q, want %q", [2]any{a.Minor, a.Currency}, got, want)
		}
	}
	for currency, want := range map[string]int{"USD": 2, "CNY": 2, "JPY": 0, "KRW": 0, "KWD": 3, "BHD": 3, "EUR": 2} {
		if money.Exponent(currency) != want {
			t.Errorf("exponent of %s is %d", currency, money.Exponent(currency))
		}
	}
}
