package main

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
)

// row is an item of the line's table.
func row(pk, sk string, it store.Item) store.Write {
	k := store.Key{Table: store.Line, PK: pk, SK: sk}
	if it == nil {
		return store.Write{Key: k, Delete: true}
	}
	return store.Write{Key: k, Put: it}
}

func inState(id, state string, number int64, more store.Item) store.Write {
	it := store.Item{
		"show": "evening", "buyer": "buyer of " + id, "state": state, "party": int64(2), "types": store.Set{"loveseat"},
		"asked": noon.UnixMilli(), "exp": noon.Add(time.Hour).UnixMilli(),
	}
	if number > 0 {
		it["no"] = number
	}
	for k, v := range more {
		it[k] = v
	}
	return row("WAITER#"+id, "WAITER", it)
}

func placeOf(id, live string) store.Write {
	it := store.Item{"lapses": int64(0)}
	if live != "" {
		it["live"] = live
	}
	return row("PLACE#buyer of "+id, "SHOW#evening", it)
}

func entryOf(id string, number int64) store.Write {
	return row("LINE#evening", fmt.Sprintf("W#%013d", number), store.Item{"w": id})
}

func stateOf(next int64, bits byte) store.Write {
	return row("LINE#evening", "STATE", store.Item{"v": next, "next": next, "base": int64(0), "bits": []byte{bits}})
}

// pair are the loveseats, whose claims say LINE, for somebody or nobody.
func pair(who string) (ws []store.Write) {
	for _, s := range []string{"balcony-B-1", "balcony-B-2"} {
		it := store.Item{"type": "loveseat", "block": "1"}
		if who != "" {
			it["for"] = who
		}
		at, _ := hall.Seat(seatmap.SeatID(s))
		claim := store.Key{Table: store.Claims, PK: "SHOW#evening#" + hall.Block(at.Block).Name, SK: s}
		ws = append(ws, row("LINE#evening", "S#"+s, it), store.Write{Key: claim, Put: store.Item{"owner": "LINE"}})
	}
	return ws
}

func gates() (ws []store.Write) {
	for k := range 8 {
		ws = append(ws, row(fmt.Sprintf("GATE#evening#%d", k), "GATE", store.Item{"wanted": store.Set{"loveseat"}}))
	}
	return ws
}

// TestJudgeOfLines: it sees each invariant of a line broken when rows are spoilt by
// hand. One waits for both loveseats, which are set aside; another comes after him.
func TestJudgeOfLines(t *testing.T) {
	asked := []store.Write{inState("one", "asked", 0, nil), placeOf("one", "one")}
	number := slices.Concat([]store.Write{inState("one", "waiting", 1, nil), entryOf("one", 1), stateOf(2, 2)}, gates(), pair(""))
	but := func(ws []store.Write, leave int) []store.Write {
		return slices.Delete(slices.Clone(ws), leave, leave+1)
	}
	proposal := func(end time.Time, seats ...any) store.Item {
		return store.Item{"offer": seats, "choice": store.Set{"loveseat"}, "oexp": end.UnixMilli()}
	}
	soon := noon.Add(time.Minute)
	first, second := any("balcony-B-1|loveseat|1"), any("balcony-B-2|loveseat|1")
	both := proposal(soon, first, second)
	offer := append(pair("one"), inState("one", "offered", 1, both))
	ended := func(state string) []store.Write {
		return append(pair(""), inState("one", state, 1, both), placeOf("one", ""))
	}
	other := []store.Write{inState("two", "asked", 0, nil), placeOf("two", "two")}
	behind := []store.Write{inState("two", "waiting", 2, nil), entryOf("two", 2), stateOf(3, 6)}
	for _, tt := range []struct {
		name   string
		writes [][]store.Write
		want   string
	}{
		{"a place in line", [][]store.Write{asked, number, other, behind, offer}, ""},
		{"no entry", [][]store.Write{asked, but(number, 1)}, "WaiterNeverLost"},
		{"not among the places", [][]store.Write{asked, but(number, 2)}, "WaiterNeverLost"},
		{"no gate", [][]store.Write{asked, slices.Concat(number[:3], pair(""))}, "NoGap"},
		{"acknowledged before the seats are set aside", [][]store.Write{asked, number[:11]}, "NoGap"},
		{"two places of a buyer", [][]store.Write{asked, {placeOf("one", "another")}}, "OneEffect"},
		{"a number twice", [][]store.Write{asked, number, other, {inState("two", "waiting", 1, nil), entryOf("two", 1)}}, "FirstComeFirstServed"},
		{"the next number falls", [][]store.Write{asked, number, {stateOf(1, 2)}}, "FirstComeFirstServed"},
		{"the second before the first", [][]store.Write{asked, number, other, behind, append(pair("two"), inState("two", "offered", 2, both))}, "FirstComeFirstServed"},
		{"half a proposal", [][]store.Write{asked, number, {inState("one", "offered", 1, proposal(soon, first))}}, "AllOrNothing"},
		{"a proposal that is nobody's", [][]store.Write{asked, number, {inState("one", "offered", 1, both)}}, "AllOrNothing"},
		{"for somebody who was offered nothing", [][]store.Write{asked, number, pair("one")}, "NoLostSeat"},
		{"lapsed before its time", [][]store.Write{asked, number, offer, ended("lapsed")}, "HoldLifetime"},
		{"timed out before his time", [][]store.Write{asked, number, ended("timed_out")}, "WaiterNeverLost"},
		{"left by another", [][]store.Write{asked, number, ended("left")}, "WaiterNeverLost"},
		{"accepted without a hold", [][]store.Write{asked, number, offer, ended("accepted")}, "WaiterNeverLost"},
		{"infeasible while seats may come", [][]store.Write{asked, {inState("one", "infeasible", 0, nil), placeOf("one", "")}}, ""},
		{"gone from the table", [][]store.Write{asked, {row("WAITER#one", "WAITER", nil)}}, "WaiterNeverLost"},
		{"another party", [][]store.Write{asked, {inState("one", "asked", 0, store.Item{"party": int64(3)})}}, "OneEffect"},
	} {
		w := newWorld(replayed(choices{}), false)
		actor := &task{handler: "advance-line", clock: noon, fresh: true}
		wantJudged(t, w, actor, tt.name, tt.want, tt.writes)
	}
}

