package seatmap

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The naive twins know only coordinates and definitions, and try every subset
// of a small hall.

// smallHall draws one or two sections of up to three rows. No more than 16
// places, so that all subsets of four can be tried.
func smallHall(t *rapid.T) *Layout {
	width := rapid.IntRange(3, 7).Draw(t, "width")
	places := 0
	var sections [][]string
	for range rapid.IntRange(1, 2).Draw(t, "sections") {
		var rows []string
		for range rapid.IntRange(1, 3).Draw(t, "rows") {
			row := smallRow(t, width)
			if n := len(row) - strings.Count(row, "_"); places+n <= 16 {
				rows = append(rows, row)
				places += n
			}
		}
		if len(rows) > 0 {
			sections = append(sections, rows)
		}
	}
	return drawn(t, sections...)
}

func smallRow(t *rapid.T, width int) string {
	pieces := []string{"R", "R", "RR", "RRR", "P", "LL", "LL", "WC", "CW", "CWC", "W", "_", "_"}
	row := ""
	for len(row) < width {
		piece := rapid.SampledFrom(pieces).Draw(t, "piece")
		if len(row)+len(piece) > width {
			piece = "R"
		}
		row += piece
	}
	if strings.Trim(row, "_") == "" {
		row = "R" + row[1:]
	}
	return row
}

// subsets calls f with every choice of n of the seats.
func subsets(seats []int, n int, f func([]int)) {
	var pick func(from int, have []int)
	pick = func(from int, have []int) {
		if len(have) == n {
			f(have)
			return
		}
		for k := from; k < len(seats); k++ {
			pick(k+1, append(have, seats[k]))
		}
	}
	pick(0, make([]int, 0, n))
}

type twin struct {
	l    *Layout
	free func(int) bool
	want Want
}

// general lists what may be given: free, of the wanted type, sold to everybody.
func (w twin) general() []int {
	var seats []int
	for i := range w.l.Len() {
		t := w.l.At(i).Type
		if w.free(i) && t != Wheelchair && t != Companion && (w.want.Type == "" || w.want.Type == t) {
			seats = append(seats, i)
		}
	}
	return seats
}

func (w twin) pairsWhole(seats []int) bool {
	for _, i := range seats {
		if p := w.l.At(i).Partner; p >= 0 && !slices.Contains(seats, p) {
			return false
		}
	}
	return true
}

func (w twin) sameRow(seats []int) bool {
	a := w.l.At(seats[0])
	for _, i := range seats {
		if b := w.l.At(i); b.Section != a.Section || b.Row != a.Row {
			return false
		}
	}
	return true
}

func (w twin) together(seats []int) bool {
	for k := 1; k < len(seats); k++ {
		if w.l.At(seats[k]).X-w.l.At(seats[k-1]).X != 1 {
			return false
		}
	}
	return w.sameRow(seats)
}

func (w twin) merit(seats []int) int {
	sum := 0
	for _, i := range seats {
		sum += int(w.l.merit[i])
	}
	return sum
}

// behind is the third step: how far out of line, in half columns.
func (w twin) behind(seats []int) (askew int, ok bool) {
	for k := 1; k < len(seats); k++ {
		a, b := seats[:k], seats[k:]
		if !w.together(a) || !w.together(b) || len(seats) >= 4 && min(len(a), len(b)) < 2 {
			continue
		}
		front, back := w.l.At(a[0]), w.l.At(b[0])
		if front.Section != back.Section || back.Y-front.Y != 1 {
			continue
		}
		al, ar := front.X, w.l.At(a[len(a)-1]).X
		bl, br := back.X, w.l.At(b[len(b)-1]).X
		if al <= br && bl <= ar {
			d := int(al + ar - bl - br)
			return max(d, -d), true
		}
	}
	return 0, false
}

// step is the first of the published steps that a choice belongs to, and its
// score there; clusters are not scored.
func (w twin) step(seats []int) (step, score int) {
	merit := w.merit(seats)
	if w.together(seats) {
		return 1, merit
	}
	if w.sameRow(seats) && seats[len(seats)-1]-seats[0] == len(seats)-1 {
		return 2, merit
	}
	if askew, ok := w.behind(seats); ok {
		return 3, merit + 100*askew
	}
	return 4, 0
}

type verdict struct {
	step, least int
	tidy        bool // some nearly equal choice strands nothing
}

