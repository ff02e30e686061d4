package engine

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	index "github.com/blevesearch/bleve_index_api"
)

const mostSuggestions = 5

// suggest spells a keyword as films do: word by word where a word is unknown, and
// whole titles that are nearly it. Nothing where every word is known.
func (w *words) suggest(keyword string, terms []term) ([]string, error) {
	if !slices.ContainsFunc(terms, func(t term) bool { return !t.known }) {
		return []string{}, nil
	}
	said := []string{}
	add := func(s string) {
		if s != "" && !slices.Contains(said, s) && !strings.EqualFold(s, keyword) && len(said) < mostSuggestions {
			said = append(said, s)
		}
	}
	spelt, err := w.spelt(terms)
	if err != nil {
		return nil, err
	}
	for _, s := range spelt {
		add(s)
	}
	for _, title := range w.nearly(keyword) {
		add(title)
	}
	return said, nil
}

// spelt puts the likeliest words into the place of unknown ones; several where
// several are as near.
func (w *words) spelt(terms []term) ([]string, error) {
	all := []string{""}
	for _, t := range terms {
		if t.asian {
			return nil, nil // pairs of characters make no text again; titles do
		}
		choices := []string{w.write(t.text)}
		if !t.known {
			var err error
			if choices, err = w.near(t.text); err != nil || len(choices) == 0 {
				return nil, err
			}
		}
		var next []string
		for _, s := range all {
			for _, c := range choices {
				next = append(next, strings.TrimSpace(s+" "+c))
			}
		}
		all = next[:min(len(next), mostSuggestions)]
	}
	return all, nil
}

// near are the words within a slip or two, nearest and commonest first.
func (w *words) near(text string) ([]string, error) {
	n := slips(text)
	if n == 0 {
		return nil, nil
	}
	type candidate struct {
		word  string
		far   int
		count uint64
	}
	var found []candidate
	err := w.dictionary(func(r index.IndexReader) (index.FieldDict, error) {
		f, ok := r.(index.IndexReaderFuzzy)
		if !ok {
			return r.FieldDictPrefix(textField, []byte(text)[:1])
		}
		return f.FieldDictFuzzy(textField, text, n, "")
	}, func(word string, count uint64) bool {
		if far := edits(word, text); far <= n {
			found = append(found, candidate{word, far, count})
		}
		return true
	})
	slices.SortFunc(found, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.far, b.far), cmp.Compare(b.count, a.count), cmp.Compare(a.word, b.word))
	})
	var near []string
	for _, c := range found[:min(len(found), 3)] {
		near = append(near, w.write(c.word))
	}
	return near, err
}

// write gives a word as a title has it.
func (w *words) write(word string) string {
	if s, ok := w.surface[word]; ok {
		return s
	}
	return word
}

// nearly are titles that differ from the keyword in a third of its characters at
// the most, nearest first.
func (w *words) nearly(keyword string) []string {
	want := folded(plain(strings.TrimSpace(keyword)))
	most := utf8.RuneCountInString(want) / 3
	type near struct {
		title string
		far   int
	}
	var found []near
	for _, f := range w.films {
		for _, title := range []string{f.Title, f.OriginalTitle, f.ChineseTitle} {
			if d := utf8.RuneCountInString(title) - utf8.RuneCountInString(want); title == "" || d > most || -d > most {
				continue
			}
			if far := edits(folded(plain(title)), want); far <= most {
				found = append(found, near{title, far})
			}
		}
	}
	slices.SortFunc(found, func(a, b near) int { return cmp.Or(cmp.Compare(a.far, b.far), cmp.Compare(a.title, b.title)) })
	var titles []string
	for _, n := range found {
		titles = append(titles, n.title)
	}
	return titles
}

// edits is the distance of Damerau and Levenshtein in which no part is changed
// twice: letters too many, missing, wrong, or swapped with a neighbour.
func edits(a, b string) int {
	x, y := []rune(a), []rune(b)
	rows := [3][]int{make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)}
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := 1; i <= len(x); i++ {
		two, one, now := rows[0], rows[1], rows[2]
		now[0] = i
		for j := 1; j <= len(y); j++ {
			wrong := 1
			if x[i-1] == y[j-1] {
				wrong = 0
			}
			now[j] = min(one[j]+1, now[j-1]+1, one[j-1]+wrong)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				now[j] = min(now[j], two[j-2]+1)
			}
		}
		rows = [3][]int{one, now, two}
	}
	return rows[1][len(y)]
}
