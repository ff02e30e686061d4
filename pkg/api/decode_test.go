package api

import "testing"

// TestPaths: a refusal names the place, also deep inside.
func TestPaths(t *testing.T) {
	for body, want := range map[string]string{
		`{"seats":["C-7",7]}`:                    "seats[1]: must be a string",
		`{"best":{"count":"2"}}`:                 "best.count: must be a whole number",
		`{"seats":[{"a":[0,{"b":1,"b":2}]}]}`:    "seats[0].a[1].b: member is there twice",
		`{"best": {"count" : 1 , "extra":null}}`: "best.extra: unknown member",
		`{"":1}`:                                 `"": unknown member`,
		`[]`:                                     "body: must be an object",
	} {
		_, err := decodeHold(body)
		if r, ok := err.(*refusal); !ok || r.detail != want {
			t.Errorf("%s: %v, want %q", body, err, want)
		}
	}
}
