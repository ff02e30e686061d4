package gateway

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/fairseat/fairseat/localstack/template"
)

var parameter = regexp.MustCompile(`^\{([A-Za-z0-9._-]+)(\+)?\}$`)

// resource is a path with its methods.
type resource struct {
	path    string
	id      string
	methods map[string]*template.Route
}

func (r *resource) method(name string) *template.Route {
	if route := r.methods[name]; route != nil {
		return route
	}
	return r.methods["ANY"]
}

// allowed lists the methods as SAM fills in AllowMethods when a template leaves it out.
func (r *resource) allowed() string {
	list := []string{http.MethodOptions}
	for m := range r.methods {
		if m == "ANY" {
			return "DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT"
		}
		list = append(list, m)
	}
	slices.Sort(list)
	return strings.Join(slices.Compact(list), ",")
}

// node is one segment of the tree of paths. It has at most one variable child:
// API Gateway refuses a second one, {proxy+} beside {id} included.
type node struct {
	static   map[string]*node
	variable *node
	segment  string // as written
	name     string // of a variable
	greedy   bool
	resource *resource
}

func newTree(routes []template.Route) (*node, error) {
	root := &node{}
	for i := range routes {
		r := &routes[i]
		if !strings.HasPrefix(r.Path, "/") || r.Method == "" {
			return nil, fmt.Errorf("gateway: route %q %q is not a method and a path", r.Method, r.Path)
		}
		n, err := root.insert(r.Path)
		if err != nil {
			return nil, err
		}
		if n.resource == nil {
			n.resource = &resource{path: r.Path, id: resourceID(r.Path), methods: map[string]*template.Route{}}
		}
		method := strings.ToUpper(r.Method)
		if n.resource.methods[method] != nil {
			return nil, fmt.Errorf("gateway: %s %s is there twice", method, r.Path)
		}
		n.resource.methods[method] = r
	}
	return root, nil
}

func (n *node) insert(path string) (*node, error) {
	segments := split(path)
	for i, s := range segments {
		if n.greedy {
			return nil, fmt.Errorf("gateway: path %s: nothing can follow %s", path, n.segment)
		}
		var err error
		if n, err = n.child(path, s); err != nil {
			return nil, err
		}
		if n.greedy && i < len(segments)-1 {
			return nil, fmt.Errorf("gateway: path %s: nothing can follow %s", path, s)
		}
	}
	return n, nil
}

func (n *node) child(path, segment string) (*node, error) {
	m := parameter.FindStringSubmatch(segment)
	if m == nil {
		if strings.ContainsAny(segment, "{}") || segment == "" {
			return nil, fmt.Errorf("gateway: path %s: segment %q is neither a word nor a {parameter}", path, segment)
		}
		if n.static == nil {
			n.static = map[string]*node{}
		}
		if n.static[segment] == nil {
			n.static[segment] = &node{segment: segment}
		}
		return n.static[segment], nil
	}
	if n.variable == nil {
		n.variable = &node{segment: segment, name: m[1], greedy: m[2] == "+"}
	}
	if n.variable.segment != segment {
		return nil, fmt.Errorf("gateway: path %s: a sibling (%s) already has a variable path part", path, n.variable.segment)
	}
	return n.variable, nil
}

// match finds the resource of a raw path: a word before a parameter, a parameter
// before a greedy one further up; where the closer one leads nowhere the next is
// tried. Values stay percent-encoded, as REST APIs pass them; slashes at the end do not count.
func (n *node) match(path string) (*resource, map[string]string) {
	params := map[string]string{}
	res := n.find(split(strings.TrimRight(path, "/")), params)
	return res, params
}

func (n *node) find(segments []string, params map[string]string) *resource {
	if len(segments) == 0 {
		return n.resource
	}
	first, rest := segments[0], segments[1:]
	word, err := url.PathUnescape(first)
	if err != nil {
		return nil
	}
	if c := n.static[word]; c != nil {
		if res := c.find(rest, params); res != nil {
			return res
		}
	}
	v := n.variable
	switch {
	case v == nil || first == "":
		return nil
	case v.greedy:
		params[v.name] = strings.Join(segments, "/")
		return v.resource
	}
	res := v.find(rest, params)
	if res != nil {
		params[v.name] = first
	}
	return res
}

func split(path string) []string {
	path = strings.TrimPrefix(path, "/")
	if path == "" {
		return nil
	}
	return strings.Split(path, "/")
}

// resourceID is stable: six letters made from the path.
func resourceID(path string) string {
	h := uint64(14695981039346656037)
	for _, b := range []byte(path) {
		h = (h ^ uint64(b)) * 1099511628211
	}
	id := make([]byte, 6)
	for i := range id {
		id[i] = "abcdefghijklmnopqrstuvwxyz0123456789"[h%36]
		h /= 36
	}
	return string(id)
}
