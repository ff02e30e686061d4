package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/localstack/apiclient"
)

var opening = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func wire(t time.Time) string { return t.Format("2006-01-02T15:04:05.000Z") }

func moment(d time.Duration) int64 { return opening.Add(d).UnixNano() }

func testRow() *row {
	return newRow("show", []string{"A-1", "A-2", "A-3"}, policy, limits{int64(50 * time.Millisecond)}, 1)
}

func answer(ids ...string) apiclient.Hold {
	h := apiclient.Hold{ID: "h", ExpiresAt: opening.Add(policy.Hold), ServerTime: opening}
	for _, id := range ids {
		h.Seats = append(h.Seats, struct {
			ID    string          `json:"id"`
			Type  string          `json:"type"`
			Price apiclient.Money `json:"price"`
		}{ID: id})
	}
	return h
}

// TestLostReserve: a deadline that belongs to no known hold makes one of the reserve
// that nobody answered, if that can have set it.
func TestLostReserve(t *testing.T) {
	for _, tt := range []struct {
		name  string
		sent  time.Duration // of the lost reserve
		wants []string
		holds int
	}{
		{"it can", -time.Second, []string{"A-1", "A-2"}, 1},
		{"it was sent later", time.Second, []string{"A-1"}, 0},
		{"of another seat", -time.Second, []string{"A-3"}, 0},
	} {
		w := testRow()
		w.lose(operation{call: moment(tt.sent)}, tt.wants)
		until := opening.Add(policy.Hold + policy.Grace)
		o := operation{call: moment(2 * time.Second), ret: moment(3 * time.Second)}
		w.refuse(o, []string{"A-1"}, []apiclient.Conflict{{Seat: "A-1", Reason: "held", Until: wire(until)}})
		h := w.finish()
		if len(h.holds) != tt.holds {
			t.Errorf("%s: %d holds", tt.name, len(h.holds))
		}
		if err := verdict(h, ""); (err == nil) != (tt.holds == 1) {
			t.Errorf("%s: %v", tt.name, err)
		}
		if n := w.count(); n != 2 {
			t.Errorf("%s: %d operations of two requests", tt.name, n)
		}
	}
}

// TestAnswersInThemselves: what is wrong with a single answer needs no model.
func TestAnswersInThemselves(t *testing.T) {
	asked := []string{"A-1", "A-2"}
	at := func(call, ret time.Duration) operation { return operation{call: moment(call), ret: moment(ret)} }
	for _, tt := range []struct {
		name string
		o    operation
		got  apiclient.Hold
		want string
	}{
		{"right", at(-time.Second, time.Second), answer("A-1", "A-2"), ""},
		{"half", at(-time.Second, time.Second), answer("A-1"), "asked for"},
		{"before it was asked for", at(time.Second, 2*time.Second), answer("A-1", "A-2"), "made"},
		{"after it was answered", at(-2*time.Second, -time.Second), answer("A-1", "A-2"), "made"},
	} {
		w := testRow()
		w.reserve(tt.o, asked, tt.got)
		if got := strings.Join(w.finish().objects, ""); !strings.Contains(got, tt.want) || (got == "") != (tt.want == "") {
			t.Errorf("%s: %q", tt.name, got)
		}
	}
	w := testRow()
	w.refuse(at(0, 1), asked, nil)
	w.refuse(at(0, 1), asked, []apiclient.Conflict{{Seat: "A-3", Reason: "held"}})
	if n := len(w.finish().objects); n != 2 {
		t.Errorf("%d objections to refusals for no seat and for one that nobody asked for", n)
	}
}

// TestPicture: a violation leaves a picture and names its seed.
func TestPicture(t *testing.T) {
	dir := t.TempDir()
	h := history{name: "A", seed: 4711, limits: limits{ms(budget)}, ops: []operation{at(20, 30, refusal(one, one))}}
	err := verdict(h, dir)
	if err == nil || !strings.Contains(err.Error(), "seed 4711") || !strings.Contains(err.Error(), "reserve {1} → taken {1}") {
		t.Errorf("got %v", err)
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("%d pictures", len(files))
	}
}
