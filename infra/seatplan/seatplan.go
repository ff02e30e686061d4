// Package seatplan reads seating plans in the form of pretix and makes halls of
// them, in the form that [seatmap.Expand] takes.
//
// What it decides: a zone is a section, labels stay, places are measured in the
// distance of two seats, and a category is a seat type by its name or by a table.
// It refuses with every fault that it finds, each by its JSON path, so that who
// drew the plan mends it in one go. It is pure; a plan may come from anybody.
//
// Start with [Import].
package seatplan

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/fairseat/fairseat/pkg/seatmap"
)

// Limits of a file. More problems than these are not told.
const (
	MaxBytes    = 8 << 20
	maxProblems = 100
	maxDepth    = 12
)

// Options say what a plan does not.
type Options struct {
	ID    string // of the layout
	Kind  seatmap.Kind
	Types map[string]seatmap.SeatType // by the name of the category; others go by their own word
}

// Problem is what is wrong and where, e.g. "zones[0].rows[2].seats[7].seat_guid".
type Problem struct {
	Path   string
	Reason string
}

func (p Problem) String() string { return p.Path + ": " + p.Reason }

// Problems are all that is wrong with a file, in the order of its paths' numbers.
type Problems []Problem

func (ps Problems) Error() string {
	var b strings.Builder
	for i, p := range ps {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(p.String())
	}
	return b.String()
}

type planDoc struct {
	Name       string        `json:"name"`
	Zones      []zoneDoc     `json:"zones"`
	Categories []categoryDoc `json:"categories"`
}

type categoryDoc struct {
	Name string `json:"name"`
}

type zoneDoc struct {
	Name     *string  `json:"name"`
	UUID     *string  `json:"uuid"`
	Position pointDoc `json:"position"`
	Rows     []rowDoc `json:"rows"`
}

type rowDoc struct {
	Number   string    `json:"row_number"`
	UUID     *string   `json:"uuid"`
	Position *pointDoc `json:"position"`
	Seats    []seatDoc `json:"seats"`
}

type seatDoc struct {
	GUID     string   `json:"seat_guid"`
	Number   string   `json:"seat_number"`
	Category string   `json:"category"`
	UUID     *string  `json:"uuid"`
	Position pointDoc `json:"position"`
}

type pointDoc struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

func (p pointDoc) plus(q pointDoc) pointDoc { return pointDoc{p.X + q.X, p.Y + q.Y} }

// Import makes a hall of a plan. The error is a [Problems].
func Import(data []byte, o Options) (seatmap.Source, error) {
	if err := validate(data); err != nil {
		return seatmap.Source{}, err
	}
	var doc planDoc
	if err := json.Unmarshal(data, &doc); err != nil {
		return seatmap.Source{}, Problems{{"file", err.Error()}}
	}
	r := reader{o: o, types: map[string]byte{}, guids: map[string]string{}, uuids: map[string]string{}, names: map[string]string{}}
	text := r.hall(doc)
	if len(r.problems) > 0 {
		return seatmap.Source{}, r.problems.first()
	}
	if len(text) > seatmap.MaxSourceBytes {
		return seatmap.Source{}, Problems{{"file", fmt.Sprintf("its seats take %d bytes as a hall, more than %d: seats on straight lines at even distances take least", len(text), seatmap.MaxSourceBytes)}}
	}
	l, err := seatmap.Expand(seatmap.Source{ID: o.ID, Text: text})
	if err != nil {
		return seatmap.Source{}, Problems{{"file", err.Error()}}
	}
	return seatmap.Source{ID: l.ID(), Name: l.Name(), Kind: l.Kind(), Seats: l.Len(), Text: text}, nil
}

// first are those that are told, in an order that does not change.
func (ps Problems) first() Problems {
	slices.SortStableFunc(ps, func(a, b Problem) int { return cmp.Or(naturally(a.Path, b.Path), cmp.Compare(a.Reason, b.Reason)) })
	ps = slices.Compact(ps)
	if len(ps) > maxProblems {
		ps = append(ps[:maxProblems:maxProblems], Problem{"file", fmt.Sprintf("and %d more", len(ps)-maxProblems)})
	}
	return ps
}

// naturally compares paths with their numbers as numbers.
func naturally(a, b string) int {
	for a != "" && b != "" {
		na, ra := digits(a)
		nb, rb := digits(b)
		if na != "" && nb != "" {
			if c := cmp.Or(cmp.Compare(len(na), len(nb)), cmp.Compare(na, nb)); c != 0 {
				return c
			}
			a, b = ra, rb
			continue
		}
		if a[0] != b[0] {
			return cmp.Compare(a[0], b[0])
		}
		a, b = a[1:], b[1:]
	}
	return cmp.Compare(len(a), len(b))
}

func digits(s string) (number, rest string) {
	rest = strings.TrimLeft(s, "0123456789")
	return s[:len(s)-len(rest)], rest
}
