package catalog

import (
	"strings"
	"sync"
	"unicode"
)

// Matches tells whether what a person has typed begins a word of one of the city's
// names; several typed words must follow each other. Case, accents of Latin letters
// and punctuation do not count. Nothing typed matches every city.
func (c City) Matches(typed string) bool {
	if strings.TrimSpace(typed) == "" {
		return true
	}
	want := words(typed)
	if want == "" {
		return false
	}
	for _, name := range []string{c.Name, c.LocalName, c.ChineseName} {
		if strings.Contains(words(name), want) {
			return true
		}
	}
	return false
}

// words puts one space before each word, so that a match of " be" is a match of a beginning.
func words(s string) string {
	var b strings.Builder
	between := true
	for _, r := range s {
		if unicode.Is(unicode.Mn, r) {
			continue
		}
		r = plain(unicode.ToLower(r))
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) {
			between = true
			continue
		}
		if between {
			b.WriteByte(' ')
			between = false
		}
		b.WriteRune(r)
	}
	return b.String()
}

// The Latin letters with marks that names of places use. The whole of Unicode's
// decompositions would cost a function's binary more than it gives.
var marked = map[rune]string{
	'a': "àáâãäåāăąǎ", 'b': "ḇ", 'c': "çćĉċč", 'd': "ďđḍḏð", 'e': "èéêëēĕėęěẽế",
	'g': "ĝğġģ", 'h': "ĥħḩḥ", 'i': "ìíîïĩīĭįıǐ", 'j': "ĵ", 'k': "ķḵ", 'l': "ĺļľŀłḷ",
	'n': "ñńņňṇ", 'o': "òóôõöøōŏőơǒồộ", 'r': "ŕŗřṛ", 's': "śŝşšșṣ", 't': "ţťŧțṭṯ",
	'u': "ùúûüũūŭůűųưǔ", 'w': "ŵ", 'y': "ýÿŷ", 'z': "źżžẓẕ",
}

// Made by the first search: at the start of a function it is a tenth of a
// millisecond, which most functions have no use for.
var plainOf = sync.OnceValue(func() map[rune]rune {
	m := map[rune]rune{}
	for to, from := range marked {
		for _, r := range from {
			m[r] = to
		}
	}
	return m
})

func plain(r rune) rune {
	if p, ok := plainOf()[r]; ok {
		return p
	}
	return r
}
