// Package gate holds the use case of a call that comes with a developer's key (A13):
// [Gate.Admit], in an instance of the function that lets calls in.
//
// An instance remembers what it read of a key for [Fresh], so that a key which was
// revoked opens nothing after that, and shares the quotas of its developer with the
// other instances as package quota decides. What it remembers costs no request to
// the store; what it has to ask costs one or two, and fails closed: a call that
// cannot be judged is told to come again.
//
// It counts calls by day and operation, and adds a developer's counts to the store
// with the first call of whomever that comes [Report] after it did so last; one
// report a call at the most. So an instance that ends, or gets no call any more,
// leaves uncounted what it counted in its last [Report]; quotas are exact all the
// same, they do not rest on these counts.
package gate

import (
	"context"
	"crypto/subtle"
	"sync"
	"time"

	"github.com/fairseat/fairseat/pkg/developer"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/quota"
)

// Fresh is how long a key is believed after it was read, or was found to be none.
// Report is how often an instance that is called adds its counts to the store.
const (
	Fresh  = 3 * time.Second
	Report = 5 * time.Second
)

// most is how many keys, and how many developers, an instance remembers.
const most = 10_000

// Store keeps keys, quotas and usage. Take and Count are conditional writes of one
// item; Count may be repeated only where the first did not arrive.
type Store interface {
	Pass(ctx context.Context, h developer.Hash) (developer.Pass, error) // developer.ErrNoKey
	Take(ctx context.Context, id developer.ID, d quota.Decision, limit int64) (taken int64, ok bool, err error)
	Count(ctx context.Context, id developer.ID, date time.Time, calls developer.Tally) error
}

// Gate is one instance's. The fields are set once, before use.
type Gate struct {
	Store Store
	First string // the key that the deployment brings; it is in no table

	mu         sync.Mutex
	passes     map[developer.Hash]known
	developers map[developer.ID]*ledger
	unreported []developer.ID // those with counts, in the order in which reports are due
}

// known is what was read of a key.
type known struct {
	pass developer.Pass
	is   bool // a key at all
	at   time.Time
}

// ledger is what the instance knows of a developer. Calls of one developer are
// judged one after another; a Lambda instance has one at a time anyway.
type ledger struct {
	mu     sync.Mutex
	quota  quota.Ledger
	counts developer.Tally
	date   time.Time // of the counts
	told   time.Time // when counts were added to the store
	queued bool      // in unreported
	seen   time.Time
}

// Verdict is what becomes of a call.
type Verdict struct {
	developer.Pass
	Refused       quota.Window  // 0 where it passes
	Retry         time.Duration // until the refusing window ends
	Minute, Month quota.Standing
}

// Admit judges one call of an operation. Errors: [developer.ErrNoKey] for what is no
// good key, and those of the store, where the call should come again.
func (g *Gate) Admit(ctx context.Context, key, operation string, now time.Time) (Verdict, error) {
	p, err := g.pass(ctx, key, now)
	if err != nil {
		return Verdict{}, err
	}
	limits, ok := p.Plan.Limits()
	if !ok {
		return Verdict{}, fault.New(fault.Internal, "", "gate: a key of an unknown plan")
	}
	v, err := g.judge(ctx, p, limits, operation, now)
	if err == nil {
		g.reportNext(ctx, now)
	}
	return v, err
}

// judge spends and counts one call of a good key.
func (g *Gate) judge(ctx context.Context, p developer.Pass, limits quota.Limits, operation string, now time.Time) (Verdict, error) {
	l := g.ledgerOf(p.Developer, now)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen = now
	refused, err := g.spend(ctx, p.Developer, l, limits, now)
	if err != nil {
		return Verdict{}, err
	}
	v := Verdict{Pass: p, Refused: refused, Minute: l.quota.Stand(quota.Minute, limits, now), Month: l.quota.Stand(quota.Month, limits, now)}
	switch refused {
	case quota.Minute:
		v.Retry, operation = v.Minute.Reset, ""
	case quota.Month:
		v.Retry, operation = v.Month.Reset, ""
	}
	g.count(ctx, p.Developer, l, operation, now)
	return v, nil
}

