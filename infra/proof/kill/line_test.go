package main

import (
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/localstack/apiclient"
)

// TestInOrder: what two places tell of each other.
func TestInOrder(t *testing.T) {
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	at := func(s int) time.Time { return noon.Add(time.Duration(s) * time.Second) }
	for _, tt := range []struct {
		name   string
		change func(a, b *place)
		want   string
	}{
		{"in order", func(a, b *place) {}, ""},
		{"one number", func(a, b *place) { b.number = 1 }, "have number 1"},
		{"overtaken in coming", func(a, b *place) { a.number = 3 }, "was asked for after"},
		{"came at once", func(a, b *place) { a.number, b.asked, a.waiting = 3, at(1), at(3) }, ""},
		{"served before him", func(a, b *place) { b.served = at(9) }, "was served while"},
		{"served once he was not seen to wait", func(a, b *place) { b.served = at(11) }, ""},
		{"in another show", func(a, b *place) { b.served, b.show = at(9), "other" }, ""},
		{"never numbered", func(a, b *place) { b.number, b.served = 0, at(9) }, ""},
	} {
		a := place{id: "a", show: "s", number: 1, asked: at(0), told: at(2), waiting: at(10)}
		b := place{id: "b", show: "s", number: 2, asked: at(3), told: at(4), waiting: at(6)}
		tt.change(&a, &b)
		err := inOrder([]*place{&a, &b})
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	a := place{show: "s", number: 1, told: at(2), waiting: at(10)}
	for _, tt := range []struct {
		asked, given int
		passed       bool
	}{{3, 9, true}, {1, 9, false}, {3, 11, false}} {
		w := walkUp{show: "s", asked: at(tt.asked), given: at(tt.given)}
		if got := w.passed([]*place{&a}); (got != nil) != tt.passed {
			t.Errorf("asked at %d, given at %d: %v", tt.asked, tt.given, got)
		}
	}
}

// TestSee: what a place may not become.
func TestSee(t *testing.T) {
	for _, tt := range []struct{ was, is, want string }{
		{"waiting", "offered", ""}, {"offered", "waiting", "after it was offered"}, {"lapsed", "accepted", "and was lapsed"}, {"offered", "accepted", ""},
	} {
		r := &run{plan: plan{progress: t.Output()}}
		w := &place{id: "w", state: tt.was}
		got := apiclient.Place{ID: "w", State: tt.is}
		r.see(w, got, time.Now())
		if (len(r.objects) == 0) != (tt.want == "") || len(r.objects) > 0 && !strings.Contains(r.objects[0].Error(), tt.want) {
			t.Errorf("%s, %s: %v", tt.was, tt.is, r.objects)
		}
	}
}
