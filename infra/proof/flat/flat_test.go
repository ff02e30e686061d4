package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const root = "../../.."

// TestMain is also our own program, where the runtime starts it in a function's place.
func TestMain(m *testing.M) {
	if os.Getenv(insideKind) != "" {
		serveInside()
		return
	}
	code := m.Run()
	if shared.world != nil {
		shared.world.cloud.Close()
	}
	os.Exit(code)
}

// shared is the world of all tests: none of them changes it.
var shared struct {
	sync.Once
	world *world
	err   error
}

// short is a plan that fits into the tests: it sees a leak at every call, not one
// at every hundredth.
func short(t *testing.T) (*world, plan) {
	t.Helper()
	where, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	shared.Do(func() {
		out, err := exec.Command("make", "-C", where, "build").CombinedOutput()
		if err != nil {
			shared.err = fmt.Errorf("make build: %w\n%s", err, out)
			return
		}
		shared.world, shared.err = newWorld(context.Background(), where)
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	p := plan{root: where, rounds: 12, seed: rand.Uint64(), kinds: kinds}
	t.Logf("seed %d", p.seed)
	return shared.world, p
}

// TestFlat: the deployed functions and their handlers, some thousand invocations.
func TestFlat(t *testing.T) {
	w, p := short(t)
	p.calm, p.failing, p.own, p.ownFail = 4320, 288, 1152, 432
	runs, err := run(t.Context(), w, p)
	if err != nil {
		t.Fatalf("seed %d: %v", p.seed, err)
	}
	vs := judge(runs)
	if len(vs) != len(kinds)*(2*4+2*6) {
		t.Errorf("%d verdicts of %d kinds", len(vs), len(kinds))
	}
	if growing(vs) > 0 {
		t.Errorf("seed %d:\n%s", p.seed, table(vs))
	}
	for _, r := range runs {
		own := strings.HasSuffix(r.name, "(own)")
		if most := r.peak(connections); !strings.HasPrefix(r.name, "AuthorizeKey") && most < 2 {
			t.Errorf("%s (own %v) had %v connections at the most: it spoke to no service", r.name, own, most)
		}
	}
}

func (s series) peak(m metric) float64 {
	most := 0.0
	for _, v := range s.values[m] {
		most = max(most, v)
	}
	return most
}

// TestLeaksAreSeen: what each planted leak leaves behind is seen where it is, in a
// function that speaks to DynamoDB and in one that speaks to SQS.
func TestLeaksAreSeen(t *testing.T) {
	w, p := short(t)
	p.kinds = []kind{kinds[1], kinds[4]}
	for _, tt := range []struct {
		leak     leak
		calls    int
		services string
		grows    []metric
	}{
		{leakGoroutine, 240, "answer", []metric{goroutines}},
		{leakGoroutine, 192, "fail", []metric{goroutines}},
		{leakBody, 240, "answer", []metric{descriptors, connections}},
		{leakBody, 192, "fail", []metric{descriptors, connections}},
		{leakMap, 1680, "answer", []metric{objects}},
	} {
		t.Run(string(tt.leak)+" where services "+tt.services, func(t *testing.T) {
			p := p
			p.leak, p.own = tt.leak, tt.calls
			if tt.services == "fail" {
				p.own, p.ownFail = 0, tt.calls
			}
			runs, err := run(t.Context(), w, p)
			if err != nil {
				t.Fatalf("seed %d: %v", p.seed, err)
			}
			seen := map[metric]int{}
			for _, v := range judge(runs) {
				if !v.flat() && v.low > 0 {
					seen[v.metric]++
				}
			}
			for _, m := range tt.grows {
				if seen[m] != len(p.kinds) {
					t.Errorf("seed %d: %s grow in %d of %d kinds:\n%s", p.seed, m, seen[m], len(p.kinds), table(judge(runs)))
				}
			}
		})
	}
}

// TestTheilSen: a line's slope is found among wild points, and noise has none.
func TestTheilSen(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	for _, slope := range []float64{0, 2, -0.5} {
		var xs, ys []float64
		for i := range 40 {
			x := float64(100 * i)
			y := 1000 + slope*x + 4*r.NormFloat64()
			if i%9 == 0 {
				y += 1e6 // a collection that has not come yet
			}
			xs, ys = append(xs, x), append(ys, y)
		}
		mid, low, high := theilSen(xs, ys)
		if low > slope || high < slope || high-low > 0.02 || mid < low || mid > high {
			t.Errorf("seed %d: slope %v is found as %v in [%v, %v]", seed, slope, mid, low, high)
		}
	}
	if mid, low, high := theilSen([]float64{1, 2, 3, 4, 5}, []float64{7, 7, 7, 7, 7}); mid != 0 || low != 0 || high != 0 {
		t.Errorf("of a constant: %v in [%v, %v]", mid, low, high)
	}
}

// TestVerdicts: growth, an interval that allows growth, and a process that ended
// are three words and none of them is flat.
func TestVerdicts(t *testing.T) {
	var at, still, grows, wild []float64
	for i := range 40 {
		at = append(at, float64(1000*(i+1)))
		still = append(still, 20+float64(i%2))
		grows = append(grows, 20+float64(i))
		wild = append(wild, 20+float64(i*7919%97))
	}
	for _, tt := range []struct {
		ys    []float64
		ended int
		want  string
	}{{still, 0, "flat"}, {grows, 0, "GROWS"}, {wild, 0, "NOT SHOWN"}, {still, 1, "ENDED 1 times"}} {
		vs := judge([]series{{name: "X", at: at, ended: tt.ended, values: map[metric][]float64{descriptors: tt.ys}}})
		if got := table(vs); len(vs) != 1 || vs[0].flat() != (tt.want == "flat") || !strings.Contains(got, " "+tt.want+"\n") {
			t.Errorf("want %q:\n%s", tt.want, got)
		}
	}
}

// TestPictureAndFlags: what is drawn is a picture, and what is not a flag is refused.
func TestPictureAndFlags(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flat.svg")
	var values []float64
	for range 5 {
		values = append(values, 1)
	}
	s := series{name: "X", services: "answer", at: []float64{1, 2, 3, 4, 5}, values: map[metric][]float64{memory: values}}
	if err := picture([]series{s}, path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(text), "<svg") || !strings.Contains(string(text), "resident KiB, services that answer") {
		t.Errorf("drawn: %.200s, %v", text, err)
	}
	if err := command(t.Context(), []string{"-nothing"}, os.Stderr); err == nil || errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
