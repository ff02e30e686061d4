package seatmap

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// salon is a good hall, each member on a line of its own.
const salon = `{"halls":[{
"id":"salon",
"name":"Salon",
"kind":"cinema",
"numbering":"ltr",
"seats":8,
"by_type":{"R":4,"W":1,"C":1,"L":2},
"rows":[
"A: WC_RR",
"B: LL_RR"]}]}`

const circus = `{"halls":[{"id":"circus","name":"Circus","kind":"arena","numbering":"blocks","seats":12,
"standing":[{"block":"PIT","level":"floor","type":"GA","capacity":4}],
"blocks":[
{"block":"1","level":"lower","rows":"1-2","seats_per_row":3,"type":"R","wheelchair":1,"companion":1,"seats":8}]}]}`

const house = `{"halls":[{"id":"house","name":"House","kind":"theatre","numbering":"odd-even","seats":4,"sections":[
{"section":"Stalls","seats":2,"by_type":{"R":2},"rows":["A: RR"]},
{"section":"Circle","seats":2,"by_type":{"P":2},"rows":["A: PP"]}]}]}`

func TestRefusals(t *testing.T) {
	tests := []struct {
		base, old, new string
		path           string
		line           int
		reason         string
	}{
		{salon, `"seats":8`, `"seats":9`, "halls[0].seats", 6, "8 are drawn"},
		{salon, `"seats":8`, `"seats":20001`, "halls[0].seats", 6, "not 1 to 20000"},
		{salon, `"seats":8`, `"seats":8.5`, "halls[0].seats", 6, "cannot stand here"},
		{salon, `"seats":8`, `"seats":-8`, "halls[0].seats", 6, "not 1 to 20000"},
		{salon, `"R":4`, `"R":3,"P":1`, "halls[0].by_type", 7, "differs"},
		{salon, `"R":4`, `"R":4,"R":4`, "halls[0].by_type.R", 7, "twice"},
		{salon, "LL_RR", "L_LRR", "halls[0].rows[1]", 10, "half a loveseat"},
		{salon, "LL_RR", "LLLRR", "halls[0].rows[1]", 10, "half a loveseat"},
		{salon, "WC_RR", "WRC_R", "halls[0].rows[0]", 9, "no wheelchair place"},
		{salon, "LL_RR", "LL_RX", "halls[0].rows[1]", 10, "unknown cell"},
		{salon, "LL_RR", "LL_RR_", "halls[0].rows[1]", 10, "6 cells wide"},
		{salon, "LL_RR", "_____", "halls[0].rows[1]", 10, "without seats"},
		{salon, "LL_RR", strings.Repeat("R", 2001), "halls[0].rows[1]", 10, "wider than"},
		{salon, "B: ", "A: ", "halls[0].rows[1]", 10, "row A is there twice"},
		{salon, "B: ", "b: ", "halls[0].rows[1]", 10, "not \"label"},
		{salon, "B: ", "B-1: ", "halls[0].rows[1]", 10, "not \"label"},
		{salon, "B: ", "B:", "halls[0].rows[1]", 10, "not \"label"},
		{salon, `"id":"salon"`, `"id":"Salon"`, "halls[0].id", 2, "lower-case"},
		{salon, `"id":"salon"`, `"id":"salon-"`, "halls[0].id", 2, "lower-case"},
		{salon, `"name":"Salon"`, `"name":"Sa\u0007lon"`, "halls[0].name", 3, "printable"},
		{salon, `"name":"Salon"`, `"name":"Salon","name":"Saloon"`, "halls[0].name", 3, "twice"},
		{salon, `"name":"Salon"`, `"Name":"Salon"`, "halls[0].Name", 3, "unknown member"},
		{salon, `"name":"Salon"`, `"colour":"red"`, "halls[0].colour", 3, "unknown member"},
		{salon, `"name":"Salon"`, `"name":"Salon","capacity":8`, "halls[0]", 1, "unknown field"},
		{salon, `"kind":"cinema"`, `"kind":"circus"`, "halls[0].kind", 4, "unknown kind"},
		{salon, `"numbering":"ltr"`, `"numbering":"btt"`, "halls[0].numbering", 5, "unknown rule"},
		{salon, `"numbering":"ltr"`, `"numbering":"blocks"`, "halls[0].numbering", 5, "halls of blocks"},
		{salon, `"rows":[`, `"sections":[],"rows":[`, "halls[0]", 1, "one of them"},
		{salon, `"A: WC_RR",
"B: LL_RR"`, ``, "halls[0].seats", 6, "0 are drawn"},
		{salon, `{"halls"`, `{"legend":{"Q":"queen"},"halls"`, "legend.Q", 1, "unknown letter"},
		{salon, `{"halls"`, `{"numbering_rules":{"up":""},"halls"`, "numbering_rules.up", 1, "unknown rule"},
		{salon, salon, `{"halls":[]}`, "halls", 1, "none"},
		{salon, salon, salon + "x", "file", 1, "more than one value"},
		{salon, salon, salon[:len(salon)-1], "file", 1, "not JSON"},
		{salon, salon, strings.Replace(salon, "Salon", "Sal\xff", 1), "file", 1, "UTF-8"},
		{salon, salon, `{"halls":` + strings.Repeat("[", 20) + strings.Repeat("]", 20) + `}`, "halls" + strings.Repeat("[0]", 12), 1, "nested"},
		{salon, `]}]}`, `]},` + strings.TrimPrefix(salon, `{"halls":[`), "halls[1].id", 11, "there twice"},
		{salon, `"name":"Salon"`, `"note":"` + strings.Repeat("x", 70000) + `"`, "halls[0]", 1, "larger than"},

		{circus, `"seats":12`, `"seats":13`, "halls[0].seats", 1, "the parts have 12"},
		{circus, `"seats":12`, `"seats":12,"by_type":{"R":12}`, "halls[0].by_type", 1, "not the sum"},
		{circus, `"seats":8`, `"seats":9`, "halls[0].blocks[0].seats", 4, "has 8"},
		{circus, `"type":"GA"`, `"type":"R"`, "halls[0].standing[0].type", 2, "not \"GA\""},
		{circus, `"capacity":4`, `"capacity":0`, "halls[0].standing[0].capacity", 2, "not 1 to"},
		{circus, `"block":"PIT"`, `"block":"P/T"`, "halls[0].standing[0].block", 2, "no seat id"},
		{circus, `"block":"PIT"`, `"block":"1"`, "halls[0].blocks[0].block", 4, "twice"},
		{circus, `"rows":"1-2"`, `"rows":"2-1"`, "halls[0].blocks[0].rows", 4, "not a range"},
		{circus, `"rows":"1-2"`, `"rows":"1-99999999999999999999"`, "halls[0].blocks[0].rows", 4, "not a range"},
		{circus, `"rows":"1-2"`, `"rows":"01-2"`, "halls[0].blocks[0].rows", 4, "not a range"},
		{circus, `"type":"R"`, `"type":"L"`, "halls[0].blocks[0].type", 4, "not R or P"},
		{circus, `"seats_per_row":3`, `"seats_per_row":0`, "halls[0].blocks[0].seats_per_row", 4, "not 1 to"},
		{circus, `"companion":1`, `"companion":2`, "halls[0].blocks[0].companion", 4, "2 companion places"},
		{circus, `"wheelchair":1`, `"wheelchair":-1`, "halls[0].blocks[0].wheelchair", 4, "not 0 to"},

		{house, `"seats":4`, `"seats":5`, "halls[0].seats", 1, "the parts have 4"},
		{house, `"Circle"`, `"STALLS"`, "halls[0].sections[1].section", 3, "twice"},
		{house, `"Circle"`, `"Loge/1"`, "halls[0].sections[1].section", 3, "no seat id"},
		{house, `"P":2`, `"R":2`, "halls[0].sections[1].by_type", 3, "differs"},
		{house, `A: PP`, `A: PR`, "halls[0].sections[1].by_type", 3, "differs"},
		{house, `"section":"Stalls"`, `"section":"Stalls","numbering":"blocks"`, "halls[0].sections[0].numbering", 2, "unknown rule"},
	}
	for i, tt := range tests {
		text := strings.Replace(tt.base, tt.old, tt.new, 1)
		if text == tt.base {
			t.Fatalf("test %d changes nothing", i)
		}
		_, err := ParseHalls([]byte(text))
		e, ok := errors.AsType[*SourceError](err)
		if !ok || e.Path != tt.path || e.Line != tt.line || !strings.Contains(e.Reason, tt.reason) {
			t.Errorf("%d, %.40q: got %v, want line %d: %s: …%s…", i, tt.new, err, tt.line, tt.path, tt.reason)
		}
	}
	for _, good := range []string{salon, circus, house} {
		if _, err := ParseHalls([]byte(good)); err != nil {
			t.Errorf("good file refused: %v", err)
		}
	}
}

