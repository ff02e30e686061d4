package e2e_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/fairseat/fairseat/localstack/apiclient"
)

// TestReplay plays the failures of other systems where the wire is the point; the
// rest is in pkg/boxoffice.
func TestReplay(t *testing.T) {
	for _, r := range []struct {
		name    string
		failure string // what went wrong there
		play    func(*testing.T)
	}{
		{"yoyaku-249", "who wanted any two seats was answered as if he had picked the two that were lost", theseOrAny},
		{"hi-events-790", "a buyer's own hold was shown to him as \"sold out\"", ownHold},
		{"hi-events-598", "a callback was answered with success while its order stayed unchanged", answeredThenDone},
		{"alfio-1254", "after one declined card every other try failed", anotherCard},
	} {
		t.Run(r.name, func(t *testing.T) {
			parallel(t)
			defer func() {
				if t.Failed() {
					t.Log("elsewhere: " + r.failure)
				}
			}()
			r.play(t)
		})
	}
}

func (b *buyer) best(s *show, count int, typ string) (apiclient.Hold, error) {
	var h apiclient.Hold
	err := b.Call(b.ctx(), http.MethodPost, "/shows/"+string(s.ID)+"/holds", "",
		map[string]any{"best": map[string]any{"count": count, "type": typ}}, &h)
	return h, err
}

func theseOrAny(t *testing.T) {
	s := shop.open(t, "standard-90")
	first, second := guest(t), guest(t)
	these := s.regular(t, 2, 0)
	first.hold(s, these...)
	_, err := second.try(s, these...)
	p := refused(t, err, 409, "seats_unavailable")
	if len(p.Conflicts) != 2 || p.Next != "choose_other_seats" {
		t.Errorf("these two: %+v, next %s", p.Conflicts, p.Next)
	}
	any2, err := second.best(s, 2, "regular")
	must(t, err)
	if got := seatsOf(any2); len(got) != 2 || slices.Contains(these, got[0]) || slices.Contains(these, got[1]) {
		t.Errorf("any two: %v, and %v are taken", got, these)
	}
	taken := append(slices.Clone(these), seatsOf(any2)...)
	rest := s.except(generalSale, taken...)
	for part := range slices.Chunk(rest, 40) {
		s.house(t, part...)
	}
	_, err = guest(t).best(s, 2, "regular")
	if p := refused(t, err, 409, "seats_unavailable"); len(p.Conflicts) != 0 || p.Next != "wait" {
		t.Errorf("any two, with none left: %+v, next %s", p.Conflicts, p.Next)
	}
	shop.balanced(t, s)
}

func ownHold(t *testing.T) {
	s, b := shop.open(t, "arthouse-40"), guest(t)
	pair := s.regular(t, 2, 0)
	for part := range slices.Chunk(s.except(generalSale, pair...), 40) {
		s.house(t, part...)
	}
	h := b.hold(s, pair...)
	_, err := b.try(s, pair...) // back at the map, under another key
	p := refused(t, err, 409, "seats_unavailable")
	if len(p.Conflicts) != 2 || p.Next != "wait" {
		t.Fatalf("the last seats, which are the buyer's own: %+v, next %s", p.Conflicts, p.Next)
	}
	for _, c := range p.Conflicts {
		if c.Reason != "held" || c.Hold != h.ID || c.Until == "" {
			t.Errorf("the buyer's own seat is told as %+v", c)
		}
	}
	if again := read[apiclient.Hold](b, "/holds/"+p.Conflicts[0].Hold); again.State != "held" {
		t.Errorf("which leads to %+v", again)
	}
	_, err = guest(t).try(s, pair...)
	for _, c := range refused(t, err, 409, "seats_unavailable").Conflicts {
		if c.Hold != "" {
			t.Errorf("a stranger is told of %+v", c)
		}
	}
}

func answeredThenDone(t *testing.T) {
	s, b := shop.open(t, "standard-90"), guest(t)
	h := b.hold(s, s.regular(t, 2, 0)...)
	p := b.pay(h.ID, "late") // nothing comes by itself for a while
	theirs, err := provider.Payments(p.OrderID)
	must(t, err)
	say := func(total int64) int {
		v := payView{ID: p.ID, Order: p.OrderID, Ref: theirs[0].Ref, State: "captured", At: time.Now().UTC().Format("2006-01-02T15:04:05.000Z")}
		v.Amount = amount{total, h.Total.Currency}
		body, err := json.Marshal(notice{ID: "ev-replay", Event: "payment", Payment: &v})
		must(t, err)
		nobody := &apiclient.Client{Base: stack.URL, HTTP: wire}
		got, err := nobody.Do(t.Context(), "POST", "/callbacks/sandbox", signed(sandboxSecret, time.Now(), body), body)
		must(t, err)
		return got.Status
	}
	status := func() string { return read[apiclient.Order](b, "/orders/"+p.OrderID).Status }
	if code, is := say(h.Total.Amount-1), status(); code < 300 || is != "PENDING" {
		t.Errorf("what cannot be carried out is answered %d, and the order is %s", code, is)
	}
	if code, is := say(h.Total.Amount), status(); code != 200 || is != "PAID" {
		t.Errorf("answered %d, and the order is %s", code, is)
	}
	eventually(t, lateBy, func() error { // the money that was only claimed comes
		ps, err := provider.Payments(p.OrderID)
		if err == nil && ps[0].State != "captured" {
			err = yet("the late payment is %s", ps[0].State)
		}
		return err
	})
	shop.balanced(t, s)
}

func anotherCard(t *testing.T) {
	s, b := shop.open(t, "standard-90"), guest(t)
	h := b.hold(s, s.regular(t, 1, 0)...)
	seen := []string{b.pay(h.ID, "decline").ID}
	eventually(t, 6*time.Second, func() error { // until the refusal was heard, the first comes back
		p := b.pay(h.ID, "success")
		if slices.Contains(seen, p.ID) {
			return yet("the declined payment is pending")
		}
		seen = append(seen, p.ID)
		b.await(p.OrderID, "PAID", 10*time.Second)
		return nil
	})
	shop.balanced(t, s)
}
