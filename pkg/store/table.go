package store

import (
	"context"
	"maps"
	"slices"
)

// Tables is what the protocol needs of a database: conditional transactions and
// consistent reads. Two real implementations exist, ddb (DynamoDB) and memstore
// (in memory, AWS's rules); storetest runs one suite over both, and a difference
// is a bug.
//
// Contract:
//   - Transact applies all writes or none. A refusal is a [*Canceled] with one
//     [Reason] a write, in order. [ErrUnknown] means that it may or may not have
//     been applied. [ErrThrottled] means that it was not. It never retries.
//   - token, when not empty, makes a repeat of the same writes within ten minutes
//     a success that changes nothing; other writes under it are [ErrTokenMismatch].
//   - Get and Query with consistent = true see every transaction that was
//     acknowledged before they began. No read sees half of a transaction's single
//     item; only TransactGet sees several items at one moment.
//   - Items go in and come out by value.
type Tables interface {
	Transact(ctx context.Context, writes []Write, token string) error
	Get(ctx context.Context, key Key, consistent bool) (Item, error)                 // nil when absent
	BatchGet(ctx context.Context, keys []Key, consistent bool) (map[Key]Item, error) // any number of keys; absent ones are missing from the map
	TransactGet(ctx context.Context, keys []Key) ([]Item, error)                     // ≤ 100, in order, nil when absent
	Query(ctx context.Context, q Query) (items []Item, next string, err error)       // next = "" at the end
}

// Counters is what counts need of a database beside Tables: one conditional update
// of one item, outside of a transaction. It is half the price of a transaction of
// one, meets no conflict with its like, and answers the item as it is then. A
// refusal is a [*Canceled] of one [Reason]; the other errors are those of Transact.
// It never retries.
type Counters interface {
	Tables
	Update(ctx context.Context, key Key, changes []Change, where Cond) (Item, error)
}

// Table is the logical name of a table; the adapter maps it to the deployed one.
type Table string

// Key names one item. Every table has a string partition key pk and a string sort key sk.
type Key struct {
	Table  Table
	PK, SK string
}

// Item is a row without its table; it holds "pk" and "sk" too. Values are
// string, int64, bool, []byte, Set, []any and map[string]any (of these), and on
// the way in Texts.
type Item map[string]any

// Texts is a list of strings, which comes out as []any: a string in an interface
// is an allocation, and a hold of ten seats has ten.
type Texts []string

// Set is a set of strings. DynamoDB has no empty set: an attribute whose set
// would be empty is absent, and both adapters treat it so.
type Set []string

// Query reads one partition in order of sk.
type Query struct {
	Table      Table
	PK         string
	Prefix     string // sk begins with; "" for all
	Before     string // sk < Before; "" for no bound (not together with Prefix)
	From       string // sk >= From; "" for no bound (not together with Prefix)
	Limit      int    // of items in this page; 0 is the service's page of 1 MB
	Next       string // where the last page ended
	Descending bool
	Consistent bool
}

// Write is one element of a transaction: exactly one of Put, Update, Delete, Check.
// Where is its condition; nil means none (refused for Check).
type Write struct {
	Put    Item     // whole item; its key is in Key, "pk" and "sk" are filled in
	Update []Change // creates the item when it is absent, as DynamoDB does
	Delete bool
	Check  bool

	Key   Key
	Where Cond
}

// Change alters one attribute.
type Change struct {
	Attr string
	Op   ChangeOp
	To   any // SetTo: any value; Add: int64 (absent counts as 0); SetAdd, SetDelete: Set
}

// ChangeOp is what a Change does. The zero value is invalid.
type ChangeOp uint8

const (
	_         ChangeOp = iota
	SetTo              // attribute = To
	Add                // attribute + To
	SetAdd             // union
	SetDelete          // difference
	Unset              // remove the attribute
)

// Cond is a condition on the item as it is before the write.
type Cond interface{ cond() }

// The conditions. A comparison with an absent attribute is false.
type (
	Absent struct{}              // no such item
	Exists struct{}              // there is such an item
	NoAttr struct{ Attr string } // the attribute (or the item) is absent
	Equal  struct {
		Attr string
		To   any
	} // string, int64 or bool
	Less struct {
		Attr string
		Than int64
	}
	AtMost struct {
		Attr string
		N    int64
	}
	AtLeast struct {
		Attr string
		N    int64
	}
	NotHolding struct{ Attr, Member string } // the set lacks Member; true for an absent item or attribute
	All        []Cond
	Any        []Cond
)

func (Absent) cond()     {}
func (Exists) cond()     {}
func (NoAttr) cond()     {}
func (Equal) cond()      {}
func (Less) cond()       {}
func (AtMost) cond()     {}
func (AtLeast) cond()    {}
func (NotHolding) cond() {}
func (All) cond()        {}
func (Any) cond()        {}

// Clone copies an item deeply.
func (it Item) Clone() Item {
	if it == nil {
		return nil
	}
	return Item(cloneValue(map[string]any(it)).(map[string]any))
}

func cloneValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := make(map[string]any, len(v))
		for k, x := range v {
			m[k] = cloneValue(x)
		}
		return m
	case Item:
		return Item(cloneValue(map[string]any(v)).(map[string]any))
	case []any:
		l := make([]any, len(v))
		for i, x := range v {
			l[i] = cloneValue(x)
		}
		return l
	case []byte:
		return slices.Clone(v)
	case Set:
		return slices.Clone(v)
	case Texts:
		return slices.Clone(v)
	}
	return v
}

// Equal compares items by value; sets without order.
func (it Item) Equal(other Item) bool {
	return maps.EqualFunc(it, other, equalValue)
}

func equalValue(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && maps.EqualFunc(a, b, equalValue)
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, equalValue)
	case []byte:
		b, ok := b.([]byte)
		return ok && slices.Equal(a, b)
	case Texts:
		b, ok := b.(Texts)
		return ok && slices.Equal(a, b)
	case Set:
		b, ok := b.(Set)
		return ok && slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
	}
	return a == b
}
