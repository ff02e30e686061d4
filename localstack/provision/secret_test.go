package provision

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/fairseat/fairseat/localstack/template"
)

func TestGenerateKeepsItsRules(t *testing.T) {
	classes := []string{template.Lower, template.Upper, template.Digits, template.Punctuation}
	rapid.Check(t, func(t *rapid.T) {
		s := template.Secret{
			Length: rapid.IntRange(8, 64).Draw(t, "length"),
			Space:  rapid.Bool().Draw(t, "space"),
			Mixed:  rapid.Bool().Draw(t, "mixed"),
		}
		left := classes[rapid.IntRange(0, 3).Draw(t, "left")]
		for _, c := range classes {
			if c != left && rapid.Bool().Draw(t, "exclude") {
				s.Exclude += c
			}
		}
		got, err := generate(s)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != s.Length || strings.ContainsAny(got, s.Exclude) || !s.Space && strings.Contains(got, " ") {
			t.Fatalf("%+v gave %q", s, got)
		}
		for _, c := range classes {
			if s.Mixed && !strings.Contains(s.Exclude, c) && !strings.ContainsAny(got, c) {
				t.Fatalf("%+v gave %q without any of %q", s, got, c)
			}
		}
	})
}

func TestGenerateRefuses(t *testing.T) {
	for _, s := range []template.Secret{
		{Length: 8, Exclude: template.Lower + template.Upper + template.Digits + template.Punctuation},
		{Length: 3, Mixed: true},
		{Length: 8, Template: "[", Key: "k"},
	} {
		if got, err := generate(s); err == nil {
			t.Errorf("%+v gave %q", s, got)
		}
	}
}

func TestGenerateFillsATemplate(t *testing.T) {
	got, err := generate(template.Secret{Length: 8, Template: `{"user":"u"}`, Key: "k"})
	var fields map[string]string
	if err != nil || json.Unmarshal([]byte(got), &fields) != nil || fields["user"] != "u" || len(fields["k"]) != 8 {
		t.Errorf("got %q, %v", got, err)
	}
}

func FuzzReadSecrets(f *testing.F) {
	f.Add([]byte(`{"a":"b"}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, data []byte) {
		folder := t.TempDir()
		if err := os.WriteFile(filepath.Join(folder, secretsFile), data, 0o600); err != nil {
			t.Fatal(err)
		}
		if kept, err := readSecrets(folder); (err == nil) != (kept != nil) {
			t.Fatalf("%q gave %v, %v", data, kept, err)
		}
	})
}
