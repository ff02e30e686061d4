package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
)

// person wants seats of one show, and waits in line where there are none.
type person struct {
	w      *world
	id     string
	e      *evening
	party  int
	types  []string
	waiter string
	told   standing
	over   bool // of his place
	chosen bool // he has seen his offer
	tries  int  // to get seats
}

// answer is all that people look at.
type answer struct {
	ID, Code, Next string
	State, Version string
	OrderID        string `json:"order_id"`
	HoldID         string `json:"hold_id"`
	Number         int64
	Offer          *struct {
		Proposed []string `json:"seats_proposed"`
		Free     []string `json:"seats_free_for_you"`
	}
	Status any
}

type standing = answer

func (w *world) seconds(from, to int) time.Duration {
	return time.Duration(from*1000+w.Pick((to-from)*1000)) * time.Millisecond
}

// arrive brings somebody to a show.
func (w *world) arrive(e *evening) {
	w.walkUps++
	p := &person{w: w, e: e, id: fmt.Sprintf("b%d", w.walkUps), party: [...]int{1, 1, 2, 2, 2, 2, 3, 3, 4, 4, 5, 6, 8, 10}[w.Pick(14)]}
	switch w.Pick(5) {
	case 0:
		p.types = []string{"regular"}
	case 1:
		p.types = []string{"premium"}
	case 2:
		p.types = []string{"premium", "regular"}
	}
	if w.oneIn(3) {
		w.serve("read-seatmap", events.APIGatewayProxyRequest{HTTPMethod: "GET", Resource: "/shows/{show}/seatmap", PathParameters: p.ofShow()}, func(*events.APIGatewayProxyResponse) {})
	}
	p.take()
}

func (p *person) ofShow() map[string]string { return map[string]string{"show": string(p.e.show.ID)} }

// call sends a request until an answer comes that says how it went.
func (p *person) call(handler, method, path string, params map[string]string, key, body string, heard func(status int, a answer)) {
	headers := map[string]string{"Authorization": "Bearer " + p.id}
	if key != "" {
		headers["Idempotency-Key"], headers["Content-Type"] = key, "application/json"
	}
	ev := events.APIGatewayProxyRequest{HTTPMethod: method, Resource: path, PathParameters: params, Headers: headers, Body: body}
	tries := 0
	var send func()
	send = func() {
		p.w.serve(handler, ev, func(r *events.APIGatewayProxyResponse) {
			if r == nil || r.StatusCode >= 500 {
				if tries++; tries < 5 {
					p.w.After(p.w.seconds(1, 1+4*tries), send)
				}
				return
			}
			var a answer
			if r.Body != "" {
				if err := json.Unmarshal([]byte(r.Body), &a); err != nil {
					p.w.fail("Answer", "%s: %v: %s", handler, err, r.Body)
				}
			}
			heard(r.StatusCode, a)
		})
	}
	send()
	if key != "" && p.w.oneIn(40) {
		p.w.serve(handler, ev, func(*events.APIGatewayProxyResponse) {}) // sent twice
	}
}

func (p *person) key() string {
	p.w.keys++
	return fmt.Sprint("k", p.w.keys)
}

// take tries to hold seats: a few that he picked, or the best.
func (p *person) take() {
	p.tries++
	body := map[string]any{"best": map[string]any{"count": p.party}}
	if len(p.types) == 1 {
		body["best"] = map[string]any{"count": p.party, "type": p.types[0]}
	}
	if p.w.oneIn(3) {
		body = map[string]any{"seats": p.pick()}
	}
	text, _ := json.Marshal(body)
	p.call("reserve-seats", "POST", "/shows/{show}/holds", p.ofShow(), p.key(), string(text), func(status int, a answer) {
		switch {
		case status == 201:
			p.holding(a.ID)
		case status == 409 && a.Code == "sales_closed":
		case p.tries < 3 && a.Next == "choose_other_seats" && p.w.oneIn(2):
			p.w.After(p.w.seconds(1, 20), p.take)
		default:
			p.w.refused++
			if p.w.Pick(4) > 0 {
				p.w.After(p.w.seconds(1, 10), p.join)
			}
		}
	})
}

// pick are neighbouring seats from a place on.
func (p *person) pick() []string {
	l := halls[p.e.show.LayoutID]
	at := p.w.Pick(l.Len() - p.party + 1)
	var ids []string
	for i := range p.party {
		ids = append(ids, string(l.At(at+i).ID))
	}
	return ids
}

// holding: most pay, some give back, some forget.
func (p *person) holding(hold string) {
	w := p.w
	switch n := w.Pick(20); {
	case n < 14:
		w.After(w.seconds(5, 240), func() { p.pay(hold, "") })
	case n < 16:
		w.After(w.seconds(5, 280), func() {
			p.call("release-hold", "DELETE", "/holds/{hold}", map[string]string{"hold": hold}, "", "", func(int, answer) {})
		})
	}
}

