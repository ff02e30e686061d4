package meter

import (
	"strconv"
	"strings"

	"github.com/fairseat/fairseat/pkg/store"
)

const (
	writeBlock = 1 << 10 // bytes of one write unit
	readBlock  = 4 << 10 // bytes of one read unit
)

// Size is the length of an item in bytes as the service bills it: names and
// values in UTF-8, a number half a byte a significant digit. An absent item has
// none. Source: "DynamoDB item sizes and formats", Amazon DynamoDB Developer Guide.
func Size(it store.Item) int {
	n := 0
	for name, v := range it {
		n += len(name) + valueSize(v)
	}
	return n
}

func valueSize(v any) int {
	switch v := v.(type) {
	case string:
		return len(v)
	case []byte:
		return len(v)
	case int64:
		return numberSize(v)
	case store.Set:
		n := 0
		for _, s := range v {
			n += len(s)
		}
		return n
	case store.Texts:
		n := 3
		for _, s := range v {
			n += 1 + len(s)
		}
		return n
	case []any:
		n := 3
		for _, x := range v {
			n += 1 + valueSize(x)
		}
		return n
	case store.Item:
		return valueSize(map[string]any(v))
	case map[string]any:
		n := 3
		for name, x := range v {
			n += 1 + len(name) + valueSize(x)
		}
		return n
	}
	return 1 // bool
}

// numberSize counts significant digits: zeros at the end cost nothing, a minus
// costs a byte (the guide's 21 bytes at most are 38 digits, the sign and one).
func numberSize(n int64) int {
	s := strconv.FormatInt(n, 10)
	digits := strings.TrimRight(strings.TrimPrefix(s, "-"), "0")
	size := (len(digits)+1)/2 + 1
	if n < 0 {
		size++
	}
	return size
}

// WriteUnits is the price in write units of one item of size bytes in a
// transaction: two a KB begun, at least two.
func WriteUnits(size int) int64 { return 2 * blocks(size, writeBlock) }

func blocks(size, block int) int64 {
	return int64(max(1, (size+block-1)/block))
}
