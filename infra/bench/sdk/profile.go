package sdk

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fairseat/fairseat/infra/bench/report"
)

// part is what a sample belongs to whose stack has a matching frame; of several
// the one nearest to the leaf.
type part struct {
	name  string
	frame *regexp.Regexp
}

var parts = []part{
	{"measuring: the stub transport", regexp.MustCompile(`bench/sdk\.(stub|answer)`)},
	{"signing (SigV4, SHA-256, HMAC)", regexp.MustCompile(`aws/signer|crypto/(sha256|hmac|internal/fips140)|[sS]ign(HTTP)?[A-Z]?.*Middleware|ComputePayloadSHA256`)},
	{"serialising the request", regexp.MustCompile(`_serialize|smithy-go/encoding|AwsJson10.*[sS]erialize|smithy-go/document`)},
	{"deserialising the answer", regexp.MustCompile(`_deserialize|encoding/json|[cC]hecksum|crc32`)},
	{"endpoint rules", regexp.MustCompile(`[eE]ndpoint|rulesfn`)},
	{"credentials and auth scheme", regexp.MustCompile(`[cC]redentials|[aA]uth(Scheme|Option)|resolveAuth|getIdentity|GetIdentity`)},
	{"retry layer", regexp.MustCompile(`aws/retry|[rR]etry|ratelimit`)},
	{"metrics and tracing hooks", regexp.MustCompile(`smithy-go/(metrics|tracing)|[mM]etrics|[sS]pan`)},
	{"user agent, request id, clock skew", regexp.MustCompile(`[uU]serAgent|[rR]equestID|RecordResponseTiming|[iI]nvocationID|idempotencyToken|rand\.`)},
	{"building the middleware stack and options", regexp.MustCompile(`middleware\.\(\*(Stack|orderedIDs|relativeOrder)|add[A-Z]\w*Middleware|Add\w+Middleware|Options\.Copy|\.Add[A-Z]|resolve\w+|finalize\w+|invokeOperation`)},
	{"net/http client and headers", regexp.MustCompile(`^net/http|^net/url|net/textproto|transport/http`)},
	{"middleware chain", regexp.MustCompile(`smithy-go/middleware|aws/middleware`)},
	{"our adapter, store and items", regexp.MustCompile(`fairseat/pkg/store`)},
	{"our edge: JSON in and out, session", regexp.MustCompile(`fairseat/pkg/(api|session)`)},
	{"our use case", regexp.MustCompile(`fairseat/pkg/`)},
	{"garbage collector", collector},
}

// What the collector does on its own threads. Allocation counts for who allocates.
var collector = regexp.MustCompile(`runtime\.(gcBgMarkWorker|bgsweep|bgscavenge|gcStart|GC\b)`)

const restOfRuntime = "scheduler and the rest"

// profile runs work under the profiler for a while and says what it is made of.
func profile(title, path string, span time.Duration, work func(i int) error) (report.Table, error) {
	f, err := os.Create(path)
	if err != nil {
		return report.Table{}, err
	}
	defer f.Close()
	if err := pprof.StartCPUProfile(f); err != nil {
		return report.Table{}, err
	}
	n := 0
	for end := time.Now().Add(span); err == nil && time.Now().Before(end); n++ {
		err = work(n)
	}
	pprof.StopCPUProfile()
	if err != nil {
		return report.Table{}, err
	}
	text, err := exec.Command("go", "tool", "pprof", "-traces", "-unit=us", path).Output()
	if err != nil {
		return report.Table{}, fmt.Errorf("sdk: go tool pprof: %w", err)
	}
	by := share(text)
	return tabulate(title, by, n), nil
}

// share reads pprof's list of stacks, the leaf first: "  10000us   frame", then
// its callers, a line of dashes between two samples.
func share(text []byte) map[string]float64 {
	by := map[string]float64{}
	var value float64
	var stack []string
	flush := func() {
		if len(stack) > 0 {
			by[belongs(stack)] += value
		}
		value, stack = 0, nil
	}
	for sc := bufio.NewScanner(bytes.NewReader(text)); sc.Scan(); {
		line := strings.TrimSpace(sc.Text())
		if strings.HasPrefix(line, "-----------+") {
			flush()
			continue
		}
		first, rest, _ := strings.Cut(line, " ")
		if us, err := strconv.ParseFloat(strings.TrimSuffix(first, "us"), 64); err == nil && strings.HasSuffix(first, "us") {
			value, line = us, strings.TrimSpace(rest)
		}
		if value > 0 && line != "" {
			stack = append(stack, line)
		}
	}
	flush()
	return by
}

func belongs(stack []string) string {
	for _, frame := range stack {
		allocates := strings.HasPrefix(frame, "runtime.") && !collector.MatchString(frame)
		for _, p := range parts {
			if !allocates && p.frame.MatchString(frame) {
				return p.name
			}
		}
	}
	return restOfRuntime
}

func tabulate(title string, by map[string]float64, calls int) report.Table {
	var total float64
	names := make([]string, 0, len(by))
	for name, us := range by {
		names, total = append(names, name), total+us
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(by[b], by[a]) })
	t := report.Table{Title: title, Header: []string{"part", "us a call", "%"}}
	for _, name := range names {
		t.Rows = append(t.Rows, []string{name, fmt.Sprintf("%.1f", by[name]/float64(calls)), fmt.Sprintf("%.1f", 100*by[name]/total)})
	}
	return t
}