// TestNumbersMeetInTheCentre: an odd left block of over 50 seats reaches 101.
func TestNumbersMeetInTheCentre(t *testing.T) {
	cells := strings.Repeat("R", 51) + "_R_R"
	text := fmt.Sprintf(`{"id":"wide","name":"Wide","kind":"theatre","numbering":"odd-even","seats":53,"by_type":{"R":53},"rows":["A: %s"]}`, cells)
	if _, err := Expand(Source{Text: []byte(text)}); err == nil || !strings.Contains(err.Error(), "A-101 is there twice") {
		t.Errorf("got %v", err)
	}
}

func TestArenaTooLarge(t *testing.T) {
	var blocks []string
	for i := range 3 {
		blocks = append(blocks, fmt.Sprintf(`{"block":"%d","level":"l","rows":"1-100","seats_per_row":100,"type":"R","wheelchair":0,"companion":0,"seats":10000}`, i))
	}
	text := `{"id":"a","name":"A","kind":"arena","numbering":"blocks","seats":20000,"blocks":[` + strings.Join(blocks, ",") + `]}`
	_, err := Expand(Source{Text: []byte(text)})
	if e, ok := errors.AsType[*SourceError](err); !ok || e.Path != "blocks[2]" {
		t.Errorf("got %v", err)
	}
}

