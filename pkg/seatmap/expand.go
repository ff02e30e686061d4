package seatmap

import (
	"math"
	"strconv"
)

// expand turns the drawing into seats, in document order.
func (p *plan) expand() (*Layout, error) {
	n := p.doc.Seats
	l := &Layout{
		id: p.doc.ID, name: p.doc.Name, format: p.doc.Format, kind: p.doc.Kind,
		seats:  make([]Seat, 0, n),
		index:  make(map[SeatID]int32, n),
		byType: make(map[SeatType]int),
		beside: make([]bool, n),
		column: make([]int16, n),
		merit:  make([]int32, n),
	}
	for k, s := range p.sections {
		first := len(l.seats)
		sec := Section{ID: s.id, Name: s.name}
		for r := range s.rows {
			row, err := l.addRow(s, r)
			if err != nil {
				return nil, err
			}
			sec.Rows = append(sec.Rows, row)
			l.rows = append(l.rows, rowSpan{row.First, row.First + row.Len, k})
		}
		l.sections = append(l.sections, sec)
		l.cut(sec.Rows, len(l.seats)-first)
	}
	l.pair()
	l.rate(p.bestPoint())
	return l, nil
}

func (l *Layout) addRow(s planSection, r int) (Row, error) {
	label, cells := s.rows[r].label, s.rows[r].cells
	prefix := label + "-"
	if s.id != "" {
		prefix = s.id + "-" + prefix
	}
	row := Row{ID: label, First: len(l.seats)}
	deep := r
	if s.rule == byBlock && label == platformRow {
		deep++
	}
	for c, number := range s.labels(r) {
		if number == "" {
			continue
		}
		id := prefix + number
		if _, twice := l.index[SeatID(id)]; twice {
			return Row{}, fault("", "seat %s is there twice", id)
		}
		i := len(l.seats)
		x, y := s.place(deep, c, len(cells))
		l.seats = append(l.seats, Seat{
			ID: SeatID(id), Index: i, Section: s.id, Row: label, Number: number,
			Type: typeOf(cells[c]), X: x, Y: y, Partner: -1,
		})
		l.index[SeatID(id)] = int32(i)
		l.byType[l.seats[i].Type]++
		l.beside[i] = c > 0 && cells[c-1] != gap
		l.column[i] = int16(c)
		row.Len++
	}
	return row, nil
}

func typeOf(cell byte) SeatType {
	if cell == standingCell {
		return Standing
	}
	return letters[cell]
}

// cut divides the n seats of a section into blocks of about equal size: whole
// rows, but for a row that is larger than a block.
func (l *Layout) cut(rows []Row, n int) {
	parts := (n + BlockSize - 1) / BlockSize
	target := (n + parts - 1) / parts
	open := Block{First: rows[0].First}
	for _, r := range rows {
		if open.Len > 0 && (open.Len >= target || open.Len+r.Len > BlockSize) {
			l.closeBlock(open)
			open = Block{First: r.First}
		}
		if r.Len <= BlockSize {
			open.Len += r.Len
			continue
		}
		pieces := (r.Len + BlockSize - 1) / BlockSize
		for k := range pieces {
			from, to := r.Len*k/pieces, r.Len*(k+1)/pieces
			l.closeBlock(Block{First: r.First + from, Len: to - from})
		}
		open = Block{First: r.First + r.Len}
	}
	l.closeBlock(open)
}

func (l *Layout) closeBlock(b Block) {
	if b.Len == 0 {
		return
	}
	b.Name = strconv.Itoa(len(l.blocks))
	for i := b.First; i < b.First+b.Len; i++ {
		l.seats[i].Block = len(l.blocks)
	}
	l.blocks = append(l.blocks, b)
}

// pair joins loveseats in twos, from the left.
func (l *Layout) pair() {
	for i := 1; i < len(l.seats); i++ {
		a, b := &l.seats[i-1], &l.seats[i]
		if l.beside[i] && a.Type == Loveseat && b.Type == Loveseat && a.Partner < 0 {
			a.Partner, b.Partner = b.Index, a.Index
		}
	}
}

// rate moves the hall to 0, 0 and measures each seat's distance to the best
// point.
func (l *Layout) rate(bestX, bestY float64) {
	left, top := math.Inf(1), math.Inf(1)
	for i := range l.seats {
		left, top = min(left, l.seats[i].X), min(top, l.seats[i].Y)
	}
	for i := range l.seats {
		s := &l.seats[i]
		l.merit[i] = int32(math.Round(100 * math.Hypot(s.X-bestX, s.Y-bestY)))
		s.X, s.Y = hundredths(s.X-left), hundredths(s.Y-top)
	}
}

func hundredths(v float64) float64 { return math.Round(v*100) / 100 }
