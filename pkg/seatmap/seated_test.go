package seatmap

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

const seatedHall = `{"id":"drawn","name":"Drawn","kind":"cinema","numbering":"seated","seats":6,"seated":[` +
	`{"section":"Stalls","rows":[{"row":"1","cells":"RR_P","numbers":"10 11 12A","line":[1,2,1,0.5]},{"row":"2","cells":"W","numbers":"1","at":[0,4]}]},` +
	`{"section":"Box","rows":[{"row":"a","cells":"LL","numbers":"1.1 1.2","at":[9,2,9,3]}]}]}`

func TestSeated(t *testing.T) {
	l, err := Expand(Source{Text: []byte(seatedHall)})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i := range l.Len() {
		s := l.At(i)
		got = append(got, fmt.Sprintf("%s %s %g,%g", s.ID, s.Type, s.X, s.Y))
	}
	want := "stalls-1-10 regular 1,0; stalls-1-11 regular 2,0.5; stalls-1-12A premium 4,1.5; stalls-2-1 wheelchair 0,2; box-a-1.1 loveseat 9,0; box-a-1.2 loveseat 9,1"
	if strings.Join(got, "; ") != want {
		t.Errorf("got %s\nwant %s", strings.Join(got, "; "), want)
	}
	if l.At(4).Partner != 5 || l.At(0).Partner >= 0 {
		t.Errorf("partners %d and %d", l.At(4).Partner, l.At(0).Partner)
	}
}

func TestLabelsOf(t *testing.T) {
	for text, want := range map[string]string{
		"1..4": "1 2 3 4", "4..1": "4 3 2 1", "3..3": "3", "A 7..9 12B 2..1": "A 7 8 9 12B 2 1", "1..x": "1..x", "-1..1": "-1..1", "": "",
	} {
		if got := strings.Join(labelsOf(text), " "); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestSeatedRefused(t *testing.T) {
	for _, tt := range []struct{ old, new, path string }{
		{`"numbering":"seated"`, `"numbering":"ltr"`, "numbering"},
		{`"seats":6`, `"seats":7`, "seats"},
		{`"row":"2"`, `"row":"1"`, "seated[0].rows[1].row"},
		{`"row":"2"`, `"row":"2-1"`, "seated[0].rows[1].row"},
		{`"row":"2"`, `"row":""`, "seated[0].rows[1].row"},
		{`"cells":"W"`, `"cells":"_"`, "seated[0].rows[1].cells"},
		{`"cells":"W"`, `"cells":"C"`, "seated[0].rows[1].cells"},
		{`"cells":"W"`, `"cells":"X"`, "seated[0].rows[1].cells"},
		{`"numbers":"1"`, `"numbers":"1 2"`, "seated[0].rows[1].numbers"},
		{`"numbers":"1"`, `"numbers":"1/2"`, "seated[0].rows[1].numbers"},
		{`"numbers":"1"`, `"numbers":"1..2"`, "seated[0].rows[1].numbers"},
		{`"numbers":"1"`, `"numbers":"1..9999999"`, "seated[0].rows[1].numbers"},
		{`"numbers":"1"`, `"numbers":"a..b"`, "seated[0].rows[1].numbers"},
		{`"row":"2"`, `"row":"2..3"`, "seated[0].rows[1].row"},
		{`"numbers":"10 11 12A"`, `"numbers":"10 10 12A"`, ""},
		{`"at":[0,4]`, `"at":[0]`, "seated[0].rows[1]"},
		{`"at":[0,4]`, `"at":[0,1e9]`, "seated[0].rows[1]"},
		{`"at":[0,4]`, `"at":[0,4],"line":[0,0,1,0]`, "seated[0].rows[1]"},
		{`"section":"Box"`, `"section":"stalls"`, "seated[1].section"},
		{`"section":"Box"`, `"section":""`, "seated[1].section"},
		{`"seated":[`, `"rows":["A: RR"],"seated":[`, ""},
	} {
		text := strings.Replace(seatedHall, tt.old, tt.new, 1)
		_, err := Expand(Source{Text: []byte(text)})
		var e *SourceError
		if !errors.As(err, &e) || tt.path != "" && e.Path != tt.path {
			t.Errorf("%s for %s: %v", tt.new, tt.old, err)
		}
	}
}