// TestInfeasibleBySale: what the table has accepted is sold, however late it lands.
func TestInfeasibleBySale(t *testing.T) {
	for state, could := range map[string]int64{"held": 4, "sold": 3} {
		w := newWorld(replayed(choices{}), false)
		one := &waiterRow{id: "one", show: "evening", state: "waiting", types: []string{"premium"}, party: 1}
		if n := w.judge.couldCome(one); n != 4 {
			t.Fatalf("of the whole hall %d could come", n)
		}
		seat := ""
		for i := range hall.Len() {
			if hall.At(i).Type == seatmap.Premium {
				seat = string(hall.At(i).ID)
			}
		}
		w.flying[&task{writes: []store.Write{
			{Key: claimKey(place{"evening", seat}), Put: store.Item{"owner": "h"}}, {Key: holdKey("h"), Put: store.Item{"state": state}},
		}}] = true
		if n := w.judge.couldCome(one); n != could {
			t.Errorf("%s: %d could come, want %d", state, n, could)
		}
	}
}

// TestLeftAlready: who has left, by what the table has accepted, waits no more.
func TestLeftAlready(t *testing.T) {
	for state, waits := range map[string]bool{"waiting": true, "left": false} {
		w := newWorld(replayed(choices{}), false)
		w.judge.waiters["one"] = &waiterRow{id: "one", show: "evening", state: "waiting", types: []string{"premium"}}
		w.flying[&task{writes: []store.Write{{Key: waiterKey("one"), Put: store.Item{"state": state}}}}] = true
		if w.judge.waitsFor("evening", "regular") != nil || (w.judge.waitsFor("evening", "premium") != nil) != waits {
			t.Errorf("%s: he waits: %v", state, !waits)
		}
	}
}

// TestHouseAndLine: the house has its seats from when the table accepted them, however
// late they land.
func TestHouseAndLine(t *testing.T) {
	for _, tt := range []struct {
		told, accepted time.Duration
		want           bool
	}{{time.Second, 2 * time.Second, true}, {2 * time.Second, time.Second, false}} {
		w := newWorld(replayed(choices{}), false)
		j := w.judge
		j.waiters["one"] = &waiterRow{id: "one", show: "evening", state: "waiting", types: []string{"loveseat"}}
		j.acked["one"] = noon.Add(tt.told)
		j.walkedUp(&holdRow{id: "hold", show: "evening", seats: []seatRow{{id: "balcony-B-1", typ: "loveseat"}}}, noon.Add(tt.accepted))
		if got := w.broken != nil && w.broken.invariant == "FirstComeFirstServed"; got != tt.want {
			t.Errorf("told after %v, accepted after %v: %v", tt.told, tt.accepted, w.broken)
		}
	}
}

// TestWalkUpAndLine: who was told that he waits is not passed by who comes later.
func TestWalkUpAndLine(t *testing.T) {
	for _, tt := range []struct {
		told, asked time.Duration
		want        bool
	}{{time.Second, 2 * time.Second, true}, {2 * time.Second, time.Second, false}} {
		w := newWorld(replayed(choices{}), false)
		j := w.judge
		j.waiters["one"] = &waiterRow{id: "one", show: "evening", state: "waiting", types: []string{"loveseat"}}
		j.acked["one"], j.sent["hold"] = noon.Add(tt.told), noon.Add(tt.asked)
		j.walkedUp(&holdRow{id: "hold", show: "evening", seats: []seatRow{{id: "balcony-B-1", typ: "loveseat"}}}, time.Time{})
		if got := w.broken != nil && w.broken.invariant == "FirstComeFirstServed"; got != tt.want {
			t.Errorf("told after %v, asked for after %v: %v", tt.told, tt.asked, w.broken)
		}
	}
}
