package seatplan

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/fairseat/fairseat/pkg/seatmap"
)

// gapFrom is how many times the usual distance in its row two seats lie apart for
// an aisle between them.
const gapFrom = 1.5

// reader collects what is wrong while it makes the hall.
type reader struct {
	o        Options
	types    map[string]byte   // cell by category
	guids    map[string]string // path by guid, and so on
	uuids    map[string]string
	names    map[string]string
	problems Problems
}

func (r *reader) refuse(path, format string, args ...any) {
	r.problems = append(r.problems, Problem{path, fmt.Sprintf(format, args...)})
}

// once refuses what another path has already.
func (r *reader) once(seen map[string]string, key, path string) {
	if first, twice := seen[key]; twice {
		r.refuse(path, "%q is at %s already", key, first)
		return
	}
	seen[key] = path
}

func (r *reader) uuid(id *string, path string) {
	if id != nil && *id != "" {
		r.once(r.uuids, *id, path+".uuid")
	}
}

type hallDoc struct {
	ID        string       `json:"id"`
	Name      string       `json:"name"`
	Kind      seatmap.Kind `json:"kind"`
	Numbering string       `json:"numbering"`
	Seats     int          `json:"seats"`
	Seated    []sectionDoc `json:"seated"`
}

type sectionDoc struct {
	Section string       `json:"section"`
	Rows    []sectionRow `json:"rows"`
}

type sectionRow struct {
	Row     string    `json:"row"`
	Cells   string    `json:"cells"`
	Numbers string    `json:"numbers"`
	Line    []float64 `json:"line,omitempty"`
	At      []float64 `json:"at,omitempty"`
}

func (r *reader) hall(doc planDoc) []byte {
	r.categories(doc.Categories)
	h := hallDoc{ID: r.o.ID, Name: doc.Name, Kind: r.o.Kind, Numbering: "seated"}
	pitch := pitchOf(doc)
	zones := 0
	for _, z := range doc.Zones {
		if len(z.Rows) > 0 {
			zones++
		}
	}
	for i, z := range doc.Zones {
		path := fmt.Sprintf("zones[%d]", i)
		r.uuid(z.UUID, path)
		if len(z.Rows) == 0 {
			continue // a zone of drawings
		}
		s := sectionDoc{}
		if zones > 1 {
			s.Section = r.section(z, i, path)
		}
		seats, rows := map[string]string{}, map[string]string{}
		for j, row := range z.Rows {
			at := fmt.Sprintf("%s.rows[%d]", path, j)
			r.uuid(row.UUID, at)
			r.once(rows, label(row.Number), at+".row_number")
			s.Rows = append(s.Rows, r.row(z, row, at, pitch, seats))
			h.Seats += len(row.Seats)
		}
		h.Seated = append(h.Seated, s)
	}
	if h.Seats == 0 {
		r.refuse("zones", "there is no seat")
	}
	if h.Seats > seatmap.MaxSeats {
		r.refuse("zones", "%d seats, more than %d", h.Seats, seatmap.MaxSeats)
	}
	text, err := json.Marshal(h)
	if err != nil {
		panic(err) // finite numbers, by the schema
	}
	return text
}

// section names a zone so that it can be part of a seat's id.
func (r *reader) section(z zoneDoc, i int, path string) string {
	name := fmt.Sprintf("Zone %d", i+1)
	if z.Name != nil && *z.Name != "" {
		name = *z.Name
	}
	var b strings.Builder
	for _, c := range strings.ToLower(name) {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			b.WriteRune(c)
		} else if s := b.String(); s != "" && !strings.HasSuffix(s, "-") {
			b.WriteByte('-')
		}
	}
	id := strings.TrimSuffix(b.String(), "-")
	if id == "" {
		id = fmt.Sprintf("zone-%d", i+1) // of a name in another script
	}
	if len(id) > maxSection {
		r.refuse(path+".name", "longer than %d characters", maxSection)
	}
	r.once(r.names, id, path+".name")
	return id
}

const maxSection = 64

// label keeps what may be part of a seat's id; 1/2 is 1.2.
func label(text string) string {
	return strings.Map(func(c rune) rune {
		switch c {
		case ' ', '/', '-', '_':
			return '.'
		}
		return c
	}, strings.TrimSpace(text))
}

