package seatmap

import "math"

// placing tells where column c of row r lies, w being the row's width in
// columns, before the hall is moved to 0, 0.
type placing func(r, c, w int) (x, y float64)

const (
	aisle    = 2.0 // pitches between parts of a hall
	boxes    = "boxes"
	floor    = "floor"
	ringSpan = 200 * math.Pi / 180 // how far the rings of an arena go round
)

// lay gives every section its placing. Nothing in a hall file says where
// things stand; these are the sensible drawings:
//
//   - Printed rows stand one pitch behind another, sections behind one another
//     with an aisle between, centred. A section named Boxes hangs along the
//     walls beside the first section, its rows left and right in turn.
//   - An arena's stage is at the top. Standing places come first, then the
//     floor's blocks in a grid, from the right to the left and backwards. Every other
//     level is a ring of straight blocks round the middle of the stage's edge,
//     clockwise from the stage-left corner, levels outwards in the order of
//     the file; a platform row stands one more pitch behind.
func (p *plan) lay() {
	switch p.doc.Numbering {
	case byBlock:
		p.layArena()
		return
	case asSeated:
		p.laySeated()
		return
	}
	width := 0
	for _, s := range p.sections {
		width = max(width, len(s.rows[0].cells))
	}
	top := 0.0
	for i := range p.sections {
		s := &p.sections[i]
		if s.id == boxes && i > 0 {
			s.place = besides(float64(width))
			continue
		}
		s.place = behind(float64(width-len(s.rows[0].cells))/2, top)
		top += float64(len(s.rows)) + aisle
	}
}

func behind(left, top float64) placing {
	return func(r, c, _ int) (float64, float64) { return left + float64(c), top + float64(r) }
}

func besides(width float64) placing {
	return func(r, c, w int) (float64, float64) {
		y := aisle + 4*float64(r/2)
		if r%2 == 0 {
			return -aisle - float64(w-c), y
		}
		return width + aisle + float64(c), y
	}
}

// layArena works round 0, 0, the middle of the stage's edge.
func (p *plan) layArena() {
	depth, half := p.layFloor()
	radius := math.Hypot(half, depth) + aisle
	for first := 0; first < len(p.sections); first++ {
		if p.sections[first].place != nil {
			continue
		}
		radius = p.layRing(p.sections[first].level, radius)
	}
}

// layFloor places what stands on the floor and answers how deep and how wide
// to each side that is.
func (p *plan) layFloor() (depth, half float64) {
	var grid []*planSection
	for i := range p.sections {
		s := &p.sections[i]
		switch {
		case s.rows[0].cells[0] == standingCell:
			cols := int(math.Ceil(2 * math.Sqrt(float64(len(s.rows[0].cells)))))
			s.place = crowd(depth, cols)
			depth += math.Ceil(float64(len(s.rows[0].cells))/float64(cols)) + aisle
			half = max(half, float64(cols)/2)
		case s.level == floor:
			grid = append(grid, s)
		}
	}
	cols := int(math.Ceil(math.Sqrt(float64(len(grid)))))
	cellW, cellD := 0.0, 0.0
	for _, s := range grid {
		cellW = max(cellW, float64(len(s.rows[0].cells))+aisle)
		cellD = max(cellD, float64(len(s.rows)+1)+aisle)
	}
	for k, s := range grid {
		mid := (float64(cols-1)/2 - float64(k%cols)) * cellW
		s.place = square(mid, depth+float64(k/cols)*cellD)
	}
	if cols > 0 {
		depth += math.Ceil(float64(len(grid))/float64(cols)) * cellD
		half = max(half, float64(cols)/2*cellW)
	}
	return depth, half
}

func crowd(top float64, cols int) placing {
	return func(_, c, _ int) (float64, float64) {
		return float64(c%cols) - float64(cols-1)/2, top + float64(c/cols)
	}
}

func square(mid, top float64) placing {
	return func(r, c, w int) (float64, float64) {
		return mid + float64(c) - float64(w-1)/2, top + float64(r)
	}
}

// layRing places the blocks of a level on one ring, no nearer than radius, and
// answers the radius that is free behind it.
func (p *plan) layRing(level string, radius float64) float64 {
	var ring []*planSection
	width, deep := 0, 0
	for i := range p.sections {
		s := &p.sections[i]
		if s.place != nil || s.level != level {
			continue
		}
		ring = append(ring, s)
		for _, r := range s.rows {
			width = max(width, len(r.cells))
		}
		deep = max(deep, len(s.rows)+1)
	}
	step := ringSpan / float64(len(ring))
	radius = max(radius, (float64(width)+aisle)/step)
	for k, s := range ring {
		s.place = facing(ringSpan/2-step*(float64(k)+0.5), radius)
	}
	return radius + float64(deep) + aisle
}

// facing places a block at an angle from straight ahead of the stage, positive
// to the right of who faces it; its seats run left to right as one faces inwards.
func facing(angle, radius float64) placing {
	sin, cos := math.Sincos(angle)
	return func(r, c, w int) (float64, float64) {
		out, along := radius+float64(r), float64(c)-float64(w-1)/2
		return out*sin + along*cos, out*cos - along*sin
	}
}

// bestPoint is where one would most like to sit, in the coordinates of lay:
// in a cinema the middle, two thirds back; in a theatre the middle of the
// first section; in an arena the middle of the first row of the floor's seats,
// or of the stage's edge where the floor has none.
func (p *plan) bestPoint() (x, y float64) {
	if p.doc.Numbering == byBlock {
		for _, s := range p.sections {
			if s.level == floor && s.rows[0].cells[0] != standingCell {
				_, y = s.place(0, 0, 1)
				return 0, y
			}
		}
		return 0, 0
	}
	if p.doc.Numbering == asSeated {
		return p.middle()
	}
	s := p.sections[0]
	w, rows := len(s.rows[0].cells), float64(len(s.rows)-1)
	left, top := s.place(0, 0, w)
	right, _ := s.place(0, w-1, w)
	return (left + right) / 2, top + rows*p.doc.Kind.depth()
}
