package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/fairseat/fairseat/infra/proof/plant"
)

func TestMain(m *testing.M) {
	if os.Getenv(serving) != "" {
		if err := command(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// TestDefectsApply: each planted defect still has its place in the code.
func TestDefectsApply(t *testing.T) {
	for name, defect := range defects {
		if _, err := plant.Overlay("../../..", t.TempDir(), name, defect); err != nil {
			t.Error(err)
		}
	}
}

// TestKill: purchases survive the deaths of functions and of the whole cloud. `make
// kill` does it at length.
func TestKill(t *testing.T) {
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("make", "-C", root, "build").CombinedOutput(); err != nil {
		t.Fatalf("make build: %v\n%s", err, out)
	}
	p := plan{root: root, kills: 40, every: 150 * time.Millisecond, restarts: 1, buyers: 8, waiters: 9, seed: rand.Uint64(), patience: restLimit, progress: t.Output()}
	if err := prove(t.Context(), p); err != nil {
		t.Fatal(err)
	}
}
