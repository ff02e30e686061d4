package ddb

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
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
		e.names = e.slab.blankNames()
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
		e.values = e.slab.blank(0)
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
	e.cond(c)
	return e.slab.said()
}

func (e *expression) say(parts ...string) {
	for _, p := range parts {
		e.slab.text = append(e.slab.text, p...)
	}
}

func (e *expression) cond(c store.Cond) {
	switch c := c.(type) {
	case store.Absent:
		e.say("attribute_not_exists(", e.name("pk"), ")")
	case store.Exists:
		e.say("attribute_exists(", e.name("pk"), ")")
	case store.NoAttr:
		e.say("attribute_not_exists(", e.name(c.Attr), ")")
	case store.Equal:
		switch c.To.(type) {
		case string, int64, bool:
			e.say(e.name(c.Attr), " = ", e.value(c.To))
		default:
			e.fail(fmt.Errorf("%s = a %T", c.Attr, c.To))
		}
	case store.Less:
		e.say(e.name(c.Attr), " < ", e.value(c.Than))
	case store.AtMost:
		e.say(e.name(c.Attr), " <= ", e.value(c.N))
	case store.AtLeast:
		e.say(e.name(c.Attr), " >= ", e.value(c.N))
	case store.NotHolding:
		e.say("NOT contains(", e.name(c.Attr), ", ", e.value(c.Member), ")")
	case store.All:
		e.conds(c, " AND ")
	case store.Any:
		e.conds(c, " OR ")
	default:
		e.fail(fmt.Errorf("condition %T", c))
	}
}

func (e *expression) conds(cs []store.Cond, op string) {
	switch len(cs) {
	case 0:
		e.fail(errors.New("an empty all or any"))
		return
	case 1:
		e.cond(cs[0]) // the service refuses redundant parentheses
		return
	}
	for i, c := range cs {
		if i > 0 {
			e.say(op)
		}
		e.say("(")
		e.cond(c)
		e.say(")")
	}
}

// clause is a part of an update expression, in the order in which they are written.
type clause uint8

const (
	nowhere clause = iota
	inSet
	inRemove
	inAdd
	inDelete
)

var words = [...]string{inSet: "SET ", inRemove: "REMOVE ", inAdd: "ADD ", inDelete: "DELETE "}

func (e *expression) update(cs []store.Change) *string {
	for i, c := range cs {
		if slices.ContainsFunc(cs[:i], func(other store.Change) bool { return other.Attr == c.Attr }) {
			e.fail(fmt.Errorf("%s changed twice", c.Attr))
		}
		if _, ok := clauseOf(c); !ok {
			e.fail(fmt.Errorf("%s: change of kind %d by a %T", c.Attr, c.Op, c.To))
		}
	}
	for w := inSet; w <= inDelete; w++ {
		terms := 0
		for _, c := range cs {
			if in, _ := clauseOf(c); in == w {
				e.term(w, terms, c)
				terms++
			}
		}
	}
	if len(e.slab.text) == 0 {
		e.say("REMOVE ", e.name(nothing))
	}
	return e.slab.said()
}

func (e *expression) term(in clause, before int, c store.Change) {
	switch {
	case before > 0:
		e.say(", ")
	case len(e.slab.text) > 0:
		e.say(" ", words[in])
	default:
		e.say(words[in])
	}
	e.say(e.name(c.Attr))
	switch in {
	case inSet:
		e.say(" = ", e.value(c.To))
	case inAdd, inDelete:
		e.say(" ", e.value(c.To))
	}
}

// clauseOf is where a change is written: nowhere if it changes nothing, and not ok
// if there is no such change.
func clauseOf(c store.Change) (in clause, ok bool) {
	set, isSet := c.To.(store.Set)
	_, isInt := c.To.(int64)
	switch {
	case c.Op == store.Unset, c.Op == store.SetTo && isSet && len(set) == 0:
		return inRemove, true
	case c.Op == store.SetTo:
		return inSet, true
	case c.Op == store.Add && isInt:
		return inAdd, true
	case (c.Op == store.SetAdd || c.Op == store.SetDelete) && isSet && len(set) == 0:
		return nowhere, true
	case c.Op == store.SetAdd && isSet:
		return inAdd, true
	case c.Op == store.SetDelete && isSet:
		return inDelete, true
	}
	return nowhere, false
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
		out.Put = s.put()
		*out.Put = types.Put{TableName: table, Item: it, ConditionExpression: e.where(w.Where), ReturnValuesOnConditionCheckFailure: allOld}
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
	m := s.blank(2)
	m["pk"], m["sk"] = s.textOf(k.PK), s.textOf(k.SK)
	return m
}

func renderKey(k store.Key) (attributes, error) {
	if err := checkKey(k); err != nil {
		return nil, err
	}
	return new(slab).key(k), nil
}
