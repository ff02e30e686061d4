package main

import (
	"os"
	"strings"
	"testing"

	"github.com/fairseat/fairseat/infra/bench/counts"
)

// TestScaleIsWhatTheCodeGives: the tables of infra/scale.md are the computed ones.
func TestScaleIsWhatTheCodeGives(t *testing.T) {
	text, _, err := tables(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	have, err := os.ReadFile("../scale.md")
	if err != nil {
		t.Fatal(err)
	}
	want, err := counts.Rewrite(string(have), text)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != want {
		t.Error("infra/scale.md is not what the code gives: make bench ONLY=counts writes it anew")
	}
}

// TestPricesNeedASource: a price that nobody can check is refused.
func TestPricesNeedASource(t *testing.T) {
	for _, cut := range []string{`"source"`, `"dated"`, `"write_unit"`} {
		if _, err := counts.ParsePrices([]byte(strings.Replace(string(priceList), cut, `"x"`, 1))); err == nil {
			t.Errorf("a list without %s was taken", cut)
		}
	}
}

// TestSections: every section can be asked for alone, another cannot.
func TestSections(t *testing.T) {
	err := run(t.Context(), "sdk,nothing", t.TempDir(), true)
	if err == nil || !strings.Contains(err.Error(), "nothing") {
		t.Errorf("error %v", err)
	}
}
