package seatplan

import (
	"fmt"
	"strings"

	"github.com/fairseat/fairseat/pkg/seatmap"
)

// cells are the letters of our hall drawings.
var cells = map[seatmap.SeatType]byte{
	seatmap.Regular: 'R', seatmap.Premium: 'P', seatmap.Wheelchair: 'W', seatmap.Companion: 'C', seatmap.Loveseat: 'L',
}

// words are names of categories that say their type.
var words = map[string]seatmap.SeatType{
	"r": seatmap.Regular, "regular": seatmap.Regular, "standard": seatmap.Regular, "普通": seatmap.Regular,
	"p": seatmap.Premium, "premium": seatmap.Premium, "vip": seatmap.Premium, "贵宾": seatmap.Premium,
	"w": seatmap.Wheelchair, "wheelchair": seatmap.Wheelchair, "轮椅": seatmap.Wheelchair,
	"c": seatmap.Companion, "companion": seatmap.Companion, "陪同": seatmap.Companion,
	"l": seatmap.Loveseat, "loveseat": seatmap.Loveseat, "情侣": seatmap.Loveseat,
}

// categories gives each its type: a plan has no types, so a name that does not say
// one must be in the caller's table.
func (r *reader) categories(docs []categoryDoc) {
	seen := map[string]string{}
	for i, c := range docs {
		path := fmt.Sprintf("categories[%d].name", i)
		r.once(seen, c.Name, path)
		typ, told := r.o.Types[c.Name]
		if !told {
			typ = words[strings.ToLower(strings.TrimSpace(c.Name))]
		}
		cell, known := cells[typ]
		if !known {
			r.refuse(path, "which seat type %q is must be told: regular, premium, wheelchair, companion or loveseat", c.Name)
			cell = 'R'
		}
		r.types[c.Name] = cell
	}
	for name := range r.o.Types {
		if _, there := seen[name]; !there {
			r.refuse("categories", "there is no %q, whose type was told", name)
		}
	}
}
