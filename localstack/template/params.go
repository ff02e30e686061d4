package template

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

func (l *loader) readParameters(n *yaml.Node, given map[string]string) {
	declared := l.pairs(n, place{resource: "Parameters"})
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if declared[name] == nil {
			l.fail(1, place{"Parameters", name}, "is given but the template declares no such parameter")
		}
	}
	for name, body := range declared {
		at := place{"Parameters", name}
		v := l.eval(body, at)
		p := l.props(v, at, "Parameters")
		text, ok := given[name]
		if !ok {
			if text = p.text("Default"); !p.has("Default") && v != nil && v.kind == object {
				l.fail(body.Line, at, "has no default and no value was given")
				l.params[name] = &value{kind: broken, line: body.Line}
				continue
			}
		}
		l.params[name] = l.parameter(p, text)
		l.stack.Parameters[name] = text
		p.done()
	}
}

// parameter checks one value against its declaration.
func (l *loader) parameter(p *props, text string) *value {
	p.value("Default")
	p.text("Description")
	p.flag("NoEcho", false)
	hint := p.text("ConstraintDescription")
	if hint != "" {
		hint = ": " + hint
	}
	parts := []string{text}
	typ := p.oneOf("Type", "", "String", "Number", "CommaDelimitedList", "List<Number>")
	if typ == "" {
		p.need("Type")
	}
	v := &value{kind: scalar, line: p.v.line, text: text}
	if typ == "CommaDelimitedList" || typ == "List<Number>" {
		v.kind = list
		parts = strings.Split(text, ",")
		for i, s := range parts {
			parts[i] = strings.TrimSpace(s)
			v.items = append(v.items, &value{kind: scalar, line: p.v.line, text: parts[i]})
		}
	}
	allowed := p.texts("AllowedValues")
	pattern := p.text("AllowedPattern")
	re, err := regexp.Compile(`\A(?:` + pattern + `)\z`)
	if err != nil {
		p.fail("AllowedPattern", "is not a pattern that can be read here")
		return v
	}
	number := strings.Contains(typ, "Number")
	least, most := p.number("MinValue"), p.number("MaxValue")
	short, long := p.number("MinLength"), p.number("MaxLength")
	for _, s := range parts {
		n, err := strconv.ParseFloat(s, 64)
		length := float64(utf8.RuneCountInString(s))
		switch {
		case number && err != nil:
			p.fail("", "%q is not a number%s", s, hint)
		case len(allowed) > 0 && !slices.Contains(allowed, s):
			p.fail("", "%q is not one of %s%s", s, strings.Join(allowed, ", "), hint)
		case pattern != "" && !re.MatchString(s):
			p.fail("", "%q does not match %s%s", s, pattern, hint)
		case least != nil && n < *least, most != nil && n > *most:
			p.fail("", "%s is out of range%s", s, hint)
		case short != nil && length < *short, long != nil && length > *long:
			p.fail("", "%q is too short or too long%s", s, hint)
		}
	}
	return v
}

func (p *props) number(key string) *float64 {
	if !p.has(key) {
		return nil
	}
	n, err := strconv.ParseFloat(p.text(key), 64)
	if err != nil {
		p.fail(key, "must be a number")
		return nil
	}
	return &n
}
