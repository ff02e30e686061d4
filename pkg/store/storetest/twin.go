package storetest

import (
	"slices"
	"strings"

	"github.com/fairseat/fairseat/pkg/store"
)

func naiveQuery(sorted []string, q store.Query) []string {
	var out []string
	for _, sk := range sorted {
		if strings.HasPrefix(sk, q.Prefix) && sk >= q.From && (q.Before == "" || sk < q.Before) {
			out = append(out, sk)
		}
	}
	if q.Descending {
		slices.Reverse(out)
	}
	return out
}

// twin is a map and nothing clever: what the tables hold when every transaction
// runs alone.
type twin map[store.Key]store.Item

// try answers the state after the writes, or the reasons against them.
func (m twin) try(ws []store.Write) (twin, []store.ReasonCode) {
	codes := make([]store.ReasonCode, len(ws))
	refused := false
	after := m.clone()
	for i, w := range ws {
		codes[i] = store.ReasonNone
		if w.Where != nil && !naive(w.Where, m[w.Key]) {
			codes[i], refused = store.ReasonCondition, true
		}
		after.write(w)
	}
	if refused {
		return nil, codes
	}
	return after, nil
}

func (m twin) clone() twin {
	out := make(twin, len(m))
	for k, it := range m {
		out[k] = it.Clone()
	}
	return out
}

func (m twin) write(w store.Write) {
	switch {
	case w.Put != nil:
		m[w.Key] = stored(w.Key, w.Put)
	case w.Delete:
		delete(m, w.Key)
	case w.Update != nil:
		it := stored(w.Key, m[w.Key])
		for _, c := range w.Update {
			naiveChange(it, c)
		}
		m[w.Key] = it
	}
}

func naiveChange(it store.Item, c store.Change) {
	s, _ := it[c.Attr].(store.Set)
	switch c.Op {
	case store.SetTo:
		it[c.Attr] = c.To
	case store.Add:
		n, _ := it[c.Attr].(int64)
		it[c.Attr] = n + c.To.(int64)
	case store.SetAdd:
		for _, x := range c.To.(store.Set) {
			if !slices.Contains(s, x) {
				s = append(s, x)
			}
		}
		it[c.Attr] = s
	case store.SetDelete:
		it[c.Attr] = slices.DeleteFunc(s, func(x string) bool { return slices.Contains(c.To.(store.Set), x) })
	case store.Unset:
		delete(it, c.Attr)
	}
	if s, ok := it[c.Attr].(store.Set); ok && len(s) == 0 {
		delete(it, c.Attr)
	}
}

func naive(c store.Cond, it store.Item) bool {
	number := func(attr string) (int64, bool) { n, ok := it[attr].(int64); return n, ok }
	switch c := c.(type) {
	case store.Absent:
		return it == nil
	case store.Exists:
		return it != nil
	case store.NoAttr:
		return it[c.Attr] == nil
	case store.Equal:
		return it[c.Attr] == c.To
	case store.Less:
		n, ok := number(c.Attr)
		return ok && n < c.Than
	case store.AtMost:
		n, ok := number(c.Attr)
		return ok && n <= c.N
	case store.AtLeast:
		n, ok := number(c.Attr)
		return ok && n >= c.N
	case store.NotHolding:
		s, _ := it[c.Attr].(store.Set)
		return !slices.Contains(s, c.Member)
	case store.All:
		for _, c := range c {
			if !naive(c, it) {
				return false
			}
		}
		return true
	case store.Any:
		for _, c := range c {
			if naive(c, it) {
				return true
			}
		}
	}
	return false
}
