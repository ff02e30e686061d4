package engine

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/fairseat/fairseat/pkg/search"
)

// position is what shows are sorted by, and a cursor's content. The id makes
// every order total.
type position struct {
	title int32
	start int64
	far   int32
	id    string
}

func (s *run) position(i int) position {
	p := position{start: s.ix.starts[i], id: string(s.ix.shows[i].ID)}
	if film := s.ix.film[i]; film >= 0 {
		p.title = s.ix.titleRank[film]
	}
	if s.far != nil {
		p.far = s.far[s.ix.cinema[i]]
	}
	return p
}

// compare orders two shows as asked.
func (s *run) compare(a, b position) int {
	var c int
	switch s.q.Order.By {
	case search.ByName:
		c = cmp.Or(cmp.Compare(a.title, b.title), cmp.Compare(a.start, b.start), cmp.Compare(a.id, b.id))
	case search.ByDistance:
		c = cmp.Or(cmp.Compare(a.far, b.far), cmp.Compare(a.start, b.start), cmp.Compare(a.id, b.id))
	case search.ByDateName:
		c = cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.title, b.title), cmp.Compare(a.id, b.id))
	default:
		c = cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.id, b.id))
	}
	if s.q.Order.Descending {
		return -c
	}
	return c
}

// mark is a cursor's content: the last show of a page by value, for its number is
// another in the next index.
type mark struct {
	Title string `json:"t"` // folded
	Start int64  `json:"s"`
	Far   int32  `json:"d"`
	ID    string `json:"i"`
}

const sumLen = 8

// cursor ties the mark to the question, so that a made-up or borrowed one is
// refused. It may be used with another length of page.
func (s *run) cursor(i int) string {
	p := s.position(i)
	m, _ := json.Marshal(mark{folded(s.ix.films[s.ix.film[i]].Title), p.start, p.far, p.id}) // strings and numbers
	return base64.RawURLEncoding.EncodeToString(append(s.sum(m), m...))
}

func (s *run) sum(m []byte) []byte {
	q := s.q
	q.Cursor, q.Limit, q.Facets, q.Spell = "", 0, false, false
	near, price := "", ""
	if q.Near != nil {
		near = fmt.Sprint(*q.Near)
	}
	if q.Price != nil {
		price = fmt.Sprint(*q.Price)
	}
	q.Near, q.Price = nil, nil
	sum := sha256.Sum256(fmt.Appendf(nil, "search cursor 1\x00%q %q %q %q", fmt.Sprintf("%#v", q), near, price, m))
	return sum[:sumLen]
}

// after is behind what the page begins; nil for the first page.
func (s *run) after() (*position, error) {
	if s.q.Cursor == "" {
		return nil, nil
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(s.q.Cursor)
	if err != nil || len(raw) < sumLen || string(raw[:sumLen]) != string(s.sum(raw[sumLen:])) {
		return nil, search.ErrCursor
	}
	var m mark
	if json.Unmarshal(raw[sumLen:], &m) != nil {
		return nil, search.ErrCursor
	}
	return &position{s.ix.rankOf(m.Title), m.Start, m.Far, m.ID}, nil
}
