// The command mutants proves that the tests see what they are for: it plants one
// defect after another, and a defect that its named tests do not catch fails it.
//
// A defect is a piece of text of a file and what stands there instead. It is
// compiled by the go command's overlay, so that the tree is never touched. It is
// caught when each test named with it ran and failed by its own words; that these
// tests pass without any defect is seen first. A text that is not in its file
// exactly once has moved: the defect no longer applies, and that fails, too.
//
// Start with the lists, from [protocol] on.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/fairseat/fairseat/localstack/emulators"
	"github.com/fairseat/fairseat/localstack/process"
)

func main() {
	only := flag.String("run", "", "plant only the defects whose name or file matches this regular expression")
	parallel := flag.Int("parallel", 2, "how many are tried at once")
	limit := flag.Duration("limit", 2*time.Minute, "of one run of a test")
	words := flag.Bool("words", false, "show what the tests said of each defect")
	whole := flag.Bool("stack", false, "also those that only the whole stack shows; half a minute each")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, settings{*only, *parallel, *limit, *words, *whole}); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

type settings struct {
	only     string
	parallel int
	limit    time.Duration
	words    bool
	stack    bool
}

func run(ctx context.Context, s settings) error {
	match, err := regexp.Compile(s.only)
	if err != nil {
		return err
	}
	defects := all()
	if s.stack {
		defects = append(defects, stack()...)
	}
	defects = slices.DeleteFunc(defects, func(d Defect) bool { return !match.MatchString(d.Name) && !match.MatchString(d.where()) })
	if len(defects) == 0 {
		return fmt.Errorf("no defect matches %q", s.only)
	}
	root, err := filepath.Abs(".")
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		return fmt.Errorf("run it where go.mod is: %w", err)
	}
	scratch, err := os.MkdirTemp("", "mutants-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	b := bench{root: root, scratch: scratch, env: os.Environ(), limit: s.limit, stage: &stage{}}
	var group process.Group
	defer group.Close()
	if err := b.serve(ctx, &group, defects); err != nil {
		return err
	}
	return try(ctx, b, defects, s.parallel, report{os.Stdout, s.words})
}

// serve starts one DynamoDB for all runs of the store's tests, which otherwise
// start one each.
func (b *bench) serve(ctx context.Context, group *process.Group, defects []Defect) error {
	if !slices.ContainsFunc(testsOf(defects), func(t Test) bool { return strings.HasPrefix(t.Package, "pkg/store") }) {
		return nil
	}
	set, err := emulators.Start(ctx, group, emulators.Options{
		Store: emulators.DynamoDBLocal, Tools: filepath.Join(b.root, ".tools"), Region: "eu-west-1", Account: "000000000000", Progress: io.Discard,
	})
	if err != nil {
		return err
	}
	b.env = append(b.env, "FAIRSEAT_TEST_DYNAMODB="+set.Tables.URL)
	return nil
}

// testsOf names every test that a defect needs, each once.
func testsOf(defects []Defect) []Test {
	var tests []Test
	for _, d := range defects {
		for _, t := range d.Caught {
			if !slices.Contains(tests, t) {
				tests = append(tests, t)
			}
		}
	}
	return tests
}

// errSurvived is what the command ends with when a defect was not caught.
var errSurvived = errors.New("a planted defect was not caught")
