package template

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// kind tells what a resolved value is. The zero value is invalid.
type kind uint8

const (
	_ kind = iota
	scalar
	list
	object
	broken // already reported; whoever reads it stays silent
)

// value is a piece of the template with every intrinsic resolved. A nil value
// is AWS::NoValue: as if its key had never been written.
type value struct {
	kind   kind
	line   int
	text   string // scalar, as written
	items  []*value
	keys   []string
	fields map[string]*value
}

// place names where a value stands, for problems.
type place struct{ resource, property string }

func (p place) in(key string) place {
	if p.property != "" {
		key = p.property + "." + key
	}
	return place{p.resource, key}
}

// Problem is one thing in a template that cannot be understood or expressed.
type Problem struct {
	File     string
	Line     int
	Resource string // logical id and type, or the name of a section
	Property string // dotted; "" when the whole resource is meant
	Text     string
}

func (p Problem) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d: ", p.File, p.Line)
	if p.Resource != "" {
		b.WriteString(p.Resource + ": ")
	}
	if p.Property != "" {
		b.WriteString(p.Property + ": ")
	}
	return b.String() + p.Text
}

// Problems are all the problems of one template in order of line.
type Problems []Problem

func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, e := range p {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

func (l *loader) fail(line int, at place, format string, args ...any) {
	l.problems = append(l.problems, Problem{l.file, line, at.resource, at.property, fmt.Sprintf(format, args...)})
}

// props reads the fields of one object and refuses at the end what nobody read.
type props struct {
	l    *loader
	v    *value
	at   place
	typ  string // resource type, for the list of what has no effect here
	used map[string]bool
}

func (l *loader) props(v *value, at place, typ string) *props {
	p := &props{l: l, v: v, at: at, typ: typ, used: map[string]bool{}}
	switch {
	case v == nil:
		p.v = &value{kind: object}
	case v.kind != object && v.kind != broken:
		l.fail(v.line, at, "must be a map")
		p.v = &value{kind: broken, line: v.line}
	}
	return p
}

func (p *props) fail(key, format string, args ...any) {
	line := p.v.line
	if f := p.v.fields[key]; f != nil {
		line = f.line
	}
	at := p.at
	if key != "" {
		at = at.in(key)
	}
	p.l.fail(line, at, format, args...)
}

// value returns a field, or nil. A broken object has no fields and needs none.
func (p *props) value(key string) *value {
	p.used[key] = true
	return p.v.fields[key]
}

func (p *props) has(key string) bool { return p.value(key) != nil }

func (p *props) text(key string) string {
	v := p.value(key)
	if v == nil || v.kind == broken {
		return ""
	}
	if v.kind != scalar {
		p.fail(key, "must be a text")
		return ""
	}
	return v.text
}

func (p *props) need(key string) string {
	if !p.has(key) && p.v.kind != broken {
		p.fail("", "%s is missing", key)
	}
	return p.text(key)
}

func (p *props) oneOf(key, def string, allowed ...string) string {
	if !p.has(key) {
		return def
	}
	s := p.text(key)
	if p.v.fields[key].kind == scalar && !slices.Contains(allowed, s) {
		p.fail(key, "%q is not known here, only %s", s, strings.Join(allowed, ", "))
	}
	return s
}

func (p *props) whole(key string, def, least, most int) int {
	v := p.value(key)
	if v == nil || v.kind == broken {
		return def
	}
	n, err := strconv.Atoi(p.text(key))
	if err != nil || n < least || n > most {
		p.fail(key, "must be a whole number from %d to %d", least, most)
		return def
	}
	return n
}

func (p *props) seconds(key string, def, least, most int) time.Duration {
	return time.Duration(p.whole(key, def, least, most)) * time.Second
}

func (p *props) flag(key string, def bool) bool {
	v := p.value(key)
	if v == nil || v.kind == broken {
		return def
	}
	switch strings.ToLower(p.text(key)) {
	case "true":
		return true
	case "false":
		return false
	}
	p.fail(key, "must be true or false")
	return def
}

func (p *props) list(key string) []*value {
	v := p.value(key)
	if v == nil || v.kind == broken {
		return nil
	}
	if v.kind != list {
		p.fail(key, "must be a list")
		return nil
	}
	return v.items
}

func (p *props) texts(key string) []string {
	var out []string
	for _, v := range p.list(key) {
		if v.kind == scalar {
			out = append(out, v.text)
		} else if v.kind != broken {
			p.l.fail(v.line, p.at.in(key), "must be a list of texts")
		}
	}
	return out
}

// oneOrMore reads what may be written as one text or as a list of them.
func (p *props) oneOrMore(key string) []string {
	if v := p.value(key); v != nil && v.kind == scalar {
		return []string{v.text}
	}
	return p.texts(key)
}

func (p *props) object(key string) *props {
	v := p.value(key)
	return p.l.props(v, p.at.in(key), p.typ)
}

// each reads a list of objects.
func (p *props) each(key string, read func(*props)) {
	for i, v := range p.list(key) {
		q := p.l.props(v, p.at.in(fmt.Sprintf("%s[%d]", key, i)), p.typ)
		read(q)
		q.done()
	}
}

// named reads a map of objects in the template's order.
func (p *props) named(key string, read func(name string, q *props)) {
	o := p.object(key)
	for _, name := range o.v.keys {
		q := o.object(name)
		read(name, q)
		q.done()
	}
}

// ignore accepts properties that mean something on AWS and nothing here.
func (p *props) ignore(keys ...string) {
	for _, k := range keys {
		if p.has(k) {
			p.l.notHere(p.typ + "." + p.at.in(k).property)
		}
	}
}

// done refuses the properties that nothing has read.
func (p *props) done() {
	for _, k := range p.v.keys {
		if !p.used[k] {
			p.fail(k, "this property is not known here")
		}
	}
}
