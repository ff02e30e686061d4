package seatmap

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
)

const (
	gap            = '_'
	standingCell   = 'S'
	standingLetter = "GA"
	// platformRow is the row behind an arena block's last one that holds its
	// wheelchair and companion places, W C W C … from the left.
	platformRow = "P"

	maxName  = 190
	maxID    = 64
	maxRow   = 4
	maxWidth = 2000
)

// plan is a hall drawn but not yet expanded: the one form that the three
// source forms come down to.
type plan struct {
	doc      hallDoc
	sections []planSection
}

type planSection struct {
	id, name, level string
	rule            numbering
	rows            []planRow
	place           placing
}

type planRow struct {
	label, cells string

	numbers []string // of a seated row, as the next
	place   func(c int) (x, y float64)
}

func build(doc hallDoc) (*Layout, error) {
	if err := checkHead(doc); err != nil {
		return nil, err
	}
	p := plan{doc: doc}
	if err := p.draw(); err != nil {
		return nil, err
	}
	total := 0
	for _, s := range p.sections {
		total += len(s.rows)
	}
	if total == 0 {
		return nil, fault("", "a hall without seats")
	}
	p.lay()
	return p.expand()
}

func checkHead(doc hallDoc) error {
	switch {
	case !slug(doc.ID):
		return fault("id", "%q is not lower-case letters, digits and single hyphens, at most %d", doc.ID, maxID)
	case !printable(doc.Name, maxName):
		return fault("name", "not 1 to %d printable characters", maxName)
	case doc.Format != "" && !printable(doc.Format, maxName):
		return fault("format", "not at most %d printable characters", maxName)
	case doc.Kind != Cinema && doc.Kind != Theatre && doc.Kind != Arena:
		return fault("kind", "unknown kind %q", doc.Kind)
	case !doc.Numbering.valid():
		return fault("numbering", "unknown rule %q", doc.Numbering)
	}
	return checkSeats("seats", doc.Seats)
}

func checkSeats(path string, seats int) error {
	if seats < 1 || seats > MaxSeats {
		return fault(path, "%d is not 1 to %d", seats, MaxSeats)
	}
	return nil
}

func (p *plan) draw() error {
	forms := 0
	for _, has := range []bool{p.doc.Rows != nil, p.doc.Sections != nil, p.doc.Seated != nil, p.doc.Blocks != nil || p.doc.Standing != nil} {
		if has {
			forms++
		}
	}
	if forms != 1 {
		return fault("", "a hall is drawn by rows, by sections, seat by seat or by blocks, one of them")
	}
	if blocks := p.doc.Blocks != nil || p.doc.Standing != nil; blocks != (p.doc.Numbering == byBlock) {
		return fault("numbering", "%q is for halls of blocks and for them alone", byBlock)
	}
	if (p.doc.Seated != nil) != (p.doc.Numbering == asSeated) {
		return fault("numbering", "%q is for halls drawn seat by seat and for them alone", asSeated)
	}
	switch {
	case p.doc.Rows != nil:
		s := planSection{rule: p.doc.Numbering}
		return s.drawInto(p, "", p.doc.Rows, p.doc.Seats, p.doc.ByType)
	case p.doc.Sections != nil:
		return p.drawSections()
	case p.doc.Seated != nil:
		return p.drawSeated()
	}
	return p.drawBlocks()
}

func (p *plan) drawSections() error {
	sum := 0
	for i, doc := range p.doc.Sections {
		path := fmt.Sprintf("sections[%d]", i)
		s := planSection{id: slugOf(doc.Section), name: doc.Section, rule: doc.Numbering}
		if s.rule == "" {
			s.rule = p.doc.Numbering
		}
		if !s.rule.valid() || s.rule == byBlock || s.rule == asSeated {
			return fault(path+".numbering", "unknown rule %q", s.rule)
		}
		if err := p.checkSection(path+".section", s); err != nil {
			return err
		}
		if err := s.drawInto(p, path, doc.Rows, doc.Seats, doc.ByType); err != nil {
			return err
		}
		sum += doc.Seats
	}
	return p.checkSum(sum)
}

