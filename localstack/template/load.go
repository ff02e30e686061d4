package template

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Facts are what a template does not say about the place it runs in. Streams,
// Queues and Secrets exist only after provisioning: load once without them to
// learn what to make, and again with them for the final environments.
type Facts struct {
	Region  string // default eu-west-1
	Account string // twelve digits, default 000000000000
	Stack   string // stack name, default "local"
	APIURL  string // scheme, host and port of the local REST API

	SocketHost string // host and port of the local WebSocket API

	QueueURL string            // of the queue service; a queue is QueueURL/Account/Name
	Streams  map[string]string // logical id of a table → ARN of its stream
	Secrets  map[string]string // logical id → text
}

func (f Facts) filled() Facts {
	or := func(s *string, def string) {
		if *s == "" {
			*s = def
		}
	}
	or(&f.Region, "eu-west-1")
	or(&f.Account, "000000000000")
	or(&f.Stack, "local")
	or(&f.QueueURL, "http://queues.invalid")
	return f
}

// Load reads the template at path. params override the defaults of its
// Parameters. The error, when the file can be read at all, is [Problems].
func Load(path string, params map[string]string, facts Facts) (*Stack, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("template: %w", err)
	}
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("template: %w", err)
	}
	return parse(data, filepath.Base(path), dir, params, facts)
}

type loader struct {
	file, dir string
	facts     Facts
	problems  Problems

	params     map[string]*value
	conditions map[string]*condition
	mappings   *value
	globals    map[string]*yaml.Node // by resource type
	resources  map[string]*resource
	order      []*resource

	apiKeyRequired bool
	apiAuthorizer  string
	authorizers    []pending
	keys           []APIKey
	plan           *UsagePlan
	planID         string

	roles        map[string][]Statement // by logical id
	stack        *Stack
	absent       map[string]bool
	depth, nodes int
	ranAway      bool
}

type condition struct {
	node       *yaml.Node
	busy, done bool
	yes        bool
}

type resource struct {
	id, typ string
	line    int
	props   *yaml.Node
	include bool
	name    string // physical, once asked for
	naming  bool
}

func (r *resource) at() place { return place{resource: r.id + " (" + r.typ + ")"} }

func parse(data []byte, file, dir string, params map[string]string, facts Facts) (*Stack, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, Problems{{File: file, Line: yamlLine(err), Text: err.Error()}}
	}
	l := &loader{
		file: file, dir: dir, facts: facts.filled(),
		params: map[string]*value{}, conditions: map[string]*condition{},
		globals: map[string]*yaml.Node{}, resources: map[string]*resource{},
		roles:  map[string][]Statement{},
		stack:  &Stack{Outputs: map[string]string{}, Parameters: map[string]string{}},
		absent: map[string]bool{},
	}
	if len(doc.Content) == 1 {
		l.document(doc.Content[0], params)
	} else {
		l.fail(1, place{}, "the file is empty")
	}
	if len(l.problems) > 0 {
		slices.SortStableFunc(l.problems, func(a, b Problem) int { return a.Line - b.Line })
		return nil, slices.Compact(l.problems)
	}
	l.stack.NotHere = slices.Sorted(maps.Keys(l.absent))
	return l.stack, nil
}

func yamlLine(err error) int {
	var n int
	if _, e := fmt.Sscanf(err.Error(), "yaml: line %d:", &n); e != nil {
		return 1
	}
	return n
}

// sections in the order in which they need each other.
var sections = []string{
	"AWSTemplateFormatVersion", "Transform", "Description", "Metadata",
	"Parameters", "Mappings", "Conditions", "Globals", "Resources", "Outputs",
}

func (l *loader) document(root *yaml.Node, params map[string]string) {
	top := l.pairs(root, place{})
	for k, n := range top {
		if !slices.Contains(sections, k) {
			l.fail(n.Line, place{resource: k}, "this section is not known here")
		}
	}
	if t := top["Transform"]; t != nil && t.Value != "AWS::Serverless-2016-10-31" {
		l.fail(t.Line, place{resource: "Transform"}, "only AWS::Serverless-2016-10-31 is known here")
	}
	l.readParameters(top["Parameters"], params)
	if m := top["Mappings"]; m != nil {
		l.mappings = l.eval(m, place{resource: "Mappings"})
	}
	for name, n := range l.pairs(top["Conditions"], place{resource: "Conditions"}) {
		l.conditions[name] = &condition{node: n}
	}
	for name := range l.conditions {
		l.condition(name, 0, place{resource: "Conditions"})
	}
	l.readGlobals(top["Globals"])
	l.collect(top["Resources"])
	l.read()
	l.readOutputs(top["Outputs"])
}

// pairs returns the entries of a map; a missing node has none.
func (l *loader) pairs(n *yaml.Node, at place) map[string]*yaml.Node {
	out := map[string]*yaml.Node{}
	if n == nil {
		return out
	}
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.MappingNode {
		l.fail(n.Line, at, "must be a map")
		return out
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i].Value
		if out[k] != nil {
			l.fail(n.Content[i].Line, at.in(k), "is written twice")
		}
		out[k] = n.Content[i+1]
	}
	return out
}

