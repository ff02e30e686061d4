package main

import (
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/store"
)

// asPart makes this test binary run seeds like the command's own parts.
const asPart = "SIM_TEST_PART"

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	if os.Getenv(asPart) != "" {
		if err := json.NewEncoder(os.Stdout).Encode(hashes()); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestSameSeedSameTrace: twice in this process and in another one, whose maps and
// goroutines fall out otherwise.
func TestSameSeedSameTrace(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), asPart+"=1", "GOMAXPROCS=2")
	out, err := cmd.Output()
	var other []uint64
	if err == nil {
		err = json.Unmarshal(out, &other)
	}
	if err != nil {
		t.Fatal(err)
	}
	here := hashes()
	if !slices.Equal(here, other) {
		t.Errorf("traces %x here and %x in another process", here, other)
	}
	slices.Sort(here)
	if n := len(slices.Compact(here)); n != 25 {
		t.Errorf("%d traces of 25 seeds: the hash tells nothing", n)
	}
}

func hashes() []uint64 {
	var all []uint64
	for seed := range uint64(25) {
		w := newWorld(seeded(seed+1), false)
		w.play()
		all = append(all, w.sum)
	}
	return all
}

// TestReplay: the choices that a run took make the same run again.
func TestReplay(t *testing.T) {
	for seed := uint64(1); seed <= 20; seed++ {
		w := newWorld(seeded(seed), false)
		w.play()
		again := newWorld(replayed(w.tape.taken), true)
		again.play()
		if again.sum != w.sum || again.steps != w.steps {
			t.Errorf("seed %d: trace %x in %d steps, by its choices %x in %d", seed, w.sum, w.steps, again.sum, again.steps)
		}
	}
}

// TestTellingChangesNothing: a story is the run that it tells of.
func TestTellingChangesNothing(t *testing.T) {
	w, told := newWorld(seeded(7), false), newWorld(seeded(7), true)
	w.play()
	told.play()
	if w.sum != told.sum || len(told.story) == 0 {
		t.Errorf("trace %x untold, %x told in %d lines", w.sum, told.sum, len(told.story))
	}
}

// TestJudge: the judge sees each invariant broken when the tables are spoilt by hand.
func TestJudge(t *testing.T) {
	seat := string(hall.At(0).ID)
	claim := store.Key{Table: store.Claims, PK: "SHOW#evening#" + hall.Block(0).Name, SK: seat}
	held := func(id, state string, exp time.Time) store.Write {
		return store.Write{Key: holdKey(id), Put: store.Item{
			"show": "evening", "buyer": "b", "state": state, "rev": int64(1), "exp": exp.UnixMilli(), "seats": []any{seat + "|regular|0|1499"}, "cur": "USD",
		}}
	}
	owned := func(id string) store.Write { return store.Write{Key: claim, Put: store.Item{"owner": id}} }
	limit := func(n int64) store.Write {
		return store.Write{Key: store.Key{Table: store.Claims, PK: "CAP#b", SK: "SHOW#evening"}, Put: store.Item{"n": n}}
	}
	timer := store.Write{Key: store.Key{Table: store.Timers, PK: "EXP#evening#0", SK: "1#one"}, Put: store.Item{"kind": "hold"}}
	end := noon.Add(time.Minute)
	whole := []store.Write{held("one", "held", end), owned("one"), limit(1), timer}
	again := func(state string, rev int64) store.Write {
		w := held("one", state, end)
		w.Put["rev"] = rev
		return w
	}
	gone := []store.Write{{Key: claim, Delete: true}, limit(0), {Key: timer.Key, Delete: true}}
	for _, tt := range []struct {
		name   string
		writes [][]store.Write
		want   string
	}{
		{"a whole hold", [][]store.Write{whole}, ""},
		{"a hold without its claim", [][]store.Write{{held("one", "held", end), limit(1), timer}}, "AllOrNothing"},
		{"a claim of nobody's", [][]store.Write{{owned("nobody")}}, "NoLostSeat"},
		{"set aside without a pool item", [][]store.Write{{owned("LINE")}}, "NoLostSeat"},
		{"two holds of a seat", [][]store.Write{whole, {held("two", "held", end)}}, "NoDoubleSell"},
		{"an allowance that forgets", [][]store.Write{{held("one", "held", end), owned("one"), limit(0), timer}}, "TenAtMost"},
		{"no deadline", [][]store.Write{{held("one", "held", end), owned("one"), limit(1)}}, "HoldLifetime"},
		{"ended too early", [][]store.Write{whole, append(slices.Clone(gone), again("expired", 2))}, "HoldLifetime"},
		{"given back by nobody", [][]store.Write{whole, append([]store.Write{again("released", 2)}, gone...)}, "HoldLifetime"},
		{"sold without an order", [][]store.Write{whole, {again("sold", 2), {Key: timer.Key, Delete: true}}}, "MoneyIsTickets"},
		{"a revision left out", [][]store.Write{whole, {again("held", 3)}}, "OneEffect"},
		{"freed under a gate", [][]store.Write{
			whole, {{Key: store.Key{Table: store.Line, PK: "GATE#evening#3", SK: "GATE"}, Put: store.Item{"wanted": store.Set{"regular"}}}},
			append(slices.Clone(gone), again("released", 2)),
		}, "NoGap"},
	} {
		w := newWorld(replayed(choices{}), false)
		actor := &task{handler: "reserve-seats", clock: noon, fresh: true}
		wantJudged(t, w, actor, tt.name, tt.want, tt.writes)
	}
}

