package memstore

import (
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/fairseat/fairseat/pkg/store"
)

// Options are the seams. Only Clock is required; it may be called while the
// database is locked, so it must not call back.
type Options struct {
	Clock   func() time.Time
	Faults  func(Op) Fault                   // asked once a call; nil: never a fault
	Window  func(op Op, done int)            // runs while op's items are held and done of its writes have landed; nil yields the processor
	Shuffle func(n int, swap func(i, j int)) // order in which the writes of a transaction land; nil: as given
	Lag     time.Duration                    // how far eventual reads are behind
	Rate    int64                            // write units a second of one partition key, 1000 on AWS; 0: no limit
}

// DB is a database in memory; it has every table that is named to it.
type DB struct {
	opts Options

	mu      sync.Mutex
	tables  map[store.Table]*table
	held    map[store.Key]bool
	tokens  map[string]*ticket
	spent   []string // tokens in order of their success
	full    map[part]time.Time
	delayed []func()
	seq     uint64
}

var _ store.Counters = (*DB)(nil)

type part struct {
	table store.Table
	pk    string
}

type table struct {
	parts  map[string]*partition
	stream []Record
}

type partition struct {
	sks  []string // sorted
	rows map[string]*row
}

// row is an item and, when eventual reads lag, what it was before.
type row struct{ versions []version }

type version struct {
	at   time.Time
	item store.Item // never altered once stored; nil: absent
}

// New makes an empty database.
func New(opts Options) *DB {
	if opts.Window == nil {
		opts.Window = func(Op, int) { runtime.Gosched() }
	}
	return &DB{
		opts:   opts,
		tables: map[store.Table]*table{},
		held:   map[store.Key]bool{},
		tokens: map[string]*ticket{},
		full:   map[part]time.Time{},
	}
}

// Hold keeps items as a foreign transaction in flight would, until release is
// called. It reports false when one of them is held already.
func (db *DB) Hold(keys ...store.Key) (release func(), ok bool) {
	db.mu.Lock()
	defer db.mu.Unlock()
	if slices.ContainsFunc(keys, func(k store.Key) bool { return db.held[k] }) {
		return nil, false
	}
	keys = slices.Clone(keys)
	for _, k := range keys {
		db.held[k] = true
	}
	return sync.OnceFunc(func() {
		db.mu.Lock()
		defer db.mu.Unlock()
		for _, k := range keys {
			delete(db.held, k)
		}
	}), true
}

func (db *DB) table(name store.Table) *table {
	t := db.tables[name]
	if t == nil {
		t = &table{parts: map[string]*partition{}}
		db.tables[name] = t
	}
	return t
}

// current is the item as acknowledged; callers clone what leaves the package.
func (db *DB) current(key store.Key) store.Item {
	if p := db.table(key.Table).parts[key.PK]; p != nil {
		return p.rows[key.SK].latest()
	}
	return nil
}

// set replaces an item, nil deleting it, and appends the record.
func (db *DB) set(key store.Key, item store.Item, service bool) {
	old := db.current(key)
	if old == nil && item == nil || old != nil && item != nil && old.Equal(item) {
		return
	}
	now := db.opts.Clock()
	t := db.table(key.Table)
	p := t.parts[key.PK]
	if p == nil {
		p = &partition{rows: map[string]*row{}}
		t.parts[key.PK] = p
	}
	p.set(key.SK, version{now, item}, now.Add(-db.opts.Lag), db.opts.Lag > 0)
	if len(p.rows) == 0 {
		delete(t.parts, key.PK)
	}
	db.seq++
	t.record(key, old, item, db.seq, now, service)
}

func (p *partition) set(sk string, v version, horizon time.Time, history bool) {
	r := p.rows[sk]
	if r == nil {
		r = &row{}
		p.rows[sk] = r
		i, _ := slices.BinarySearch(p.sks, sk)
		p.sks = slices.Insert(p.sks, i, sk)
	}
	if !history {
		r.versions = r.versions[:0]
	}
	for len(r.versions) > 1 && !r.versions[1].at.After(horizon) {
		r.versions = r.versions[1:]
	}
	r.versions = append(r.versions, v)
	if v.item == nil && !history {
		delete(p.rows, sk)
		i, _ := slices.BinarySearch(p.sks, sk)
		p.sks = slices.Delete(p.sks, i, i+1)
	}
}

func (r *row) latest() store.Item {
	if r == nil {
		return nil
	}
	return r.versions[len(r.versions)-1].item
}

func (r *row) asOf(at time.Time) store.Item {
	if r == nil {
		return nil
	}
	for _, v := range slices.Backward(r.versions) {
		if !v.at.After(at) {
			return v.item
		}
	}
	return nil
}
