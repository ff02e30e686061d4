package seatplan

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/fairseat/fairseat/pkg/seatmap"
)

func file(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var theatre = Options{ID: "small-theatre", Kind: seatmap.Theatre, Types: map[string]seatmap.SeatType{"Parkett": seatmap.Regular}}

func imported(t testing.TB, text string, o Options) *seatmap.Layout {
	t.Helper()
	src, err := Import([]byte(text), o)
	if err != nil {
		t.Fatal(err)
	}
	l, err := seatmap.Expand(src)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestImport(t *testing.T) {
	l := imported(t, file(t, "theatre.json"), theatre)
	var got []string
	for i := range l.Len() {
		s := l.At(i)
		got = append(got, fmt.Sprintf("%s %s %.2f,%.2f", s.ID, s.Type, s.X, s.Y))
	}
	want := []string{
		"stalls-1-1 regular 0.00,0.00", "stalls-1-2 regular 1.00,0.00", "stalls-1-3 premium 3.00,0.00", "stalls-1-4 premium 4.00,0.00",
		"stalls-2-12A wheelchair 0.00,1.20", "stalls-2-12B companion 1.00,1.20", "stalls-2-1.2 loveseat 3.00,1.25", "stalls-2-2.2 loveseat 4.00,1.35",
		"zone-2-A-1 regular 1.00,4.00", "zone-2-A-2 regular 1.00,5.00",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if s, _ := l.Seat("stalls-2-1.2"); s.Partner < 0 {
		t.Error("a loveseat without its other half")
	}
	free := func(int) bool { return true }
	best, ok := seatmap.Best(l, free, seatmap.Want{Count: 2, Type: seatmap.Premium})
	if ids := fmt.Sprint(l.IDs(best)); !ok || ids != "[stalls-1-3 stalls-1-4]" {
		t.Errorf("the best two premium seats are %s", ids)
	}
}

// TestTheOlderForm differs in what it names beside seats.
func TestTheOlderForm(t *testing.T) {
	if l := imported(t, file(t, "older.json"), Options{ID: "older", Kind: seatmap.Cinema}); l.Len() != 3 || l.At(0).ID != "A-1" {
		t.Errorf("%d seats, the first is %s", l.Len(), l.At(0).ID)
	}
}

// TestEveryFaultIsTold: each edit makes its fault, and all together make all.
func TestEveryFaultIsTold(t *testing.T) {
	edits := []struct{ old, new, path, reason string }{
		{`"name": "Small Theatre"`, `"name": ""`, "name", "minLength"},
		{`"color": "#7f4a91"`, `"color": "url(x)"`, "categories[0].color", "pattern"},
		{`"row_number": "2"`, `"row_number": 2`, "zones[0].rows[1].row_number", "want string"},
		{`"seat_guid": "s1", `, ``, "zones[0].rows[0].seats[0]", "seat_guid"},
		{`"seat_guid": "s2"`, `"seat_guid": "s2", "price": 5`, "zones[0].rows[0].seats[1]", "price"},
		{`"x": 30, "y": 0`, `"x": "30", "y": 0`, "zones[0].rows[0].seats[1].position.x", "want number"},
	}
	all := file(t, "theatre.json")
	for _, e := range edits {
		one := replaced(t, file(t, "theatre.json"), e.old, e.new)
		all = replaced(t, all, e.old, e.new)
		told(t, one, theatre, 1, e.path, e.reason)
	}
	for _, e := range edits {
		told(t, all, theatre, len(edits), e.path, e.reason)
	}

	edits = []struct{ old, new, path, reason string }{
		{`"seat_guid": "s2"`, `"seat_guid": "s1"`, "zones[0].rows[0].seats[1].seat_guid", "zones[0].rows[0].seats[0].seat_guid already"},
		{`"seat_number": "3"`, `"seat_number": "4"`, "zones[0].rows[0].seats[3].seat_number", "already"},
		{`"seat_number": "12A"`, `"seat_number": "douze"`, "zones[0].rows[1].seats[0].seat_number", ""},
		{`"row_number": "A"`, `"row_number": "第一排"`, "zones[1].rows[0].row_number", "letters and digits"},
		{`"category": "W"`, `"category": "X"`, "zones[0].rows[1].seats[0].category", "not in categories"},
		{`{"name": "Loveseat"}`, `{"name": "Sofa"}`, "categories[4].name", "must be told"},
		{`"uuid": "z2"`, `"uuid": "z1"`, "zones[1].uuid", "zones[0].uuid already"},
	}
	all = file(t, "theatre.json")
	for _, e := range edits[:2] {
		told(t, replaced(t, file(t, "theatre.json"), e.old, e.new), theatre, 1, e.path, e.reason)
	}
	for _, e := range edits {
		if e.reason != "" {
			all = replaced(t, all, e.old, e.new)
		}
	}
	for _, e := range edits {
		if e.reason != "" {
			told(t, all, theatre, 0, e.path, e.reason)
		}
	}
}

func replaced(t *testing.T, text, old, new string) string {
	t.Helper()
	if !strings.Contains(text, old) {
		t.Fatalf("the plan has no %s", old)
	}
	return strings.Replace(text, old, new, 1)
}

// told checks that the path is told with the reason; n is how many are in all, 0 for any.
func told(t *testing.T, text string, o Options, n int, path, reason string) {
	t.Helper()
	_, err := Import([]byte(text), o)
	var ps Problems
	if !errors.As(err, &ps) {
		t.Fatalf("%s: %v", path, err)
	}
	for _, p := range ps {
		if p.Path == path && strings.Contains(p.Reason, reason) && (n == 0 || len(ps) == n) {
			return
		}
	}
	t.Errorf("%s (%s) is not among %d:\n%v", path, reason, n, err)
}

func TestFilesRefused(t *testing.T) {
	plan := file(t, "theatre.json")
	for name, tt := range map[string]struct{ text, path, reason string }{
		"nothing":     {"", "file", "not JSON"},
		"a list":      {"[]", "file", "want object"},
		"two plans":   {plan + plan, "file", "follows"},
		"cut":         {plan[:200], "file", "not JSON"},
		"bytes":       {"\xff", "file", "UTF-8"},
		"deep":        {strings.Repeat(`{"a":`, 20), "file", "nested"},
		"huge":        {strings.Repeat(" ", MaxBytes+1), "file", "larger"},
		"twice":       {replaced(t, plan, `"zones"`, `"name": "x", "zones"`), "name", "twice"},
		"no seat":     {`{"name":"x","zones":[{"position":{"x":0,"y":0},"rows":[]}],"categories":[{"name":"R"}]}`, "zones", "no seat"},
		"not a hall":  {replaced(t, plan, `"x": 30, "y": 0`, `"x": 1e6, "y": 0`), "", ""},
		"half a pair": {replaced(t, plan, `"seat_number": "2/2", "category": "Loveseat"`, `"seat_number": "2/2", "category": "Parkett"`), "zones[0].rows[1].seats[2].category", "half a loveseat"},
		"alone":       {replaced(t, plan, `"category": "W"`, `"category": "Parkett"`), "zones[0].rows[1].seats[1].category", "companion"},
	} {
		if tt.path == "" {
			_, _ = Import([]byte(tt.text), theatre)
			continue
		}
		t.Run(name, func(t *testing.T) { told(t, tt.text, theatre, 0, tt.path, tt.reason) })
	}
	many := replaced(t, plan, `"categories": [`, `"categories": [`+strings.Repeat(`{"nam":1},`, 90))
	many = strings.ReplaceAll(many, `"seat_guid"`, `"guid"`)
	if _, err := Import([]byte(many), theatre); strings.Count(err.Error(), "\n") != maxProblems || !strings.Contains(err.Error(), "more") {
		t.Errorf("%d lines", strings.Count(err.Error(), "\n"))
	}
	if _, err := Import([]byte(plan), Options{ID: "Not An Id", Kind: seatmap.Theatre, Types: theatre.Types}); err == nil {
		t.Error("a bad id was taken")
	}
	other := Options{ID: "x", Kind: seatmap.Theatre, Types: map[string]seatmap.SeatType{"Parkett": seatmap.Regular, "Balkon": seatmap.Premium}}
	told(t, plan, other, 1, "categories", `no "Balkon"`)
}

// TestRoundTrip draws our halls as plans and reads them back: labels, types and
// gaps are what they were.
func TestRoundTrip(t *testing.T) {
	text, err := os.ReadFile("../catalogue/halls.json")
	if err != nil {
		t.Fatal(err)
	}
	halls, err := seatmap.ParseHalls(text)
	if err != nil {
		t.Fatal(err)
	}
	trips := 0
	for _, src := range halls {
		if src.Kind == seatmap.Arena {
			continue // standing places are no seats of a plan
		}
		trips++
		was, err := seatmap.Expand(src)
		if err != nil {
			t.Fatal(err)
		}
		got := imported(t, exported(was), Options{ID: src.ID, Kind: src.Kind})
		if got.Len() != was.Len() {
			t.Fatalf("%s: %d seats of %d", src.ID, got.Len(), was.Len())
		}
		for i := range was.Len() {
			a, b := was.At(i), got.At(i)
			if a.ID != b.ID || a.Type != b.Type || a.Row != b.Row || a.Partner != b.Partner || math.Hypot(a.X-b.X, a.Y-b.Y) > 0.03 {
				t.Fatalf("%s: %+v came back as %+v", src.ID, a, b)
			}
		}
		if fmt.Sprint(was.Blocks()) != fmt.Sprint(got.Blocks()) {
			t.Errorf("%s: blocks %v, were %v", src.ID, got.Blocks(), was.Blocks())
		}
	}
	if trips < 9 {
		t.Errorf("%d halls", trips)
	}
}

func exported(l *seatmap.Layout) string {
	var zones []map[string]any
	for _, sec := range l.Sections() {
		var rows []map[string]any
		for _, row := range sec.Rows {
			var seats []map[string]any
			for i := row.First; i < row.First+row.Len; i++ {
				s := l.At(i)
				seats = append(seats, map[string]any{
					"seat_guid": string(s.ID), "seat_number": s.Number, "category": string(s.Type),
					"position": map[string]any{"x": 24 * s.X, "y": 24 * s.Y},
				})
			}
			rows = append(rows, map[string]any{"row_number": row.ID, "seats": seats})
		}
		zones = append(zones, map[string]any{"name": sec.Name, "position": map[string]any{"x": 0, "y": 0}, "rows": rows})
	}
	var categories []map[string]any
	for _, t := range l.Types() {
		categories = append(categories, map[string]any{"name": string(t)})
	}
	text, err := json.Marshal(map[string]any{"name": l.Name(), "zones": zones, "categories": categories, "size": map[string]any{"width": 1000, "height": 1000}})
	if err != nil {
		panic(err)
	}
	return string(text)
}

// TestTheLargestHall: twenty thousand seats in straight rows fit; too many for an
// item are refused as that.
func TestTheLargestHall(t *testing.T) {
	plan := func(bend float64) string {
		var rows []map[string]any
		for r := range 200 {
			var seats []map[string]any
			for c := range 100 {
				seats = append(seats, map[string]any{
					"seat_guid": fmt.Sprint(r, "-", c), "seat_number": fmt.Sprint(100 - c), "category": "R",
					"position": map[string]any{"x": 20 * c, "y": bend * float64((c-50)*(c-50))},
				})
			}
			rows = append(rows, map[string]any{"row_number": fmt.Sprint(r + 1), "position": map[string]any{"x": 0, "y": 25 * r}, "seats": seats})
		}
		text, err := json.Marshal(map[string]any{"name": "Large", "categories": []any{map[string]any{"name": "R"}}, "zones": []any{map[string]any{"position": map[string]any{"x": 0, "y": 0}, "rows": rows}}})
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	o := Options{ID: "large", Kind: seatmap.Arena}
	if l := imported(t, plan(0), o); l.Len() != seatmap.MaxSeats || l.At(0).ID != "1-100" {
		t.Errorf("%d seats, the first is %s", l.Len(), l.At(0).ID)
	}
	told(t, plan(0.1), o, 1, "file", "straight lines")
}

// FuzzImport: whatever comes, it is refused by path or makes a hall that expands,
// with each of its seats under a name of its own.
func FuzzImport(f *testing.F) {
	f.Add(file(f, "theatre.json"))
	f.Add(file(f, "older.json"))
	f.Add(`{"name":"x","zones":[],"categories":[]}`)
	f.Fuzz(func(t *testing.T, text string) {
		src, err := Import([]byte(text), Options{ID: "fuzz", Kind: seatmap.Cinema, Types: map[string]seatmap.SeatType{"Parkett": seatmap.Regular}})
		if err != nil {
			var ps Problems
			if !errors.As(err, &ps) || len(ps) == 0 || ps[0].Path == "" || ps[0].Reason == "" {
				t.Fatalf("refused without a path: %v", err)
			}
			return
		}
		l, err := seatmap.Expand(src)
		if err != nil || l.Len() != src.Seats {
			t.Fatalf("taken, but %v", err)
		}
		seatmap.Best(l, func(int) bool { return true }, seatmap.Want{Count: 2})
	})
}
