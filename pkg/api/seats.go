package api

import (
	"context"
	"encoding/base64"
	"fmt"
	"strconv"

	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
)

// ReadSeatmap answers how the seats of a show stand (A5, A6), at most two seconds
// behind.
func ReadSeatmap(e Edge, o *boxoffice.Office) Handler {
	s := seats{o}
	return e.handle(map[string]operation{opReadSeatmap: s.read})
}

type seats struct{ office *boxoffice.Office }

type mapDoc struct {
	Version  string        `json:"version"`
	Capacity int           `json:"capacity"`
	Free     int           `json:"free"`
	Held     int           `json:"held"`
	Line     int           `json:"line"`
	Sold     int           `json:"sold"`
	Blocked  int           `json:"blocked"`
	States   string        `json:"states"`
	Seats    []standingDoc `json:"seats,omitzero"`
}

type standingDoc struct {
	ID    string `json:"id"`
	Type  string `json:"type"`
	State string `json:"state"`
}

func (s seats) read(ctx context.Context, c *call) (reply, error) {
	expand, given := c.query["expand"]
	if given && expand != "seats" {
		return reply{}, bad("expand: must be seats")
	}
	id := catalog.ShowID(c.id("show"))
	m, err := s.office.SeatMap(ctx, id)
	if err != nil {
		return reply{}, err
	}
	version := strconv.FormatInt(m.Version, 10)
	t := m.Tally()
	d := mapDoc{
		Version: version, Capacity: m.Seats.Len(), Free: t.Free, Held: t.Held, Line: t.Line, Sold: t.Sold, Blocked: t.Blocked,
		States: base64.StdEncoding.EncodeToString(m.Seats.Bytes()),
	}
	tag := version
	if given {
		tag += ".seats" // another representation of the same version
		if d.Seats, err = s.standings(ctx, id, m); err != nil {
			return reply{}, err
		}
	}
	return reply{status: 200, doc: d, keep: keepStock, tag: tag}, nil
}

func (s seats) standings(ctx context.Context, id catalog.ShowID, m *boxoffice.Map) ([]standingDoc, error) {
	show, err := s.office.Catalog.Show(ctx, id)
	if err != nil {
		return nil, err
	}
	l, err := s.office.Catalog.Layout(ctx, show.LayoutID)
	if err != nil {
		return nil, err
	}
	if l.Len() != m.Seats.Len() {
		return nil, fmt.Errorf("seat map of show %s has %d seats, its layout %d", id, m.Seats.Len(), l.Len())
	}
	docs := make([]standingDoc, l.Len())
	for i := range docs {
		at := l.At(i)
		docs[i] = standingDoc{string(at.ID), string(at.Type), m.StandingOf(i).String()}
	}
	return docs, nil
}
