package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
)

// metric is one thing that must not grow.
type metric string

const (
	memory      metric = "resident KiB"
	threads     metric = "threads"
	descriptors metric = "descriptors"
	connections metric = "connections"
	goroutines  metric = "goroutines" // beside the two of each connection
	objects     metric = "heap objects"
)

// What one environment can bear. Lambda replaces it within hours; in eight hours
// without a pause, at the ten milliseconds that our shortest calls take, it serves
// 2.9 million invocations. It may have 1,024 descriptors, and as many threads; of
// the smallest function's 256 MB some 220 are free after the start, which is 80
// bytes a call.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const (
	life     = 2_900_000
	freeKiB  = 220 * 1024
	freeOpen = 1_000
)

// limit is how much a metric may grow with each invocation, and what a run is too
// coarse to see: the collector moves resident memory by two megabytes a process,
// and up to eight connections are open by chance. The goroutines beside them and the
// objects that are left after a collection have no such excuse.
type limit struct {
	perCall, noise float64
	least          int // invocations; resident memory tells nothing while the heap finds its size
}

var limits = map[metric]limit{
	memory:      {freeKiB / float64(life), 4096, 1000},
	threads:     {freeOpen / float64(life), 8, 0},
	descriptors: {freeOpen / float64(life), 8, 0},
	connections: {freeOpen / float64(life), 8, 0},
	goroutines:  {freeOpen / float64(life), 5, 0},
	objects:     {0.1, 400, 0},
}

// verdict is what a series says of one metric. Growth is over the whole stretch
// that was judged.
type verdict struct {
	of              series
	metric          metric
	first, last     float64
	growth          float64 // by the slope
	low, high       float64 // ends of its 99 % interval
	allowed         float64
	invocations     int
	endedOnTheirWay int
}

// flat is also what a run is too short to say, which the table calls so.
func (v verdict) flat() bool {
	return v.endedOnTheirWay == 0 && (v.tooShort() || v.high <= v.allowed)
}

func (v verdict) tooShort() bool { return v.invocations < limits[v.metric].least }

// warmUp is the part of a run that is not judged: pools fill, the heap finds its size.
const warmUp = 0.25

func judge(runs []series) []verdict {
	var all []verdict
	for _, r := range runs {
		for _, m := range []metric{memory, threads, descriptors, connections, goroutines, objects} {
			ys := r.values[m]
			if len(ys) == 0 {
				continue
			}
			from := int(math.Ceil(warmUp * float64(len(ys))))
			xs, ys := r.at[from:], ys[from:]
			v := verdict{of: r, metric: m, first: ys[0], last: ys[len(ys)-1], invocations: int(xs[len(xs)-1] - xs[0]), endedOnTheirWay: r.ended}
			mid, low, high := theilSen(xs, ys)
			n := float64(v.invocations)
			v.growth, v.low, v.high = mid*n, low*n, high*n
			v.allowed = max(limits[m].perCall*n, limits[m].noise)
			all = append(all, v)
		}
	}
	return all
}

// theilSen is the median of the slopes between all pairs of points, with the ends
// of its 99 % interval by Kendall's tau: a few wild points move none of the three.
// Sen, Estimates of the Regression Coefficient Based on Kendall's Tau, JASA 63
// (1968). gonum has least squares only, which one collection more or less bends.
func theilSen(xs, ys []float64) (mid, low, high float64) {
	var all []float64
	for i := range xs {
		for j := range i {
			all = append(all, (ys[i]-ys[j])/(xs[i]-xs[j]))
		}
	}
	slices.Sort(all)
	n, m := float64(len(xs)), len(all)
	c := 2.576 * math.Sqrt(n*(n-1)*(2*n+5)/18)
	k := min(int((float64(m)-c)/2), (m-1)/2)
	k = max(k, 0)
	return (all[m/2] + all[(m-1)/2]) / 2, all[k], all[m-1-k]
}

func growing(vs []verdict) int {
	n := 0
	for _, v := range vs {
		if !v.flat() {
			n++
		}
	}
	return n
}

func table(vs []verdict) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "function\tservices\tmetric\tinvocations\tfirst\tlast\tgrowth\t99 % interval\tallowed\t\t")
	for _, v := range vs {
		word := "flat"
		switch {
		case v.endedOnTheirWay > 0:
			word = fmt.Sprintf("ENDED %d times", v.endedOnTheirWay)
		case v.tooShort():
			word = "too short"
		case !v.flat() && v.low > 0:
			word = "GROWS"
		case !v.flat():
			word = "NOT SHOWN"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%.0f\t%.0f\t%+.1f\t%+.1f … %+.1f\t%.1f\t%s\t\n",
			v.of.name, v.of.services, v.metric, v.invocations, v.first, v.last, v.growth, v.low, v.high, v.allowed, word)
	}
	w.Flush()
	return b.String()
}