func (r *reader) label(text, path string) string {
	l := label(text)
	bad := strings.ContainsFunc(l, func(c rune) bool {
		return (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '.'
	})
	if bad || l == "" || len(l) > maxLabel || strings.Contains(l, "..") {
		r.refuse(path, "%q is not 1 to %d letters and digits", text, maxLabel)
	}
	return l
}

const maxLabel = 8

// placed is a seat with its place in the hall.
type placed struct {
	seatDoc
	at   pointDoc
	path string
	cell byte
}

func (r *reader) row(z zoneDoc, row rowDoc, path string, pitch float64, seen map[string]string) sectionRow {
	out := sectionRow{Row: r.label(row.Number, path+".row_number")}
	var seats []placed
	origin := z.Position
	if row.Position != nil {
		origin = origin.plus(*row.Position)
	}
	for k, s := range row.Seats {
		at := fmt.Sprintf("%s.seats[%d]", path, k)
		r.uuid(s.UUID, at)
		r.once(r.guids, s.GUID, at+".seat_guid")
		r.once(seen, out.Row+" "+label(s.Number), at+".seat_number")
		cell, known := r.types[s.Category]
		if !known {
			r.refuse(at+".category", "%q is not in categories", s.Category)
		}
		s.Number = r.label(s.Number, at+".seat_number")
		seats = append(seats, placed{s, origin.plus(s.Position), at, cell})
	}
	along(seats)
	out.draw(seats, pitch)
	r.together(seats, out.Cells)
	return out
}

// along sorts from left to right, or from front to back where a row stands on end.
func along(seats []placed) {
	left, right, front, back := math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for _, s := range seats {
		left, right, front, back = min(left, s.at.X), max(right, s.at.X), min(front, s.at.Y), max(back, s.at.Y)
	}
	slices.SortStableFunc(seats, func(a, b placed) int {
		if right-left >= back-front {
			return sign(a.at.X - b.at.X)
		}
		return sign(a.at.Y - b.at.Y)
	})
}

func sign(x float64) int {
	switch {
	case x < 0:
		return -1
	case x > 0:
		return 1
	}
	return 0
}

// draw writes cells, labels and places; a row that a straight line gives as well to
// a hundredth of a seat's distance is written as one.
func (out *sectionRow) draw(seats []placed, pitch float64) {
	usual := median(distances(seats))
	var cells strings.Builder
	var labels []string
	var columns []int
	for k, s := range seats {
		if k > 0 && usual > 0 {
			if d := distance(seats[k-1].at, s.at) / usual; d > gapFrom {
				cells.WriteString(strings.Repeat("_", min(max(int(math.Round(d))-1, 1), maxGap)))
			}
		}
		columns = append(columns, cells.Len())
		cells.WriteByte(s.cell)
		labels = append(labels, s.Number)
		out.At = append(out.At, hundredth(s.at.X/pitch), hundredth(s.at.Y/pitch))
	}
	out.Cells, out.Numbers = cells.String(), ranges(labels)
	if line := straight(columns, out.At); line != nil {
		out.Line, out.At = line, nil
	}
}

const maxGap = 100

// ranges writes three labels and more that count up or down by one as 1..20: the
// largest halls fit into a layout's item by it.
func ranges(labels []string) string {
	var out []string
	for i := 0; i < len(labels); {
		first, ok := whole(labels[i])
		j := i + 1
		step := 0
		for ; ok && j < len(labels); j++ {
			n, also := whole(labels[j])
			if j == i+1 {
				step = n - first
			}
			if !also || step != 1 && step != -1 || n != first+step*(j-i) {
				break
			}
		}
		if j-i < 3 {
			out, i = append(out, labels[i]), i+1
			continue
		}
		out, i = append(out, labels[i]+".."+labels[j-1]), j
	}
	return strings.Join(out, " ")
}

func whole(label string) (int, bool) {
	n, err := strconv.Atoi(label)
	return n, err == nil && n >= 0 && strconv.Itoa(n) == label
}

// straight is the line through the first and the last seat, if all are on it.
func straight(columns []int, at []float64) []float64 {
	n := len(columns)
	line := []float64{at[0], at[1], 1, 0}
	if span := float64(columns[n-1]); span > 0 {
		line[2], line[3] = (at[2*n-2]-at[0])/span, (at[2*n-1]-at[1])/span
	}
	for k, c := range columns {
		x, y := line[0]+float64(c)*line[2], line[1]+float64(c)*line[3]
		if math.Abs(x-at[2*k]) > 0.01 || math.Abs(y-at[2*k+1]) > 0.01 {
			return nil
		}
	}
	return line
}

// together refuses what is sold only with its neighbour and has none.
func (r *reader) together(seats []placed, cells string) {
	k := 0
	for c := 0; c < len(cells); c++ {
		if cells[c] == '_' {
			continue
		}
		s := seats[k]
		k++
		before, after := c > 0 && cells[c-1] == 'W', c+1 < len(cells) && cells[c+1] == 'W'
		if cells[c] == 'C' && !before && !after {
			r.refuse(s.path+".category", "a companion place with no wheelchair place beside it")
		}
		if cells[c] != 'L' {
			continue
		}
		if c+1 == len(cells) || cells[c+1] != 'L' {
			r.refuse(s.path+".category", "half a loveseat")
			continue
		}
		c++
		k++
	}
}

// pitchOf is the usual distance of two neighbours in the whole hall.
func pitchOf(doc planDoc) float64 {
	var all []float64
	for _, z := range doc.Zones {
		for _, row := range z.Rows {
			var seats []placed
			for _, s := range row.Seats {
				seats = append(seats, placed{at: s.Position})
			}
			along(seats)
			all = append(all, distances(seats)...)
		}
	}
	if m := median(all); m > 0 {
		return m
	}
	return 1
}

func distances(seats []placed) []float64 {
	var ds []float64
	for k := 1; k < len(seats); k++ {
		ds = append(ds, distance(seats[k-1].at, seats[k].at))
	}
	return ds
}

func distance(a, b pointDoc) float64 { return math.Hypot(a.X-b.X, a.Y-b.Y) }

func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	v = slices.Clone(v)
	slices.Sort(v)
	return v[len(v)/2]
}

func hundredth(v float64) float64 { return math.Round(v*100) / 100 }
