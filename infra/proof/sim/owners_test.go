package main

import (
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/store"
)

// TestJudgeOwners: the judge sees each way in which a log-in may move things wrongly.
func TestJudgeOwners(t *testing.T) {
	guest, account, other := string(buyerOf(0)), string(buyerOf(buyers)), string(buyerOf(buyers+1))
	seat := string(hall.At(0).ID)
	claim := store.Write{Key: claimKey(place{"evening", seat}), Put: store.Item{"owner": "one"}}
	timer := store.Write{Key: store.Key{Table: store.Timers, PK: "EXP#evening#0", SK: "1#one"}, Put: store.Item{"kind": "hold"}}
	held := func(buyer, state string, rev int64) store.Write {
		return store.Write{Key: holdKey("one"), Put: store.Item{
			"show": "evening", "buyer": buyer, "state": state, "rev": rev, "exp": noon.Add(time.Minute).UnixMilli(), "seats": []any{seat + "|regular|0|1499"}, "cur": "USD",
		}}
	}
	limit := func(buyer string, n int64) store.Write {
		return store.Write{Key: store.Key{Table: store.Claims, PK: "CAP#" + buyer, SK: "SHOW#evening"}, Put: store.Item{"n": n}}
	}
	bind := func(to string) store.Write { return store.Write{Key: bindKey(guest), Put: store.Item{"to": to}} }
	waits := func(buyer, state string) store.Write {
		return store.Write{Key: waiterKey("w"), Put: store.Item{"show": "evening", "buyer": buyer, "state": state, "party": int64(1), "exp": noon.Add(time.Hour).UnixMilli()}}
	}
	lives := func(buyer, id string) store.Write {
		return store.Write{Key: store.Key{Table: store.Line, PK: "PLACE#" + buyer, SK: "SHOW#evening"}, Put: store.Item{"live": id}}
	}
	had := []store.Write{held(guest, "held", 1), claim, timer, limit(guest, 1)}
	asked := []store.Write{waits(guest, "asked"), lives(guest, "w")}
	for _, tt := range []struct {
		name   string
		writes [][]store.Write
		by     string
		want   string
	}{
		{"a hold that moves", [][]store.Write{had, {bind(account)}, {held(account, "held", 2), limit(guest, 0), limit(account, 1)}}, "adopt-guest", ""},
		{"an allowance that does not", [][]store.Write{had, {bind(account)}, {held(account, "held", 2)}}, "adopt-guest", "TenAtMost"},
		{"an allowance that is counted twice", [][]store.Write{had, {bind(account)}, {held(account, "held", 2), limit(account, 1)}}, "adopt-guest", "TenAtMost"},
		{"a hold of a guest who is nobody's", [][]store.Write{had, {held(account, "held", 2), limit(guest, 0), limit(account, 1)}}, "adopt-guest", "OwnerAlone"},
		{"a hold that moves to another", [][]store.Write{had, {bind(account)}, {held(other, "held", 2), limit(guest, 0), limit(other, 1)}}, "adopt-guest", "OwnerAlone"},
		{"a hold that nobody adopts", [][]store.Write{had, {bind(account)}, {held(account, "held", 2), limit(guest, 0), limit(account, 1)}}, "pay-hold", "OwnerAlone"},
		{"a guest of two accounts", [][]store.Write{{bind(account)}, {bind(other)}}, "adopt-guest", "OneEffect"},
		{"a place that moves", [][]store.Write{asked, {bind(account)}, {waits(account, "asked"), lives(guest, ""), lives(account, "w")}}, "adopt-guest", ""},
		{"a place that is left", [][]store.Write{asked, {bind(account)}, {waits(account, "asked")}}, "adopt-guest", "OneEffect"},
		{"a place that is doubled", [][]store.Write{asked, {bind(account)}, {waits(account, "asked"), lives(account, "w")}}, "adopt-guest", "OneEffect"},
		{"a place that moves and changes", [][]store.Write{asked, {bind(account)}, {waits(account, "left"), lives(guest, "")}}, "adopt-guest", "OwnerAlone"},
	} {
		w := newWorld(replayed(choices{}), false)
		w.judge.asked[guest+"|"+account], w.judge.asked[guest+"|"+other] = true, true
		wantJudged(t, w, &task{handler: tt.by, who: account, clock: noon, fresh: true}, tt.name, tt.want, tt.writes)
	}
}

// TestJudgeTold: nobody is shown what moved away, denied what is his, or told of less
// than what stayed.
func TestJudgeTold(t *testing.T) {
	guest, account := string(buyerOf(0)), string(buyerOf(buyers))
	for name, tt := range map[string]struct {
		say  func(j *judge)
		want string
	}{
		"shown to its owner":        {func(j *judge) { j.shown("one", buyers, noon.Add(3)) }, ""},
		"shown to who asked before": {func(j *judge) { j.shown("one", 0, noon.Add(1)) }, ""},
		"shown to who had it":       {func(j *judge) { j.shown("one", 0, noon.Add(3)) }, "OwnerAlone"},
		"shown to a stranger":       {func(j *judge) { j.shown("one", 1, noon.Add(1)) }, "OwnerAlone"},
		"denied to its owner":       {func(j *judge) { j.denied(&request{buyer: buyers, hold: "one"}, noon.Add(3)) }, "OwnerAlone"},
		"denied to who had it":      {func(j *judge) { j.denied(&request{buyer: 0, hold: "one"}, noon.Add(3)) }, ""},
		"all moved":                 {func(j *judge) { j.leftBehind(guest, noon.Add(3), nil, true) }, ""},
		"one left":                  {func(j *judge) { j.holds["one"].buyer = guest; j.leftBehind(guest, noon.Add(3), nil, false) }, "OneEffect"},
		"one kept": {func(j *judge) {
			j.holds["one"].buyer = guest
			j.leftBehind(guest, noon.Add(3), []keptShow{{"evening", "seat_limit_reached"}}, false)
		}, ""},
		"kept for nothing": {func(j *judge) { j.keptRightly(keptShow{"evening", "seat_limit_reached"}, guest, account, noon.Add(3)) }, "OneEffect"},
		"an order in no list": {func(j *judge) {
			j.orders["o"] = &orderRow{id: "o", show: "evening", buyer: account, state: "CANCELLED", made: noon.UnixMilli()}
			j.listsAreTrue()
		}, "ListAtRest"},
		"a row of no order": {func(j *judge) {
			j.shelve(store.Key{PK: "BUYER#" + account, SK: "S#PAID#1#o"}, store.Item{"state": "PAID"})
			j.listsAreTrue()
		}, "ListAtRest"},
	} {
		w := newWorld(replayed(choices{}), false)
		w.judge.holds["one"] = &holdRow{id: "one", show: "evening", buyer: account, first: guest, state: "held", made: noon}
		w.judge.since["one"], w.judge.from["one"] = noon.Add(2), guest
		tt.say(w.judge)
		got := ""
		if w.broken != nil {
			got = w.broken.invariant
		}
		if got != tt.want {
			t.Errorf("%s: judged %q (%v), want %q", name, got, w.broken, tt.want)
		}
	}
}
