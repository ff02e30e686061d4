// Package start measures how large the functions are and how long they take from
// fork until they first ask for work, which is the part of a cold start that a
// program is responsible for, against a function that says hello.
//
// Each start is a process of its own, with the environment that the template
// gives the function, against a runtime API that never has work. Start with [Run].
package start

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/fairseat/fairseat/infra/bench/report"
	"github.com/fairseat/fairseat/localstack/template"
)

// Options of a run.
type Options struct {
	Template string
	Binaries string // folder of the functions, hello and hello-tables, built alike
	Starts   int    // of each function
}

// goals of the project.
const (
	mostBytes = 1.3
	mostTime  = 1.6
)

const (
	hello  = "hello"
	tables = "hello-tables"
)

// Run measures every function of the template.
func Run(ctx context.Context, o Options) (*report.Report, error) {
	rep := report.New("start", "Size and start of the functions beside a hello-world function")
	programs, err := load(o)
	if err != nil {
		return nil, err
	}
	api, err := listen()
	if err != nil {
		return nil, err
	}
	defer api.close()
	times, err := measure(ctx, api, programs, o.Starts)
	if err != nil {
		return nil, err
	}
	for _, p := range programs {
		if p.name == hello {
			continue
		}
		bytes, start := mostBytes, mostTime
		if p.name == tables {
			bytes, start = 0, 0
		}
		rep.Ratio(report.Ratio{
			Name: p.name + ": bytes", Unit: "MB", Floor: "hello-world", Better: report.Lower, Goal: bytes,
			Ours: []float64{p.megabytes}, Theirs: []float64{programs[0].megabytes},
		})
		rep.Ratio(report.Ratio{
			Name: p.name + ": fork to ready", Unit: "ms", Floor: "hello-world", Better: report.Lower, Goal: start,
			Ours: times[p.name].ours, Theirs: times[p.name].hello,
		})
	}
	rep.Note("Ready is the first GET of the next invocation. The program lies in the page cache; Lambda's download and the microVM are not in it.")
	rep.Note("The SDK alone, hello-tables, initialises for 1 ms of its own: the schemas of all operations (0.7 ms, 0.6 MB on the heap) and the rules of its endpoints (0.3 ms); ours is 0.1 ms, the letters that a search sees through.")
	rep.Note("hello-tables is hello with the SDK's DynamoDB client and one call: what lies between hello and it is the SDK.")
	return rep, nil
}

// program is one binary with its environment.
type program struct {
	name, path string
	env        []string
	megabytes  float64
}

// secrets that functions need to start.
var facts = template.Facts{Secrets: map[string]string{"SessionSecret": secret, "TicketSecret": secret}}

const secret = "0123456789abcdef0123456789abcdef"

func load(o Options) ([]program, error) {
	stack, err := template.Load(o.Template, map[string]string{
		"DeveloperKey": "local-dev-key-0123456789", "PublicUrl": "http://127.0.0.1/v1", "SandboxUrl": "http://127.0.0.1", "SandboxSecret": secret,
	}, facts)
	if err != nil {
		return nil, err
	}
	all := []program{{name: hello}, {name: tables}}
	for _, f := range stack.Functions {
		p := program{name: filepath.Base(f.Code)}
		for _, k := range slices.Sorted(maps.Keys(f.Environment)) {
			p.env = append(p.env, k+"="+f.Environment[k])
			if k == "GOMAXPROCS" && all[0].env == nil { // what is no merit of a program is on both sides
				all[0].env, all[1].env = slices.Clone(p.env[len(p.env)-1:]), slices.Clone(p.env[len(p.env)-1:])
			}
		}
		all = append(all, p)
	}
	for i := range all {
		p := &all[i]
		if p.path, err = filepath.Abs(filepath.Join(o.Binaries, p.name)); err != nil {
			return nil, err
		}
		info, err := os.Stat(p.path)
		if err != nil {
			return nil, fmt.Errorf("start: %w: `make bench` builds it", err)
		}
		p.megabytes = float64(info.Size()) / 1e6
		p.env = append(p.env, "AWS_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local", "_HANDLER=bootstrap",
			"AWS_LAMBDA_FUNCTION_NAME="+p.name, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST")
	}
	return all, nil
}

// pairs are the starts of a function and of hello, by turns.
type pairs struct{ ours, hello []float64 }

// measure starts every function after a hello of its own, round by round, so that
// what disturbs the machine for a while falls on all.
func measure(ctx context.Context, api *runtimeAPI, programs []program, rounds int) (map[string]*pairs, error) {
	times := map[string]*pairs{}
	for _, p := range programs {
		times[p.name] = &pairs{}
		if _, err := api.start(ctx, p); err != nil { // into the page cache
			return nil, err
		}
	}
	for round := range rounds {
		for _, p := range programs[1:] {
			two := []program{programs[0], p}
			if round%2 == 1 {
				slices.Reverse(two)
			}
			for _, x := range two {
				ms, err := api.start(ctx, x)
				if err != nil {
					return nil, err
				}
				if x.name == hello {
					times[p.name].hello = append(times[p.name].hello, ms)
				} else {
					times[p.name].ours = append(times[p.name].ours, ms)
				}
			}
		}
	}
	return times, nil
}

// runtimeAPI is Lambda's, without work.
type runtimeAPI struct {
	server *http.Server
	addr   string
	asked  chan time.Time
}

func listen() (*runtimeAPI, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	a := &runtimeAPI{addr: l.Addr().String(), asked: make(chan time.Time, 1)}
	a.server = &http.Server{Handler: a, ReadHeaderTimeout: time.Minute}
	go func() { _ = a.server.Serve(l) }() // it ends by close
	return a, nil
}

func (a *runtimeAPI) close() { _ = a.server.Close() }

func (a *runtimeAPI) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	now := time.Now()
	if !strings.HasSuffix(r.URL.Path, "/invocation/next") {
		return
	}
	select {
	case a.asked <- now:
	default:
	}
	<-r.Context().Done()
}

// startLimit is far beyond any start.
const startLimit = 10 * time.Second

// start tells how many milliseconds a program took until it asked for work.
func (a *runtimeAPI) start(ctx context.Context, p program) (float64, error) {
	select {
	case <-a.asked:
	default:
	}
	var said strings.Builder
	cmd := exec.CommandContext(ctx, p.path)
	cmd.Env = append(slices.Clone(p.env), "AWS_LAMBDA_RUNTIME_API="+a.addr)
	cmd.Stderr, cmd.WaitDelay = &said, time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("start: %s: %w", p.name, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case at := <-a.asked:
		_ = cmd.Process.Kill()
		<-ended
		return float64(at.Sub(began)) / float64(time.Millisecond), nil
	case err := <-ended:
		return 0, fmt.Errorf("start: %s ended: %w: %s", p.name, err, &said)
	case <-time.After(startLimit):
		_ = cmd.Process.Kill()
		<-ended
		return 0, fmt.Errorf("start: %s did not ask for work in %v: %s", p.name, startLimit, &said)
	}
}
