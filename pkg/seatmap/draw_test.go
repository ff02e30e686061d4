package seatmap

import (
	"fmt"
	"slices"
	"strings"
)

// DrawSeats is the largest hall that Draw shows seat by seat.
const DrawSeats = 600

// Draw shows a hall to people, the stage above: free seats by the letter of
// their type (R, P, W, C, L, S for standing), '+' held, '#' sold, 'x' blocked,
// and '*' for the chosen. A map of no seats means that all are free. Of a hall
// over [DrawSeats] it counts each section's free places instead.
func Draw(l *Layout, states Packed, chosen []int) string {
	var b strings.Builder
	state := func(i int) State {
		if states.Len() == 0 {
			return Free
		}
		return states.Get(i)
	}
	for _, sec := range l.sections {
		if l.Len() > DrawSeats {
			drawCount(&b, sec, state)
			continue
		}
		if sec.Name != "" {
			fmt.Fprintln(&b, sec.Name)
		}
		for _, row := range sec.Rows {
			l.drawRow(&b, row, state, chosen)
		}
	}
	return b.String()
}

func (l *Layout) drawRow(b *strings.Builder, row Row, state func(int) State, chosen []int) {
	line := []byte(fmt.Sprintf("%*s ", maxRow, row.ID))
	start := len(line)
	for i := row.First; i < row.First+row.Len; i++ {
		for len(line) < start+int(l.column[i]) {
			line = append(line, ' ')
		}
		mark := l.seats[i].Type[0] - 'a' + 'A'
		switch {
		case slices.Contains(chosen, i):
			mark = '*'
		case state(i) != Free:
			mark = " +#x"[state(i)]
		}
		line = append(line, mark)
	}
	b.Write(line)
	b.WriteByte('\n')
}

func drawCount(b *strings.Builder, sec Section, state func(int) State) {
	free, n := 0, 0
	for _, row := range sec.Rows {
		for i := row.First; i < row.First+row.Len; i++ {
			n++
			if state(i) == Free {
				free++
			}
		}
	}
	fmt.Fprintf(b, "%-12s %5d of %5d free\n", sec.Name, free, n)
}
