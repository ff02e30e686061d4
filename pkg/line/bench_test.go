package line_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// BenchmarkStep decides for five thousand who wait in a hall of two thousand seats,
// of which forty are set aside for the head of the line.
func BenchmarkStep(b *testing.B) {
	var rows []string
	for r := range 40 {
		rows = append(rows, fmt.Sprintf("%q", fmt.Sprintf("%c%c: %s", 'A'+r/26, 'A'+r%26, strings.Repeat("R", 50))))
	}
	halls, err := seatmap.ParseHalls(fmt.Appendf(nil, `{"halls":[{"id":"h","name":"H","kind":"cinema","numbering":"ltr","seats":2000,"by_type":{"R":2000},"rows":[%s]}]}`, strings.Join(rows, ",")))
	if err != nil {
		b.Fatal(err)
	}
	l, err := seatmap.Expand(halls[0])
	if err != nil {
		b.Fatal(err)
	}
	s := line.State{Layout: l, Wanted: types(reg), Unsold: func(int) bool { return true }}
	for i := range 40 {
		s.Pool = append(s.Pool, pool(b, l, string(l.At(50*i).ID), "")...)
	}
	for n := range 5000 {
		s.Waiters = append(s.Waiters, who(n+1, line.Waiting, 1+n%10, reg))
	}
	for b.Loop() {
		if p, err := line.Step(s, policy, noon); err != nil || p.Act() != line.MakeOffer {
			b.Fatal(brief(p), err)
		}
	}
}
