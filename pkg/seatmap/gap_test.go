package seatmap

import (
	"slices"
	"strings"
	"testing"
)

// sketch reads rows in which a small letter is a seat that is taken and '*'
// a regular seat that is chosen.
func sketch(t *testing.T, rows ...string) (l *Layout, free func(int) bool, chosen []int) {
	t.Helper()
	plain := make([]string, len(rows))
	cells := ""
	for k, row := range rows {
		plain[k] = strings.ToUpper(strings.ReplaceAll(row, "*", "R"))
		cells += strings.ReplaceAll(row, "_", "")
	}
	for i := range len(cells) {
		if cells[i] == '*' {
			chosen = append(chosen, i)
		}
	}
	return drawn(t, plain), func(i int) bool { return cells[i] < 'a' }, chosen
}

func TestSingleGap(t *testing.T) {
	tests := []struct {
		name     string
		rows     string
		stranded string
		refused  bool
	}{
		{"between the choice and the row end", "R**RRR", "A-1", true},
		{"between the choice and a taken seat", "**Rr_RRRR", "A-3", true},
		{"between two chosen seats", "*R*RR RRRRR", "A-2", true},
		{"between the choice and an aisle", "RR*R_RRRR", "A-4", true},
		{"across an aisle nobody is a neighbour", "***_R_RRRR", "", false},
		{"two left together", "RR**RR", "", false},
		{"alone already", "rR*RRR", "A-2", true},
		{"alone before and after", "r*_rRr_RRR", "", false},
		{"the last of a gap", "r*r_RRRR", "", false},
		{"one of two, with room elsewhere", "*R_RRRR", "A-2", true},
		{"gives way: no other two", "R**r", "A-1", false},
		{"gives way: every single choice strands", "*R_RR", "A-2", false},
		{"does not give way: a single is left over elsewhere", "*R_RR_R", "A-2", true},
		{"gives way: other choices are of another type", "*R_PPPP", "A-2", false},
		{"does not give way: room across an aisle", "**R_r_RR_R_R", "A-3", true},
		{"premium can be stranded, and is company", "**PR", "", false},
		{"premium left by regular", "R**P_RRRR", "A-1 A-4", true},
		{"a loveseat is no single", "**LL", "", false},
		{"a loveseat is no company", "**RLL_RRRR", "A-3", true},
		{"a wheelchair place is no company and no single", "WC**RWC_RRRR", "A-5", true},
		{"a wheelchair place is never stranded", "WC**_RR", "", false},
		{"rows do not matter to one another", "**_RR RRRRR", "", false},
		{"both sides", "R*R_RRRR", "A-1 A-3", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, free, chosen := sketch(t, strings.Fields(tt.rows)...)
			if got := joined(l.IDs(Stranded(l, free, chosen))); got != tt.stranded {
				t.Errorf("stranded %q, want %q", got, tt.stranded)
			}
			want := ""
			if tt.refused {
				want = tt.stranded
			}
			if got := joined(SingleGap(l, free, chosen)); got != want {
				t.Errorf("refused for %q, want %q", got, want)
			}
		})
	}
}

func TestSplitPairs(t *testing.T) {
	l := drawn(t, []string{"RR_LLLL"})
	tests := []struct {
		chosen  []int
		missing string
	}{
		{[]int{0, 1}, ""},
		{[]int{2, 3}, ""},
		{[]int{3, 2}, ""},
		{[]int{3, 4}, "A-3 A-6"},
		{[]int{5, 0}, "A-5"},
		{[]int{2, 2}, "A-4"},
		{nil, ""},
	}
	for _, tt := range tests {
		given := slices.Clone(tt.chosen)
		if got := joined(SplitPairs(l, tt.chosen)); got != tt.missing {
			t.Errorf("%v: missing %q, want %q", tt.chosen, got, tt.missing)
		}
		if !slices.Equal(given, tt.chosen) {
			t.Errorf("%v became %v", given, tt.chosen)
		}
	}
}

func TestDraw(t *testing.T) {
	l := halls(t, "small.json")[0]
	p := NewPacked(l.Len())
	p.Set(0, Blocked)
	p.Set(2, Held)
	p.Set(8, Sold)
	want := "" +
		"   A xC +RR\n" +
		"   B R** #\n" +
		"   C LL  LL\n"
	if got := Draw(l, p, []int{6, 7}); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if got := Draw(halls(t, "small.json")[1], Packed{}, nil); !strings.HasPrefix(got, "Front Stalls\n   A  RR RRR RR\n") {
		t.Errorf("got\n%s", got)
	}
	big := hall(t, "theatre-2000")
	p = NewPacked(big.Len())
	p.Set(0, Sold)
	if got := Draw(big, p, nil); !strings.HasPrefix(got, "Stalls         872 of   873 free\n") {
		t.Errorf("got\n%s", got)
	}
}
