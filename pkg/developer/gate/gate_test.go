package gate_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/developer"
	"github.com/fairseat/fairseat/pkg/developer/gate"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/quota"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
	"github.com/fairseat/fairseat/pkg/store/meter"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const first = "the-deployments-own-key"

// yard is a registry with one developer, and instances in front of it.
type yard struct {
	*store.Registry
	meter *meter.Meter
	book  developer.Book
	text  developer.Text
	fault atomic.Value // func(memstore.Op) memstore.Fault
}

func newYard(t testing.TB) *yard {
	t.Helper()
	y := &yard{}
	y.meter = meter.New(memstore.New(memstore.Options{Clock: func() time.Time { return noon }, Faults: func(op memstore.Op) memstore.Fault {
		if f, ok := y.fault.Load().(func(memstore.Op) memstore.Fault); ok {
			return f(op)
		}
		return memstore.NoFault
	}}))
	y.Registry = store.NewRegistry(y.meter)
	press, err := developer.NewPress("a secret of the tests")
	must(t, err)
	y.text = press.Text("u_ann", "k_1")
	i, _, err := developer.Book{}.Make("u_ann", developer.Wish{ID: "k_1", Name: "n", Accepts: true}, y.text, noon)
	must(t, err)
	must(t, y.Issue(t.Context(), i, noon))
	y.book, err = y.Book(t.Context(), "u_ann")
	must(t, err)
	return y
}

func (y *yard) plan(t testing.TB, p developer.Plan) {
	t.Helper()
	must(t, y.SetPlan(t.Context(), y.book, p, noon))
	var err error
	y.book, err = y.Book(t.Context(), "u_ann")
	must(t, err)
}

func (y *yard) instance() *gate.Gate { return &gate.Gate{Store: y, First: first} }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestLastUnits: ten thousand calls at once, over a hundred instances and the last
// units of a minute, and of a month. Exactly these pass.
func TestLastUnits(t *testing.T) {
	for window, last := range map[quota.Window]int64{quota.Minute: 150, quota.Month: 512} {
		y := newYard(t)
		y.plan(t, developer.Standard)
		limits, _ := developer.Standard.Limits()
		used := limits.Of(window) - last
		_, ok, err := y.Take(t.Context(), "u_ann", quota.Decision{Window: window, Start: window.Start(noon), N: used}, 1<<40)
		if !ok {
			t.Fatal(err)
		}
		var passed, refused atomic.Int64
		gates := make([]*gate.Gate, 100)
		for i := range gates {
			gates[i] = y.instance()
		}
		var all sync.WaitGroup
		begin := make(chan struct{})
		for n := range 10_000 {
			all.Go(func() {
				<-begin
				v, err := gates[n%len(gates)].Admit(context.Background(), string(y.text), "ListCities", noon)
				switch {
				case err != nil:
					t.Error(err)
				case v.Refused == 0:
					passed.Add(1)
				case v.Refused == window && v.Retry == window.End(window.Start(noon)).Sub(noon):
					refused.Add(1)
				default:
					t.Errorf("%+v", v)
				}
			})
		}
		close(begin)
		all.Wait()
		if passed.Load() != last || refused.Load() != 10_000-last {
			t.Errorf("the last %d of the %v: %d passed, %d were refused", last, window, passed.Load(), refused.Load())
		}
		if got, err := y.Taken(t.Context(), "u_ann", window, window.Start(noon)); err != nil || got != limits.Of(window) {
			t.Errorf("%d taken of the %v, want %d, %v", got, window, limits.Of(window), err)
		}
	}
}

// TestSteadyCallsWriteLittle: thirty instances let a thousand calls a second in for
// three minutes; what that asks of the store.
func TestSteadyCallsWriteLittle(t *testing.T) {
	y := newYard(t)
	gates := make([]*gate.Gate, 30)
	for i := range gates {
		gates[i] = y.instance()
	}
	g := rand.New(rand.NewPCG(1, 2))
	for minute := range 3 {
		y.meter.Reset()
		for n := range 60_000 {
			now := noon.Add(time.Duration(minute)*time.Minute + time.Duration(n)*time.Millisecond)
			v, err := gates[g.IntN(len(gates))].Admit(t.Context(), first, "ListCities", now)
			if err != nil || v.Refused != 0 || v.Developer != developer.First {
				t.Fatalf("%+v, %v", v, err)
			}
		}
		c := y.meter.Snapshot()
		t.Logf("minute %d: 60000 calls, %d updates of %v units, %d reads", minute, c.Requests[meter.Update], c.Of(meter.Update), c.Requests[meter.Get])
		if most := []int64{4200, 1000, 1000}[minute]; c.Requests[meter.Update] > most || c.Requests[meter.Get] != 0 || c.Requests[meter.Transact] != 0 {
			t.Errorf("minute %d: %v, want at most %d updates", minute, c.Requests, most)
		}
	}
}

// TestRevokedWithinFiveSeconds: an instance that just let a key in does not for long.
func TestRevokedWithinFiveSeconds(t *testing.T) {
	y := newYard(t)
	g := y.instance()
	admit := func(at time.Duration) error {
		_, err := g.Admit(t.Context(), string(y.text), "x", noon.Add(at))
		return err
	}
	must(t, admit(0))
	d, k, _, err := y.book.Revoke("k_1", noon)
	must(t, err)
	must(t, y.Revoke(t.Context(), d, k, noon))
	must(t, admit(gate.Fresh-time.Millisecond)) // remembered
	if err := admit(gate.Fresh); !errors.Is(err, developer.ErrNoKey) || gate.Fresh >= 5*time.Second {
		t.Errorf("after %v: %v", gate.Fresh, err)
	}
	y.meter.Reset()
	for range 100 {
		_ = admit(gate.Fresh)
	}
	if n := y.meter.Snapshot().Requests[meter.Get]; n != 0 {
		t.Errorf("a key that is none was read %d times at once", n)
	}
	for _, other := range []string{"", "nobody", first + "x", first[:5], string(y.text[:len(y.text)-1])} {
		if _, err := g.Admit(t.Context(), other, "x", noon); !errors.Is(err, developer.ErrNoKey) {
			t.Errorf("%q: %v", other, err)
		}
	}
	if n := y.meter.Snapshot().Requests[meter.Get]; n != 0 {
		t.Errorf("what cannot be a key was looked up %d times", n)
	}
}

