package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
)

// report is what was asked and answered: requests by operation and status.
type report struct {
	requests int
	answers  map[string]map[int]int
}

func newReport() report { return report{answers: map[string]map[int]int{}} }

func (r *report) count(operation string, status int) {
	if r.answers[operation] == nil {
		r.answers[operation] = map[int]int{}
	}
	r.answers[operation][status]++
	r.requests++
}

func (r *report) add(o report) {
	r.requests += o.requests
	for op, all := range o.answers {
		if r.answers[op] == nil {
			r.answers[op] = map[int]int{}
		}
		for status, n := range all {
			r.answers[op][status] += n
		}
	}
}

// unanswered are the operations of the document that never got what they are for.
func (r report) unanswered(operations []string) (never []string) {
	for _, op := range operations {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(r.answers[op])), func(s int) bool { return s/100 == 2 }) {
			never = append(never, op)
		}
	}
	return never
}

// print is a table of the document's operations; what was asked beside them, by a
// method that a path has not, is one row.
func (r report) print(w io.Writer, operations []string) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "operation\trequests\tanswers")
	others := newReport()
	for _, op := range slices.Sorted(maps.Keys(r.answers)) {
		if !slices.Contains(operations, op) {
			for status, n := range r.answers[op] {
				for range n {
					others.count("by another method", status)
				}
			}
			continue
		}
		row(t, op, r.answers[op])
	}
	row(t, "by another method", others.answers["by another method"])
	t.Flush()
	fmt.Fprintf(w, "requests  %d, all as the document says\n", r.requests)
}

func row(w io.Writer, op string, answers map[int]int) {
	sum, each := 0, []string{}
	for _, status := range slices.Sorted(maps.Keys(answers)) {
		sum += answers[status]
		each = append(each, fmt.Sprintf("%d: %d", status, answers[status]))
	}
	fmt.Fprintf(w, "%s\t%d\t%s\n", op, sum, strings.Join(each, "  "))
}

// scenario is the part of schemathesis's events that tells requests.
type scenario struct {
	ScenarioFinished *struct {
		Recorder struct {
			Cases map[string]struct {
				Value struct{ Method, Path string }
			}
			Interactions map[string]struct {
				Response *struct {
					Status int `json:"status_code"`
				}
			}
		}
	}
}

// readReport counts a file of events, one a line.
func readReport(file string) (report, error) {
	r := newReport()
	f, err := os.Open(file)
	if err != nil {
		return r, err
	}
	defer f.Close()
	lines := bufio.NewReader(f)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var s scenario
			if err := json.Unmarshal(line, &s); err != nil {
				return r, fmt.Errorf("%s: %w", file, err)
			}
			if s.ScenarioFinished != nil {
				for id, i := range s.ScenarioFinished.Recorder.Interactions {
					c := s.ScenarioFinished.Recorder.Cases[id].Value
					if i.Response != nil {
						r.count(c.Method+" "+c.Path, i.Response.Status)
					}
				}
			}
		}
		if err == io.EOF {
			return r, nil
		}
		if err != nil {
			return r, err
		}
	}
}

// operations of an OpenAPI document, without the providers' own.
func operations(document []byte) (all []string, err error) {
	var d struct {
		Paths map[string]map[string]struct {
			OperationID string `json:"operationId"`
		}
	}
	if err := json.Unmarshal(document, &d); err != nil {
		return nil, err
	}
	for path, methods := range d.Paths {
		for method, op := range methods {
			if op.OperationID != "" && op.OperationID != "ReceiveCallback" {
				all = append(all, strings.ToUpper(method)+" "+path)
			}
		}
	}
	slices.Sort(all)
	return all, nil
}
