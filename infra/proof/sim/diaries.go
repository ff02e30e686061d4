package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/store"
)

// diaries are the rows of what buyers are shown of their orders, by buyer|sort key.
type diaries map[string]store.Item

func (j *judge) shelve(k store.Key, it store.Item) {
	row := strings.TrimPrefix(k.PK, "BUYER#") + "|" + k.SK
	if it == nil {
		delete(j.diaries, row)
	} else {
		j.diaries[row] = it
	}
}

// listsAreTrue: at rest each order is in its buyer's list as it is, once under the time
// when it was made, once under its state and, with tickets, once under its show's end;
// and in nobody else's. A guest's rows go after two days.
func (j *judge) listsAreTrue() {
	want := map[string]string{}
	for _, id := range sorted(j.orders) {
		o := j.orders[id]
		at := fmt.Sprintf("%013d#%s", o.made, id)
		said := fmt.Sprintf("%s %d %d", o.state, o.rev, o.total)
		keys := []string{"O#" + at, "S#" + o.state + "#" + at}
		if o.state == "PAID" {
			keys = append(keys, fmt.Sprintf("T#%013d#%s", shows[catalog.ShowID(o.show)].EndsAt.UnixMilli(), id))
		}
		old := strings.HasPrefix(o.buyer, "g_") && j.w.now.Sub(time.UnixMilli(o.made)) > 47*time.Hour
		for _, sk := range keys {
			row := o.buyer + "|" + sk
			it, ok := j.diaries[row]
			if is := fmt.Sprintf("%s %d %d", str(it, "state"), num(it, "rev"), num(it, "amount")); (ok || !old) && is != said {
				j.w.fail("ListAtRest", "order %s is %s; the list of %s says %q at %s", id, said, o.buyer, is, sk)
			}
			want[row] = said
		}
	}
	for _, row := range sorted(j.diaries) {
		if gone, _ := j.diaries[row]["gone"].(bool); want[row] == "" && !gone {
			j.w.fail("ListAtRest", "%s is in a list, and no order is so", row)
		}
	}
}
