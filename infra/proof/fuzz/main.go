// Fuzz has schemathesis try our OpenAPI document on the running stack: what the
// document allows, what it forbids, and one call with what another answered. It exits
// with 1 when an answer is a 5xx, has a status, header or member that the document
// does not know, or when a function panicked.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/fairseat/fairseat/infra/proof/stage"
	"github.com/fairseat/fairseat/localstack/apiclient"
	"github.com/fairseat/fairseat/pkg/booking"
)

func main() {
	if err := command(os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "fuzz:", err)
		os.Exit(1)
	}
}

// policy has holds that end while the fuzzer runs.
var policy = booking.Policy{Hold: 20 * time.Second, Grace: time.Second, MaxSeats: 10}

func command(args []string) error {
	f := flag.NewFlagSet("fuzz", flag.ContinueOnError)
	root := f.String("root", ".", "`folder` of the project, built")
	requests := f.Int("requests", 50_000, "at least so many `requests`")
	seed := f.Uint64("seed", 0, "of what is asked; 0 chooses one")
	if err := f.Parse(args); err != nil {
		return err
	}
	if *seed == 0 {
		*seed = rand.Uint64() >> 33
	}
	abs, err := filepath.Abs(*root)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	start, started := context.WithTimeout(ctx, stage.StartLimit)
	defer started()
	logs := &journal{}
	s, err := stage.Start(start, stage.Config{Root: abs, Policy: policy, Letters: true, Line: stage.Line{Offer: 10 * time.Second, Wait: time.Minute, CoolDown: 5 * time.Second}, Log: logs})
	if err != nil {
		return err
	}
	defer s.Close()
	scratch, err := os.MkdirTemp(filepath.Join(abs, ".build"), "fuzz-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	w, err := meet(start, s, abs, *seed)
	if err != nil {
		return err
	}
	go w.stir(ctx)
	return run{root: abs, scratch: scratch, world: w, requests: *requests, logs: logs}.all(ctx)
}

// journal keeps what the stack says of panics.
type journal struct {
	mu     sync.Mutex
	panics []string
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for line := range bytes.Lines(p) {
		if bytes.Contains(line, []byte("panic")) {
			j.panics = append(j.panics, string(line))
		}
	}
	return len(p), nil
}

type run struct {
	root, scratch string
	world         world
	requests      int
	logs          *journal
}

// all starts the fuzzer anew, with the next seed, until enough was asked.
func (r run) all(ctx context.Context) error {
	c := apiclient.Client{Base: r.world.Base}
	document, err := c.Do(ctx, http.MethodGet, "/openapi.json", nil, nil)
	if err != nil {
		return err
	}
	known, err := operations(document.Body)
	if err != nil {
		return err
	}
	sum, began := newReport(), time.Now()
	for sum.requests < r.requests && ctx.Err() == nil {
		one, err := r.once(ctx)
		sum.add(one)
		if err != nil {
			return errors.Join(err, ctx.Err())
		}
		if one.requests == 0 {
			return errors.New("the fuzzer asked nothing")
		}
		r.world.Seed++
		fmt.Printf("%8v  %d requests\n", time.Since(began).Round(time.Second), sum.requests)
	}
	sum.print(os.Stdout, known)
	known = slices.DeleteFunc(known, func(op string) bool { return slices.Contains(beyond, op) })
	if never := sum.unanswered(known); len(never) > 0 && r.requests >= thorough {
		return fmt.Errorf("never answered with success, so not tried: %v", never)
	}
	r.logs.mu.Lock()
	defer r.logs.mu.Unlock()
	if len(r.logs.panics) > 0 {
		return fmt.Errorf("functions panicked: %q", r.logs.panics)
	}
	return ctx.Err()
}

// beyond the fuzzer is what needs a letter or a second device; the end-to-end tests have both.
var beyond = []string{"POST /accounts/verifications", "POST /password-resets/confirmations", "POST /me/totp/confirmations"}

// thorough is how many requests reach what every operation is for.
const thorough = 5_000

// once is one run of schemathesis; its own words go to the terminal when it objects.
func (r run) once(ctx context.Context) (report, error) {
	file := filepath.Join(r.scratch, "world.json")
	text, err := json.Marshal(r.world)
	if err == nil {
		err = os.WriteFile(file, text, 0o600)
	}
	if err != nil {
		return report{}, err
	}
	told := filepath.Join(r.scratch, "events.ndjson")
	examples := min(max(r.requests/400, 3), 100)
	cmd := exec.CommandContext(ctx, filepath.Join(r.root, ".tools/schemathesis/bin/schemathesis"), "run", r.world.Base+"/openapi.json",
		"--url", r.world.Base, "--header", "X-Api-Key: "+r.world.Key, "--checks", checks, "--workers", "1",
		"--max-examples", strconv.Itoa(examples), "--seed", strconv.FormatUint(r.world.Seed, 10), "--continue-on-failure",
		"--exclude-operation-id", "ReceiveCallback", "--suppress-health-check", "all", "--request-timeout", "60", "--warnings", "off",
		"--no-color", "--report", "ndjson", "--report-ndjson-path", told)
	cmd.Env = append(os.Environ(), "SCHEMATHESIS_HOOKS="+filepath.Join(r.root, "infra/proof/fuzz/hooks.py"), "FAIRSEAT_FUZZ="+file)
	var words bytes.Buffer
	cmd.Stdout, cmd.Stderr = &words, &words
	cmd.Dir = r.scratch
	failed := cmd.Run()
	got, err := readReport(told)
	if failed != nil {
		io.Copy(os.Stdout, &words)
		return got, fmt.Errorf("seed %d: %w", r.world.Seed, failed)
	}
	return got, err
}

// checks are what an answer is held against.
const checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance," +
	"response_schema_conformance,negative_data_rejection,missing_required_header,unsupported_method,ignored_auth,use_after_free"
