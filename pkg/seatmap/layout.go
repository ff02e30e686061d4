package seatmap

import (
	"maps"
	"slices"
)

// Limits of a hall. BlockSize keeps the seats of one partition few enough for
// a rush; the others bound what an untrusted source can make us build.
const (
	MaxSeats       = 20000
	MaxSourceBytes = 64 << 10
	BlockSize      = 200
)

// Layout is a hall expanded: immutable, safe for concurrent use.
type Layout struct {
	id, name, format string
	kind             Kind

	seats    []Seat
	index    map[SeatID]int32
	sections []Section
	blocks   []Block
	byType   map[SeatType]int

	rows   []rowSpan
	beside []bool  // seat i touches seat i-1: one row, no aisle between
	column []int16 // printed column, for drawing and for "behind one another"
	merit  []int32 // distance to the best point, hundredths of a pitch
}

// Section is a named part of a hall; a hall without sections has one whose id
// and name are empty.
type Section struct {
	ID, Name string
	Rows     []Row
}

// Row is a run of seats in layout order, left to right as one faces the stage.
type Row struct {
	ID         string
	First, Len int
}

// Block is a run of neighbouring seats, the unit of partition. Name is short,
// unique within the layout and as lasting as the layout.
type Block struct {
	Name       string
	First, Len int
}

type rowSpan struct{ first, end, section int }

// ID is the layout's id, for example "imax-600".
func (l *Layout) ID() string { return l.id }

// Name is the layout's name for people.
func (l *Layout) Name() string { return l.name }

// Kind is the sort of hall.
func (l *Layout) Kind() Kind { return l.kind }

// Format is a house's word such as "IMAX", often empty.
func (l *Layout) Format() string { return l.format }

// Len is the capacity in places.
func (l *Layout) Len() int { return len(l.seats) }

// At is the seat with index i; it panics outside 0 ≤ i < Len.
func (l *Layout) At(i int) Seat { return l.seats[i] }

// Seat finds a seat by id.
func (l *Layout) Seat(id SeatID) (Seat, bool) {
	i, ok := l.index[id]
	if !ok {
		return Seat{}, false
	}
	return l.seats[i], true
}

// Sections are the sections in layout order. The slices are the layout's own:
// read them only.
func (l *Layout) Sections() []Section { return l.sections }

// Blocks are the blocks in layout order; every seat is in exactly one.
func (l *Layout) Blocks() []Block { return slices.Clone(l.blocks) }

// Block is the block with index i, as told by Seat.Block.
func (l *Layout) Block(i int) Block { return l.blocks[i] }

// BlockSeats are the seats of block i, in layout order.
func (l *Layout) BlockSeats(i int) []Seat {
	b := l.blocks[i]
	return slices.Clone(l.seats[b.First : b.First+b.Len])
}

// ByType counts the seats of each type that occurs. The map is the caller's.
func (l *Layout) ByType() map[SeatType]int { return maps.Clone(l.byType) }

// Types are the types that occur, in the order of the constants.
func (l *Layout) Types() []SeatType {
	var types []SeatType
	for _, t := range seatTypes {
		if l.byType[t] > 0 {
			types = append(types, t)
		}
	}
	return types
}

// IDs names the seats at the given indexes.
func (l *Layout) IDs(seats []int) []SeatID {
	ids := make([]SeatID, len(seats))
	for k, i := range seats {
		ids[k] = l.seats[i].ID
	}
	return ids
}
