package cloud

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseCommand(t *testing.T) {
	for _, tt := range []struct {
		line string
		want []string // nil = refused
	}{
		{"seed", []string{"seed"}},
		{"  seed   --all\t-v ", []string{"seed", "--all", "-v"}},
		{`sh -c 'echo "hi there"'`, []string{"sh", "-c", `echo "hi there"`}},
		{`a "b c"d 'e'`, []string{"a", "b cd", "e"}},
		{`a\ b "c\"d" 'e\f'`, []string{"a b", `c"d`, `e\f`}},
		{`a "" ''`, []string{"a", "", ""}},
		{"", nil},
		{"   ", nil},
		{"a 'b", nil},
		{`a "b`, nil},
		{`a \`, nil},
	} {
		c, err := ParseCommand("", tt.line)
		if (err != nil) != (tt.want == nil) || !slices.Equal(c.Args, tt.want) {
			t.Errorf("%q = %q, %v; want %q", tt.line, c.Args, err, tt.want)
		}
	}
	if c, _ := ParseCommand("", "bin/seed --all"); c.Name != "seed" {
		t.Errorf("its name is %q", c.Name)
	}
	if c, _ := ParseCommand("sim", "bin/seed"); c.Name != "sim" {
		t.Errorf("its name is %q", c.Name)
	}
}

// Quoting any words and parsing them again gives the same words.
func TestParseCommandUndoesQuoting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.String(), 1, 6).Draw(t, "words")
		quoted := make([]string, len(words))
		for i, w := range words {
			quoted[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		c, err := ParseCommand("", strings.Join(quoted, " "))
		if err != nil || !slices.Equal(c.Args, words) {
			t.Fatalf("%q came back as %q, %v", words, c.Args, err)
		}
	})
}

func FuzzParseCommand(f *testing.F) {
	f.Add(`sh -c 'a "b" \c' "d\"e"`)
	f.Fuzz(func(t *testing.T, line string) {
		c, err := ParseCommand("", line)
		if err == nil && len(c.Args) == 0 {
			t.Errorf("%q has no program", line)
		}
	})
}

func TestPortsAreTheSameByName(t *testing.T) {
	p := ports{}
	args, listens, err := p.fillAll([]string{"-a={port:a}", "{listen:a}:{port:b}", "{port:}{PORT:a}"})
	if err != nil {
		t.Fatal(err)
	}
	a, b := strconv.Itoa(p["a"]), strconv.Itoa(p["b"])
	want := []string{"-a=" + a, a + ":" + b, "{port:}{PORT:a}"}
	if !slices.Equal(args, want) || !slices.Equal(listens, []int{p["a"]}) || a == b || a == "0" {
		t.Errorf("got %q listening on %v, want %q", args, listens, want)
	}
}
