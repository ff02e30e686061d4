// Package seatmap decides everything about a hall that does not depend on who
// buys: which seats there are and what they are called, which are neighbours,
// which free ones are best for a party, which choice leaves a seat alone, and
// how the state of all seats packs into 2 bits each.
//
// It is pure: no clock, no I/O, no randomness of its own. What must hold:
//
//   - OneOrder: the position of a seat in the source is its index, for ever;
//     packed maps and blocks count in it, so a layout is never edited, a
//     changed hall is a new layout.
//   - OneName: a seat id names one seat of its hall. Row labels and numbers
//     hold no hyphen, so an id reads from its end without doubt.
//   - WholeRows: a block is a run of at most [BlockSize] seats of one
//     section, and a row that fits into a block is never cut. Row and number
//     are therefore unique within a block.
//   - NeverGeneral: [Best] gives a wheelchair place only to who asks for one,
//     a companion place only beside such a wheelchair place, and a loveseat
//     only with its other half.
//
// Start with [ParseHalls], [Expand], [Layout] and [Best].
//
// Positions are in seat pitches: two seats side by side are 1 apart, so an
// aisle shows as a larger step. X grows to the right of somebody who faces the
// stage, Y away from it. The hall as a whole begins at 0, 0.
package seatmap
