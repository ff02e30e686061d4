package fault_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/fairseat/fairseat/pkg/fault"
)

func TestKindOf(t *testing.T) {
	stale := fault.New(fault.Stale, "", "stale")
	busy := fault.New(fault.Busy, "busy", "busy")
	for _, tt := range []struct {
		name string
		err  error
		want fault.Kind
	}{
		{"none", nil, fault.Internal},
		{"of nobody", io.EOF, fault.Internal},
		{"sentinel", stale, fault.Stale},
		{"wrapped", fmt.Errorf("read hold: %w", busy), fault.Busy},
		{"wrapped twice", fmt.Errorf("a: %w", fmt.Errorf("b: %w", stale)), fault.Stale},
		{"the first of two", errors.Join(busy, stale), fault.Busy},
		{"without a kind", &fault.Error{Text: "x"}, fault.Internal},
	} {
		if got := fault.KindOf(tt.err); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
		if tt.err != nil && !fault.Is(tt.err, tt.want) {
			t.Errorf("%s is not of its kind", tt.name)
		}
	}
	if fault.Is(nil, fault.Internal) {
		t.Error("no error is of a kind")
	}
	if busy.Error() != "busy" || !errors.Is(fmt.Errorf("x: %w", busy), busy) {
		t.Error("a sentinel is not itself")
	}
}
