package store_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fairseat/fairseat/pkg/developer"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/quota"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
	"github.com/fairseat/fairseat/pkg/store/meter"
)

// registry is the registry over counted tables, with a developer no other test has.
type registry struct {
	*rig
	*store.Registry
	ctx   context.Context
	id    developer.ID
	press *developer.Press
}

func newRegistry(t *testing.T, tables store.Tables) registry {
	r := newRig(t, tables)
	press, err := developer.NewPress("a secret of the tests")
	r.must(err)
	return registry{r, store.NewRegistry(r.tables), t.Context(), developer.ID("u_" + r.show), press}
}

func (r registry) book() developer.Book {
	r.t.Helper()
	b, err := r.Book(r.ctx, r.id)
	r.must(err)
	return b
}

func (r registry) text(k developer.KeyID) developer.Text { return r.press.Text(r.id, k) }

// issued is a new key of the developer.
func (r registry) issued(k developer.KeyID) developer.Issue {
	r.t.Helper()
	i, _, err := r.book().Make(r.id, developer.Wish{ID: k, Name: "an app", Accepts: true, BodyHash: "body"}, r.text(k), evening)
	r.must(err)
	r.must(r.Issue(r.ctx, i, evening))
	return i
}

func (r registry) pass(k developer.KeyID) (developer.Pass, error) {
	return r.Pass(r.ctx, r.text(k).Hash())
}

// TestRegistry runs on both databases what is done with developers, and what
// refuses it.
func TestRegistry(t *testing.T) {
	for where, tables := range map[string]store.Tables{"memory": memory(), "service": service} {
		for name, run := range map[string]func(registry){
			"keys": registryKeys, "rotation": registryRotation, "plans": registryPlans, "quotas": registryQuotas, "usage": registryUsage, "costs": registryCosts,
		} {
			t.Run(where+"/"+name, func(t *testing.T) { run(newRegistry(t, tables)) })
		}
	}
}

func registryKeys(r registry) {
	if b := r.book(); b.Developer.ID != "" || len(b.Keys) != 0 {
		r.t.Errorf("nobody is %+v", b)
	}
	one := r.issued("k_1")
	stale := one
	stale.Key.ID, stale.Key.Hash = "k_x", r.text("k_x").Hash()
	r.stale(r.Issue(r.ctx, stale, evening)) // the developer is there
	two := r.issued("k_2")
	stale = two
	stale.Key.ID, stale.Key.Hash = "k_x", r.text("k_x").Hash()
	r.stale(r.Issue(r.ctx, stale, evening)) // and has changed
	stale.Developer.Rev++
	stale.Key.ID = "k_1"
	r.stale(r.Issue(r.ctx, stale, evening)) // a key is never replaced in place
	b := r.book()
	if diff := cmp.Diff(developer.Book{Developer: two.Developer, Keys: []developer.Key{one.Key, two.Key}}, b); diff != "" {
		r.t.Errorf("book (-want +got):\n%s", diff)
	}
	want := developer.Pass{Developer: r.id, Key: "k_1", Plan: developer.Free}
	if p, err := r.pass("k_1"); err != nil || p != want {
		r.t.Errorf("%+v, %v", p, err)
	}
	d, k, _, err := b.Revoke("k_1", evening)
	r.must(err)
	r.must(r.Revoke(r.ctx, d, k, evening))
	r.stale(r.Revoke(r.ctx, d, k, evening))
	for _, gone := range []developer.KeyID{"k_1", "k_x"} {
		if p, err := r.pass(gone); !errors.Is(err, developer.ErrNoKey) {
			r.t.Errorf("%s: %+v, %v", gone, p, err)
		}
	}
	if diff := cmp.Diff(developer.Book{Developer: d, Keys: []developer.Key{k, two.Key}}, r.book()); diff != "" {
		r.t.Errorf("book (-want +got):\n%s", diff)
	}
}

func registryRotation(r registry) {
	r.issued("k_1")
	i, _, err := r.book().Rotate("k_1", developer.Wish{ID: "k_2"}, r.text("k_2"), time.Hour, evening)
	r.must(err)
	r.must(r.Issue(r.ctx, i, evening))
	r.stale(r.Issue(r.ctx, i, evening))
	if p, err := r.pass("k_1"); err != nil || !p.EndsAt.Equal(evening.Add(time.Hour)) {
		r.t.Errorf("the old key: %+v, %v", p, err)
	}
	if p, err := r.pass("k_2"); err != nil || !p.EndsAt.IsZero() {
		r.t.Errorf("the new key: %+v, %v", p, err)
	}
	if diff := cmp.Diff(developer.Book{Developer: i.Developer, Keys: []developer.Key{*i.Replaced, i.Key}}, r.book()); diff != "" {
		r.t.Errorf("book (-want +got):\n%s", diff)
	}
}

func registryPlans(r registry) {
	r.issued("k_1")
	r.issued("k_2")
	b := r.book()
	r.must(r.SetPlan(r.ctx, b, developer.Partner, evening))
	r.stale(r.SetPlan(r.ctx, b, developer.Free, evening))
	for _, k := range []developer.KeyID{"k_1", "k_2"} {
		if p, err := r.pass(k); err != nil || p.Plan != developer.Partner {
			r.t.Errorf("%+v, %v", p, err)
		}
	}
	stale := r.book().Developer
	stale.Rev--
	r.stale(r.Forget(r.ctx, stale))
	defer func() {
		r.must(r.Forget(r.ctx, r.book().Developer))
		if b := r.book(); b.Developer.ID != "" || len(b.Keys) != 2 {
			r.t.Errorf("forgotten: %+v", b)
		}
	}()
	if p := r.book().Developer.Plan; p != developer.Partner {
		r.t.Errorf("plan %s", p)
	}
}

