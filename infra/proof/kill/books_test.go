package main

import (
	"io"
	"testing"
	"time"

	"github.com/fairseat/fairseat/localstack/apiclient"
	"github.com/fairseat/fairseat/localstack/sandbox/sim"
)

func paid(id string, seats ...string) apiclient.Order {
	o := apiclient.Order{ID: id, Status: "PAID", Seats: seats}
	for _, s := range seats {
		o.Tickets = append(o.Tickets, struct {
			ID   string `json:"id"`
			Seat string `json:"seat"`
			Code string `json:"code"`
		}{"t-" + s, s, "code"})
	}
	return o
}

// TestCompare: a lost, a changed and a second ticket are objected to.
func TestCompare(t *testing.T) {
	half := paid("o1", "A-1", "A-2")
	half.Tickets = half.Tickets[:1]
	refunded := paid("o1", "A-1")
	refunded.Status, refunded.Tickets = "REFUNDED", nil
	changed := paid("o1", "A-1")
	changed.Tickets[0].Code = "other"
	for _, tt := range []struct {
		name   string
		orders []apiclient.Order // of one promise, but for the last where its id differs
		wrong  bool
	}{
		{"the same again", []apiclient.Order{paid("o1", "A-1"), paid("o1", "A-1")}, false},
		{"lost", []apiclient.Order{paid("o1", "A-1"), refunded}, true},
		{"changed", []apiclient.Order{paid("o1", "A-1"), changed}, true},
		{"half", []apiclient.Order{half}, true},
		{"another's", []apiclient.Order{paid("o1", "A-1"), paid("o2", "A-1")}, true},
		{"beside another's", []apiclient.Order{paid("o1", "A-1"), paid("o2", "A-2")}, false},
	} {
		r := newRun(plan{progress: io.Discard})
		promises := map[string]*promise{"o1": {}, "o2": {}}
		for _, o := range tt.orders {
			r.compare(promises[o.ID], o)
		}
		if got := len(r.objects) > 0; got != tt.wrong {
			t.Errorf("%s: %v", tt.name, r.objects)
		}
	}
}

// TestPaidFor: one payment of one number, and money at most once.
func TestPaidFor(t *testing.T) {
	p := &promise{payment: apiclient.Payment{ID: "p", OrderID: "o"}}
	for _, tt := range []struct {
		name     string
		payments []sim.Payment
		captured bool
		wrong    bool
	}{
		{"captured", []sim.Payment{{ID: "p", State: sim.Captured}}, true, false},
		{"declined", []sim.Payment{{ID: "p", State: sim.Failed}}, false, false},
		{"lost", nil, false, true},
		{"another number", []sim.Payment{{ID: "q", State: sim.Captured}}, true, true},
		{"twice", []sim.Payment{{ID: "p", State: sim.Captured}, {ID: "q", State: sim.Captured}}, true, true},
		{"not decided", []sim.Payment{{ID: "p", State: sim.Pending}}, false, true},
	} {
		got, err := paidFor(p, journal{payments: map[string][]sim.Payment{"o": tt.payments}})
		if (err != nil) != tt.wrong || err == nil && got != tt.captured {
			t.Errorf("%s: %v, %v", tt.name, got, err)
		}
	}
}

// TestRecovery: a kill is over with the first answer to a request sent after it.
func TestRecovery(t *testing.T) {
	d := &deaths{killed: map[string]int{}, waiting: map[string][]time.Time{}}
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	d.note("ReserveSeats", true, at(10))
	d.answered("ReserveSeats", at(9), at(11)) // sent before
	d.answered("PayHold", at(11), at(12))     // of another function
	d.answered("ReserveSeats", at(12), at(13))
	d.answered("ReserveSeats", at(13), at(14))
	if len(d.function) != 1 || d.function[0] != 3*time.Second {
		t.Errorf("recoveries %v", d.function)
	}
	d.note("PayHold", false, at(20))
	d.note(wholeCloud, false, at(21))
	d.answered("ReadOrder", at(22), at(26))
	if len(d.function) != 1 || len(d.cloud) != 1 || d.cloud[0] != 5*time.Second || d.midway != 1 || d.functions() != 2 {
		t.Errorf("%+v", d)
	}
}
