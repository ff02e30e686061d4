package search

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// cut is a text as words without case and accents; Chinese stays in one piece.
// PostgreSQL has no parser of its own for Chinese, so its words are cut here.
func cut(text string) []string {
	var b strings.Builder
	han := false
	for _, r := range norm.NFKD.String(strings.NewReplacer("'", "", "’", "").Replace(text)) {
		switch {
		case unicode.Is(unicode.Mn, r):
			continue
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			r = ' '
		case unicode.Is(unicode.Han, r) != han:
			han = !han
			b.WriteRune(' ')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return strings.Fields(b.String())
}

// lexemes are the words of a text, with every character and pair of Chinese.
func lexemes(text string) []string { return spread(text, true) }

// terms are the words of a keyword: of Chinese the pairs alone.
func terms(keyword string) []string { return spread(keyword, false) }

func spread(text string, ones bool) []string {
	var all []string
	for _, w := range cut(text) {
		r := []rune(w)
		if !unicode.Is(unicode.Han, r[0]) {
			all = append(all, w)
			continue
		}
		for i := range r {
			if ones || len(r) == 1 {
				all = append(all, string(r[i]))
			}
			if i+1 < len(r) {
				all = append(all, string(r[i:i+2]))
			}
		}
	}
	return all
}
