package sources

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// filters are a source's patterns; an event passes if any matches, and if there are none.
// The language is the subset of EventBridge patterns that Lambda knows:
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
type filters []pattern

// pattern is an object of fields that must all match, and of alternatives of which one must.
type pattern struct {
	fields map[string]condition
	or     []pattern
}

// condition is a nested pattern, or a list of tests of which one must hold.
type condition struct {
	nested *pattern
	tests  []test
}

// test judges one leaf; present is false when the field is absent.
type test func(v any, present bool) bool

func parseFilters(list []string) (filters, error) {
	var out filters
	for _, s := range list {
		var raw map[string]any
		if err := json.Unmarshal([]byte(s), &raw); err != nil {
			return nil, fmt.Errorf("filter %s: %w", s, err)
		}
		p, err := parsePattern(raw)
		if err != nil {
			return nil, fmt.Errorf("filter %s: %w", s, err)
		}
		out = append(out, p)
	}
	return out, nil
}

func (f filters) pass(event map[string]any) bool {
	if len(f) == 0 {
		return true
	}
	for _, p := range f {
		if p.match(event) {
			return true
		}
	}
	return false
}

func parsePattern(raw map[string]any) (pattern, error) {
	p := pattern{fields: map[string]condition{}}
	if len(raw) == 0 {
		return p, errors.New("empty pattern")
	}
	for name, v := range raw {
		var err error
		switch x := v.(type) {
		case map[string]any:
			var n pattern
			n, err = parsePattern(x)
			p.fields[name] = condition{nested: &n}
		case []any:
			if name == "$or" {
				p.or, err = parseAlternatives(x)
			} else {
				p.fields[name], err = parseTests(x)
			}
		default:
			err = errors.New("neither an object nor a list")
		}
		if err != nil {
			return p, fmt.Errorf("%s: %w", name, err)
		}
	}
	return p, nil
}

func parseAlternatives(list []any) ([]pattern, error) {
	var out []pattern
	for _, v := range list {
		raw, ok := v.(map[string]any)
		if !ok {
			return nil, errors.New("an alternative is not an object")
		}
		p, err := parsePattern(raw)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	if len(out) == 0 {
		return nil, errors.New("no alternatives")
	}
	return out, nil
}

func parseTests(list []any) (condition, error) {
	var c condition
	for _, v := range list {
		t, err := parseTest(v)
		if err != nil {
			return c, err
		}
		c.tests = append(c.tests, t)
	}
	if len(c.tests) == 0 {
		return c, errors.New("empty list")
	}
	return c, nil
}

func parseTest(v any) (test, error) {
	op, ok := v.(map[string]any)
	if !ok {
		if _, list := v.([]any); list {
			return nil, errors.New("list inside a list")
		}
		return equals(v), nil
	}
	if len(op) != 1 {
		return nil, errors.New("an operator has exactly one name")
	}
	for name, arg := range op {
		t, err := parseOperator(name, arg)
		if err != nil {
			return nil, fmt.Errorf("operator %q: %w", name, err)
		}
		return t, nil
	}
	panic("unreachable")
}

func parseOperator(name string, arg any) (test, error) {
	switch name {
	case "exists":
		want, ok := arg.(bool)
		if !ok {
			return nil, errors.New("not a boolean")
		}
		return func(_ any, present bool) bool { return present == want }, nil
	case "prefix":
		return onText(arg, strings.HasPrefix)
	case "suffix":
		return onText(arg, strings.HasSuffix)
	case "equals-ignore-case":
		return onText(arg, strings.EqualFold)
	case "anything-but":
		return parseAnythingBut(arg)
	case "numeric":
		return parseNumeric(arg)
	}
	return nil, errors.New("unknown here")
}

func equals(want any) test {
	return func(v any, present bool) bool { return present && v == want }
}

func onText(arg any, f func(s, arg string) bool) (test, error) {
	want, ok := arg.(string)
	if !ok {
		return nil, errors.New("not a string")
	}
	return func(v any, _ bool) bool {
		s, ok := v.(string)
		return ok && f(s, want)
	}, nil
}

func parseAnythingBut(arg any) (test, error) {
	list, ok := arg.([]any)
	if !ok {
		list = []any{arg}
	}
	for _, v := range list {
		switch v.(type) {
		case string, float64:
		default:
			return nil, errors.New("only strings and numbers can be excluded")
		}
	}
	if len(list) == 0 {
		return nil, errors.New("empty list")
	}
	return func(v any, present bool) bool {
		for _, x := range list {
			if v == x {
				return false
			}
		}
		return present
	}, nil
}

func parseNumeric(arg any) (test, error) {
	list, ok := arg.([]any)
	if !ok || len(list) != 2 && len(list) != 4 {
		return nil, errors.New("not one or two comparisons")
	}
	type bound struct {
		op string
		n  float64
	}
	var bounds []bound
	for i := 0; i < len(list); i += 2 {
		op, ok1 := list[i].(string)
		n, ok2 := list[i+1].(float64)
		if !ok1 || !ok2 || !strings.Contains(" = < <= > >= ", " "+op+" ") {
			return nil, errors.New("a comparison is one of = < <= > >= and a number")
		}
		bounds = append(bounds, bound{op, n})
	}
	return func(v any, _ bool) bool {
		n, ok := v.(float64)
		for _, b := range bounds {
			ok = ok && compare(n, b.op, b.n)
		}
		return ok
	}, nil
}

func compare(a float64, op string, b float64) bool {
	switch op {
	case "=":
		return a == b
	case "<":
		return a < b
	case "<=":
		return a <= b
	case ">":
		return a > b
	default:
		return a >= b
	}
}

func (p *pattern) match(event map[string]any) bool {
	for name, c := range p.fields {
		v, present := event[name]
		if !c.match(v, present) {
			return false
		}
	}
	for _, alt := range p.or {
		if alt.match(event) {
			return true
		}
	}
	return len(p.or) == 0
}

// match of a list is a match of any of its members. A nested pattern on an absent
// field may still match, by "exists": false.
func (c condition) match(v any, present bool) bool {
	if list, ok := v.([]any); ok {
		for _, x := range list {
			if c.match(x, true) {
				return true
			}
		}
		return false
	}
	object, isObject := v.(map[string]any)
	if c.nested != nil {
		return (isObject || !present) && c.nested.match(object)
	}
	if isObject { // tests are for leaves: an object is neither there nor absent
		return false
	}
	for _, t := range c.tests {
		if t(v, present) {
			return true
		}
	}
	return false
}
