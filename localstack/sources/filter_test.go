package sources

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestFilters(t *testing.T) {
	const event = `{"eventName":"INSERT","n":5,"null":null,"empty":"","list":["a","b"],"flag":true,
		"dynamodb":{"NewImage":{"pk":{"S":"SHOW#1"},"state":{"S":"HELD"}}},
		"userIdentity":{"type":"Service","principalId":"dynamodb.amazonaws.com"}}`
	tests := []struct {
		pattern string
		want    bool
	}{
		{`{"eventName":["INSERT"]}`, true},
		{`{"eventName":["MODIFY","INSERT"]}`, true},
		{`{"eventName":["insert"]}`, false},
		{`{"eventName":["REMOVE"]}`, false},
		{`{"eventName":["INSERT"],"n":[6]}`, false},
		{`{"absent":["x"]}`, false},
		{`{"n":[5]}`, true},
		{`{"n":["5"]}`, false},
		{`{"flag":[true]}`, true},
		{`{"null":[null]}`, true},
		{`{"absent":[null]}`, false},
		{`{"empty":[""]}`, true},
		{`{"list":["b"]}`, true},
		{`{"list":["c"]}`, false},
		{`{"eventName":[{"prefix":"INS"}]}`, true},
		{`{"eventName":[{"prefix":"ERT"}]}`, false},
		{`{"n":[{"prefix":"5"}]}`, false},
		{`{"eventName":[{"suffix":"ERT"}]}`, true},
		{`{"eventName":[{"equals-ignore-case":"insert"}]}`, true},
		{`{"eventName":[{"anything-but":["MODIFY"]}]}`, true},
		{`{"eventName":[{"anything-but":"INSERT"}]}`, false},
		{`{"absent":[{"anything-but":["x"]}]}`, false},
		{`{"n":[{"anything-but":[5]}]}`, false},
		{`{"n":[{"numeric":["=",5]}]}`, true},
		{`{"n":[{"numeric":[">",0,"<=",5]}]}`, true},
		{`{"n":[{"numeric":[">",5]}]}`, false},
		{`{"n":[{"numeric":["<",5]}]}`, false},
		{`{"n":[{"numeric":[">=",5]}]}`, true},
		{`{"eventName":[{"numeric":["=",5]}]}`, false},
		{`{"eventName":[{"exists":true}]}`, true},
		{`{"absent":[{"exists":false}]}`, true},
		{`{"eventName":[{"exists":false}]}`, false},
		{`{"absent":[{"exists":true}]}`, false},
		{`{"absent":{"deep":[{"exists":false}]}}`, true},
		{`{"dynamodb":{"OldImage":{"pk":{"S":[{"exists":false}]}}}}`, true},
		{`{"dynamodb":{"NewImage":{"pk":{"S":[{"prefix":"SHOW#"}]},"state":{"S":["HELD","SOLD"]}}}}`, true},
		{`{"dynamodb":{"NewImage":{"state":{"S":["SOLD"]}}}}`, false},
		{`{"dynamodb":[{"exists":true}]}`, false},
		{`{"eventName":{"x":["INSERT"]}}`, false},
		{`{"userIdentity":{"type":["Service"],"principalId":["dynamodb.amazonaws.com"]}}`, true},
		{`{"$or":[{"n":[6]},{"flag":[true]}]}`, true},
		{`{"$or":[{"n":[6]},{"flag":[false]}]}`, false},
		{`{"eventName":["REMOVE"],"$or":[{"n":[5]}]}`, false},
	}
	var e map[string]any
	if err := json.Unmarshal([]byte(event), &e); err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		f, err := parseFilters([]string{tt.pattern})
		if err != nil {
			t.Errorf("%s: %v", tt.pattern, err)
			continue
		}
		if got := f.pass(e); got != tt.want {
			t.Errorf("%s: %v", tt.pattern, got)
		}
	}
	either, err := parseFilters([]string{`{"eventName":["REMOVE"]}`, `{"n":[5]}`})
	if err != nil || !either.pass(e) || !filters(nil).pass(e) {
		t.Errorf("one of several is enough, and none is no filter: %v", err)
	}
}

