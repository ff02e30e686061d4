package e2e_test

import (
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/fairseat/fairseat/localstack/apiclient"
	"github.com/fairseat/fairseat/pkg/catalog"
)

// from is a client of another address: what comes from the machine's own is not
// counted.
func from(t *testing.T, address string) *buyer {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	c := client()
	c.HTTP = &http.Client{Transport: newDocumented(&http.Transport{DialContext: d.DialContext})}
	return &buyer{c, t}
}

// TestChallenged: a show may ask for a solved challenge, for each hold and each place
// in line, and it is good once.
func TestChallenged(t *testing.T) {
	parallel(t)
	s := shop.open(t, "standard-90", func(s *catalog.Show) { s.Challenge, s.NeedsContact = true, true })
	b := guest(t)
	if got := read[struct {
		Challenge bool `json:"challenge_required"`
		Contact   bool `json:"contact_required"`
	}](b, "/shows/"+string(s.ID)); !got.Challenge || !got.Contact {
		t.Errorf("the show says %+v", got)
	}
	seats := s.regular(t, 2, 0)
	_, err := b.try(s, seats...)
	refused(t, err, 428, "challenge_required")
	solution, err := b.Solve(b.ctx(), string(s.ID), 2)
	must(t, err)
	b.Solution = solution
	h := b.hold(s, seats...)
	other := s.regular(t, 2, 1)
	_, err = b.try(s, other...)
	refused(t, err, 428, "challenge_required")
	b.Solution, err = b.Solve(b.ctx(), string(s.ID), 1)
	must(t, err)
	_, err = b.try(s, other...)
	refused(t, err, 428, "challenge_required") // it was asked for one seat

	_, err = b.tryPay(h.ID, "success")
	refused(t, err, 422, "contact_required")
	var p apiclient.Payment
	body := map[string]any{"provider": "sandbox", "contact": map[string]string{"email": "Ann+seats@example.org"}}
	must(t, b.Call(b.ctx(), http.MethodPost, "/holds/"+h.ID+"/payments", "", body, &p))

	w := guest(t)
	join := map[string]any{"seats": 2}
	path := "/shows/" + string(s.ID) + "/line"
	refused(t, w.Call(w.ctx(), http.MethodPost, path, "", join, nil), 428, "challenge_required")
	w.Solution, err = w.Solve(w.ctx(), string(s.ID), 2)
	must(t, err)
	refused(t, w.Call(w.ctx(), http.MethodPost, path, "", join, nil), 409, "seats_free")

	full := shop.open(t, "standard-90", func(s *catalog.Show) { s.Challenge = true })
	for i := 0; i+10 <= full.layout.Len(); i += 10 {
		var seats []string
		for k := range 10 {
			seats = append(seats, string(full.layout.At(i+k).ID))
		}
		one := guest(t)
		one.Solution, err = one.Solve(t.Context(), string(full.ID), 10)
		must(t, err)
		one.hold(full, seats...)
	}
	w.Solution, err = w.Solve(w.ctx(), string(full.ID), 2)
	must(t, err)
	must(t, w.Call(w.ctx(), http.MethodPost, "/shows/"+string(full.ID)+"/line", "", join, nil))
	_, err = w.try(full, full.regular(t, 2, 0)...)
	refused(t, err, 409, "seats_unavailable") // what is taken is told first, used or not
	b.await(p.OrderID, "PAID", 15*time.Second)
}

// TestTooOften: who comes too often from one address waits, whatever he asks for, and
// is told no more than how long. Another address does not.
func TestTooOften(t *testing.T) {
	parallel(t)
	bot := from(t, "127.0.0.77")
	must(t, bot.Session(t.Context()))
	shows := []string{"challenges", "holds", "line"}
	for _, what := range shows {
		bodies := map[string]any{"challenges": map[string]int{"seats": 10}, "holds": map[string]any{"seats": []string{"A-1"}}, "line": map[string]int{"seats": 1}}
		tooOften(t, 60, func() error {
			return bot.Call(t.Context(), http.MethodPost, "/shows/no-such-show/"+what, "", bodies[what], nil)
		})
	}
	tooOften(t, 100, func() error { return bot.Session(t.Context()) })
	must(t, from(t, "127.0.0.78").Session(t.Context()))
}

// tooOften calls until it is refused for that.
func tooOften(t *testing.T, most int, call func() error) {
	t.Helper()
	for range most {
		err := call()
		if p, ok := err.(*apiclient.Problem); ok && p.Status == 429 {
			if p.Code != "too_many_requests" || p.RetryAfter == "" {
				t.Errorf("refused by %s, Retry-After %q", p.Code, p.RetryAfter)
			}
			return
		}
	}
	t.Errorf("%d calls, and none was refused", most)
}
