package catalog

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func itself(s string) string { return s }

func TestPagesMakeTheWholeList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfNDistinct(rapid.String(), 0, 40, itself).Draw(t, "all")
		slices.Sort(all)
		limit := rapid.IntRange(1, MaxLimit).Draw(t, "limit")
		var got []string
		p := Page{Limit: limit}
		for range 50 {
			l, err := pageOf("list", all, itself, p)
			if err != nil {
				t.Fatal(err)
			}
			if len(l.Items) > limit || l.Next != "" && len(l.Items) != limit {
				t.Fatalf("a page of %d with limit %d, next %q", len(l.Items), limit, l.Next)
			}
			got = append(got, l.Items...)
			if p.Cursor = l.Next; l.Next == "" {
				break
			}
		}
		if !slices.Equal(got, all) {
			t.Fatalf("got %q, want %q", got, all)
		}
	})
}

// What is there all the time comes exactly once, whatever comes and goes between pages.
func TestPagesOfAListThatChanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-f]{1,3}`), 1, 30, itself).Draw(t, "words")
		stays := map[string]bool{}
		for _, w := range words {
			stays[w] = rapid.Bool().Draw(t, "stays")
		}
		seen := map[string]int{}
		p := Page{Limit: rapid.IntRange(1, 4).Draw(t, "limit")}
		for range 100 {
			var all []string
			for _, w := range words {
				if stays[w] || rapid.Bool().Draw(t, "there") {
					all = append(all, w)
				}
			}
			slices.Sort(all)
			l, err := pageOf("list", all, itself, p)
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range l.Items {
				seen[w]++
			}
			if p.Cursor = l.Next; l.Next == "" {
				break
			}
		}
		for w, s := range stays {
			if seen[w] > 1 || s && seen[w] != 1 {
				t.Fatalf("%q came %d times", w, seen[w])
			}
		}
	})
}

func TestPageIsRefused(t *testing.T) {
	all := []string{"a", "b", "c"}
	good := cursor("list", "a")
	for _, tt := range []struct {
		name string
		p    Page
		want error
	}{
		{"limit 0", Page{Limit: 0}, ErrLimit},
		{"limit below", Page{Limit: -1}, ErrLimit},
		{"limit above", Page{Limit: 101}, ErrLimit},
		{"made up", Page{Limit: 1, Cursor: "abc"}, ErrCursor},
		{"not base64", Page{Limit: 1, Cursor: "***"}, ErrCursor},
		{"padded", Page{Limit: 1, Cursor: good + "="}, ErrCursor},
		{"of another list", Page{Limit: 1, Cursor: cursor("other", "a")}, ErrCursor},
		{"cut", Page{Limit: 1, Cursor: good[:len(good)-2]}, ErrCursor},
		{"lengthened", Page{Limit: 1, Cursor: good + "AAAA"}, ErrCursor},
	} {
		if l, err := pageOf("list", all, itself, tt.p); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, %v; want %v", tt.name, l, err, tt.want)
		}
	}
	if l, err := pageOf("list", all, itself, Page{Limit: 100, Cursor: good}); err != nil || !slices.Equal(l.Items, []string{"b", "c"}) {
		t.Errorf("good: %v, %v", l, err)
	}
}

func FuzzCursor(f *testing.F) {
	f.Add("", "list")
	f.Add(cursor("list", "a"), "list")
	f.Add(strings.Repeat("A", 400), "list")
	f.Fuzz(func(t *testing.T, c, list string) {
		after, err := parseCursor(list, c)
		if err == nil && cursor(list, after) != c {
			t.Fatal(fmt.Errorf("%q is taken for %q, which is %q", c, after, cursor(list, after)))
		}
	})
}
