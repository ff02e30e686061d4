package template

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Limits that keep a hostile or mistaken file from running away.
const (
	maxDepth = 60
	maxNodes = 200_000
)

// short maps the YAML tags to the long names.
var short = map[string]string{
	"!Ref": "Ref", "!Condition": "Condition", "!GetAtt": "Fn::GetAtt", "!Sub": "Fn::Sub",
	"!If": "Fn::If", "!Join": "Fn::Join", "!Select": "Fn::Select", "!FindInMap": "Fn::FindInMap",
	"!Equals": "Fn::Equals", "!Not": "Fn::Not", "!And": "Fn::And", "!Or": "Fn::Or",
}

// intrinsic returns the function that a node calls and its argument.
func intrinsic(n *yaml.Node) (name string, arg *yaml.Node) {
	if strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") {
		bare := *n
		bare.Tag = ""
		if bare.Kind == yaml.ScalarNode {
			bare.Tag = "!!str"
		}
		if long, ok := short[n.Tag]; ok {
			return long, &bare
		}
		return n.Tag, &bare
	}
	if n.Kind == yaml.MappingNode && len(n.Content) == 2 {
		k := n.Content[0].Value
		if k == "Ref" || strings.HasPrefix(k, "Fn::") {
			return k, n.Content[1]
		}
	}
	return "", nil
}

// eval resolves a node. nil means AWS::NoValue.
func (l *loader) eval(n *yaml.Node, at place) *value {
	bad := &value{kind: broken, line: n.Line}
	l.nodes++
	l.depth++
	defer func() { l.depth-- }()
	if l.depth > maxDepth || l.nodes > maxNodes {
		if !l.ranAway {
			l.ranAway = true
			l.fail(n.Line, at, "the template is nested too deeply or repeats itself too often")
		}
		return bad
	}
	if n.Kind == yaml.AliasNode {
		return l.eval(n.Alias, at)
	}
	if name, arg := intrinsic(n); name != "" {
		return l.call(name, arg, at)
	}
	switch n.Kind {
	case yaml.ScalarNode:
		if n.Tag == "!!null" {
			l.fail(n.Line, at, "has no value")
			return bad
		}
		return l.scalar(n.Line, n.Value, at)
	case yaml.SequenceNode:
		v := &value{kind: list, line: n.Line}
		for i, c := range n.Content {
			if item := l.eval(c, at.in(strconv.Itoa(i))); item != nil {
				v.items = append(v.items, item)
			}
		}
		return v
	case yaml.MappingNode:
		return l.object(n, at)
	}
	l.fail(n.Line, at, "cannot be read")
	return bad
}

func (l *loader) object(n *yaml.Node, at place) *value {
	v := &value{kind: object, line: n.Line, fields: map[string]*value{}}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		if _, twice := v.fields[k.Value]; twice {
			l.fail(k.Line, at.in(k.Value), "is written twice")
			continue
		}
		f := l.eval(n.Content[i+1], at.in(k.Value))
		if f == nil {
			continue
		}
		f = &value{f.kind, k.Line, f.text, f.items, f.keys, f.fields}
		v.keys = append(v.keys, k.Value)
		v.fields[k.Value] = f
	}
	return v
}

// scalar finishes a text: dynamic references are resolved and the address that
// AWS would give the API becomes the local one.
func (l *loader) scalar(line int, s string, at place) *value {
	i := strings.Index(s, "{{resolve:")
	if i < 0 {
		return &value{kind: scalar, line: line, text: l.localURL(s)}
	}
	bad := &value{kind: broken, line: line}
	j := strings.Index(s[i:], "}}")
	if j < 0 {
		l.fail(line, at, "a dynamic reference does not end")
		return bad
	}
	text, ok := l.secretText(s[i+len("{{resolve:"):i+j], line, at)
	if !ok {
		return bad
	}
	// A resolved secret is data: what follows it is searched, it itself is not.
	rest := l.scalar(line, s[i+j+2:], at)
	if rest.kind == broken {
		return bad
	}
	return &value{kind: scalar, line: line, text: s[:i] + text + rest.text}
}

