package report_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fairseat/fairseat/infra/bench/report"
)

func TestSpread(t *testing.T) {
	s := report.Of([]float64{5, 1, 4, 2, 3})
	if s.Samples != 5 || s.Least != 1 || s.Most != 5 || s.Q1 != 2 || s.Median != 3 || s.Q3 != 4 {
		t.Errorf("%+v", s)
	}
	if p := report.Percentile([]float64{4, 1, 2, 3}, 50); p != 2.5 {
		t.Errorf("middle of four: %v", p)
	}
	if !math.IsNaN(report.Percentile(nil, 99)) || report.Of(nil) != (report.Spread{}) {
		t.Error("something of nothing")
	}
}

func TestGoals(t *testing.T) {
	tests := []struct {
		name   string
		passed bool
		want   bool
	}{
		{"below the goal", report.Ratio{Ours: []float64{1, 9, 1}, Theirs: []float64{1, 1, 1}, Better: report.Lower, Goal: 1.25}.Passed(), true},
		{"above the goal", report.Ratio{Ours: []float64{2, 2, 1}, Theirs: []float64{1, 1, 1}, Better: report.Lower, Goal: 1.25}.Passed(), false},
		{"fast enough", report.Ratio{Ours: []float64{96}, Theirs: []float64{100}, Better: report.Higher, Goal: 0.95}.Passed(), true},
		{"too slow", report.Ratio{Ours: []float64{94}, Theirs: []float64{100}, Better: report.Higher, Goal: 0.95}.Passed(), false},
		{"no samples", report.Ratio{Better: report.Lower, Goal: 1}.Passed(), false},
		{"zero by zero", report.Ratio{Ours: []float64{0}, Theirs: []float64{0}, Better: report.Lower, Goal: 1}.Passed(), false},
		{"for information", report.Ratio{Ours: []float64{7}, Theirs: []float64{1}, Better: report.Lower}.Passed(), true},
		{"an exact count", report.Count{Got: 3, Want: 3}.Passed(), true},
		{"a count too low", report.Count{Got: 2, Want: 3}.Passed(), false},
		{"a value", report.Value{Samples: []float64{1}, Better: report.Higher, Goal: 0.99}.Passed(), true},
		{"a value of nothing", report.Value{Better: report.Higher, Goal: 0}.Passed(), false},
		{"a value too low", report.Value{Samples: []float64{0.5}, Better: report.Higher, Goal: 0.99}.Passed(), false},
		{"no errors wanted", report.Value{Samples: []float64{1}, Better: report.Lower, Goal: 0}.Passed(), false},
	}
	for _, tt := range tests {
		if tt.passed != tt.want {
			t.Errorf("%s: passed %v", tt.name, tt.passed)
		}
	}
}

func full() *report.Report {
	r := report.New("demo", "A demonstration")
	r.Ratio(report.Ratio{Name: "cpu", Unit: "us", Floor: "bare call", Ours: []float64{11, 12, 13}, Theirs: []float64{10, 10, 10}, Better: report.Lower, Goal: 1.25})
	r.Ratio(report.Ratio{Name: "idle", Unit: "us", Floor: "nothing", Ours: []float64{1}, Theirs: []float64{0}, Better: report.Lower})
	r.Count(report.Count{Name: "requests of a hold", Unit: "requests", Got: 1, Want: 1, Floor: "one transaction"})
	r.Value(report.Value{Name: "fill", Unit: "of 1", Samples: []float64{1, 1}, Better: report.Higher, Goal: 1})
	r.Table(report.Table{Title: "parts", Header: []string{"part", "%"}, Rows: [][]string{{"signing", "31"}}})
	r.Chart(report.Chart{Name: "p99", Title: "p99", X: "contenders", Y: "ms", LogX: true, Goal: 2000, Series: []report.Series{
		{Name: "winners", X: []float64{100, 1000}, Y: []float64{12, 40}, Low: []float64{10, 30}, High: []float64{20, 50}},
		{Name: "losers", X: []float64{100, 1000}, Y: []float64{5, 9}},
	}})
	r.Note("%d seeds", 3)
	return r
}

func TestFinish(t *testing.T) {
	dir := t.TempDir()
	var text strings.Builder
	if err := full().Finish(&text, dir); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"cpu", "<= 1.25", "ok", "signing", "one transaction", "* 3 seeds"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, &text)
		}
	}
	raw, err := os.ReadFile(filepath.Join(dir, "demo.json"))
	if err != nil {
		t.Fatal(err)
	}
	var back struct {
		Machine struct{ Cores int }
		Ratios  []struct{ Better string }
	}
	if err := json.Unmarshal(raw, &back); err != nil || back.Machine.Cores == 0 || back.Ratios[0].Better != "<=" {
		t.Errorf("%+v, %v", back, err)
	}
	for _, name := range []string{"demo-ratios.svg", "demo-p99.svg"} {
		if err := wellFormed(filepath.Join(dir, name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func wellFormed(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	d := xml.NewDecoder(f)
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func TestFinishListsWhatMissed(t *testing.T) {
	r := full()
	r.Count(report.Count{Name: "requests of a sale", Got: 2, Want: 1})
	err := r.Finish(io.Discard, t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "requests of a sale") || strings.Contains(err.Error(), "cpu") {
		t.Errorf("error %v", err)
	}
	r.Chart(report.Chart{Name: "uneven", Series: []report.Series{{X: []float64{1}}}})
	if err := r.Finish(io.Discard, t.TempDir()); err == nil || !strings.Contains(err.Error(), "1 x and 0 y") {
		t.Errorf("error %v", err)
	}
}
