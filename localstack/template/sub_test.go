package template

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var mark = regexp.MustCompile(`\$\{[^}]*\}`)

// naive replaces marks one by one with a pattern, where expand walks the text.
func naive(s string, vars map[string]string) string {
	return mark.ReplaceAllStringFunc(s, func(m string) string {
		name := strings.TrimSpace(m[2 : len(m)-1])
		if rest, literal := strings.CutPrefix(name, "!"); literal {
			return "${" + rest + "}"
		}
		return vars[name]
	})
}

func TestSubAgainstNaiveTwin(t *testing.T) {
	piece := rapid.OneOf(
		rapid.SampledFrom([]string{"${a}", "${ b }", "${!a}", "${! b}", "$", "{", "}", "${P}", "\\", "$${a}", "${!}"}),
		rapid.StringMatching(`[a-z :/.$]{0,5}`),
	)
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(piece, 0, 8).Draw(t, "pieces"), "")
		if strings.Contains(mark.ReplaceAllString(text, ""), "${") {
			return // an open mark is refused
		}
		for _, m := range mark.FindAllString(text, -1) {
			if name := strings.TrimSpace(m[2 : len(m)-1]); name != "a" && name != "b" && name != "P" && !strings.HasPrefix(name, "!") {
				return // an unknown name is refused
			}
		}
		vars := map[string]string{"a": rapid.String().Draw(t, "a"), "b": rapid.StringMatching(`[${}a]*`).Draw(t, "b"), "P": "pee"}
		l := &loader{params: map[string]*value{"P": {kind: scalar, text: "pee"}}}
		got, ok := l.expand(text, map[string]string{"a": vars["a"], "b": vars["b"]}, 1, place{})
		if want := naive(text, vars); !ok || got != want {
			t.Fatalf("expand(%q) = %q, %v, %v; naive says %q", text, got, ok, l.problems, want)
		}
	})
}
