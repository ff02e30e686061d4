package memstore

import (
	"fmt"
	"unicode/utf8"

	"github.com/fairseat/fairseat/pkg/store"
)

// The service's quotas. Source: "Service, account, and table quotas in Amazon
// DynamoDB", Amazon DynamoDB Developer Guide.
const (
	maxWrites   = 100
	maxTransact = 4 << 20
	maxItem     = 400 << 10
	maxPage     = 1 << 20
	maxPK       = 2048
	maxSK       = 1024
	maxToken    = 36
	maxDepth    = 31 // containers in one another; the attribute itself is the 32nd level
)

var errDepth = fmt.Errorf("more than %d containers in one another", maxDepth)

// normal copies writes into the form in which they are compared and stored, or
// says why the service would refuse the request as a whole.
func normal(writes []store.Write, token string) ([]store.Write, error) {
	if len(writes) > maxWrites {
		return nil, fmt.Errorf("%d writes, at most %d", len(writes), maxWrites)
	}
	if len(token) > maxToken {
		return nil, fmt.Errorf("token of %d characters, at most %d", len(token), maxToken)
	}
	seen := make(map[store.Key]bool, len(writes))
	out := make([]store.Write, len(writes))
	for i, w := range writes {
		if seen[w.Key] {
			return nil, fmt.Errorf("two writes on %v", w.Key)
		}
		seen[w.Key] = true
		n, err := normalWrite(w)
		if err != nil {
			return nil, fmt.Errorf("write %d: %w", i, err)
		}
		out[i] = n
	}
	return out, nil
}

func normalWrite(w store.Write) (store.Write, error) {
	if err := checkKey(w.Key); err != nil {
		return w, err
	}
	kinds := 0
	for _, is := range []bool{w.Put != nil, w.Update != nil, w.Delete, w.Check} {
		if is {
			kinds++
		}
	}
	if kinds != 1 {
		return w, fmt.Errorf("%d of put, update, delete and check, not one", kinds)
	}
	if w.Check && w.Where == nil {
		return w, fmt.Errorf("a check without a condition")
	}
	if w.Where != nil {
		if err := checkCond(w.Where); err != nil {
			return w, err
		}
	}
	var err error
	if w.Put != nil {
		w.Put, err = normalItem(w.Put, w.Key)
	}
	if w.Update != nil {
		w.Update, err = normalChanges(w.Update)
	}
	return w, err
}

func checkKey(k store.Key) error {
	switch {
	case k.Table == "":
		return fmt.Errorf("no table")
	case k.PK == "" || len(k.PK) > maxPK || !utf8.ValidString(k.PK):
		return fmt.Errorf("pk is not UTF-8 of 1 to %d bytes", maxPK)
	case k.SK == "" || len(k.SK) > maxSK || !utf8.ValidString(k.SK):
		return fmt.Errorf("sk is not UTF-8 of 1 to %d bytes", maxSK)
	}
	return nil
}

func checkAttr(name string) error {
	if name == "" || !utf8.ValidString(name) {
		return fmt.Errorf("attribute name %q", name)
	}
	return nil
}

func checkCond(c store.Cond) error {
	switch c := c.(type) {
	case store.Absent, store.Exists:
		return nil
	case store.NoAttr:
		return checkAttr(c.Attr)
	case store.Equal:
		switch v := c.To.(type) {
		case string:
			if !utf8.ValidString(v) {
				return fmt.Errorf("%s = a string that is not UTF-8", c.Attr)
			}
			return checkAttr(c.Attr)
		case int64, bool:
			return checkAttr(c.Attr)
		}
		return fmt.Errorf("%s = a %T", c.Attr, c.To)
	case store.Less:
		return checkAttr(c.Attr)
	case store.AtMost:
		return checkAttr(c.Attr)
	case store.AtLeast:
		return checkAttr(c.Attr)
	case store.NotHolding:
		return checkAttr(c.Attr)
	case store.All:
		return checkConds(c)
	case store.Any:
		return checkConds(c)
	}
	return fmt.Errorf("condition %T", c)
}

