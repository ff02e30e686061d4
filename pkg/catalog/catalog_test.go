package catalog

import (
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func priced(kind seatmap.SeatType, minor int64, currency string) Price {
	return Price{Type: kind, Amount: money.Amount{Minor: minor, Currency: currency}}
}

func TestSeatPrice(t *testing.T) {
	show := Show{ID: "s", Prices: []Price{
		priced(seatmap.Regular, 2000, "JPY"), priced(seatmap.Premium, 3000, "JPY"), priced(seatmap.Loveseat, 5001, "JPY"),
	}}
	for typ, want := range map[seatmap.SeatType]int64{seatmap.Regular: 2000, seatmap.Premium: 3000, seatmap.Loveseat: 5001} {
		got, err := show.PriceOf(typ)
		if err != nil || got != (money.Amount{Minor: want, Currency: "JPY"}) {
			t.Errorf("%s: %v, %v; want %d", typ, got, err, want)
		}
	}
	if p, err := show.PriceOf(seatmap.Standing); err == nil {
		t.Errorf("a type without a price costs %v", p)
	}
}

func TestSale(t *testing.T) {
	show := Show{SaleOpensAt: noon, SaleClosesAt: noon.Add(time.Hour), StartsAt: noon.Add(time.Hour), Status: OnSale}
	cancelled := show
	cancelled.Status = Cancelled
	for _, tt := range []struct {
		name   string
		show   Show
		after  time.Duration // noon
		want   Sale
		listed bool
	}{
		{"before it opens", show, -time.Millisecond, SaleAhead, true},
		{"as it opens", show, 0, SaleOpen, true},
		{"before it closes", show, time.Hour - time.Millisecond, SaleOpen, true},
		{"as it closes", show, time.Hour, SaleClosed, false},
		{"cancelled", cancelled, time.Minute, SaleClosed, false},
		{"cancelled before it opens", cancelled, -time.Minute, SaleClosed, false},
		{"of no status", Show{SaleClosesAt: noon.Add(time.Hour)}, 0, SaleClosed, false},
	} {
		now := noon.Add(tt.after)
		if got := tt.show.Sale(now); got != tt.want || tt.show.Listed(now) != tt.listed {
			t.Errorf("%s: %v, listed %v; want %v, %v", tt.name, got, tt.show.Listed(now), tt.want, tt.listed)
		}
	}
}

func TestStatusWords(t *testing.T) {
	for _, s := range []Status{OnSale, Cancelled} {
		if got, err := ParseStatus(s.String()); err != nil || got != s {
			t.Errorf("%v: %v, %v", s, got, err)
		}
	}
	for _, word := range []string{"", "ON_SALE", "Status(0)", "sold"} {
		if s, err := ParseStatus(word); err == nil {
			t.Errorf("%q is %v", word, s)
		}
	}
}

func TestMatches(t *testing.T) {
	saoPaulo := City{Name: "São Paulo", ChineseName: "圣保罗"}
	beijing := City{Name: "Beijing", LocalName: "北京", ChineseName: "北京"}
	newYork := City{Name: "New York City"}
	istanbul := City{Name: "İstanbul", LocalName: "", ChineseName: "伊斯坦布尔"}
	bangkok := City{Name: "Bangkok", LocalName: "กรุงเทพมหานคร"}
	xian := City{Name: "Xi'an"}
	athens := City{Name: "Athens", LocalName: "Αθήνα"}
	for _, tt := range []struct {
		city  City
		typed string
		want  bool
	}{
		{saoPaulo, "", true}, {saoPaulo, "  ", true}, {saoPaulo, "sao", true}, {saoPaulo, "SÃO P", true}, {saoPaulo, "pau", true}, {saoPaulo, "Sa\u0303o", true},
		{saoPaulo, "aulo", false}, {saoPaulo, "paulo sao", false}, {saoPaulo, "圣保", true}, {saoPaulo, "保罗", false},
		{beijing, "bei", true}, {beijing, "BEIJING", true}, {beijing, "北", true}, {beijing, "jing", false}, {beijing, "beijing-cn", false},
		{newYork, "york", true}, {newYork, "new yo", true}, {newYork, "new-york", true}, {newYork, "new city", false},
		{istanbul, "istan", true}, {istanbul, "İSTAN", true}, {istanbul, "ISTAN", true},
		{bangkok, "กรุง", true}, {bangkok, "เทพ", false}, {xian, "an", true}, {xian, "xi'an", true}, {xian, "xian", false},
		{athens, "αθή", true}, {athens, "ΑΘΉ", true},
		{newYork, "!!!", false}, {newYork, "\xff", false}, {newYork, "%", false},
	} {
		if got := tt.city.Matches(tt.typed); got != tt.want {
			t.Errorf("%s, %q: %v, want %v", tt.city.Name, tt.typed, got, tt.want)
		}
	}
}