func (l *loader) readGlobals(n *yaml.Node) {
	for name, g := range l.pairs(n, place{resource: "Globals"}) {
		if name != "Function" && name != "Api" && name != "WebSocketApi" {
			l.fail(g.Line, place{resource: "Globals", property: name}, "only Function, Api and WebSocketApi are known here")
			continue
		}
		l.globals["AWS::Serverless::"+name] = g
	}
}

// collect lists the resources whose condition holds.
func (l *loader) collect(n *yaml.Node) {
	l.pairs(n, place{resource: "Resources"}) // reports a second resource of one name
	if n == nil || n.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, body := n.Content[i], n.Content[i+1]
		r := &resource{id: key.Value, line: key.Line, include: true}
		at := place{resource: r.id}
		fields := l.pairs(body, at)
		if t := fields["Type"]; t != nil {
			r.typ = t.Value
		}
		for k, f := range fields {
			switch k {
			case "Type", "DependsOn", "Metadata", "DeletionPolicy", "UpdateReplacePolicy":
			case "Properties":
				r.props = f
			case "Condition":
				r.include = l.condition(f.Value, f.Line, at)
			default:
				l.fail(f.Line, at.in(k), "this attribute of a resource is not known here")
			}
		}
		if known[r.typ].read == nil {
			l.fail(r.line, at, "resource type %q is not known here", r.typ)
			continue
		}
		if g := l.globals[r.typ]; g != nil {
			r.props = l.merge(g, r.props)
		}
		l.resources[r.id] = r
		l.order = append(l.order, r)
	}
}

// merge lays a resource's own properties over the global ones as SAM does: maps
// are merged, lists are appended, everything else is replaced.
func (l *loader) merge(global, own *yaml.Node) *yaml.Node {
	l.nodes++
	switch {
	case own == nil:
		return global
	case global.Kind != own.Kind || l.nodes > maxNodes:
		return own
	}
	if name, _ := intrinsic(own); name != "" {
		return own
	}
	if name, _ := intrinsic(global); name != "" {
		return own
	}
	switch own.Kind {
	case yaml.SequenceNode:
		both := *own
		both.Content = append(slices.Clone(global.Content), own.Content...)
		return &both
	case yaml.MappingNode:
		return l.mergeMaps(global, own)
	}
	return own
}

func (l *loader) mergeMaps(global, own *yaml.Node) *yaml.Node {
	both := *own
	both.Content = slices.Clone(own.Content)
	for i := 0; i+1 < len(global.Content); i += 2 {
		at := -1
		for j := 0; j+1 < len(both.Content); j += 2 {
			if both.Content[j].Value == global.Content[i].Value {
				at = j + 1
			}
		}
		if at < 0 {
			both.Content = append(both.Content, global.Content[i], global.Content[i+1])
		} else {
			both.Content[at] = l.merge(global.Content[i+1], both.Content[at])
		}
	}
	return &both
}

// read resolves the resources and hands each to the reader of its type, those
// that others point at first.
func (l *loader) read() {
	for phase := range phases {
		for _, r := range l.order {
			t := known[r.typ]
			if !r.include || t.phase != phase {
				continue
			}
			if r.props == nil {
				r.props = &yaml.Node{Kind: yaml.MappingNode, Line: r.line}
			}
			v := l.eval(r.props, r.at())
			if v != nil {
				v.line = r.line
			}
			p := l.props(v, r.at(), r.typ)
			t.read(l, r, p)
			p.done()
		}
	}
	l.finish()
}

func (l *loader) readOutputs(n *yaml.Node) {
	for name, o := range l.pairs(n, place{resource: "Outputs"}) {
		at := place{"Outputs", name}
		fields := l.pairs(o, at)
		if c := fields["Condition"]; c != nil && !l.condition(c.Value, c.Line, at) {
			continue
		}
		for k, f := range fields {
			switch k {
			case "Description", "Condition", "Export":
			case "Value":
				if text, ok := l.word(f, "an output", at); ok {
					l.stack.Outputs[name] = text
				}
			default:
				l.fail(f.Line, at.in(k), "this property is not known here")
			}
		}
		if fields["Value"] == nil {
			l.fail(o.Line, at, "Value is missing")
		}
	}
}

func (l *loader) notHere(what string) { l.absent[what] = true }

// localURL puts the local address where a text names the one that AWS would give.
func (l *loader) localURL(s string) string {
	if !strings.Contains(s, ".execute-api.") {
		return s
	}
	for _, r := range l.order {
		host := l.apiHost(r.id)
		switch {
		case r.typ == "AWS::Serverless::Api" && l.facts.APIURL != "":
			s = strings.ReplaceAll(s, "https://"+host, l.facts.APIURL)
		case r.typ == "AWS::Serverless::WebSocketApi" && l.facts.SocketHost != "":
			s = strings.ReplaceAll(s, "https://"+host, "http://"+l.facts.SocketHost)
			s = strings.ReplaceAll(s, "wss://"+host, "ws://"+l.facts.SocketHost)
		}
	}
	return s
}

func (l *loader) apiHost(id string) string {
	return apiID(id) + ".execute-api." + l.facts.Region + ".amazonaws.com"
}