func checkConds(cs []store.Cond) error {
	if len(cs) == 0 {
		return fmt.Errorf("an empty all or any")
	}
	for _, c := range cs {
		if err := checkCond(c); err != nil {
			return err
		}
	}
	return nil
}

func normalItem(it store.Item, key store.Key) (store.Item, error) {
	m, err := normalMap(it, 0)
	if err != nil {
		return nil, err
	}
	m["pk"], m["sk"] = key.PK, key.SK
	return store.Item(m), nil
}

// normalMap drops empty sets: an attribute whose set is empty is absent.
func normalMap(m map[string]any, depth int) (map[string]any, error) {
	if depth > maxDepth {
		return nil, errDepth
	}
	out := make(map[string]any, len(m)+2)
	for name, v := range m {
		if !utf8.ValidString(name) || name == "" && depth == 0 {
			return nil, fmt.Errorf("attribute name %q", name)
		}
		if s, ok := v.(store.Set); ok && len(s) == 0 {
			continue
		}
		n, err := normalValue(v, depth)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out[name] = n
	}
	return out, nil
}

func normalValue(v any, depth int) (any, error) {
	switch v := v.(type) {
	case bool, int64:
		return v, nil
	case string:
		if !utf8.ValidString(v) {
			return nil, fmt.Errorf("a string that is not UTF-8")
		}
		return v, nil
	case []byte:
		return append([]byte{}, v...), nil
	case store.Set:
		return checkedSet(v)
	case []any:
		return normalList(v, depth+1)
	case store.Texts:
		return normalTexts(v, depth+1)
	case store.Item:
		return normalMap(v, depth+1)
	case map[string]any:
		return normalMap(v, depth+1)
	}
	return nil, fmt.Errorf("a value of type %T", v)
}

func normalList(l []any, depth int) ([]any, error) {
	if depth > maxDepth {
		return nil, errDepth
	}
	out := make([]any, len(l))
	for i, x := range l {
		n, err := normalValue(x, depth)
		if err != nil {
			return nil, fmt.Errorf("[%d]: %w", i, err)
		}
		out[i] = n
	}
	return out, nil
}

func normalTexts(l store.Texts, depth int) ([]any, error) {
	list := make([]any, len(l))
	for i, s := range l {
		list[i] = s
	}
	return normalList(list, depth)
}

func checkedSet(s store.Set) (store.Set, error) {
	if len(s) == 0 {
		return nil, fmt.Errorf("an empty set in a list")
	}
	for _, m := range s {
		if !utf8.ValidString(m) {
			return nil, fmt.Errorf("a member that is not UTF-8")
		}
	}
	return normalSet(s), nil
}

func normalChanges(cs []store.Change) ([]store.Change, error) {
	if len(cs) == 0 {
		return nil, fmt.Errorf("an update without changes")
	}
	seen := map[string]bool{}
	out := make([]store.Change, 0, len(cs))
	for _, c := range cs {
		if err := checkAttr(c.Attr); err != nil {
			return nil, err
		}
		if c.Attr == "pk" || c.Attr == "sk" || seen[c.Attr] {
			return nil, fmt.Errorf("%s changed as part of the key or twice", c.Attr)
		}
		seen[c.Attr] = true
		n, err := normalChange(c)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Attr, err)
		}
		out = append(out, n)
	}
	return out, nil
}

func normalChange(c store.Change) (store.Change, error) {
	var err error
	switch c.Op {
	case store.SetTo:
		if s, ok := c.To.(store.Set); ok && len(s) == 0 {
			return store.Change{Attr: c.Attr, Op: store.Unset}, nil
		}
		c.To, err = normalValue(c.To, 0)
		return c, err
	case store.Add:
		if _, ok := c.To.(int64); !ok {
			return c, fmt.Errorf("adds a %T", c.To)
		}
		return c, nil
	case store.SetAdd, store.SetDelete:
		s, ok := c.To.(store.Set)
		if !ok {
			return c, fmt.Errorf("a %T where a set belongs", c.To)
		}
		if len(s) > 0 {
			c.To, err = checkedSet(s)
		}
		return c, err
	case store.Unset:
		c.To = nil
		return c, nil
	}
	return c, fmt.Errorf("change of kind %d", c.Op)
}
