package ddb

import (
	"math"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/fairseat/fairseat/pkg/store"
)

// grow makes an attribute out of arbitrary bytes, any type of the service's.
func grow(b *[]byte, depth int) types.AttributeValue {
	next := func() byte {
		if len(*b) == 0 {
			return 0
		}
		c := (*b)[0]
		*b = (*b)[1:]
		return c
	}
	text := func() string {
		n := min(int(next()%8), len(*b))
		s := string((*b)[:n])
		*b = (*b)[n:]
		return s
	}
	kind, n := next()%10, int(next()%4)
	if depth == 0 {
		kind %= 8
	}
	switch kind {
	case 0:
		return &types.AttributeValueMemberS{Value: text()}
	case 1:
		return &types.AttributeValueMemberN{Value: text()}
	case 2:
		return &types.AttributeValueMemberBOOL{Value: next()%2 == 0}
	case 3:
		return &types.AttributeValueMemberB{Value: []byte(text())}
	case 4:
		return &types.AttributeValueMemberSS{Value: []string{text(), text() + "'"}}
	case 5:
		return &types.AttributeValueMemberNULL{Value: true}
	case 6:
		return &types.AttributeValueMemberNS{Value: []string{"1"}}
	case 7:
		return nil
	case 8:
		l := make([]types.AttributeValue, n)
		for i := range l {
			l[i] = grow(b, depth-1)
		}
		return &types.AttributeValueMemberL{Value: l}
	}
	m := attributes{}
	for range n {
		m[text()] = grow(b, depth-1)
	}
	return &types.AttributeValueMemberM{Value: m}
}

// FuzzDecode: a row is refused, or understood so that writing it back and
// reading it again gives the same.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{"", "\x00\x00\x03abc", "\x01\x00\x0242", "\x04\x00\x02ab\x02cd", "\x08\x02\x00\x00\x01x\x02\x00\x01", "\x09\x01\x01k\x03\x00\x02\x00\xff", "\x05", "\x01\x00\x031.5"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		row := attributes{"a": grow(&b, 3), "b": grow(&b, 3)}
		it, err := decodeItem(row)
		if err != nil {
			return
		}
		back, err := new(slab).encodeMap(it)
		if err != nil {
			return // not UTF-8, or a set that is no set
		}
		again, err := decodeItem(back)
		if err != nil || !again.Equal(it) {
			t.Errorf("%v became %v (%v)", it, again, err)
		}
	})
}

func TestDecodeNumbers(t *testing.T) {
	for in, want := range map[string]int64{"0": 0, "-1": -1, "9223372036854775807": math.MaxInt64, "-9223372036854775808": math.MinInt64} {
		if v, err := decode(&types.AttributeValueMemberN{Value: in}); err != nil || v != want {
			t.Errorf("%s is %v, %v", in, v, err)
		}
	}
	for _, in := range []string{"", "1.0", "1E3", "9223372036854775808", "x"} {
		if v, err := decode(&types.AttributeValueMemberN{Value: in}); err == nil {
			t.Errorf("%s is %v", in, v)
		}
	}
}

func TestNoItem(t *testing.T) {
	for _, in := range []attributes{nil, {}} {
		if it, err := decodeItem(in); it != nil || err != nil {
			t.Errorf("%v, %v", it, err)
		}
	}
	if it, _ := decodeItem(attributes{"a": &types.AttributeValueMemberSS{Value: []string{"b", "a"}}}); !it.Equal(store.Item{"a": store.Set{"a", "b"}}) {
		t.Errorf("%v", it)
	}
}