func (l *loader) call(name string, arg *yaml.Node, at place) *value {
	for arg.Kind == yaml.AliasNode {
		arg = arg.Alias
	}
	bad := &value{kind: broken, line: arg.Line}
	switch name {
	case "Ref":
		return l.ref(arg.Value, arg.Line, at)
	case "Fn::GetAtt":
		return l.getAtt(arg, at)
	case "Fn::Sub":
		return l.sub(arg, at)
	case "Fn::If":
		c := l.args(arg, 3, name, at)
		if c == nil {
			return bad
		}
		if l.condition(c[0].Value, c[0].Line, at) {
			return l.eval(c[1], at)
		}
		return l.eval(c[2], at)
	case "Fn::Join":
		return l.join(arg, at)
	case "Fn::Select":
		return l.selectItem(arg, at)
	case "Fn::FindInMap":
		return l.findInMap(arg, at)
	case "Fn::Equals", "Fn::Not", "Fn::And", "Fn::Or", "Condition":
		l.fail(arg.Line, at, "%s belongs in Conditions", name)
		return bad
	}
	l.fail(arg.Line, at, "the intrinsic %s is not known here", name)
	return bad
}

func (l *loader) args(n *yaml.Node, want int, name string, at place) []*yaml.Node {
	if n.Kind != yaml.SequenceNode || len(n.Content) != want {
		l.fail(n.Line, at, "%s takes a list of %d", name, want)
		return nil
	}
	return n.Content
}

// word resolves a node that must come out as a text.
func (l *loader) word(n *yaml.Node, name string, at place) (string, bool) {
	v := l.eval(n, at)
	if v != nil && v.kind == scalar {
		return v.text, true
	}
	if v == nil || v.kind != broken {
		l.fail(n.Line, at, "%s needs a text here", name)
	}
	return "", false
}

func (l *loader) getAtt(arg *yaml.Node, at place) *value {
	id, attr, ok := strings.Cut(arg.Value, ".")
	if arg.Kind == yaml.SequenceNode && len(arg.Content) == 2 {
		id, attr, ok = arg.Content[0].Value, arg.Content[1].Value, true
	}
	if !ok {
		l.fail(arg.Line, at, "Fn::GetAtt takes Resource.Attribute")
		return &value{kind: broken, line: arg.Line}
	}
	return l.attribute(id, attr, arg.Line, at)
}

func (l *loader) sub(arg *yaml.Node, at place) *value {
	bad := &value{kind: broken, line: arg.Line}
	own := map[string]string{}
	body := arg
	if arg.Kind == yaml.SequenceNode {
		c := l.args(arg, 2, "Fn::Sub", at)
		if c == nil {
			return bad
		}
		body = c[0]
		vars := l.eval(c[1], at)
		if vars == nil || vars.kind != object {
			l.fail(arg.Line, at, "Fn::Sub takes a text and a map")
			return bad
		}
		for k, v := range vars.fields {
			if v.kind != scalar {
				return bad
			}
			own[k] = v.text
		}
	}
	if body.Kind != yaml.ScalarNode {
		l.fail(arg.Line, at, "Fn::Sub takes a text")
		return bad
	}
	s, ok := l.expand(body.Value, own, body.Line, at)
	if !ok {
		return bad
	}
	return l.scalar(arg.Line, s, at)
}

// expand replaces ${…}; ${!x} stays as ${x}.
func (l *loader) expand(s string, own map[string]string, line int, at place) (string, bool) {
	var b strings.Builder
	for {
		i := strings.Index(s, "${")
		if i < 0 {
			b.WriteString(s)
			return b.String(), true
		}
		j := strings.IndexByte(s[i:], '}')
		if j < 0 {
			l.fail(line, at, "${ without }")
			return "", false
		}
		b.WriteString(s[:i])
		name := strings.TrimSpace(s[i+2 : i+j])
		s = s[i+j+1:]
		if rest, literal := strings.CutPrefix(name, "!"); literal {
			b.WriteString("${" + rest + "}")
			continue
		}
		if text, ok := own[name]; ok {
			b.WriteString(text)
			continue
		}
		v := l.named(name, line, at)
		if v == nil || v.kind != scalar {
			if v == nil || v.kind != broken {
				l.fail(line, at, "${%s} is not a text", name)
			}
			return "", false
		}
		b.WriteString(v.text)
	}
}