// TestShrink: what is left breaks the same, and only what it takes is left.
func TestShrink(t *testing.T) {
	c := choices{0: {5, 9, 1}, 1: {4, 4, 4}, 2: {7, 0, 3}, 3: {1}}
	breaks := func(d choices) bool { return len(d[2]) > 2 && d[2][2] == 3 }
	c = fewerActs(c, breaks)
	for _, k := range sorted(c) {
		c = calmer(c, k, breaks)
	}
	if len(c[0]) != 0 || len(c) != 2 || !slices.Equal(c[2], []uint16{0, 0, 3}) {
		t.Errorf("left %v", c)
	}
}

// TestGaps: an empty cell shows, and so does one that was declared impossible.
func TestGaps(t *testing.T) {
	tally := map[cell]int{}
	for _, c := range aims {
		tally[c] = 1
	}
	if g := gaps(tally); len(g) != 0 {
		t.Errorf("a full table lacks %v", g)
	}
	tally[aims[0]] = 0
	tally[cell{"read-hold", "Confirm", none}] = 1
	tally[cell{"read-hold", "HoldByID", conflict}] = 1
	g := strings.Join(gaps(tally), "\n")
	for _, want := range []string{"never exercised", "read-hold makes the call Confirm", "read-hold, HoldByID, conflict: declared impossible (a plain read"} {
		if !strings.Contains(g, want) {
			t.Errorf("no %q in %s", want, g)
		}
	}
}

// TestSeedsHold: some seeds, under the race detector too.
func TestSeedsHold(t *testing.T) {
	for seed := uint64(1); seed <= 25; seed++ {
		w := newWorld(seeded(seed), false)
		if v := w.play(); v != nil {
			t.Errorf("seed %d: %v", seed, v)
		}
		w.print(io.Discard)
	}
}

// wantJudged lets somebody write one transaction after another, and wants the
// invariant that the judge then says is broken; "" none.
func wantJudged(t *testing.T, w *world, by *task, name, want string, transactions [][]store.Write) {
	t.Helper()
	for _, writes := range transactions {
		if err := w.db.Transact(t.Context(), writes, ""); err != nil {
			t.Fatal(err)
		}
		var keys []store.Key
		for _, x := range writes {
			keys = append(keys, x.Key)
		}
		w.judge.step(by, keys)
	}
	got := ""
	if w.broken != nil {
		got = w.broken.invariant
	}
	if got != want {
		t.Errorf("%s: judged %q (%v), want %q", name, got, w.broken, want)
	}
}
