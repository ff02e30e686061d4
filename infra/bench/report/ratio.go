package report

import (
	"fmt"
	"math"
	"slices"
)

// Better says which side of a goal is the good one. The zero value is invalid.
type Better uint8

const (
	_      Better = iota
	Lower         // at most the goal
	Higher        // at least the goal
)

func (b Better) String() string { return [...]string{"invalid", "<=", ">="}[b] }

// MarshalText implements encoding.TextMarshaler.
func (b Better) MarshalText() ([]byte, error) {
	if b != Lower && b != Higher {
		return nil, fmt.Errorf("report: which side of a goal is better: %d", b)
	}
	return []byte(b.String()), nil
}

func (b Better) met(value, goal float64) bool {
	if b == Higher {
		return value >= goal
	}
	return value <= goal
}

// Spread is the middle of some samples and how far they lie apart.
type Spread struct {
	Samples int     `json:"samples"`
	Least   float64 `json:"least"`
	Q1      float64 `json:"q1"`
	Median  float64 `json:"median"`
	Q3      float64 `json:"q3"`
	Most    float64 `json:"most"`
}

// Of is the spread of samples; of none it is zero.
func Of(samples []float64) Spread {
	if len(samples) == 0 {
		return Spread{}
	}
	s := slices.Sorted(slices.Values(samples))
	return Spread{len(s), s[0], quantile(s, 0.25), quantile(s, 0.5), quantile(s, 0.75), s[len(s)-1]}
}

// Percentile p (0 to 100) of samples, which need not be sorted; NaN of none.
func Percentile(samples []float64, p float64) float64 {
	if len(samples) == 0 {
		return math.NaN()
	}
	return quantile(slices.Sorted(slices.Values(samples)), p/100)
}

// quantile interpolates between the two neighbours, as R and NumPy do. Those of
// gonum/stat say that the middle of 1, 2, 3, 4, 5 is 2.5.
func quantile(sorted []float64, p float64) float64 {
	at := p * float64(len(sorted)-1)
	low := int(at)
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (at-float64(low))*(sorted[high]-sorted[low])
}

// Ratio is ours over theirs.
type Ratio struct {
	Name string `json:"name"`
	Unit string `json:"unit"`
	// Floor names what theirs is: what could not be done with less.
	Floor string `json:"floor"`
	// Sample i of both sides was taken one after the other.
	Ours   []float64 `json:"ours"`
	Theirs []float64 `json:"theirs"`
	Better Better    `json:"better"`
	// Goal is zero if the ratio is for information.
	Goal float64 `json:"goal,omitempty"`
}

// Pairs is the spread of the ratios of the pairs.
func (r Ratio) Pairs() Spread {
	pairs := make([]float64, min(len(r.Ours), len(r.Theirs)))
	for i := range pairs {
		pairs[i] = r.Ours[i] / r.Theirs[i]
	}
	return Of(pairs)
}

// Passed reports whether the median of the pairs meets the goal. A ratio with a
// goal and without samples, or of zeros, has not passed.
func (r Ratio) Passed() bool {
	if r.Goal == 0 {
		return true
	}
	m := r.Pairs()
	return m.Samples > 0 && r.Better.met(m.Median, r.Goal)
}

// Count is a number that must be exactly what was derived.
type Count struct {
	Name string  `json:"name"`
	Unit string  `json:"unit"`
	Got  float64 `json:"got"`
	Want float64 `json:"want"`
	// Floor names where Want comes from.
	Floor string `json:"floor"`
}

// Passed reports whether the count is what it must be.
func (c Count) Passed() bool { return c.Got == c.Want }

// Value is one figure with its samples, such as seats sold in each round.
type Value struct {
	Name    string    `json:"name"`
	Unit    string    `json:"unit"`
	Samples []float64 `json:"samples"`
	Floor   string    `json:"floor,omitempty"`
	Better  Better    `json:"better,omitzero"`
	// Goal is for the median; it is judged only if Better is set.
	Goal float64 `json:"goal,omitempty"`
}

// Passed reports whether the median meets the goal, if there is one.
func (v Value) Passed() bool {
	return v.Better == 0 || len(v.Samples) > 0 && v.Better.met(Of(v.Samples).Median, v.Goal)
}
