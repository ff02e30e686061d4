package memstore

import (
	"fmt"
	"slices"
	"time"

	"github.com/fairseat/fairseat/pkg/store"
)

// TTL is the attribute that [DB.Expire] reads: seconds since 1970, UTC.
const TTL = "ttl"

// streamLife is how long the service keeps a record.
const streamLife = 24 * time.Hour

// Event is what happened to an item. The zero value is invalid.
type Event uint8

const (
	_ Event = iota
	Insert
	Modify
	Remove
)

// String is the service's eventName.
func (e Event) String() string {
	return [...]string{"invalid", "INSERT", "MODIFY", "REMOVE"}[e]
}

// Record is one change of one item. Records of one item are in order; those of
// one transaction have no order among them and may have others in between.
type Record struct {
	Event    Event
	Key      store.Key
	Old, New store.Item // nil when there was none
	Sequence string     // 21 digits, growing
	At       time.Time
	Service  bool // removed by expiry: userIdentity Service, dynamodb.amazonaws.com
}

// Records are a table's records after a sequence number, "" for all that are
// less than a day old.
func (db *DB) Records(name store.Table, after string) []Record {
	db.mu.Lock()
	defer db.mu.Unlock()
	rs := db.table(name).stream
	i, found := slices.BinarySearchFunc(rs, after, func(r Record, after string) int {
		switch {
		case r.Sequence < after:
			return -1
		case r.Sequence > after:
			return 1
		}
		return 0
	})
	if found {
		i++
	}
	out := slices.Clone(rs[i:])
	for j := range out {
		out[j].Old, out[j].New = out[j].Old.Clone(), out[j].New.Clone()
	}
	return out
}

// Expire removes the items whose TTL attribute lies before now and that no
// transaction holds, as the service does some time after, and returns their keys.
func (db *DB) Expire(now time.Time) []store.Key {
	db.mu.Lock()
	defer db.mu.Unlock()
	var gone []store.Key
	for name, t := range db.tables {
		for pk, p := range t.parts {
			for _, sk := range p.sks {
				key := store.Key{Table: name, PK: pk, SK: sk}
				if ttl, ok := p.rows[sk].latest()[TTL].(int64); ok && ttl < now.Unix() && !db.held[key] {
					gone = append(gone, key)
				}
			}
		}
	}
	slices.SortFunc(gone, compareKeys)
	for _, key := range gone {
		db.set(key, nil, true)
	}
	return gone
}

func compareKeys(a, b store.Key) int {
	x, y := []string{string(a.Table), a.PK, a.SK}, []string{string(b.Table), b.PK, b.SK}
	return slices.Compare(x, y)
}

func (t *table) record(key store.Key, old, item store.Item, seq uint64, at time.Time, service bool) {
	e := Modify
	switch {
	case old == nil:
		e = Insert
	case item == nil:
		e = Remove
	}
	for len(t.stream) > 0 && at.Sub(t.stream[0].At) > streamLife {
		t.stream[0] = Record{} // its items go at once, not when the slice is moved
		t.stream = t.stream[1:]
	}
	t.stream = append(t.stream, Record{
		Event: e, Key: key, Old: old, New: item,
		Sequence: fmt.Sprintf("%021d", seq), At: at, Service: service,
	})
}
