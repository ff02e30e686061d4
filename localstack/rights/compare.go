package rights

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/fairseat/fairseat/localstack/template"
)

// Finding is one right that is not exact.
type Finding struct {
	Use
	Granted string // "yes", "no", or why the grant itself is wrong
	Times   int    // it was used
}

// Compare finds what the roles of a stack allow and nobody used, what was used and
// is not allowed, and wildcards. Of a run that does not go everywhere, as when
// tests are chosen, only the latter two say anything: whole tells.
func Compare(s *template.Stack, u Uses, whole bool) []Finding {
	var out []Finding
	for use, times := range u.Denied {
		out = append(out, Finding{use, "no", times})
	}
	for _, fn := range s.Functions {
		for _, st := range fn.Statements {
			out = append(out, unused(s, fn, st, u, whole)...)
		}
	}
	slices.SortFunc(out, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Function, b.Function), cmp.Compare(a.Action, b.Action), cmp.Compare(a.Resource, b.Resource))
	})
	return slices.Compact(out)
}

func unused(s *template.Stack, fn template.Function, st template.Statement, u Uses, whole bool) []Finding {
	var out []Finding
	for _, a := range st.Actions {
		for _, r := range st.Resources {
			f := Finding{Use{fn.ID, Need{a, r}}, "yes", 0}
			f.Times = u.Used[f.Use]
			switch {
			case st.Effect != "Allow":
				f.Granted = "by " + st.Effect + ", which no use can prove"
			case wild(a) || wild(r) && r != fn.LogGroup && !connections(s, r) && !inBucket(s, r): // these ARNs end so
				f.Granted = "by a wildcard"
			case !whole || f.Times > 0:
				continue
			}
			out = append(out, f)
		}
	}
	return out
}

func wild(s string) bool { return strings.ContainsAny(s, "*?") }

// Table shows findings to people.
func Table(fs []Finding) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "function\taction\tresource\tgranted\tused")
	for _, f := range fs {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\n", f.Function, f.Action, f.Resource, f.Granted, f.Times)
	}
	w.Flush()
	return b.String()
}
