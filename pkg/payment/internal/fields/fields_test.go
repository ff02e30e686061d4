package fields

import (
	"maps"
	"testing"
)

func TestParse(t *testing.T) {
	got, err := Parse([]byte("b=1%2B2&a=%E5%BC%A0+x&c="))
	if want := map[string]string{"a": "张 x", "b": "1+2", "c": ""}; err != nil || !maps.Equal(got, want) {
		t.Errorf("%v %v", got, err)
	}
	if got, err := Parse(nil); err != nil || len(got) != 0 {
		t.Errorf("%v %v", got, err)
	}
	for name, body := range map[string]string{
		"twice":             "a=1&a=1",
		"twice, escaped":    "a=1&%61=2",
		"twice, once empty": "a=&a=1",
		"no value":          "a",
		"no name":           "=1",
		"nothing between":   "a=1&&b=2",
		"ends in &":         "a=1&",
		"semicolon":         "a=1;b=2",
		"bad escape":        "a=%zz",
		"cut escape":        "a=%4",
		"bad name":          "%=1",
		"not UTF-8":         "a=%ff",
	} {
		if got, err := Parse([]byte(body)); err == nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestText(t *testing.T) {
	in := map[string]string{"b": "x&y=z", "B": "2", "a_b": "", "sign": "s"}
	if got := Text(in, func(k, _ string) bool { return k == "sign" }); got != "B=2&a_b=&b=x&y=z" {
		t.Error(got)
	}
	if got := Text(in, func(k, v string) bool { return k == "sign" || v == "" }); got != "B=2&b=x&y=z" {
		t.Error(got)
	}
	if got := string(Encode(map[string]string{"b": "1+2 %", "a": "张"})); got != "a=%E5%BC%A0&b=1%2B2+%25" {
		t.Error(got)
	}
}

// FuzzParse: whatever was read is read again from its own encoding.
func FuzzParse(f *testing.F) {
	f.Add([]byte("a=1&b=%2B"))
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := Parse(body)
		if err != nil {
			return
		}
		again, err := Parse(Encode(got))
		if err != nil || !maps.Equal(got, again) {
			t.Fatalf("%v %v %v", got, again, err)
		}
	})
}
