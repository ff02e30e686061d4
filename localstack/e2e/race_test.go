package e2e_test

import (
	"crypto/rand"
	"errors"
	mathrand "math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/fairseat/fairseat/localstack/apiclient"
)

// attempt is what came of one buyer's try.
type attempt struct {
	who   *buyer
	seats []string
	hold  apiclient.Hold
	err   error
	again int // how often it came back
}

// rush lets all try at once; who is told that too many are there comes back, with
// the same key, as he is told to.
func rush(s *show, tries []*attempt) {
	var start, done sync.WaitGroup
	start.Add(1)
	for _, a := range tries {
		done.Go(func() {
			start.Wait()
			a.run(s, rand.Text())
		})
	}
	start.Done()
	done.Wait()
}

const comeBacks = 5

func (a *attempt) run(s *show, key string) {
	for {
		a.err = a.who.Call(a.who.ctx(), http.MethodPost, "/shows/"+string(s.ID)+"/holds", key, map[string]any{"seats": a.seats}, &a.hold)
		var p *apiclient.Problem
		if !errors.As(a.err, &p) || p.Code != "busy" || p.RetryAfter == "" || a.again == comeBacks {
			return
		}
		a.again++
	}
}

func guests(t *testing.T, n int) []*buyer {
	t.Helper()
	all := make([]*buyer, n)
	for i := range all {
		all[i] = guest(t)
	}
	return all
}

// TestHundredBuyersSameSeats: one wins, and the others are told who has what.
func TestHundredBuyersSameSeats(t *testing.T) {
	parallel(t)
	s := shop.open(t, "standard-180")
	seats := s.regular(t, 4, 2)
	var tries []*attempt
	for _, b := range guests(t, 100) {
		tries = append(tries, &attempt{who: b, seats: seats})
	}
	rush(s, tries)
	var won []*attempt
	for _, a := range tries {
		if a.err == nil {
			won = append(won, a)
		}
	}
	if len(won) != 1 {
		t.Fatalf("%d of %d buyers hold the same seats", len(won), len(tries))
	}
	until := won[0].hold.ExpiresAt.Add(graceTime).Format("2006-01-02T15:04:05.000Z")
	var want []apiclient.Conflict
	for _, seat := range seats {
		want = append(want, apiclient.Conflict{Seat: seat, Reason: "held", Until: until})
	}
	for _, a := range tries {
		if a == won[0] {
			continue
		}
		if p := refused(t, a.err, 409, "seats_unavailable"); !slices.Equal(p.Conflicts, want) || p.Next != "choose_other_seats" {
			t.Errorf("a loser is told %+v, next %s; wanted %+v", p.Conflicts, p.Next, want)
		}
	}
	must(t, shop.audit(t.Context(), s)) // at once: no half hold ever, not one that heals
	claims, err := shop.claims(t.Context(), s)
	must(t, err)
	if len(claims) != len(seats) {
		t.Errorf("%d seats are claimed, not %d", len(claims), len(seats))
	}
	if n, err := shop.store.Allowance(t.Context(), s.ID, won[0].who.who(won[0].hold.ID)); err != nil || n != len(seats) {
		t.Errorf("the winner's allowance is %d: %v", n, err)
	}
}

// TestOverlappingParties: who wants seats that overlap gets all of his or none,
// and is never told "taken" of a seat that nobody had.
func TestOverlappingParties(t *testing.T) {
	parallel(t)
	s := shop.open(t, "standard-180")
	pool := s.regular(t, 10, 0)
	seed := mathrand.Uint64()
	r := mathrand.New(mathrand.NewPCG(seed, 0))
	var tries []*attempt
	for _, b := range guests(t, 40) {
		from, n := r.IntN(len(pool)-2), 2+r.IntN(3)
		seats := slices.Clone(pool[from:min(from+n, len(pool))])
		r.Shuffle(len(seats), func(i, j int) { seats[i], seats[j] = seats[j], seats[i] })
		tries = append(tries, &attempt{who: b, seats: seats})
	}
	rush(s, tries)
	owner := map[string]*attempt{}
	for _, a := range tries {
		if a.err != nil {
			continue
		}
		for _, seat := range seatsOf(a.hold) {
			if owner[seat] != nil {
				t.Errorf("seed %d: seat %s went to two", seed, seat)
			}
			owner[seat] = a
		}
	}
	if len(owner) == 0 {
		t.Fatalf("seed %d: nobody got anything", seed)
	}
	for _, a := range tries {
		if a.err == nil {
			continue
		}
		p := refused(t, a.err, 409, "seats_unavailable")
		if len(p.Conflicts) == 0 {
			t.Errorf("seed %d: refused without a reason", seed)
		}
		for _, c := range p.Conflicts {
			if owner[c.Seat] == nil || c.Reason != "held" || !slices.Contains(a.seats, c.Seat) {
				t.Errorf("seed %d: a loser who wanted %v is told of %+v", seed, a.seats, c)
			}
		}
	}
	must(t, shop.audit(t.Context(), s))
}

// TestTenSeatsUnderParallelSessions: one buyer, thirty requests at once (A10).
func TestTenSeatsUnderParallelSessions(t *testing.T) {
	parallel(t)
	s := shop.open(t, "standard-180")
	b := guest(t)
	free := s.except(generalSale)
	for _, party := range []int{1, 3} {
		var tries []*attempt
		for i := range 30 {
			tries = append(tries, &attempt{who: b, seats: free[i*party : (i+1)*party]})
		}
		rush(s, tries)
		var held []string
		for _, a := range tries {
			if a.err == nil {
				held = append(held, a.hold.ID)
				continue
			}
			if p := refused(t, a.err, 409, "seat_limit_reached"); p.Holding > maxSeats || p.Holding+party <= maxSeats || p.Limit != maxSeats {
				t.Errorf("of parties of %d one is refused with %d held of %d", party, p.Holding, p.Limit)
			}
		}
		if len(held) != maxSeats/party {
			t.Errorf("%d parties of %d are held at once", len(held), party)
		}
		must(t, shop.audit(t.Context(), s))
		for _, h := range held {
			b.release(h)
		}
	}
	shop.balanced(t, s)
}

// TestBestSeatsInARush: who takes what is best never loses while enough is free.
func TestBestSeatsInARush(t *testing.T) {
	parallel(t)
	s := shop.open(t, "standard-90")
	all := guests(t, 25)
	holds := make([]apiclient.Hold, len(all))
	errs := make([]error, len(all))
	var done sync.WaitGroup
	for i, b := range all {
		done.Go(func() {
			body := map[string]any{"best": map[string]any{"count": 2, "type": "regular"}}
			for range comeBacks {
				errs[i] = b.Call(b.ctx(), http.MethodPost, "/shows/"+string(s.ID)+"/holds", "best", body, &holds[i])
				var p *apiclient.Problem
				if !errors.As(errs[i], &p) || p.Code != "busy" {
					return
				}
			}
		})
	}
	done.Wait()
	got := map[string]bool{}
	for i := range all {
		if errs[i] != nil {
			t.Errorf("buyer %d of %d in a hall of %d: %v", i, len(all), s.layout.Len(), errs[i])
		}
		for _, seat := range seatsOf(holds[i]) {
			if got[seat] {
				t.Errorf("seat %s went to two", seat)
			}
			got[seat] = true
		}
	}
	must(t, shop.audit(t.Context(), s))
}
