package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/fairseat/fairseat/localstack/runtime"
	"github.com/fairseat/fairseat/localstack/template"
)

// series are the samples of one function in one run.
type series struct {
	name        string // logical id, and whether it is our own program
	services    string // "answer" or "fail"
	at          []float64
	values      map[metric][]float64
	invocations int
	ended       int // processes that ended on their way
}

// subject is a function in its pool.
type subject struct {
	series
	kind   kind
	next   func() []byte
	pool   *runtime.Pool
	folder string // of its program
	inside bool
	most   int // processes
}

// processes of a deployed program: two, so that what one does for the other shows.
// Our own is one: the question must reach the process that was asked before.
const processes = 2

// run goes through the stages of a plan in one world.
func run(ctx context.Context, w *world, p plan) ([]series, error) {
	s := newService(w.variable("AWS_ENDPOINT_URL_DYNAMODB"), p.seed)
	defer s.Close()
	own, err := os.MkdirTemp("", "flat-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(own)
	var all []series
	for _, stage := range []struct {
		calls   int
		failing bool
		inside  bool
	}{{p.calm, false, false}, {p.failing, true, false}, {p.own, false, true}, {p.ownFail, true, true}} {
		if stage.calls == 0 {
			continue
		}
		folder := ""
		if stage.inside {
			folder = own
		}
		subjects, err := newSubjects(w, s, p, folder, stage.failing)
		if err == nil {
			err = drive(ctx, s, subjects, stage.failing, stage.calls, p.rounds)
		}
		for _, x := range subjects {
			x.pool.Close()
			all = append(all, x.series)
		}
		if err != nil {
			return all, err
		}
	}
	return all, checkFailures(s, p)
}

// checkFailures: what did not fail was not shown.
func checkFailures(s *service, p plan) error {
	if p.failing == 0 && p.ownFail == 0 {
		return nil
	}
	for i := range ways {
		if s.failures[i].Load() == 0 {
			return fmt.Errorf("no service failed by %q", ways[i].name)
		}
	}
	return nil
}

// newSubjects makes a pool for each kind; own is a folder for our own program, or
// empty for the deployed ones.
func newSubjects(w *world, s *service, p plan, own string, failing bool) ([]*subject, error) {
	var all []*subject
	for _, k := range p.kinds {
		fn, err := functionOf(w, k.function)
		if err != nil {
			return all, err
		}
		x := &subject{series: series{name: k.function, values: map[metric][]float64{}}, kind: k, inside: own != "", most: processes}
		env := environment(w, s)
		if x.inside {
			x.name, x.most = k.function+" (own)", 1
			env = append(env, insideKind+"="+k.function, insideLeak+"="+string(p.leak))
			if failing {
				env = append(env, insideFail+"=1")
			}
			if fn.Code, err = copyOf(own, k.folder); err != nil {
				return all, err
			}
		}
		x.folder = fn.Code
		if x.next, err = k.payloads(w, p.root); err != nil {
			return all, err
		}
		x.pool = runtime.NewPool(fn, env, runtime.Options{Concurrency: x.most})
		all = append(all, x)
	}
	return all, nil
}

func functionOf(w *world, id string) (template.Function, error) {
	for _, fn := range w.cloud.Stack.Functions {
		if fn.ID == id {
			return fn, nil
		}
	}
	return template.Function{}, fmt.Errorf("the template has no function %s", id)
}

// environment leads a function to our services.
func environment(w *world, s *service) []string {
	var env []string
	for _, kv := range w.cloud.Env {
		switch name, _, _ := strings.Cut(kv, "="); {
		case strings.HasPrefix(name, "AWS_ENDPOINT_URL"):
			env = append(env, name+"="+s.URL)
		case strings.HasPrefix(name, "AWS_"):
			env = append(env, kv)
		}
	}
	return env
}

// copyOf is our own program in a folder of its own, as a function's.
func copyOf(own, name string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(own, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	err = os.Symlink(self, filepath.Join(dir, "bootstrap"))
	if errors.Is(err, os.ErrExist) {
		err = nil
	}
	return dir, err
}

// drive invokes in rounds, all kinds side by side, and samples between them, when
// nothing is under way.
func drive(ctx context.Context, s *service, all []*subject, failing bool, calls, rounds int) error {
	s.failing.Store(failing)
	defer s.failing.Store(false)
	each := max(calls/len(all)/rounds, 1)
	for range rounds {
		g, gctx := errgroup.WithContext(ctx)
		for _, x := range all {
			x.services = map[bool]string{true: "fail", false: "answer"}[failing]
			share := each / x.most
			for range x.most {
				g.Go(func() error { return x.calls(gctx, share) })
			}
			x.invocations += share * x.most
		}
		if err := g.Wait(); err != nil {
			return err
		}
		if err := sample(ctx, all); err != nil {
			return err
		}
	}
	return nil
}

func (x *subject) calls(ctx context.Context, n int) error {
	for range n {
		r, err := x.pool.Invoke(ctx, x.next())
		if err != nil {
			return err
		}
		refused := r.Err != nil || x.kind.refused(r.Payload)
		if refused && x.services == "answer" {
			return fmt.Errorf("%s answers %s: %v", x.name, r.Payload, r.Err)
		}
	}
	return nil
}

func sample(ctx context.Context, all []*subject) error {
	pids, err := children()
	if err != nil {
		return err
	}
	established, err := establishedSockets()
	if err != nil {
		return err
	}
	for _, x := range all {
		if len(pids[x.folder]) == 0 {
			return fmt.Errorf("%s has no process", x.name)
		}
		var sum outside
		for _, pid := range pids[x.folder] {
			o, err := look(pid, established)
			if err != nil {
				return fmt.Errorf("%s: %w", x.name, err)
			}
			sum.residentKiB += o.residentKiB
			sum.threads += o.threads
			sum.descriptors += o.descriptors
			sum.connections += o.connections
		}
		x.at = append(x.at, float64(x.invocations))
		x.ended = int(x.pool.Stats().ColdStarts) - len(pids[x.folder])
		add := func(m metric, v float64) { x.values[m] = append(x.values[m], v) }
		add(memory, sum.residentKiB)
		add(threads, sum.threads)
		add(descriptors, sum.descriptors)
		add(connections, sum.connections)
		if !x.inside {
			continue
		}
		r, err := x.pool.Invoke(ctx, []byte(question))
		if err != nil {
			return err
		}
		var t there
		if err := json.Unmarshal(r.Payload, &t); err != nil || t.Goroutines == 0 {
			return fmt.Errorf("%s says %s: %w", x.name, r.Payload, err)
		}
		add(goroutines, t.Goroutines-2*sum.connections)
		add(objects, t.Objects)
	}
	return nil
}
