package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/smithy-go"

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

// TestJudged: an answer and a book are verdicts; what could not be read is none, and
// shows no planted defect.
func TestJudged(t *testing.T) {
	away := &url.Error{Op: "Get", URL: "x", Err: errors.New("refused")}
	for _, tt := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{errors.New("seat A-1 is of two live holds"), true},
		{fmt.Errorf("no rest: %w", errYet), true},
		{fmt.Errorf("hold h is lost: %w", &apiclient.Problem{Status: 404}), true},
		{errors.Join(away, &apiclient.Problem{Status: 404}), true},
		{fmt.Errorf("journal: %w", away), false},
		{fmt.Errorf("no rest: %w", context.DeadlineExceeded), false},
		{context.Canceled, false},
		{fmt.Errorf("scan: %w", &smithy.OperationError{Err: errors.New("503")}), false},
	} {
		var v verdict
		if got := errors.As(judged(tt.err), &v); got != tt.want {
			t.Errorf("%v: a verdict: %v", tt.err, got)
		}
	}
}

// TestRestTakesItsTime: a look that lasts longer than the shop's patience may still
// find it at rest; what it found before its time was over is no verdict.
func TestRestTakesItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRun(plan{patience: time.Minute})
		looks := 0
		look := func() error {
			<-time.After(2 * time.Minute)
			if looks++; looks == 1 {
				return errYet
			}
			return nil
		}
		if err := r.rest(t.Context(), look); err != nil || looks != 2 {
			t.Errorf("%v after %d looks", err, looks)
		}
		looks = -1
		var v verdict
		if err := r.rest(t.Context(), func() error { looks++; return errYet }); !errors.As(err, &v) || !errors.Is(err, errYet) || looks < 60 {
			t.Errorf("%v after %d looks", err, looks)
		}
	})
}