func TestFiltersThatCannotBeExpressed(t *testing.T) {
	for pattern, names := range map[string]string{
		`{"a":[{"cidr":"10.0.0.0/8"}]}`:                 `"cidr"`,
		`{"a":[{"wildcard":"x*"}]}`:                     `"wildcard"`,
		`{"a":[{"anything-but":{"prefix":"x"}}]}`:       `"anything-but"`,
		`{"a":[{"prefix":{"equals-ignore-case":"x"}}]}`: `"prefix"`,
		`{"a":[{"numeric":["=","5"]}]}`:                 `"numeric"`,
		`{"a":[{"numeric":["!=",5]}]}`:                  `"numeric"`,
		`{"a":[{"numeric":["=",5,"<"]}]}`:               `"numeric"`,
		`{"a":[{"exists":"yes"}]}`:                      `"exists"`,
		`{"a":[{"prefix":"x","suffix":"y"}]}`:           "operator",
		`{"a":{"b":"text"}}`:                            "b:",
		`{"a":[]}`:                                      "empty list",
		`{"a":[["x"]]}`:                                 "list inside a list",
		`{"a":{}}`:                                      "empty pattern",
		`{}`:                                            "empty pattern",
		`{"$or":[]}`:                                    "alternatives",
		`{"$or":["x"]}`:                                 "alternative",
		`[1]`:                                           "filter",
		`{`:                                             "filter",
	} {
		if _, err := parseFilters([]string{pattern}); err == nil || !strings.Contains(err.Error(), names) {
			t.Errorf("%s: %v", pattern, err)
		}
	}
}

func FuzzFilter(f *testing.F) {
	f.Add(`{"a":[{"numeric":[">",1]}],"$or":[{"b":[null]}]}`, `{"a":2,"b":null}`)
	f.Add(`{"a":{"b":[{"exists":false}]}}`, `{"a":[{"b":1}]}`)
	f.Fuzz(func(t *testing.T, pattern, event string) {
		fs, err := parseFilters([]string{pattern})
		var e map[string]any
		if err != nil || json.Unmarshal([]byte(event), &e) != nil {
			return
		}
		first := fs.pass(e)
		if again := fs.pass(e); again != first {
			t.Errorf("first %v, then %v", first, again)
		}
	})
}

func FuzzFailures(f *testing.F) {
	f.Add(`{"batchItemFailures":[{"itemIdentifier":"a"}]}`)
	f.Add(`null`)
	f.Add(`{"batchItemFailures":[null]}`)
	f.Fuzz(func(t *testing.T, payload string) {
		got := failed([]byte(payload), []string{"a", "b"})
		if len(got) != 2 {
			t.Errorf("%v", got)
		}
		if got[0] && !got[1] && !strings.Contains(payload, "itemIdentifier") && !strings.Contains(payload, `\u`) {
			t.Errorf("%q names nobody", payload)
		}
	})
}

func FuzzCheckpoints(f *testing.F) {
	f.Add(`{"stream":"s","last":{"a":"1"},"ended":{"b":true},"began":"2026-01-01T00:00:00Z"}`)
	f.Add(`{"stream":"s","last":null,"ended":null}`)
	f.Fuzz(func(t *testing.T, file string) {
		doc, err := decodeCheckpoints([]byte(file))
		if err == nil && (doc.Stream == "" || doc.Last == nil || doc.Ended == nil) {
			t.Errorf("%+v", doc)
		}
	})
}

// TestTrackerAgainstItsTwin compares the checkpoint with the definition: the last
// record before the first that is not done.
func TestTrackerAgainstItsTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		saved := ""
		tr := tracker{save: func(seq string) { saved = seq }}
		var all []*entry
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			if open := slices.DeleteFunc(slices.Clone(all), func(e *entry) bool { return e.finished }); len(open) > 0 && rapid.Bool().Draw(t, "done") {
				tr.done(rapid.SampledFrom(open).Draw(t, "which"))
			} else {
				all = append(all, tr.add([]record{{sequence: strconv.Itoa(len(all))}})...)
			}
			want := ""
			for _, e := range all {
				if !e.finished {
					break
				}
				want = e.sequence
			}
			if saved != want {
				t.Fatalf("saved %q, want %q", saved, want)
			}
		}
	})
}

func TestCreationTimesOfWholeMinutes(t *testing.T) {
	at := func(s string) time.Time {
		v, err := time.Parse(time.TimeOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, tt := range []struct{ created, now, want string }{
		{"10:00:07", "10:00:30", "10:00:07"},
		{"10:00:00", "10:00:30", "10:00:30"},
		{"10:00:00", "10:05:00", "10:00:59"},
	} {
		if got := creation(at(tt.created), at(tt.now)); !got.Equal(at(tt.want)) {
			t.Errorf("%s read at %s: %v", tt.created, tt.now, got)
		}
	}
}

func TestSequenceNumbersCompareAsText(t *testing.T) {
	for in, want := range map[string]string{"": "00000000000000000000", "7": "00000000000000000007",
		"18849496460467696128": "18849496460467696128", "118849496460467696128": "118849496460467696128"} {
		if got := padSequence(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}