// checkSum compares the hall's own counts with its parts'; a hall of parts may
// leave by_type out.
func (p *plan) checkSum(sum int) error {
	if sum != p.doc.Seats {
		return fault("seats", "%d, but the parts have %d", p.doc.Seats, sum)
	}
	found := make(map[string]int)
	for _, s := range p.sections {
		for _, r := range s.rows {
			tally(found, r.cells)
		}
	}
	if p.doc.ByType != nil && !maps.Equal(found, p.doc.ByType) {
		return fault("by_type", "not the sum of the parts")
	}
	return nil
}

// tally adds the places of a row to found and answers how many there are.
func tally(found map[string]int, cells string) int {
	n := 0
	for c := range len(cells) {
		switch cells[c] {
		case gap:
			continue
		case standingCell:
			found[standingLetter]++
		default:
			found[cells[c:c+1]]++
		}
		n++
	}
	return n
}

func (p *plan) checkSection(path string, s planSection) error {
	if !slug(s.id) || !printable(s.name, maxID) {
		return fault(path, "%q makes no seat id", s.name)
	}
	for _, other := range p.sections {
		if other.id == s.id {
			return fault(path, "%q is there twice", s.name)
		}
	}
	return nil
}

// drawInto reads printed rows ("A: RR_RR") and checks what they add up to.
func (s planSection) drawInto(p *plan, path string, rows []string, seats int, byType map[string]int) error {
	if path != "" {
		path += "."
	}
	if err := checkSeats(path+"seats", seats); err != nil {
		return err
	}
	seen := make(map[string]bool, len(rows))
	found := make(map[string]int)
	total := 0
	for i, text := range rows {
		at := fmt.Sprintf("%srows[%d]", path, i)
		row, err := parseRow(at, text)
		if err != nil {
			return err
		}
		if seen[row.label] {
			return fault(at, "row %s is there twice", row.label)
		}
		seen[row.label] = true
		if len(s.rows) > 0 && len(row.cells) != len(s.rows[0].cells) {
			return fault(at, "%d cells wide, the first row %d", len(row.cells), len(s.rows[0].cells))
		}
		total += tally(found, row.cells)
		s.rows = append(s.rows, row)
	}
	if total != seats {
		return fault(path+"seats", "%d, but %d are drawn", seats, total)
	}
	if !maps.Equal(found, byType) {
		return fault(path+"by_type", "differs from what is drawn")
	}
	p.sections = append(p.sections, s)
	return nil
}

func parseRow(path, text string) (planRow, error) {
	label, cells, ok := strings.Cut(text, ": ")
	if !ok || !rowLabel(label) {
		return planRow{}, fault(path, `not "label: cells" with a label of 1 to %d capitals and digits`, maxRow)
	}
	if err := checkCells(path, cells); err != nil {
		return planRow{}, err
	}
	return planRow{label: label, cells: cells}, nil
}

func checkCells(path, cells string) error {
	if len(cells) > maxWidth {
		return fault(path, "wider than %d cells", maxWidth)
	}
	if strings.Trim(cells, string(gap)) == "" {
		return fault(path, "a row without seats")
	}
	for c := range len(cells) {
		if cells[c] != gap && letters[cells[c]] == "" {
			return fault(path, "unknown cell %q", cells[c])
		}
		if cells[c] == 'C' && !touches(cells, c, 'W') {
			return fault(path, "cell %d: a companion place with no wheelchair place beside it", c+1)
		}
	}
	for c := 0; c < len(cells); c++ {
		if cells[c] != 'L' {
			continue
		}
		if c+1 == len(cells) || cells[c+1] != 'L' {
			return fault(path, "cell %d: half a loveseat", c+1)
		}
		c++
	}
	return nil
}

func touches(cells string, c int, letter byte) bool {
	return c > 0 && cells[c-1] == letter || c+1 < len(cells) && cells[c+1] == letter
}

