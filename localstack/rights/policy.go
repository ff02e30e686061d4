package rights

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/fairseat/fairseat/localstack/template"
)

// Need is one action on one resource.
type Need struct{ Action, Resource string }

// role is what a function may do.
type role struct {
	fn     template.Function
	allow  []rule
	deny   []rule
	judged sync.Map // Need → bool: roles do not change
}

type rule struct {
	actions, resources []*regexp.Regexp
	texts              []string // of the resources
}

// newRole compiles a function's statements. A Condition would have to be judged
// with keys of the request that are not read here: it is refused by its name.
func newRole(fn template.Function) (*role, error) {
	r := &role{fn: fn}
	for i, s := range fn.Statements {
		if len(s.Condition) > 0 {
			return nil, fmt.Errorf("rights: %s: statement %d has the condition %s, which is not judged here",
				fn.ID, i+1, strings.Join(slices.Sorted(maps.Keys(s.Condition)), ", "))
		}
		x := rule{patterns(s.Actions, "(?i)"), patterns(s.Resources, ""), s.Resources}
		switch s.Effect {
		case "Allow":
			r.allow = append(r.allow, x)
		case "Deny":
			r.deny = append(r.deny, x)
		default:
			return nil, fmt.Errorf("rights: %s: statement %d has the effect %q", fn.ID, i+1, s.Effect)
		}
	}
	return r, nil
}

// patterns reads IAM's wildcards: * is any text, also with slashes and colons, ?
// one character. Actions compare without case, resources with it.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
func patterns(texts []string, flags string) []*regexp.Regexp {
	out := make([]*regexp.Regexp, len(texts))
	for i, t := range texts {
		q := strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(t))
		out[i] = regexp.MustCompile(flags + "^(?s:" + q + ")$")
	}
	return out
}

func (x rule) covers(n Need) bool { return x.index(n) >= 0 }

// index of the resource that covers the need, or -1.
func (x rule) index(n Need) int {
	matches := func(s string) func(*regexp.Regexp) bool {
		return func(p *regexp.Regexp) bool { return p.MatchString(s) }
	}
	if !slices.ContainsFunc(x.actions, matches(n.Action)) {
		return -1
	}
	return slices.IndexFunc(x.resources, matches(n.Resource))
}

// allows judges as IAM does: no without an Allow, no with a Deny.
func (r *role) allows(n Need) bool {
	if v, ok := r.judged.Load(n); ok {
		return v.(bool)
	}
	covers := func(x rule) bool { return x.covers(n) }
	ok := slices.ContainsFunc(r.allow, covers) && !slices.ContainsFunc(r.deny, covers)
	r.judged.Store(n, ok)
	return ok
}
