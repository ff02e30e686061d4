package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// Table is shown as it is.
type Table struct {
	Title  string     `json:"title"`
	Header []string   `json:"header"`
	Rows   [][]string `json:"rows"`
}

// Report is what one measurement saw. It is not safe for concurrent use.
type Report struct {
	Name    string    `json:"name"` // file names are made of it: lower case, no spaces
	Title   string    `json:"title"`
	Machine Machine   `json:"machine"`
	Started time.Time `json:"started"`
	Seconds float64   `json:"seconds"`
	Ratios  []Ratio   `json:"ratios,omitempty"`
	Counts  []Count   `json:"counts,omitempty"`
	Values  []Value   `json:"values,omitempty"`
	Tables  []Table   `json:"tables,omitempty"`
	Charts  []Chart   `json:"charts,omitempty"`
	Notes   []string  `json:"notes,omitempty"`
	Failed  []string  `json:"failed,omitempty"` // filled by Finish
}

// New begins a report.
func New(name, title string) *Report {
	return &Report{Name: name, Title: title, Machine: here(), Started: time.Now().UTC().Truncate(time.Millisecond)}
}

// Ratio adds ours against theirs.
func (r *Report) Ratio(x Ratio) { r.Ratios = append(r.Ratios, x) }

// Count adds an exact number.
func (r *Report) Count(x Count) { r.Counts = append(r.Counts, x) }

// Value adds a figure.
func (r *Report) Value(x Value) { r.Values = append(r.Values, x) }

// Table adds a table.
func (r *Report) Table(x Table) { r.Tables = append(r.Tables, x) }

// Chart adds a picture of lines.
func (r *Report) Chart(x Chart) { r.Charts = append(r.Charts, x) }

// Note adds a line of text, such as what a side does not do.
func (r *Report) Note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

// judge collects what missed its goal.
func (r *Report) judge() {
	r.Failed = nil
	for _, x := range r.Ratios {
		if !x.Passed() {
			r.Failed = append(r.Failed, fmt.Sprintf("%s: %.3f, goal %s %g", x.Name, x.Pairs().Median, x.Better, x.Goal))
		}
	}
	for _, x := range r.Counts {
		if !x.Passed() {
			r.Failed = append(r.Failed, fmt.Sprintf("%s: %g %s, must be %g", x.Name, x.Got, x.Unit, x.Want))
		}
	}
	for _, x := range r.Values {
		if !x.Passed() {
			r.Failed = append(r.Failed, fmt.Sprintf("%s: %.4g %s, goal %s %g", x.Name, Of(x.Samples).Median, x.Unit, x.Better, x.Goal))
		}
	}
}

// Finish prints the report to w, writes <dir>/<name>.json and its pictures, and
// returns an error that lists every goal missed.
func (r *Report) Finish(w io.Writer, dir string) error {
	r.Seconds = time.Since(r.Started).Seconds()
	r.judge()
	if err := r.Print(w); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("report: %s: %w", r.Name, err)
	}
	path := filepath.Join(dir, r.Name+".json")
	if err := os.WriteFile(path, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	pictures, err := r.draw(dir)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%s and %d pictures in %s\n", path, pictures, dir)
	var missed []error
	for _, f := range r.Failed {
		missed = append(missed, fmt.Errorf("%s: %s", r.Name, f))
	}
	return errors.Join(missed...)
}
