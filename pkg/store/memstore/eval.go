package memstore

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/fairseat/fairseat/pkg/store"
)

var errType = errors.New("an attribute has another type than the change needs")

// holds judges a condition on an item, nil for an absent one.
func holds(c store.Cond, it store.Item) bool {
	switch c := c.(type) {
	case store.Absent:
		return it == nil
	case store.Exists:
		return it != nil
	case store.NoAttr:
		_, ok := it[c.Attr]
		return !ok
	case store.Equal:
		v, ok := it[c.Attr]
		return ok && equalScalar(v, c.To)
	case store.Less:
		n, ok := it[c.Attr].(int64)
		return ok && n < c.Than
	case store.AtMost:
		n, ok := it[c.Attr].(int64)
		return ok && n <= c.N
	case store.AtLeast:
		n, ok := it[c.Attr].(int64)
		return ok && n >= c.N
	case store.NotHolding:
		return !contains(it[c.Attr], c.Member)
	case store.All:
		return !slices.ContainsFunc(c, func(c store.Cond) bool { return !holds(c, it) })
	case store.Any:
		return slices.ContainsFunc(c, func(c store.Cond) bool { return holds(c, it) })
	}
	panic(fmt.Sprintf("memstore: condition %T passed the check", c))
}

func equalScalar(v, to any) bool {
	switch v.(type) {
	case string, int64, bool:
		return v == to
	}
	return false
}

// contains is the service's function: of a set, a list or a string.
func contains(v any, s string) bool {
	switch v := v.(type) {
	case store.Set:
		return slices.Contains(v, s)
	case []any:
		return slices.ContainsFunc(v, func(x any) bool { return equalScalar(x, s) })
	case string:
		return strings.Contains(v, s)
	}
	return false
}

// result is the item after the write, nil for none. old is not altered.
func result(w store.Write, old store.Item) (store.Item, error) {
	switch {
	case w.Put != nil:
		return w.Put, nil
	case w.Delete:
		return nil, nil
	case w.Check:
		return old, nil
	}
	return updated(w, old)
}

func updated(w store.Write, old store.Item) (store.Item, error) {
	it := old.Clone()
	if it == nil {
		it = store.Item{"pk": w.Key.PK, "sk": w.Key.SK}
	}
	for _, c := range w.Update {
		v, err := change(it[c.Attr], c)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Attr, err)
		}
		if s, ok := v.(store.Set); v == nil || ok && len(s) == 0 {
			delete(it, c.Attr)
			continue
		}
		it[c.Attr] = v
	}
	return it, nil
}

func change(v any, c store.Change) (any, error) {
	switch c.Op {
	case store.SetTo:
		return c.To, nil
	case store.Add:
		return sum(v, c.To.(int64))
	case store.SetAdd:
		s, err := asSet(v)
		return normalSet(append(s, c.To.(store.Set)...)), err
	case store.SetDelete:
		s, err := asSet(v)
		return slices.DeleteFunc(s, func(m string) bool { return slices.Contains(c.To.(store.Set), m) }), err
	}
	return nil, nil // Unset
}

func sum(v any, n int64) (any, error) {
	if v == nil {
		return n, nil
	}
	have, ok := v.(int64)
	if !ok {
		return nil, errType
	}
	total := have + n
	if (total > have) != (n > 0) && n != 0 {
		return nil, errors.New("the sum passes 64 bits")
	}
	return total, nil
}

func asSet(v any) (store.Set, error) {
	if v == nil {
		return nil, nil
	}
	s, ok := v.(store.Set)
	if !ok {
		return nil, errType
	}
	return slices.Clone(s), nil
}

func normalSet(s store.Set) store.Set {
	s = slices.Clone(s)
	slices.Sort(s)
	return slices.Compact(s)
}
