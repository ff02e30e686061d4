package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/fairseat/fairseat/pkg/developer"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/quota"
)

const (
	aPlan     = "plan"
	aPrefix   = "prefix"
	aBody     = "body"
	aRevoked  = "revoked"
	aReplaces = "replaces"
	aDev      = "dev"
	aKeyID    = "key"
	aTaken    = "taken" // units of a window
)

const (
	skDeveloper = "DEV"
	keyPrefix   = "KEY#"
	callPrefix  = "c:" // and an operation: how often it was called
	callRefused = "refused"
)

// Whatever is a developer's own lies in one partition, and is read by one query.
func developerPK(id developer.ID) string { return "DEV#" + string(id) }

func developerKey(id developer.ID) Key { return Key{Developers, developerPK(id), skDeveloper} }

func keyOf(id developer.ID, k developer.KeyID) Key {
	return Key{Developers, developerPK(id), keyPrefix + string(k)}
}

// passKey is what the way in reads: a key by its hash.
func passKey(h developer.Hash) Key { return Key{Developers, "HASH#" + string(h), "HASH"} }

// quotaKey is of a developer's window. Windows of a developer lie apart from what
// he reads: their rows are the busiest.
func quotaKey(id developer.ID, w quota.Window, start time.Time) Key {
	return Key{Developers, "QUOTA#" + string(id), w.String() + "#" + start.UTC().Format("2006-01-02T15:04")}
}

func usagePK(id developer.ID) string { return "USE#" + string(id) }

// Registry keeps developers, their keys, their quotas and their usage.
type Registry struct{ t Counters }

// NewRegistry keeps them in the table Developers.
func NewRegistry(t Counters) *Registry { return &Registry{t} }

// Book reads a developer and all his keys, strongly consistent; an empty one for
// an account that is none.
func (s *Registry) Book(ctx context.Context, id developer.ID) (b developer.Book, err error) {
	q := Query{Table: Developers, PK: developerPK(id), Consistent: true}
	err = (&Store{t: s.t}).each(ctx, q, func(it Item) error {
		r := row{item: it}
		if r.str("sk") == skDeveloper {
			b.Developer = developer.Developer{
				ID: id, Name: r.str(aName), Plan: developer.Plan(r.str(aPlan)), MadeAt: ms(r.num(aMade)), Rev: r.num(aRev),
			}
			return r.err
		}
		k := developer.Key{
			ID: developer.KeyID(strings.TrimPrefix(r.str("sk"), keyPrefix)), Name: r.str(aName), Prefix: r.str(aPrefix),
			Hash: developer.Hash(r.str(aHash)), BodyHash: r.str(aBody), MadeAt: ms(r.num(aMade)), EndsAt: r.time(aEnds),
			Replaces: developer.KeyID(r.optional(aReplaces)),
		}
		k.Revoked, _ = it[aRevoked].(bool)
		b.Keys = append(b.Keys, k)
		return r.err
	})
	if err != nil {
		return developer.Book{}, fmt.Errorf("read developer: %w", err)
	}
	return b, nil
}

// Issue commits a new key on the developer as he was read: [ErrStale] if anything
// of him has changed since.
func (s *Registry) Issue(ctx context.Context, i developer.Issue, now time.Time) error {
	d, k := i.Developer, i.Key
	ws := []Write{
		developerWrite(d),
		{Key: keyOf(d.ID, k.ID), Put: keyItem(k, now), Where: Absent{}},
		{Key: passKey(k.Hash), Put: passItem(d, k, now), Where: Absent{}},
	}
	if old := i.Replaced; old != nil {
		ws = append(ws, Write{Key: keyOf(d.ID, old.ID), Put: keyItem(*old, now), Where: Exists{}},
			Write{Key: passKey(old.Hash), Put: passItem(d, *old, now), Where: Exists{}})
	}
	return classify(s.t.Transact(ctx, ws, ""))
}

// Revoke commits the end of a key; its hash opens nothing from then on.
func (s *Registry) Revoke(ctx context.Context, d developer.Developer, k developer.Key, now time.Time) error {
	return classify(s.t.Transact(ctx, []Write{
		developerWrite(d),
		{Key: keyOf(d.ID, k.ID), Put: keyItem(k, now), Where: Exists{}},
		{Key: passKey(k.Hash), Delete: true},
	}, ""))
}

// SetPlan gives a developer another plan, and all of his keys that are good.
func (s *Registry) SetPlan(ctx context.Context, b developer.Book, p developer.Plan, now time.Time) error {
	d := b.Developer
	d.Plan = p
	d.Rev++
	ws := []Write{developerWrite(d)}
	for _, k := range b.Keys {
		if !k.Ended(now) {
			ws = append(ws, Write{Key: passKey(k.Hash), Put: passItem(d, k, now), Where: Exists{}})
		}
	}
	return classify(s.t.Transact(ctx, ws, ""))
}

// Forget deletes a developer as he was read; his ended keys go by themselves.
func (s *Registry) Forget(ctx context.Context, d developer.Developer) error {
	return classify(s.t.Transact(ctx, []Write{{Key: developerKey(d.ID), Delete: true, Where: Equal{aRev, d.Rev}}}, ""))
}

