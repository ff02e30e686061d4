// Package search measures SearchMovies beside PostgreSQL: the shows of a week as
// infra/seed plans them, the same random questions, by turns.
//
// Ours is the deployed program with the template's environment, which gets the
// event of a REST API and answers with JSON; its list lies in Dynoxide and its
// segments in Versity's S3, behind counters. PostgreSQL has a schema made for these
// questions (see schema) and is asked one statement a page through a prepared
// statement over a Unix socket. Start with [Run].
package search

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/fairseat/fairseat/infra/bench/report"
	"github.com/fairseat/fairseat/infra/bench/venue"
	product "github.com/fairseat/fairseat/pkg/search"
	"github.com/fairseat/fairseat/pkg/search/shelf"
)

// Options of a run.
type Options struct {
	Place    venue.Place
	Binaries string // folder of search-movies, built as it is deployed
	Pages    int    // of each kind of question
	Starts   int    // of a new instance
	Renewals int    // of the index while it is asked
	Seed     uint64
}

// seen is what one page took on both sides.
type seen struct {
	ours, theirs float64 // milliseconds
	mine, others float64 // of them, on a processor
	requests     int64   // of ours to its stores
	alike        bool    // the same shows in the same order
	empty        bool    // ours has none
}

// Run measures every kind of question on both sides.
func Run(ctx context.Context, o Options) (*report.Report, error) {
	rep := report.New("search", "A page of SearchMovies beside PostgreSQL")
	rows, err := week(ctx)
	if err != nil {
		return nil, err
	}
	us, err := openOurs(ctx, o, rows)
	if err != nil {
		return nil, err
	}
	defer us.close()
	them, err := openTheirs(ctx, rows)
	if err != nil {
		return nil, err
	}
	results, err := play(ctx, o, rows, us, them)
	if err == nil {
		err = publish(ctx, rep, o, rows, us, them, results)
	}
	return rep, errors.Join(err, them.close())
}

// week is what infra/seed plans from now on: all cities, seven days.
func week(ctx context.Context) (product.Rows, error) {
	dir, err := os.MkdirTemp("", "fairseat-week-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	name := filepath.Join(dir, "segment")
	if out, err := exec.CommandContext(ctx, "go", "run", "./infra/seed", "-all", "-segment", name).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("search: seed: %w: %s", err, out)
	}
	body, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return shelf.Unpack(body)
}

// play asks both the same, each first as often as second. A page behind the first
// is reached from its forerunners on each side.
func play(ctx context.Context, o Options, rows product.Rows, us *ours, them *theirs) (map[kind][]seen, error) {
	d := newDraw(rand.New(rand.NewPCG(o.Seed, 11)), rows, time.Now())
	if _, err := ask(ctx, us, them, d.next(kinds[0]), true); err != nil { // connections and plans are warm
		return nil, err
	}
	var err error
	if us.pid, err = us.process(); err != nil {
		return nil, err
	}
	results := map[kind][]seen{}
	for round := range o.Pages {
		for i, k := range kinds {
			w := d.next(k)
			s, err := ask(ctx, us, them, w, (round+i)%2 == 0)
			if err != nil {
				return nil, fmt.Errorf("search: seed %d, %v: %w", o.Seed, w.query(), err)
			}
			results[k] = append(results[k], s)
		}
	}
	return results, nil
}

func ask(ctx context.Context, us *ours, them *theirs, w wish, oursFirst bool) (s seen, err error) {
	var a, b page
	for _, mine := range []bool{oursFirst, !oursFirst} {
		if mine {
			a, err = us.page(ctx, w)
		} else {
			b, err = them.page(ctx, w)
		}
		if err != nil {
			return s, err
		}
	}
	return seen{a.ms, b.ms, a.busy, b.busy, a.requests, same(a.shows, b.shows), len(a.shows) == 0}, nil
}

// page is one answer.
type page struct {
	shows    []string
	ms       float64
	busy     float64 // milliseconds on a processor
	requests int64
}

func same(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