// judge looks at every choice there is.
func (w twin) judge() verdict {
	spread := w.want.Spread
	if spread == 0 {
		spread = DefaultSpread
	}
	var v verdict
	each := func(f func(seats []int, step, score int)) {
		subsets(w.general(), w.want.Count, func(seats []int) {
			if w.pairsWhole(seats) {
				step, score := w.step(seats)
				f(seats, step, score)
			}
		})
	}
	each(func(_ []int, step, score int) {
		if v.step == 0 || step < v.step || step == v.step && score < v.least {
			v.step, v.least = step, score
		}
	})
	each(func(seats []int, step, score int) {
		if step == v.step && score <= v.least+100*spread*w.want.Count && len(naiveStranded(w.l, w.free, seats)) == 0 {
			v.tidy = true
		}
	})
	return v
}

// naiveStranded compares who is alone before and after, seat by seat.
func naiveStranded(l *Layout, free func(int) bool, chosen []int) []int {
	alone := func(i int, open func(int) bool) bool {
		a := l.At(i)
		for j := range l.Len() {
			b := l.At(j)
			if a.Section == b.Section && a.Row == b.Row && (b.X-a.X == 1 || a.X-b.X == 1) && open(j) {
				return false
			}
		}
		return true
	}
	before := func(i int) bool {
		t := l.At(i).Type
		return free(i) && (t == Regular || t == Premium)
	}
	after := func(i int) bool { return before(i) && !slices.Contains(chosen, i) }
	var out []int
	for i := range l.Len() {
		if after(i) && alone(i, after) && !alone(i, before) {
			out = append(out, i)
		}
	}
	return out
}

// often checks more halls than rapid's hundred: the rare steps must come.
func often(t *testing.T, check func(*rapid.T)) {
	t.Helper()
	for range 20 {
		if rapid.Check(t, check); t.Failed() {
			return
		}
	}
}

func drawFree(t *rapid.T, l *Layout) func(int) bool {
	taken := rapid.SliceOfN(rapid.IntRange(0, 3), l.Len(), l.Len()).Draw(t, "taken")
	return func(i int) bool { return taken[i] > 0 }
}

func TestBestAgainstEverySubset(t *testing.T) {
	steps := make(map[int]int)
	often(t, func(t *rapid.T) {
		l := smallHall(t)
		w := twin{l: l, free: drawFree(t, l), want: Want{
			Count:  rapid.IntRange(1, 4).Draw(t, "count"),
			Type:   rapid.SampledFrom([]SeatType{"", "", Regular, Premium, Loveseat}).Draw(t, "type"),
			Start:  rapid.SampledFrom([]uint64{0, 0, 1, 2, 77}).Draw(t, "start"),
			Spread: rapid.IntRange(0, 2).Draw(t, "spread"),
		}}
		v := w.judge()
		got, ok := Best(l, w.free, w.want)
		steps[v.step]++
		if ok != (v.step > 0) {
			t.Fatalf("found %v %v, the twin step %d\n%s", got, ok, v.step, Draw(l, Packed{}, nil))
		}
		if !ok {
			return
		}
		w.check(t, got, v)
	})
	for step := range 5 {
		if steps[step] == 0 {
			t.Errorf("step %d never came", step)
		}
	}
}

func (w twin) check(t *rapid.T, got []int, v verdict) {
	picture := Draw(w.l, Packed{}, got)
	if len(got) != w.want.Count || !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != len(got) || !w.pairsWhole(got) {
		t.Fatalf("%v for %d seats\n%s", got, w.want.Count, picture)
	}
	general := w.general()
	for _, i := range got {
		if !slices.Contains(general, i) {
			t.Fatalf("seat %s cannot be given\n%s", w.l.At(i).ID, picture)
		}
	}
	step, score := w.step(got)
	if step != v.step {
		t.Fatalf("step %d, but %d was possible\n%s", step, v.step, picture)
	}
	if step == 4 {
		return
	}
	spread := max(w.want.Spread, 0)
	if spread == 0 {
		spread = DefaultSpread
	}
	if score > v.least+100*spread*w.want.Count {
		t.Fatalf("score %d, least %d\n%s", score, v.least, picture)
	}
	tidy := len(naiveStranded(w.l, w.free, got)) == 0
	if tidy != v.tidy {
		t.Fatalf("strands nothing: %v, possible: %v\n%s", tidy, v.tidy, picture)
	}
	if w.want.Start == 0 && !v.tidy && score != v.least {
		t.Fatalf("start 0: score %d, least %d\n%s", score, v.least, picture)
	}
	again, _ := Best(w.l, w.free, w.want)
	if !slices.Equal(got, again) {
		t.Fatalf("the same question, another answer: %v, %v", got, again)
	}
}

