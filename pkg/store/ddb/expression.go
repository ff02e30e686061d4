package ddb

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/fairseat/fairseat/pkg/store"
)

// nothing is an attribute that no row has. An update that adds an empty set must
// still say something to the service; it removes this.
const nothing = "-"

// expression gathers the placeholders of one write: every name and every value
// has one, so that no word is reserved and nothing is quoted.
type expression struct {
	names  map[string]string
	values attributes
	slab   *slab
	err    error // the first
}

func (e *expression) fail(err error) { e.err = errors.Join(e.err, err) }

func (e *expression) name(attr string) string {
	if attr == "" || !utf8.ValidString(attr) {
		e.fail(fmt.Errorf("attribute name %q", attr))
	}
	for p, have := range e.names {
		if have == attr {
			return p
		}
	}
	if e.names == nil {
		e.names = map[string]string{}
	}
	p := mark("#", nameMarks[:], len(e.names))
	e.names[p] = attr
	return p
}

// Placeholders that most expressions do with, made once.
var nameMarks, valueMarks = marks("#"), marks(":")

func marks(sign string) (m [8]string) {
	for i := range m {
		m[i] = sign + strconv.Itoa(i)
	}
	return m
}

func mark(sign string, made []string, i int) string {
	if i < len(made) {
		return made[i]
	}
	return sign + strconv.Itoa(i)
}

func (e *expression) value(v any) string {
	av, err := e.slab.encode(v)
	if err != nil {
		e.fail(err)
	}
	if e.values == nil {
		e.values = attributes{}
	}
	p := mark(":", valueMarks[:], len(e.values))
	e.values[p] = av
	return p
}

// where answers nil for no condition.
func (e *expression) where(c store.Cond) *string {
	switch c {
	case nil:
		return nil
	case store.Absent{}:
		return &absent // the condition of every claim; pk is no reserved word
	}
	s := e.cond(c)
	return &s
}

func (e *expression) cond(c store.Cond) string {
	switch c := c.(type) {
	case store.Absent:
		return "attribute_not_exists(" + e.name("pk") + ")"
	case store.Exists:
		return "attribute_exists(" + e.name("pk") + ")"
	case store.NoAttr:
		return "attribute_not_exists(" + e.name(c.Attr) + ")"
	case store.Equal:
		switch c.To.(type) {
		case string, int64, bool:
			return e.name(c.Attr) + " = " + e.value(c.To)
		}
		e.fail(fmt.Errorf("%s = a %T", c.Attr, c.To))
		return ""
	case store.Less:
		return e.name(c.Attr) + " < " + e.value(c.Than)
	case store.AtMost:
		return e.name(c.Attr) + " <= " + e.value(c.N)
	case store.AtLeast:
		return e.name(c.Attr) + " >= " + e.value(c.N)
	case store.NotHolding:
		return "NOT contains(" + e.name(c.Attr) + ", " + e.value(c.Member) + ")"
	case store.All:
		return e.conds(c, " AND ")
	case store.Any:
		return e.conds(c, " OR ")
	}
	e.fail(fmt.Errorf("condition %T", c))
	return ""
}

func (e *expression) conds(cs []store.Cond, op string) string {
	switch len(cs) {
	case 0:
		e.fail(errors.New("an empty all or any"))
		return ""
	case 1:
		return e.cond(cs[0]) // the service refuses redundant parentheses
	}
	parts := make([]string, len(cs))
	for i, c := range cs {
		parts[i] = "(" + e.cond(c) + ")"
	}
	return strings.Join(parts, op)
}

// clauses are the parts of an update expression.
type clauses struct{ set, remove, add, del []string }

func (e *expression) update(cs []store.Change) *string {
	var u clauses
	seen := map[string]bool{}
	for _, c := range cs {
		if seen[c.Attr] {
			e.fail(fmt.Errorf("%s changed twice", c.Attr))
		}
		seen[c.Attr] = true
		e.change(&u, c)
	}
	if len(u.set)+len(u.remove)+len(u.add)+len(u.del) == 0 {
		u.remove = append(u.remove, e.name(nothing))
	}
	var parts []string
	for _, p := range []struct {
		word  string
		terms []string
	}{{"SET ", u.set}, {"REMOVE ", u.remove}, {"ADD ", u.add}, {"DELETE ", u.del}} {
		if len(p.terms) > 0 {
			parts = append(parts, p.word+strings.Join(p.terms, ", "))
		}
	}
	s := strings.Join(parts, " ")
	return &s
}

