package counts

import (
	"fmt"
	"slices"
	"strings"
)

// Markers between which infra/scale.md is generated.
const (
	Begin = "<!-- begin: written by make bench ONLY=counts -->\n"
	End   = "<!-- end -->\n"
)

// Rewrite puts the tables between the markers of a document.
func Rewrite(document, tables string) (string, error) {
	before, rest, ok := strings.Cut(document, Begin)
	_, after, ended := strings.Cut(rest, End)
	if !ok || !ended {
		return "", fmt.Errorf("counts: the document has no markers")
	}
	return before + Begin + "\n" + tables + "\n" + End + after, nil
}

// Month is a month of A19.
const (
	monthViews   = 3e9
	monthTickets = 10e6
	perMillion   = 1e6
)

// Tables are the computed part of infra/scale.md.
func Tables(figures, waits []Figure, a Answers, p Prices) (string, error) {
	j, err := journey(figures, a.Bytes)
	if err != nil {
		return "", err
	}
	hours, err := hoursOf(waits)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("### Each step\n\nTwo seats a hold, a hall of 2,000. WU and RU are request units of DynamoDB; a transaction writes at two a kilobyte.\n\n")
	b.WriteString("| step | counted | arithmetic minimum | why |\n|---|---|---|---|\n")
	for _, f := range figures {
		fmt.Fprintf(&b, "| %s | %v | %v | %s |\n", f.Name, f.Got, f.Least, f.Why)
	}
	fmt.Fprintf(&b, "\n### Dollars for a million tickets\n\nPrices of %s, looked up %s (`infra/bench/prices.json`); two tickets an order, so half a million winners.\n\n", p.Region, p.LookedUp)
	var columns []load
	for _, losers := range []float64{1, 10, 100} {
		winners := perMillion / Seats
		columns = append(columns, load{}.plus(j.winner, winners).plus(j.loser, winners*losers))
	}
	p.table(&b, []string{"1 loser a winner", "10 losers", "100 losers"}, columns)
	b.WriteString("\n### Dollars for a month of 3 billion views and 10 million tickets\n\n" +
		"Ten losers a winner. A view that no cache answers is a read of the seat map, the dearest there is.\n\n")
	sales := load{}.plus(j.winner, monthTickets/Seats).plus(j.loser, 10*monthTickets/Seats)
	columns = nil
	for _, reach := range []float64{1, 0.1, 0.01} {
		columns = append(columns, sales.plus(j.view, monthViews*reach))
	}
	p.table(&b, []string{"no cache", "a cache answers 90 %", "99 %"}, columns)
	b.WriteString("\nWhat the caches themselves cost is not in these figures; it is in the next.\n")
	monthTables(&b, j, a.Kept, p)
	lineTables(&b, waits, hours, p)
	return b.String(), nil
}

// table prices columns of loads.
func (p Prices) table(b *strings.Builder, heads []string, columns []load) {
	fmt.Fprintf(b, "| | %s |\n|---|%s\n", strings.Join(heads, " | "), strings.Repeat("---:|", len(heads)))
	totals := make([]float64, len(columns))
	for _, m := range meters {
		if !slices.ContainsFunc(columns, func(l load) bool { return m.amount(l) > 0 }) {
			continue
		}
		fmt.Fprintf(b, "| %s |", m.name)
		for i, l := range columns {
			usd := p.cost(m.price, m.amount(l))
			totals[i] += usd
			fmt.Fprintf(b, " %s |", dollars(usd))
		}
		b.WriteString("\n")
	}
	b.WriteString("| **together** |")
	for _, t := range totals {
		fmt.Fprintf(b, " **%s** |", dollars(t))
	}
	b.WriteString("\n")
}

func dollars(x float64) string {
	if x < 100 {
		return fmt.Sprintf("%.2f", x)
	}
	return fmt.Sprintf("%.0f", x)
}