func TestExpandRefusesAnotherHall(t *testing.T) {
	sources, err := ParseHalls([]byte(salon))
	if err != nil {
		t.Fatal(err)
	}
	src := sources[0]
	if src.ID != "salon" || src.Name != "Salon" || src.Kind != Cinema || src.Seats != 8 || strings.Contains(string(src.Text), "\n") {
		t.Errorf("source %+v", src)
	}
	src.ID = "saloon"
	if _, err := Expand(src); err == nil {
		t.Error("the text of another hall was taken")
	}
}

func FuzzParseHalls(f *testing.F) {
	for _, text := range []string{salon, circus, house} {
		f.Add([]byte(text))
	}
	f.Add(read(f, "small.json"))
	f.Fuzz(func(t *testing.T, data []byte) {
		sources, err := ParseHalls(data)
		if err != nil {
			e, ok := errors.AsType[*SourceError](err)
			if !ok || e.Line < 1 || e.Path == "" || e.Reason == "" {
				t.Fatalf("refused without a place: %#v", err)
			}
			return
		}
		for _, src := range sources {
			l, err := Expand(src)
			if err != nil {
				t.Fatalf("took %s and then refused it: %v", src.ID, err)
			}
			if l.Len() != src.Seats || l.Len() > MaxSeats || len(src.Text) > MaxSourceBytes {
				t.Fatalf("%d seats, %d bytes", l.Len(), len(src.Text))
			}
			checkSeatsOf(t, l)
			checkBlocks(t, l)
		}
	})
}

func FuzzExpand(f *testing.F) {
	for _, text := range []string{salon, circus, house} {
		sources, err := ParseHalls([]byte(text))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(sources[0].Text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		l, err := Expand(Source{Text: text})
		if err != nil {
			return
		}
		again, err := Expand(Source{ID: l.ID(), Text: slices.Clone(text)})
		if err != nil || !slices.Equal(l.seats, again.seats) {
			t.Fatalf("not the same hall twice: %v", err)
		}
	})
}