// named resolves a name as Fn::Sub does: a reference, or Resource.Attribute.
func (l *loader) named(name string, line int, at place) *value {
	id, attr, dotted := strings.Cut(name, ".")
	if dotted && !generated[attr] {
		return l.attribute(id, attr, line, at)
	}
	return l.ref(name, line, at)
}

func (l *loader) join(arg *yaml.Node, at place) *value {
	bad := &value{kind: broken, line: arg.Line}
	c := l.args(arg, 2, "Fn::Join", at)
	if c == nil {
		return bad
	}
	v := l.eval(c[1], at)
	if v == nil || v.kind != list {
		if v == nil || v.kind != broken {
			l.fail(arg.Line, at, "Fn::Join takes a separator and a list")
		}
		return bad
	}
	words := make([]string, len(v.items))
	for i, item := range v.items {
		if item.kind != scalar {
			if item.kind != broken {
				l.fail(arg.Line, at, "Fn::Join takes a list of texts")
			}
			return bad
		}
		words[i] = item.text
	}
	return l.scalar(arg.Line, strings.Join(words, c[0].Value), at)
}

func (l *loader) selectItem(arg *yaml.Node, at place) *value {
	bad := &value{kind: broken, line: arg.Line}
	c := l.args(arg, 2, "Fn::Select", at)
	if c == nil {
		return bad
	}
	word, ok := l.word(c[0], "Fn::Select", at)
	v := l.eval(c[1], at)
	if !ok || v == nil || v.kind == broken {
		return bad
	}
	i, err := strconv.Atoi(word)
	if v.kind != list || err != nil || i < 0 || i >= len(v.items) {
		l.fail(arg.Line, at, "Fn::Select takes an index and a list that is long enough")
		return bad
	}
	return v.items[i]
}

func (l *loader) findInMap(arg *yaml.Node, at place) *value {
	bad := &value{kind: broken, line: arg.Line}
	c := l.args(arg, 3, "Fn::FindInMap", at)
	if c == nil {
		return bad
	}
	v := l.mappings
	for _, n := range c {
		word, ok := l.word(n, "Fn::FindInMap", at)
		if !ok {
			return bad
		}
		if v == nil || v.fields[word] == nil {
			l.fail(arg.Line, at, "Mappings has no %s", word)
			return bad
		}
		v = v.fields[word]
	}
	return v
}

// condition answers by name, each condition once.
func (l *loader) condition(name string, line int, at place) bool {
	c, ok := l.conditions[name]
	if !ok {
		l.fail(line, at, "there is no condition %s", name)
		return false
	}
	if c.done {
		return c.yes
	}
	if c.busy {
		l.fail(line, at, "condition %s refers to itself", name)
		return false
	}
	c.busy = true
	c.yes = l.test(c.node, place{"Conditions", name})
	c.busy, c.done = false, true
	return c.yes
}

func (l *loader) test(n *yaml.Node, at place) bool {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	l.depth++
	l.nodes++
	defer func() { l.depth-- }()
	name, arg := intrinsic(n)
	if n.Kind == yaml.MappingNode && len(n.Content) == 2 && n.Content[0].Value == "Condition" {
		name, arg = "Condition", n.Content[1]
	}
	if l.depth > maxDepth || l.nodes > maxNodes {
		if !l.ranAway {
			l.ranAway = true
			l.fail(n.Line, at, "is nested too deeply")
		}
		return false
	}
	switch name {
	case "Condition":
		return l.condition(arg.Value, n.Line, at)
	case "Fn::Equals":
		c := l.args(arg, 2, name, at)
		if c == nil {
			return false
		}
		a, aok := l.word(c[0], name, at)
		b, bok := l.word(c[1], name, at)
		return aok && bok && a == b
	case "Fn::Not":
		c := l.args(arg, 1, name, at)
		return c != nil && !l.test(c[0], at)
	case "Fn::And", "Fn::Or":
		if arg.Kind != yaml.SequenceNode || len(arg.Content) < 2 || len(arg.Content) > 10 {
			l.fail(n.Line, at, "%s takes two to ten conditions", name)
			return false
		}
		all, some := true, false
		for _, c := range arg.Content {
			yes := l.test(c, at)
			all, some = all && yes, some || yes
		}
		return name == "Fn::And" && all || name == "Fn::Or" && some
	}
	l.fail(n.Line, at, "must be Fn::Equals, Fn::Not, Fn::And, Fn::Or or Condition")
	return false
}
