package ddb

import (
	"strconv"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// slab is the memory that a request is made in. A transaction of ten seats has
// thirteen maps and seventy values, and one by one they were most of what it
// allocated; so they come from chunks, and a transaction's slab serves the next
// when the call has returned: by then the SDK has sent its own writing of it, and
// its errors hold what came back and nothing of what went out. The zero value is
// ready for one request, and keeps nothing.
type slab struct {
	kept    bool // for the next
	in      dynamodb.TransactWriteItemsInput
	items   []types.TransactWriteItem
	puts    []types.Put
	texts   []types.AttributeValueMemberS
	numbers []types.AttributeValueMemberN
	maps    []attributes
	names   []map[string]string
	mapped  int                // maps in use
	named   int                // names in use
	text    []byte             // of the expression at hand
	shapes  map[string]*string // expressions that were rendered before
}

// smallChunk is for a read's key and condition. mostShapes is more than the
// protocol has; they hold attribute names and placeholders, never values.
const (
	smallChunk = 4
	mostShapes = 256
)

var slabs = sync.Pool{New: func() any { return &slab{kept: true, shapes: map[string]*string{}} }}

func (s *slab) recycle() {
	s.forget()
	slabs.Put(s)
}

// forget the request, whose parts nobody has any more.
func (s *slab) forget() {
	clear(s.items)
	clear(s.puts)
	clear(s.texts)
	clear(s.numbers)
	for _, m := range s.maps[:s.mapped] {
		clear(m)
	}
	for _, m := range s.names[:s.named] {
		clear(m)
	}
	s.in = dynamodb.TransactWriteItemsInput{}
	s.items, s.puts, s.texts, s.numbers, s.mapped, s.named, s.text = s.items[:0], s.puts[:0], s.texts[:0], s.numbers[:0], 0, 0, s.text[:0]
}

// one more of a chunk. A full chunk stays with who has parts of it.
func one[T any](chunk *[]T) *T {
	if len(*chunk) == cap(*chunk) {
		*chunk = make([]T, 0, max(2*cap(*chunk), smallChunk))
	}
	*chunk = (*chunk)[:len(*chunk)+1]
	return &(*chunk)[len(*chunk)-1]
}

func (s *slab) put() *types.Put { return one(&s.puts) }

func (s *slab) textOf(v string) *types.AttributeValueMemberS {
	av := one(&s.texts)
	av.Value = v
	return av
}

func (s *slab) numberOf(v int64) *types.AttributeValueMemberN {
	av := one(&s.numbers)
	av.Value = strconv.FormatInt(v, 10)
	return av
}

// blank is a map without entries, for about n.
func (s *slab) blank(n int) attributes {
	if !s.kept {
		return make(attributes, n)
	}
	if s.mapped == len(s.maps) {
		s.maps = append(s.maps, make(attributes, n))
	}
	s.mapped++
	return s.maps[s.mapped-1]
}

func (s *slab) blankNames() map[string]string {
	if !s.kept {
		return map[string]string{}
	}
	if s.named == len(s.names) {
		s.names = append(s.names, map[string]string{})
	}
	s.named++
	return s.names[s.named-1]
}

// said is the expression that was gathered, the same string for the same shape.
func (s *slab) said() *string {
	text := s.shapes[string(s.text)]
	if text == nil {
		made := string(s.text)
		text = &made
		if s.kept && len(s.shapes) < mostShapes {
			s.shapes[made] = text
		}
	}
	s.text = s.text[:0]
	return text
}
