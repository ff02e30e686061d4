package yuan

import (
	"testing"

	"pgregory.net/rapid"
)

func TestParse(t *testing.T) {
	for s, want := range map[string]int64{"14.99": 1499, "20": 2000, "2.0": 200, "0.01": 1, "007.10": 710, "999999999.99": 99999999999} {
		if got, err := Parse(s); err != nil || got != want {
			t.Errorf("%s: %d %v", s, got, err)
		}
	}
	for _, s := range []string{"", ".", ".5", "1.", "-1", "+1", "1e3", "1.999", " 1", "1\n", "1,00", "１", "0x10", "1000000000", "NaN"} {
		if got, err := Parse(s); err == nil {
			t.Errorf("%q: %d", s, got)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		fen := rapid.Int64Range(0, 99999999999).Draw(rt, "fen")
		if got, err := Parse(Format(fen)); err != nil || got != fen {
			rt.Fatalf("%d → %s → %d, %v", fen, Format(fen), got, err)
		}
	})
}
