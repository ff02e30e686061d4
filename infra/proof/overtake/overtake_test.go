package overtake

import (
	"fmt"
	"strings"
	"testing"
	"text/tabwriter"
)

var rules = []rule{
	{"virtual waiting room", waitingRoom},
	{"list with a listener", listener},
	{"ours, strict", ours(0)},
	{"ours, bounded 3", ours(3)},
}

// evenings are as many schedules, the same for every rule.
const evenings = 20

// TestOvertakes: under the strict rule nobody is passed, under the bounded one by no
// more than it says, and both of the others pass people over and over.
func TestOvertakes(t *testing.T) {
	var text strings.Builder
	tw := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "rule\tserved\tseats\tovertaken\tpasses\tby walk-ups\tworst")
	for _, r := range rules {
		var sum result
		for seed := range uint64(evenings) {
			got := judge(r.run(t, draw(seed)))
			sum.served += got.served
			sum.seats += got.seats
			sum.overtaken += got.overtaken
			sum.passes += got.passes
			sum.jumped += got.jumped
			sum.worst = max(sum.worst, got.worst)
		}
		fmt.Fprintf(tw, "%s\t%d\t%d\t%d\t%d\t%d\t%d\n", r.name, sum.served, sum.seats, sum.overtaken, sum.passes, sum.jumped, sum.worst)
		switch r.name {
		case "ours, strict":
			if sum.passes != 0 || sum.served == 0 {
				t.Errorf("%s: %+v", r.name, sum)
			}
		case "ours, bounded 3":
			if sum.worst > 3 || sum.passes == 0 || sum.jumped > 0 {
				t.Errorf("%s: %+v", r.name, sum)
			}
		default:
			if sum.passes == 0 {
				t.Errorf("%s passes nobody: the model shows nothing", r.name)
			}
		}
	}
	tw.Flush()
	t.Logf("%d evenings of 400 people and 120 releases\n%s", evenings, text.String())
}