func (p *person) pay(hold, outcome string) {
	w := p.w
	if outcome == "" {
		outcome = [...]string{"decline", "never", "late", "success"}[min(w.Pick(25), 3)]
	}
	body := fmt.Sprintf(`{"provider":"sandbox","outcome":%q}`, outcome)
	p.call("pay-hold", "POST", "/holds/{hold}/payments", map[string]string{"hold": hold}, p.key(), body, func(status int, a answer) {
		if status != 201 {
			return
		}
		order := map[string]string{"order": a.OrderID}
		w.After(w.seconds(10, 120), func() { p.call("read-order", "GET", "/orders/{order}", order, "", "", func(int, answer) {}) })
		if outcome == "decline" && w.oneIn(2) {
			w.After(w.seconds(10, 40), func() { p.pay(hold, "success") })
		}
	})
}

// join asks to wait.
func (p *person) join() {
	if p.e.show.NoLine {
		return
	}
	key := p.key()
	p.waiter = string(boxoffice.WaiterIDFor(booking.Buyer(p.id), p.e.show.ID, key))
	p.over, p.chosen = false, false
	p.w.people[p.waiter] = p
	body, _ := json.Marshal(struct {
		Seats int      `json:"seats"`
		Types []string `json:"types,omitempty"`
	}{p.party, p.types})
	gone := true
	p.call("join-line", "POST", "/shows/{show}/line", p.ofShow(), key, string(body), func(status int, a answer) {
		if status < 300 {
			gone = false
			p.hear(a)
			p.sleep()
			return
		}
		p.leaveOff()
		if a.Code == "seats_free" && p.tries < 4 {
			p.w.After(p.w.seconds(1, 10), p.take)
		}
	})
	if p.w.oneIn(8) {
		p.w.After(p.w.seconds(20, 1500), func() {
			if !gone && !p.over {
				p.answer("leave", nil)
			}
		})
	}
	p.w.After(2*time.Hour, p.leaveOff) // nobody looks longer
}

func (p *person) leaveOff() {
	p.over = true
	delete(p.w.people, p.waiter)
}

// sleep is until the next look, if nobody tells him before.
func (p *person) sleep() {
	waiter := p.waiter
	p.w.After(p.w.seconds(30, 150), func() {
		if p.over || p.waiter != waiter {
			return
		}
		p.poll()
		p.sleep()
	})
}

func (p *person) poll() {
	if p.over {
		return
	}
	p.call("read-place", "GET", "/line/{waiter}", map[string]string{"waiter": p.waiter}, "", "", func(status int, a answer) {
		if status == 200 {
			p.hear(a)
		}
	})
}

func (p *person) hear(a standing) {
	p.told = a
	switch a.State {
	case "joining", "waiting":
	case "offered":
		if !p.chosen {
			p.chosen = true
			p.decide(a)
		}
	default:
		p.leaveOff()
		if (a.State == "lapsed" || a.State == "timed_out") && p.w.oneIn(2) && p.tries < 5 {
			p.w.After(p.w.seconds(1, 900), p.take)
		}
	}
}

// decide is what somebody does with his offer.
func (p *person) decide(a standing) {
	w := p.w
	switch n := w.Pick(20); {
	case n < 11:
		w.After(w.seconds(1, 100), func() { p.answer("accept", nil) })
	case n < 14 && len(a.Offer.Free) >= p.party:
		free := slices.Clone(a.Offer.Free)
		from := w.Pick(len(free) - p.party + 1)
		w.After(w.seconds(1, 100), func() { p.answer("accept", free[from:from+p.party]) })
	case n < 16:
		w.After(w.seconds(1, 100), func() { p.answer("decline", nil) })
	case n < 17:
		w.After(w.seconds(1, 100), func() { p.answer("leave", nil) })
	}
}

func (p *person) answer(how string, seats []string) {
	method, path, key, body := "POST", "/line/{waiter}/"+how, "", ""
	switch how {
	case "leave":
		method, path = "DELETE", "/line/{waiter}"
	case "accept":
		text, _ := json.Marshal(struct {
			Seats []string `json:"seats,omitempty"`
		}{seats})
		key, body = p.key(), string(text)
	}
	p.call("answer-offer", method, path, map[string]string{"waiter": p.waiter}, key, body, func(status int, a answer) {
		switch {
		case status == 201:
			p.leaveOff()
			p.holding(a.ID)
		case status < 300:
			p.leaveOff()
		case how == "accept" && seats != nil:
			p.answer("accept", nil) // another was faster: the proposal is his
		}
	})
}
