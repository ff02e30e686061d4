package catalog

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"

	"github.com/fairseat/fairseat/pkg/fault"
)

// MaxLimit is the longest page of a list.
const MaxLimit = 100

// What a page may be refused for.
var (
	ErrLimit  = fault.New(fault.Invalid, "bad_request", "catalog: limit is 1 to 100")
	ErrCursor = fault.New(fault.Invalid, "bad_request", "catalog: not a cursor of this list")
)

// Page asks for part of a list: 1 to [MaxLimit] items after Cursor, "" for the first.
type Page struct {
	Limit  int
	Cursor string
}

// Listing is a page. Next is the cursor of the following one, "" at the end.
type Listing[T any] struct {
	Items []T
	Next  string
}

const sumLen = 8

// cursor names the last item of a page by its sort key, not by its number: a list
// that has changed since neither repeats nor skips what was there. The sum ties
// it to one list, so that a made-up or borrowed one is refused.
func cursor(list, after string) string {
	return base64.RawURLEncoding.EncodeToString(append(cursorSum(list, after), after...))
}

func cursorSum(list, after string) []byte {
	sum := sha256.Sum256([]byte("catalog cursor 1\x00" + list + "\x00" + after))
	return sum[:sumLen]
}

func parseCursor(list, c string) (after string, err error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(c)
	if err != nil || len(raw) < sumLen {
		return "", ErrCursor
	}
	after = string(raw[sumLen:])
	if string(raw[:sumLen]) != string(cursorSum(list, after)) {
		return "", ErrCursor
	}
	return after, nil
}

// Cursor is the cursor of a list that others keep, after the place where a page ended.
func Cursor(list, after string) string { return cursor(list, after) }

// ParseCursor is its inverse; a made-up cursor, or another list's, is [ErrCursor].
func ParseCursor(list, c string) (after string, err error) { return parseCursor(list, c) }

// pageOf cuts a page from all items, sorted by key, of the list of that name.
func pageOf[T any](list string, all []T, key func(T) string, p Page) (Listing[T], error) {
	if p.Limit < 1 || p.Limit > MaxLimit {
		return Listing[T]{}, ErrLimit
	}
	from := 0
	if p.Cursor != "" {
		after, err := parseCursor(list, p.Cursor)
		if err != nil {
			return Listing[T]{}, err
		}
		at, found := slices.BinarySearchFunc(all, after, func(it T, k string) int { return strings.Compare(key(it), k) })
		if from = at; found {
			from++
		}
	}
	to := min(from+p.Limit, len(all))
	l := Listing[T]{Items: slices.Clone(all[from:to])}
	if to < len(all) {
		l.Next = cursor(list, key(all[to-1]))
	}
	return l, nil
}