// TestEndIsKept: a replaced key ends on time though its reader remembers it.
func TestEndIsKept(t *testing.T) {
	y := newYard(t)
	press, err := developer.NewPress("a secret of the tests")
	must(t, err)
	i, _, err := y.book.Rotate("k_1", developer.Wish{ID: "k_2"}, press.Text("u_ann", "k_2"), time.Second, noon)
	must(t, err)
	must(t, y.Issue(t.Context(), i, noon))
	g := y.instance()
	for at, want := range map[time.Duration]error{0: nil, 999 * time.Millisecond: nil, time.Second: developer.ErrNoKey} {
		if _, err := g.Admit(t.Context(), string(y.text), "x", noon.Add(at)); !errors.Is(err, want) {
			t.Errorf("after %v: %v, want %v", at, err, want)
		}
	}
	if _, err := g.Admit(t.Context(), string(press.Text("u_ann", "k_2")), "x", noon); err != nil {
		t.Error(err)
	}
}

// TestLostAnswers: writes whose outcome nobody learns never let more pass.
func TestLostAnswers(t *testing.T) {
	y := newYard(t)
	g := rand.New(rand.NewPCG(3, 4))
	var mu sync.Mutex
	y.fault.Store(func(op memstore.Op) memstore.Fault {
		mu.Lock()
		defer mu.Unlock()
		if op.Kind != memstore.OpUpdate || g.IntN(4) > 0 {
			return memstore.NoFault
		}
		return []memstore.Fault{memstore.LoseReply, memstore.LoseRequest, memstore.Throttle}[g.IntN(3)]
	})
	gates := []*gate.Gate{y.instance(), y.instance(), y.instance()}
	passed, unsure := 0, 0
	for n := range 600 {
		v, err := gates[n%3].Admit(t.Context(), string(y.text), "x", noon)
		switch k := fault.KindOf(err); {
		case err == nil && v.Refused == 0:
			passed++
		case err != nil && k != fault.Unknown && k != fault.Busy:
			t.Fatal(err)
		case err != nil:
			unsure++
		}
	}
	if passed > 60 || passed < 30 || unsure == 0 {
		t.Errorf("%d of 60 passed, %d were unsure", passed, unsure)
	}
}

// TestUsageIsCounted: by day and operation, with what a quota refused.
func TestUsageIsCounted(t *testing.T) {
	y := newYard(t)
	g := y.instance()
	night := noon.Add(12*time.Hour - time.Second)
	for n := range 70 {
		_, err := g.Admit(t.Context(), string(y.text), []string{"A", "B"}[n%2], night)
		must(t, err)
	}
	_, err := g.Admit(t.Context(), string(y.text), "A", night.Add(time.Second))
	must(t, err)
	days, err := y.Usage(t.Context(), "u_ann", "2026-03-01", "2026-03-31")
	must(t, err)
	if len(days) != 1 || days[0].Calls["A"] != 30 || days[0].Calls["B"] != 30 || days[0].Calls[""] != 10 {
		t.Errorf("%+v", days)
	}
	_, err = g.Admit(t.Context(), string(y.text), "A", night.Add(time.Second+gate.Report))
	must(t, err)
	if days, err = y.Usage(t.Context(), "u_ann", "2026-03-02", "2026-03-02"); err != nil || len(days) != 1 || days[0].Calls["A"] != 2 {
		t.Errorf("%+v, %v", days, err)
	}
}

// TestOthersReportToo: what was counted of a developer who calls no more is added
// with somebody else's call.
func TestOthersReportToo(t *testing.T) {
	y := newYard(t)
	g := y.instance()
	for _, at := range []time.Duration{0, time.Second, 2 * time.Second} {
		_, err := g.Admit(t.Context(), string(y.text), "A", noon.Add(at))
		must(t, err)
	}
	for _, at := range []time.Duration{gate.Report, gate.Report + 1, gate.Report + 2} {
		_, err := g.Admit(t.Context(), first, "B", noon.Add(at))
		must(t, err)
	}
	if days, err := y.Usage(t.Context(), "u_ann", "2026-03-01", "2026-03-01"); err != nil || len(days) != 1 || days[0].Calls["A"] != 3 {
		t.Errorf("%+v, %v", days, err)
	}
}

// TestPlans: a change of plan is heard of as a revocation is.
func TestPlans(t *testing.T) {
	y := newYard(t)
	g := y.instance()
	v, err := g.Admit(t.Context(), string(y.text), "x", noon)
	must(t, err)
	if v.Minute.Limit != 60 || v.Minute.Remaining != 59 || v.Plan != developer.Free || v.Key != "k_1" {
		t.Errorf("%+v", v)
	}
	y.plan(t, developer.Partner)
	if v, err = g.Admit(t.Context(), string(y.text), "x", noon.Add(gate.Fresh)); err != nil || v.Minute.Limit != 60_000 {
		t.Errorf("%+v, %v", v, err)
	}
}
