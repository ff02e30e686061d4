package counts

import "testing"

// TestCounts: each step asks exactly what the protocol says, and nothing is below
// the minimum, which would be wrong then.
func TestCounts(t *testing.T) {
	figures, sizes, err := Measure(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range figures {
		if f.Got != f.Must {
			t.Errorf("%s: %v, the protocol says %v", f.Name, f.Got, f.Must)
		}
		if f.Got.Requests < f.Least.Requests || f.Got.Writes < f.Least.Writes && f.Got.Reads < f.Least.Reads {
			t.Errorf("%s: %v, below what was called the minimum, %v", f.Name, f.Got, f.Least)
		}
	}
	for name, n := range sizes {
		if n < 100 {
			t.Errorf("%s: an answer of %d bytes", name, n)
		}
	}
}