// pass finds the key, in memory or in the store.
func (g *Gate) pass(ctx context.Context, key string, now time.Time) (developer.Pass, error) {
	if g.First != "" && subtle.ConstantTimeCompare([]byte(key), []byte(g.First)) == 1 {
		return developer.Pass{Developer: developer.First, Key: developer.FirstKey, Plan: developer.House}, nil
	}
	text, ok := developer.Parse(key)
	if !ok {
		return developer.Pass{}, developer.ErrNoKey
	}
	hash := text.Hash()
	g.mu.Lock()
	k, remembered := g.passes[hash]
	g.mu.Unlock()
	if age := now.Sub(k.at); !remembered || age < 0 || age >= Fresh {
		p, err := g.Store.Pass(ctx, hash)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return developer.Pass{}, err
		}
		k = known{p, err == nil, now}
		g.remember(hash, k)
	}
	if !k.is || !k.pass.EndsAt.IsZero() && !now.Before(k.pass.EndsAt) {
		return developer.Pass{}, developer.ErrNoKey
	}
	return k.pass, nil
}

func (g *Gate) remember(h developer.Hash, k known) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.passes) >= most {
		clear(g.passes)
	}
	if g.passes == nil {
		g.passes = map[developer.Hash]known{}
	}
	g.passes[h] = k
}

func (g *Gate) ledgerOf(id developer.ID, now time.Time) *ledger {
	g.mu.Lock()
	defer g.mu.Unlock()
	if l := g.developers[id]; l != nil {
		return l
	}
	if len(g.developers) >= most {
		g.forget(now)
	}
	if g.developers == nil {
		g.developers = map[developer.ID]*ledger{}
	}
	l := &ledger{seen: now}
	g.developers[id] = l
	return l
}

// forget those who did not call for two minutes: nothing is left of their minute,
// and of their month a few calls at the most.
func (g *Gate) forget(now time.Time) {
	for id, l := range g.developers {
		if l.mu.TryLock() {
			if now.Sub(l.seen) > 2*time.Minute && !l.queued {
				delete(g.developers, id)
			}
			l.mu.Unlock()
		}
	}
}

// spend pays for one call, taking portions where the ledger asks for them. It ends:
// each refused portion leaves a smaller one to ask for.
func (g *Gate) spend(ctx context.Context, id developer.ID, l *ledger, limits quota.Limits, now time.Time) (quota.Window, error) {
	for {
		var d quota.Decision
		if l.quota, d = l.quota.Decide(limits, now); d.Verb != quota.Take {
			return d.Window, nil
		}
		taken, ok, err := g.Store.Take(ctx, id, d, limits.Of(d.Window))
		switch {
		case err != nil:
			return 0, err // what may have been taken is lost, and never spent twice
		case ok:
			l.quota = l.quota.Took(d, taken)
		default:
			l.quota = l.quota.Missed(d, taken)
		}
	}
}

// count remembers the call. What was counted of the day before is reported first.
func (g *Gate) count(ctx context.Context, id developer.ID, l *ledger, operation string, now time.Time) {
	if day := now.UTC().Truncate(24 * time.Hour); day.After(l.date) {
		g.report(ctx, id, l, now)
		l.counts, l.date = developer.Tally{}, day
	}
	l.counts[operation]++
	if !l.queued {
		l.queued = true
		g.mu.Lock()
		g.unreported = append(g.unreported, id)
		g.mu.Unlock()
	}
}

// reportNext reports the developer whose report is due first, if it is due.
func (g *Gate) reportNext(ctx context.Context, now time.Time) {
	g.mu.Lock()
	if len(g.unreported) == 0 {
		g.mu.Unlock()
		return
	}
	id := g.unreported[0]
	l := g.developers[id]
	g.mu.Unlock()
	if l == nil || !l.mu.TryLock() { // whoever has it is counting
		return
	}
	defer l.mu.Unlock()
	if now.Sub(l.told) < Report || !g.takeOut(id) {
		return
	}
	l.queued = false
	g.report(ctx, id, l, now)
}

// takeOut takes the developer out of the queue if he is its first.
func (g *Gate) takeOut(id developer.ID) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.unreported) == 0 || g.unreported[0] != id {
		return false
	}
	g.unreported = g.unreported[1:]
	return true
}

// report adds the counts to the store. One that fails is made again with the next;
// the call does not suffer.
func (g *Gate) report(ctx context.Context, id developer.ID, l *ledger, now time.Time) {
	if len(l.counts) == 0 {
		return
	}
	l.told = now
	// Of a count whose outcome nobody knows, twice is worse than not at all.
	if err := g.Store.Count(ctx, id, l.date, l.counts); err == nil || fault.Is(err, fault.Unknown) {
		l.counts = developer.Tally{}
	}
}