// drawBlocks reads an arena: its standing places first, then its blocks, each
// a section. Standing places are numbered from 1 in one row named 1.
func (p *plan) drawBlocks() error {
	sum := 0
	for i, doc := range p.doc.Standing {
		path := fmt.Sprintf("standing[%d]", i)
		s := planSection{id: slugOf(doc.Block), name: doc.Block, level: doc.Level, rule: byBlock}
		if err := p.checkSection(path+".block", s); err != nil {
			return err
		}
		if doc.Type != standingLetter {
			return fault(path+".type", "%q is not %q", doc.Type, standingLetter)
		}
		if err := checkSeats(path+".capacity", doc.Capacity); err != nil {
			return err
		}
		s.rows = []planRow{{label: "1", cells: strings.Repeat(string(standingCell), doc.Capacity)}}
		p.sections = append(p.sections, s)
		sum += doc.Capacity
		if sum > MaxSeats {
			return fault(path, "more than %d seats", MaxSeats)
		}
	}
	for i, doc := range p.doc.Blocks {
		if err := p.drawBlock(fmt.Sprintf("blocks[%d]", i), doc); err != nil {
			return err
		}
		sum += doc.Seats
		if sum > MaxSeats {
			return fault(fmt.Sprintf("blocks[%d]", i), "more than %d seats", MaxSeats)
		}
	}
	return p.checkSum(sum)
}

func (p *plan) drawBlock(path string, doc blockDoc) error {
	s := planSection{id: slugOf(doc.Block), name: doc.Block, level: doc.Level, rule: byBlock}
	if err := p.checkSection(path+".block", s); err != nil {
		return err
	}
	first, last, ok := span(doc.Rows)
	if !ok {
		return fault(path+".rows", `%q is not a range such as "1-16"`, doc.Rows)
	}
	switch {
	case doc.Type != "R" && doc.Type != "P":
		return fault(path+".type", "%q is not R or P", doc.Type)
	case doc.SeatsPerRow < 1 || doc.SeatsPerRow > MaxSeats:
		return fault(path+".seats_per_row", "%d is not 1 to %d", doc.SeatsPerRow, MaxSeats)
	case doc.Wheelchair < 0 || doc.Wheelchair > MaxSeats:
		return fault(path+".wheelchair", "%d is not 0 to %d", doc.Wheelchair, MaxSeats)
	case doc.Companion < 0 || doc.Companion > doc.Wheelchair:
		return fault(path+".companion", "%d companion places for %d wheelchair places", doc.Companion, doc.Wheelchair)
	}
	if err := checkSeats(path+".seats", doc.Seats); err != nil {
		return err
	}
	if n := (last-first+1)*doc.SeatsPerRow + doc.Wheelchair + doc.Companion; n != doc.Seats {
		return fault(path+".seats", "%d, but the block has %d", doc.Seats, n)
	}
	cells := strings.Repeat(doc.Type, doc.SeatsPerRow)
	for r := first; r <= last; r++ {
		s.rows = append(s.rows, planRow{label: strconv.Itoa(r), cells: cells})
	}
	if doc.Wheelchair > 0 {
		alone := doc.Wheelchair - doc.Companion
		s.rows = append(s.rows, planRow{label: platformRow, cells: strings.Repeat("WC", doc.Companion) + strings.Repeat("W", alone)})
	}
	p.sections = append(p.sections, s)
	return nil
}

// span reads "1-16"; its rows are 1 to 9999, so that the label stays short.
func span(text string) (first, last int, ok bool) {
	a, b, _ := strings.Cut(text, "-")
	first, err := strconv.Atoi(a)
	if err != nil || strconv.Itoa(first) != a {
		return 0, 0, false
	}
	last, err = strconv.Atoi(b)
	if err != nil || strconv.Itoa(last) != b {
		return 0, 0, false
	}
	return first, last, 1 <= first && first <= last && last <= 9999
}

func rowLabel(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= maxRow
}

// slugOf makes the id of a section from its name.
func slugOf(name string) string {
	return strings.ReplaceAll(strings.ToLower(name), " ", "-")
}

// slug reports lower-case letters, digits and single inner hyphens.
func slug(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
		if !letter && (c != '-' || i == 0 || i == len(s)-1 || s[i-1] == '-') {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= maxID
}

func printable(s string, most int) bool {
	for _, r := range s {
		if !strconv.IsPrint(r) {
			return false
		}
	}
	return s != "" && len(s) <= most
}
