package payment

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/fairseat/fairseat/pkg/money"
)

func TestNumbers(t *testing.T) {
	a := IDFor("hold", "1")
	if a != IDFor("hold", "1") || !a.Valid() || len(a) != 26 {
		t.Errorf("%q is not one number of 26", a)
	}
	for _, b := range []ID{IDFor("hold", "2"), IDFor("hold1"), IDFor("hol", "d1"), IDFor("hold", "1", ""), ID(RefundFor("hold", 1))} {
		if a == b {
			t.Errorf("%q twice", a)
		}
	}
	if r := RefundFor(a, 1); r != RefundFor(a, 1) || r == RefundFor(a, 2) || !r.Valid() {
		t.Errorf("refund %q", r)
	}
	for _, s := range []string{"", "1234567", strings.Repeat("x", 33), "abcd-efgh", "abcdéfgh", "../../..", "abcd efgh"} {
		if ID(s).Valid() || RefundID(s).Valid() {
			t.Errorf("%q is valid", s)
		}
	}
	for _, s := range []string{"12345678", "zZaA09zZ", strings.Repeat("x", 32)} {
		if !ID(s).Valid() {
			t.Errorf("%q is not valid", s)
		}
	}
}

func TestParseRefusesWhatIsNotAState(t *testing.T) {
	for _, s := range []string{"", "Pending", "paid", "pending "} {
		_, e1 := ParseState(s)
		_, e2 := ParseReportState(s)
		_, e3 := ParseRefundState(s)
		_, e4 := ParseActionKind(s)
		for i, err := range []error{e1, e2, e3, e4} {
			if !errors.Is(err, ErrState) {
				t.Errorf("parser %d took %q", i, s)
			}
		}
	}
	for _, s := range States {
		if got, err := ParseState(string(s)); got != s || err != nil {
			t.Errorf("%s: %q %v", s, got, err)
		}
	}
}

func TestCheck(t *testing.T) {
	good := samplePayment(Pending)
	good.CreatedAt = time.Unix(1_750_000_000, 0)
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Payment){
		"state":    func(p *Payment) { p.State = "" },
		"number":   func(p *Payment) { p.ID = "p" },
		"amount":   func(p *Payment) { p.Amount = money.Amount{Currency: "USD"} },
		"currency": func(p *Payment) { p.Amount.Currency = "usd" },
		"hold":     func(p *Payment) { p.HoldID = "" },
		"order":    func(p *Payment) { p.OrderID = "" },
		"provider": func(p *Payment) { p.Provider = "" },
		"time":     func(p *Payment) { p.CreatedAt = time.Time{} },
	} {
		p := good
		change(&p)
		if p.Check() == nil {
			t.Errorf("%s passed", name)
		}
	}
}

var t0 = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func TestNextAsk(t *testing.T) {
	expiry, grace := t0.Add(5*time.Minute), 5*time.Second
	end := 5*time.Minute + 11*time.Second
	p := samplePayment(Pending)
	p.CreatedAt = t0
	for _, c := range []struct {
		name string
		now  time.Duration
		step Step
		at   time.Duration
	}{
		{"at creation", 0, AskQuery, 2 * time.Second},
		{"just before", 2*time.Second - 1, AskQuery, 2 * time.Second},
		{"at the first", 2 * time.Second, AskQuery, 4 * time.Second},
		{"between", 100 * time.Second, AskQuery, 128 * time.Second},
		{"last before the end", 256 * time.Second, AskQuery, end},
		{"at the hold's end", 5 * time.Minute, AskQuery, end},
		{"after late money", end, AskQuery, end + 15*time.Second},
		{"growing", end + 15*time.Second, AskQuery, end + 30*time.Second},
		{"missed many", end + 10*time.Minute, AskQuery, end + 16*time.Minute},
		{"the last day", 23 * time.Hour, AskClose, 24 * time.Hour},
		{"past the day", 30 * time.Hour, AskClose, 31 * time.Hour},
	} {
		got := NextAsk(p, t0.Add(c.now), expiry, grace)
		if got.Step != c.step || !got.At.Equal(t0.Add(c.at)) {
			t.Errorf("%s: %v after %v, want %v after %v", c.name, got.Step, got.At.Sub(t0), c.step, c.at)
		}
	}
	if got := NextAsk(p, t0.Add(23*time.Hour), t0.Add(30*time.Hour), grace); got != (Ask{AskClose, t0.Add(24 * time.Hour)}) {
		t.Errorf("a hold of more than a day: %v", got)
	}
	p.State = Failed // the provider may let the buyer try again
	if got := NextAsk(p, t0.Add(2*time.Second), expiry, grace); got != (Ask{AskQuery, t0.Add(4 * time.Second)}) {
		t.Errorf("declined: %v", got)
	}
	for _, s := range []State{Captured, Refunded} {
		if got := NextAsk(samplePayment(s), t0, expiry, grace); got != (Ask{Step: AskNothing}) {
			t.Errorf("%s: %v", s, got)
		}
	}
}

func TestNextAskRepeatsRefunds(t *testing.T) {
	p, last := samplePayment(Refunding), time.Duration(0)
	for p.Attempt = range 40 {
		got := NextAsk(p, t0, t0, 0)
		gap := got.At.Sub(t0)
		if got.Step != RepeatRefund || gap < last || gap < 30*time.Second || gap > 6*time.Hour {
			t.Fatalf("attempt %d: %v after %v", p.Attempt, got.Step, gap)
		}
		last = gap
	}
	if last != 6*time.Hour {
		t.Errorf("gaps end at %v", last)
	}
}

// appointments lists every query of the plan; the naive twin takes the first
// one that is still to come.
func appointments(created, end time.Time) []time.Time {
	last := created.Add(24 * time.Hour)
	var all []time.Time
	for i := range 40 {
		if at := created.Add(2 * time.Second << i); at.Before(end) {
			all = append(all, at)
		}
		all = append(all, end.Add(15*time.Second<<i))
	}
	all = append(all, end)
	all = slices.DeleteFunc(all, func(at time.Time) bool { return !at.Before(last) || at.Before(created) })
	slices.SortFunc(all, time.Time.Compare)
	return all
}

func TestNextAskAgainstItsTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sec := func(name string, top int) time.Duration {
			return time.Duration(rapid.IntRange(0, top).Draw(t, name)) * time.Second
		}
		p := samplePayment(Pending)
		p.CreatedAt = t0
		expiry, grace := t0.Add(sec("hold", 100_000)), sec("grace", 60)
		now := t0.Add(sec("now", 120_000))
		got := NextAsk(p, now, expiry, grace)
		want := Ask{AskClose, t0.Add(24 * time.Hour)}
		if !want.At.After(now) {
			want.At = now.Add(time.Hour)
		}
		for _, at := range appointments(t0, expiry.Add(grace+6*time.Second)) {
			if at.After(now) {
				want = Ask{AskQuery, at}
				break
			}
		}
		if got != want {
			t.Fatalf("%v, want %v", got, want)
		}
	})
}
