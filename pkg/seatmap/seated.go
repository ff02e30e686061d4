package seatmap

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// asSeated is the numbering of a hall whose every seat has a label and a place of
// its own, as a plan has it that was drawn elsewhere.
const asSeated numbering = "seated"

const (
	maxLabel = 8
	// maxPlace bounds a place in pitches, far beyond any hall.
	maxPlace = 10_000
)

// seatedDoc is a section of such a hall. Numbers has the seats' labels in order,
// with a space between, 1..20 for those from 1 to 20 and 20..1 for them downwards. A row stands on a line, Line, with x and y of its first cell
// and the step to the next, or At has x and y of each seat.
type seatedDoc struct {
	Section string      `json:"section"`
	Rows    []seatedRow `json:"rows"`
}

type seatedRow struct {
	Row     string    `json:"row"`
	Cells   string    `json:"cells"`
	Numbers string    `json:"numbers"`
	Line    []float64 `json:"line,omitempty"`
	At      []float64 `json:"at,omitempty"`
}

// drawSeated reads sections whose rows may be of any width.
func (p *plan) drawSeated() error {
	total, found := 0, map[string]int{}
	for i, doc := range p.doc.Seated {
		path := fmt.Sprintf("seated[%d]", i)
		s := planSection{id: slugOf(doc.Section), name: doc.Section, rule: asSeated}
		if doc.Section != "" || len(p.doc.Seated) > 1 {
			if err := p.checkSection(path+".section", s); err != nil {
				return err
			}
		}
		seen := map[string]bool{}
		for j, row := range doc.Rows {
			at := fmt.Sprintf("%s.rows[%d]", path, j)
			r, err := row.parse(at)
			if err != nil {
				return err
			}
			if seen[r.label] {
				return fault(at+".row", "row %s is there twice", r.label)
			}
			seen[r.label] = true
			if total += tally(found, r.cells); total > MaxSeats {
				return fault(at, "more than %d seats", MaxSeats)
			}
			s.rows = append(s.rows, r)
		}
		if len(s.rows) == 0 {
			return fault(path+".rows", "there are none")
		}
		p.sections = append(p.sections, s)
	}
	return p.checkSum(total)
}

func (d seatedRow) parse(path string) (planRow, error) {
	if !seatLabel(d.Row) {
		return planRow{}, fault(path+".row", "not 1 to %d letters, digits and full stops", maxLabel)
	}
	r := planRow{label: d.Row, cells: d.Cells}
	if err := checkCells(path+".cells", d.Cells); err != nil {
		return r, err
	}
	n := len(d.Cells) - strings.Count(d.Cells, string(gap))
	if r.numbers = labelsOf(d.Numbers); len(r.numbers) != n {
		return r, fault(path+".numbers", "%d labels for %d seats", len(r.numbers), n)
	}
	for _, label := range r.numbers {
		if !seatLabel(label) {
			return r, fault(path+".numbers", "%q is not 1 to %d letters, digits and full stops", label, maxLabel)
		}
	}
	for _, v := range append(d.Line, d.At...) {
		if math.IsNaN(v) || math.Abs(v) > maxPlace {
			return r, fault(path, "%v is nowhere in a hall", v)
		}
	}
	switch {
	case len(d.Line) == 4 && len(d.At) == 0:
		r.place = onLine(d.Line)
	case len(d.Line) == 0 && len(d.At) == 2*n:
		r.place = oneByOne(d.Cells, d.At)
	default:
		return r, fault(path, "neither a line of four numbers nor a place for each of %d seats", n)
	}
	return r, nil
}

func onLine(l []float64) func(c int) (x, y float64) {
	return func(c int) (float64, float64) { return l[0] + float64(c)*l[2], l[1] + float64(c)*l[3] }
}

func oneByOne(cells string, at []float64) func(c int) (x, y float64) {
	return func(c int) (float64, float64) {
		k := c - strings.Count(cells[:c], string(gap))
		return at[2*k], at[2*k+1]
	}
}

// labelsOf writes out what stands for several; what does not is left to be refused.
func labelsOf(text string) []string {
	var all []string
	for _, word := range strings.Fields(text) {
		a, b, several := strings.Cut(word, "..")
		from, err := strconv.Atoi(a)
		to, err2 := strconv.Atoi(b)
		if !several || err != nil || err2 != nil || from < 0 || to < 0 || max(from-to, to-from) >= maxWidth {
			all = append(all, word)
			continue
		}
		for step := cmp.Compare(to, from); ; from += step {
			if all = append(all, strconv.Itoa(from)); from == to || len(all) > maxWidth {
				break
			}
		}
	}
	return all
}

// seatLabel holds no hyphen, so that a seat's id reads from its end without doubt,
// and nothing that a path or a key uses.
func seatLabel(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '.' {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= maxLabel && !strings.Contains(s, "..")
}

// laySeated takes places as they are.
func (p *plan) laySeated() {
	for i := range p.sections {
		rows := p.sections[i].rows
		p.sections[i].place = func(r, c, _ int) (float64, float64) { return rows[r].place(c) }
	}
}

// middle is the middle of the seats from side to side, and as far from the front as
// the best place is in such a hall.
func (p *plan) middle() (x, y float64) {
	left, right, front, back := math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for _, s := range p.sections {
		for _, r := range s.rows {
			for c := range len(r.cells) {
				if r.cells[c] == gap {
					continue
				}
				sx, sy := r.place(c)
				left, right, front, back = min(left, sx), max(right, sx), min(front, sy), max(back, sy)
			}
		}
	}
	return (left + right) / 2, front + (back-front)*p.doc.Kind.depth()
}

// depth is where the best place is, as a share of the hall from the front.
func (k Kind) depth() float64 {
	switch k {
	case Theatre:
		return 1.0 / 2
	case Cinema:
		return 2.0 / 3
	}
	return 0
}

// labels of a row's cells, "" for a gap.
func (s planSection) labels(r int) []string {
	row := s.rows[r]
	out := make([]string, len(row.cells))
	if s.rule == asSeated {
		k := 0
		for c := range out {
			if row.cells[c] != gap {
				out[c], k = row.numbers[k], k+1
			}
		}
		return out
	}
	for c, n := range s.rule.numbers(row.cells) {
		if n > 0 {
			out[c] = fmt.Sprint(n)
		}
	}
	return out
}