func (e *expression) change(u *clauses, c store.Change) {
	set, isSet := c.To.(store.Set)
	_, isInt := c.To.(int64)
	switch {
	case c.Op == store.Unset, c.Op == store.SetTo && isSet && len(set) == 0:
		u.remove = append(u.remove, e.name(c.Attr))
	case c.Op == store.SetTo:
		u.set = append(u.set, e.name(c.Attr)+" = "+e.value(c.To))
	case c.Op == store.Add && isInt:
		u.add = append(u.add, e.name(c.Attr)+" "+e.value(c.To))
	case (c.Op == store.SetAdd || c.Op == store.SetDelete) && isSet && len(set) == 0:
	case c.Op == store.SetAdd && isSet:
		u.add = append(u.add, e.name(c.Attr)+" "+e.value(set))
	case c.Op == store.SetDelete && isSet:
		u.del = append(u.del, e.name(c.Attr)+" "+e.value(set))
	default:
		e.fail(fmt.Errorf("%s: change of kind %d by a %T", c.Attr, c.Op, c.To))
	}
}

var absent = "attribute_not_exists(pk)"

const allOld = types.ReturnValuesOnConditionCheckFailureAllOld

// render is one write of a transaction in the service's terms.
func (s *slab) render(w store.Write, table *string) (types.TransactWriteItem, error) {
	var out types.TransactWriteItem
	if n := kinds(w); n != 1 {
		return out, fmt.Errorf("%d of put, update, delete and check, not one", n)
	}
	if err := checkKey(w.Key); err != nil {
		return out, err
	}
	e := expression{slab: s}
	switch {
	case w.Put != nil:
		it, err := s.item(w.Put, w.Key)
		if err != nil {
			return out, err
		}
		out.Put = &types.Put{TableName: table, Item: it, ConditionExpression: e.where(w.Where), ReturnValuesOnConditionCheckFailure: allOld}
		out.Put.ExpressionAttributeNames, out.Put.ExpressionAttributeValues = e.names, e.values
	case w.Delete:
		out.Delete = &types.Delete{TableName: table, Key: s.key(w.Key), ConditionExpression: e.where(w.Where), ReturnValuesOnConditionCheckFailure: allOld}
		out.Delete.ExpressionAttributeNames, out.Delete.ExpressionAttributeValues = e.names, e.values
	case w.Check && w.Where == nil:
		return out, errors.New("a check without a condition")
	case w.Check:
		out.ConditionCheck = &types.ConditionCheck{TableName: table, Key: s.key(w.Key), ConditionExpression: e.where(w.Where), ReturnValuesOnConditionCheckFailure: allOld}
		out.ConditionCheck.ExpressionAttributeNames, out.ConditionCheck.ExpressionAttributeValues = e.names, e.values
	case len(w.Update) == 0:
		return out, errors.New("an update without changes")
	default:
		out.Update = &types.Update{TableName: table, Key: s.key(w.Key), ConditionExpression: e.where(w.Where), UpdateExpression: e.update(w.Update), ReturnValuesOnConditionCheckFailure: allOld}
		out.Update.ExpressionAttributeNames, out.Update.ExpressionAttributeValues = e.names, e.values
	}
	return out, e.err
}

func kinds(w store.Write) int {
	n := 0
	for _, is := range [...]bool{w.Put != nil, w.Update != nil, w.Delete, w.Check} {
		if is {
			n++
		}
	}
	return n
}

func checkKey(k store.Key) error {
	if k.PK == "" || k.SK == "" || !utf8.ValidString(k.PK) || !utf8.ValidString(k.SK) {
		return fmt.Errorf("key %q", []string{k.PK, k.SK})
	}
	return nil
}

func (s *slab) key(k store.Key) attributes {
	return attributes{"pk": s.text(k.PK), "sk": s.text(k.SK)}
}

func renderKey(k store.Key) (attributes, error) {
	if err := checkKey(k); err != nil {
		return nil, err
	}
	return new(slab).key(k), nil
}