func developerWrite(d developer.Developer) Write {
	w := Write{Key: developerKey(d.ID), Where: Equal{aRev, d.Rev - 1}, Put: Item{
		aName: d.Name, aPlan: string(d.Plan), aMade: d.MadeAt.UnixMilli(), aRev: d.Rev,
	}}
	if d.Rev == 1 {
		w.Where = Absent{}
	}
	return w
}

func keyItem(k developer.Key, now time.Time) Item {
	it := Item{
		aName: k.Name, aPrefix: k.Prefix, aHash: string(k.Hash), aBody: k.BodyHash, aMade: k.MadeAt.UnixMilli(), aRevoked: k.Revoked,
	}
	if k.Replaces != "" {
		it[aReplaces] = string(k.Replaces)
	}
	return endingItem(it, k.EndsAt, now)
}

func passItem(d developer.Developer, k developer.Key, now time.Time) Item {
	return endingItem(Item{aDev: string(d.ID), aKeyID: string(k.ID), aPlan: string(d.Plan)}, k.EndsAt, now)
}

// endingItem says until when a key is good, and lets it go when nobody is shown it.
func endingItem(it Item, at, now time.Time) Item {
	if !at.IsZero() {
		it[aEnds], it[aTTL] = at.UnixMilli(), at.Add(developer.Kept+time.Hour).Unix()
	}
	return it
}

// Pass finds a key by its hash, strongly consistent: [developer.ErrNoKey].
func (s *Registry) Pass(ctx context.Context, h developer.Hash) (developer.Pass, error) {
	it, err := s.t.Get(ctx, passKey(h), true)
	switch {
	case err != nil:
		return developer.Pass{}, fault.New(fault.KindOf(err), "", "store: a developer key could not be read") // the error names the hash
	case it == nil:
		return developer.Pass{}, developer.ErrNoKey
	}
	r := row{item: it}
	p := developer.Pass{
		Developer: developer.ID(r.str(aDev)), Key: developer.KeyID(r.str(aKeyID)), Plan: developer.Plan(r.str(aPlan)), EndsAt: r.time(aEnds),
	}
	if r.err != nil { // it names the item by its key, which holds the hash
		return developer.Pass{}, errors.New("store: a developer key cannot be read")
	}
	return p, nil
}

// Take takes the units of a decision, under the condition that the limit holds.
// taken are all that were taken of the window then; ok is false, and nothing was
// taken, where they leave too few. It is one write unit, in either case.
func (s *Registry) Take(ctx context.Context, id developer.ID, d quota.Decision, limit int64) (taken int64, ok bool, err error) {
	it, err := s.t.Update(ctx, quotaKey(id, d.Window, d.Start),
		[]Change{{aTaken, Add, d.N}, {aTTL, SetTo, d.Window.End(d.Start).Add(24 * time.Hour).Unix()}},
		Any{NoAttr{aTaken}, AtMost{aTaken, limit - d.N}})
	var c *Canceled
	switch {
	case errors.As(err, &c) && c.Has(ReasonCondition):
		it = c.Reasons[0].Old
	case err != nil:
		return 0, false, classify(err)
	default:
		ok = true
	}
	r := row{item: it}
	return r.num(aTaken), ok, r.err
}

// Taken is how much of a window was taken; an instance that took it may not have
// spent it.
func (s *Registry) Taken(ctx context.Context, id developer.ID, w quota.Window, start time.Time) (int64, error) {
	it, err := s.t.Get(ctx, quotaKey(id, w, start), true)
	if err != nil || it == nil {
		return 0, err
	}
	r := row{item: it}
	return r.num(aTaken), r.err
}

// Count adds calls to a day's usage: one write unit, two where more than some forty
// operations were called.
func (s *Registry) Count(ctx context.Context, id developer.ID, date time.Time, calls developer.Tally) error {
	changes := []Change{{aTTL, SetTo, date.Add(developer.UsageKept).Unix()}}
	for op, n := range calls {
		attr := callPrefix + op
		if op == "" {
			attr = callRefused
		}
		changes = append(changes, Change{attr, Add, n})
	}
	_, err := s.t.Update(ctx, Key{Developers, usagePK(id), date.UTC().Format(time.DateOnly)}, changes, nil)
	return classify(err)
}

// Usage reads the days from first to last that have any, in order.
func (s *Registry) Usage(ctx context.Context, id developer.ID, first, last string) ([]developer.Day, error) {
	var days []developer.Day
	q := Query{Table: Developers, PK: usagePK(id), From: first, Limit: developer.MostDays, Consistent: true}
	items, _, err := s.t.Query(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("read usage: %w", err)
	}
	for _, it := range items {
		r := row{item: it}
		d := developer.Day{Date: r.str("sk"), Calls: developer.Tally{}}
		if d.Date > last {
			break
		}
		for attr, v := range it {
			n, isCount := v.(int64)
			op, isCall := strings.CutPrefix(attr, callPrefix)
			switch {
			case isCall && isCount:
				d.Calls[op] = n
			case attr == callRefused && isCount:
				d.Calls[""] = n
			}
		}
		days = append(days, d)
		if r.err != nil {
			return nil, r.err
		}
	}
	return days, nil
}