func TestWheelchairAgainstEverySubset(t *testing.T) {
	found := 0
	often(t, func(t *rapid.T) {
		l := smallHall(t)
		free := drawFree(t, l)
		n := rapid.IntRange(1, 4).Draw(t, "count")
		var places []int
		for i := range l.Len() {
			if kind := l.At(i).Type; free(i) && (kind == Wheelchair || kind == Companion) {
				places = append(places, i)
			}
		}
		possible := false
		subsets(places, n, func(seats []int) { possible = possible || escortedWhole(l, seats) })
		got, ok := Best(l, free, Want{Count: n, Type: Wheelchair, Start: rapid.Uint64().Draw(t, "start")})
		if ok != possible {
			t.Fatalf("%d places: %v %v, possible %v\n%s", n, got, ok, possible, Draw(l, Packed{}, nil))
		}
		if !ok {
			return
		}
		found++
		for _, i := range got {
			if !slices.Contains(places, i) {
				t.Fatalf("seat %s cannot be given", l.At(i).ID)
			}
		}
		if len(got) != n || !slices.IsSorted(got) || !escortedWhole(l, got) {
			t.Fatalf("%d places: %v\n%s", n, l.IDs(got), Draw(l, Packed{}, got))
		}
	})
	if found == 0 {
		t.Error("no wheelchair place was ever found")
	}
}

// escortedWhole reports half of the seats, rounded down, to be companion places
// that each have a wheelchair place of the choice to themselves.
func escortedWhole(l *Layout, seats []int) bool {
	var w, c []int
	for _, i := range seats {
		if l.At(i).Type == Wheelchair {
			w = append(w, i)
		} else {
			c = append(c, i)
		}
	}
	return len(c) == len(seats)/2 && matched(l, c, w)
}

func matched(l *Layout, c, w []int) bool {
	if len(c) == 0 {
		return true
	}
	a := l.At(c[0])
	for k, i := range w {
		b := l.At(i)
		if a.Section == b.Section && a.Row == b.Row && (a.X-b.X == 1 || b.X-a.X == 1) &&
			matched(l, c[1:], slices.Delete(slices.Clone(w), k, k+1)) {
			return true
		}
	}
	return false
}

func TestStrandedAgainstDefinition(t *testing.T) {
	stranding := 0
	often(t, func(t *rapid.T) {
		l := smallHall(t)
		free := drawFree(t, l)
		chosen := rapid.SliceOfDistinct(rapid.IntRange(0, l.Len()-1), rapid.ID[int]).Draw(t, "chosen")
		chosen = slices.DeleteFunc(chosen, func(i int) bool { return !free(i) })
		given := slices.Clone(chosen)
		got, want := Stranded(l, free, chosen), naiveStranded(l, free, chosen)
		if !slices.Equal(got, want) {
			t.Fatalf("stranded %v, want %v\n%s", l.IDs(got), l.IDs(want), Draw(l, Packed{}, chosen))
		}
		if !slices.Equal(given, chosen) {
			t.Fatal("the caller's choice was put in another order")
		}
		stranding += len(got)
		checkGivesWay(t, l, free, chosen)
	})
	if stranding == 0 {
		t.Error("nothing was ever stranded")
	}
}

// checkGivesWay tries every other choice of the same size.
func checkGivesWay(t *rapid.T, l *Layout, free func(int) bool, chosen []int) {
	var occurs []SeatType
	size := 0
	for _, i := range chosen {
		if kind := l.At(i).Type; kind.single() {
			occurs = append(occurs, kind)
			size++
		}
	}
	if size == 0 || size > 4 {
		return
	}
	var pool []int
	for i := range l.Len() {
		if free(i) && slices.Contains(occurs, l.At(i).Type) {
			pool = append(pool, i)
		}
	}
	w := twin{l: l, free: free}
	better := false
	subsets(pool, size, func(seats []int) {
		if step, _ := w.step(seats); step <= 2 && len(naiveStranded(l, free, seats)) == 0 {
			better = true
		}
	})
	stranded := naiveStranded(l, free, chosen)
	if !better {
		stranded = nil
	}
	if got := SingleGap(l, free, chosen); !slices.Equal(got, l.IDs(stranded)) {
		t.Fatalf("single gap %v, want %v\n%s", got, l.IDs(stranded), Draw(l, Packed{}, chosen))
	}
}
