package object

import (
	"testing"
	"time"
)

func TestReads(t *testing.T) {
	r := Open([]byte(`{"a":"x","b":{"n":1499,"c":""},"l":[{"t":"2026-01-15T12:00:00+08:00"}],"new":[1,{"k":1,"k":2}],"z":null}` + "\n"))
	if got := r.Text("a"); got != "x" {
		t.Error(got)
	}
	b := r.Object("b")
	if n, c := b.Whole("n"), b.Maybe("c"); n != 1499 || c != "" {
		t.Error(n, c)
	}
	if l := r.Objects("l"); len(l) != 1 || !l[0].Time("t").Equal(time.Date(2026, 1, 15, 4, 0, 0, 0, time.UTC)) {
		t.Error(l)
	}
	if r.Has("z") || r.Has("A") || r.Maybe("z") != "" || !r.Has("new") || r.Err() != nil {
		t.Error(r.Err())
	}
}

// TestRefuses: each is one way to say two things at once, or nothing.
func TestRefuses(t *testing.T) {
	n := func(r *Reader) { r.Whole("n") }
	s := func(r *Reader) { r.Text("s") }
	for text, read := range map[string]func(*Reader){
		``: s, `[]`: s, `null`: s, `"s"`: s, `{"s":"x"`: s, `{"s":"x"}{}`: s, `{"s":"x"} x`: s, `{"s":"x","s":"x"}`: s,
		`{"S":"x"}`: s, `{"s":null}`: s, `{"s":""}`: s, `{"s":1}`: s, `{"s":"x",}`: s,
		`{}`: n, `{"n":null}`: n, `{"n":"1"}`: n, `{"n":1.0}`: n, `{"n":1e3}`: n, `{"n":-1}`: n, `{"n":01}`: n, `{"n":+1}`: n,
		`{"n":9223372036854775808}`: n,
		`{"o":{"s":"x","s":"y"}}`:   func(r *Reader) { r.Object("o").Text("s") },
		`{"o":[]}`:                  func(r *Reader) { r.Object("o").Text("s") },
		`{"p":{}}`:                  func(r *Reader) { r.Object("o").Maybe("s") },
		`{"l":{}}`:                  func(r *Reader) { r.Objects("l") },
		`{"l":null}`:                func(r *Reader) { r.Objects("l") },
		`{"l":[1]}`:                 func(r *Reader) { r.Objects("l") },
		`{"t":"2026-01-15 12:00"}`:  func(r *Reader) { r.Time("t") },
		`{"t":"x"}`:                 func(r *Reader) { r.Refuse("t", "is not ours") },
	} {
		r := Open([]byte(text))
		read(r)
		if r.Err() == nil {
			t.Errorf("%s was read", text)
		}
	}
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte(`{"s":"x","n":1,"o":{"s":"y"},"l":[{}],"t":"2026-01-15T12:00:00+08:00"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		r := Open(raw)
		r.Text("s")
		r.Whole("n")
		r.Object("o").Maybe("s")
		for _, l := range r.Objects("l") {
			l.Has("x")
		}
		r.Time("t")
	})
}
