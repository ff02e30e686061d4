package main

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/fairseat/fairseat/infra/proof/plant"
	"github.com/fairseat/fairseat/infra/proof/stage"
)

// TestHistories: real histories of rows and of lines under kills are linearizable. `make linearizability`
// judges as many as are asked for.
func TestHistories(t *testing.T) {
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("make", "-C", root, "build").CombinedOutput(); err != nil {
		t.Fatalf("make build: %v\n%s", err, out)
	}
	p := usual(root, 2500, rand.Uint64())
	p.limit, p.progress = 30*time.Second, t.Output()
	r, err := prove(t.Context(), p, stage.Config{Root: root, Policy: policy, Line: terms, Log: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	if r.judged < p.groups || r.deaths.Load() == 0 || r.refusals["seat held"] == 0 {
		t.Errorf("%d histories, %d kills and %d refusals: too little was tested", r.judged, r.deaths.Load(), r.refusals["seat held"])
	}
	if offered := r.ends["accepted"] + r.ends["declined"] + r.ends["lapsed"]; r.queues < r.lines || offered == 0 || r.refusals["seat line"] == 0 {
		t.Errorf("%d lines, %s and %d refusals of set-aside seats: too little was tested", r.queues, counted(r.ends), r.refusals["seat line"])
	}
}

// TestDefectsApply: each planted defect still has its place in the code.
func TestDefectsApply(t *testing.T) {
	for name := range defects {
		dir := t.TempDir()
		if _, err := plant.Overlay("../../..", dir, name, defects[name]); err != nil {
			t.Error(err)
		}
		if planted, err := os.ReadDir(dir); err != nil || len(planted) == 0 {
			t.Errorf("defect %s changes nothing: %v", name, err)
		}
	}
}