func registryQuotas(r registry) {
	d := quota.Decision{Window: quota.Minute, Start: quota.Minute.Start(evening), N: 4}
	take := func(d quota.Decision, want int64, wantOK bool) {
		r.t.Helper()
		if taken, ok, err := r.Take(r.ctx, r.id, d, 10); err != nil || ok != wantOK || taken != want {
			r.t.Errorf("%d, %v, %v; want %d, %v", taken, ok, err, want, wantOK)
		}
	}
	take(d, 4, true)
	take(d, 8, true)
	take(d, 8, false)
	d.N = 2
	take(d, 10, true)
	take(d, 10, false)
	d.Start = d.Start.Add(time.Minute)
	take(d, 2, true)
	d.Window, d.Start = quota.Month, quota.Month.Start(evening)
	take(d, 2, true)
	for w, want := range map[quota.Window]int64{quota.Minute: 10, quota.Month: 2} {
		if n, err := r.Taken(r.ctx, r.id, w, w.Start(evening)); err != nil || n != want {
			r.t.Errorf("%v: %d, %v", w, n, err)
		}
	}
	if n, err := r.Taken(r.ctx, r.id, quota.Minute, evening.Add(time.Hour)); err != nil || n != 0 {
		r.t.Errorf("%d, %v", n, err)
	}
}

func registryUsage(r registry) {
	day := evening.Truncate(24 * time.Hour)
	for n := range 4 {
		r.must(r.Count(r.ctx, r.id, day.AddDate(0, 0, n), developer.Tally{"ListCities": int64(n + 1), "": 7}))
	}
	r.must(r.Count(r.ctx, r.id, day.AddDate(0, 0, 1), developer.Tally{"ListCities": 10, "ReadShow": 1}))
	date := func(n int) string { return day.AddDate(0, 0, n).Format(time.DateOnly) }
	got, err := r.Usage(r.ctx, r.id, date(1), date(2))
	r.must(err)
	want := []developer.Day{
		{Date: date(1), Calls: developer.Tally{"ListCities": 12, "ReadShow": 1, "": 7}}, {Date: date(2), Calls: developer.Tally{"ListCities": 3, "": 7}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		r.t.Errorf("usage (-want +got):\n%s", diff)
	}
	if got, err := r.Usage(r.ctx, r.id+"x", date(0), date(3)); err != nil || len(got) != 0 {
		r.t.Errorf("of nobody: %v, %v", got, err)
	}
}

// registryCosts are those of doc.go.
func registryCosts(r registry) {
	updates := func(what string, units int64) {
		r.t.Helper()
		if c := r.tables.Snapshot(); c.Requests[meter.Update] != 1 || c.Of(meter.Update) != meter.Units(units) {
			r.t.Errorf("%s: %v", what, c)
		}
		r.tables.Reset()
	}
	r.tables.Reset()
	_, _, err := r.Take(r.ctx, r.id, quota.Decision{Window: quota.Minute, Start: evening, N: 1}, 10)
	r.must(err)
	updates("take", 1)
	r.must(r.Count(r.ctx, r.id, evening, developer.Tally{"ListCities": 1}))
	updates("count", 1)
	i := developer.Issue{Developer: developer.Developer{ID: r.id, Rev: 1}, Key: developer.Key{ID: "k", Hash: "h" + developer.Hash(r.id)}}
	r.must(r.Issue(r.ctx, i, evening))
	r.wantCost("issue", 1, 6)
	_, err = r.Pass(r.ctx, i.Key.Hash)
	r.must(err)
	if c := r.tables.Snapshot(); c.Of(meter.Get) != meter.Units(1) {
		r.t.Errorf("pass: %v", c)
	}
}

// TestRegistrysAnswers: what is not refused by a condition means the same to each
// caller, and an error tells no hash.
func TestRegistrysAnswers(t *testing.T) {
	for f, kind := range faultKinds {
		db := memstore.New(memstore.Options{Clock: func() time.Time { return evening }, Faults: func(memstore.Op) memstore.Fault { return f }})
		r := newRegistry(t, db)
		for name, call := range map[string]func() error{
			"issue":  func() error { return r.Issue(r.ctx, developer.Issue{}, evening) },
			"revoke": func() error { return r.Revoke(r.ctx, developer.Developer{Rev: 2}, developer.Key{}, evening) },
			"plan":   func() error { return r.SetPlan(r.ctx, developer.Book{}, developer.Free, evening) },
			"take": func() error {
				_, _, err := r.Take(r.ctx, r.id, quota.Decision{Window: quota.Minute, N: 1}, 1)
				return err
			},
			"count": func() error { return r.Count(r.ctx, r.id, evening, developer.Tally{"x": 1}) },
		} {
			if err := call(); !fault.Is(err, kind) {
				t.Errorf("%s: %v is %v, want %v", name, err, fault.KindOf(err), kind)
			}
		}
		if _, err := r.pass("k_1"); err == nil || strings.Contains(err.Error(), string(r.text("k_1").Hash())) {
			t.Errorf("pass: %v", err)
		}
	}
}
