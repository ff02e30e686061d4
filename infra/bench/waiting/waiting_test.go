package waiting

import (
	"testing"
	"time"

	"github.com/fairseat/fairseat/infra/bench/report"
	"github.com/fairseat/fairseat/pkg/store/memstore"
)

// TestOnMemory: the measurement finds numbers in order and an offer after each release.
func TestOnMemory(t *testing.T) {
	rep := report.New("line", "test")
	o := Options{Rounds: 3, Joins: 60}
	if err := o.on(t.Context(), rep, memory, memstore.New(memstore.Options{Clock: time.Now}), o.Joins); err != nil {
		t.Fatal(err)
	}
	if len(rep.Ratios) != 2 || len(rep.Ratios[1].Ours) != o.Rounds {
		t.Errorf("%+v", rep.Ratios)
	}
}
