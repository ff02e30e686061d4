package challenge

import (
	"math"
	"time"
)

// Bounds of the difficulty. At the least a telephone in a browser needs some 20
// milliseconds, at the most one or two seconds; a farm needs a sixtieth of that, so
// that this prices requests and does not tell people from machines
// (infra/decisions/0020-bots.md).
const (
	Least = 14
	Most  = 20
)

const (
	calm     = 4.0 // requests a second of one show to one instance that cost the least
	halfLife = 5 * time.Second
)

// Demand is how often challenges of one show were asked for of late, as one
// instance of the function sees it: instances are added when all are at work, so
// each sees a rush as a rush. The zero value has seen nothing.
type Demand struct {
	level float64 // requests, each worth half after five seconds
	at    time.Time
}

// Add counts one request.
func (d Demand) Add(now time.Time) Demand { return Demand{level: d.left(now) + 1, at: now} }

// PerSecond is the rate of late. A single request is none.
func (d Demand) PerSecond(now time.Time) float64 {
	return max(d.left(now)-1, 0) * math.Ln2 / halfLife.Seconds()
}

func (d Demand) left(now time.Time) float64 {
	passed := max(now.Sub(d.at), 0) // a clock that is put back forgets nothing
	return d.level * math.Exp2(-passed.Seconds()/halfLife.Seconds())
}

// Difficulty is [Least] up to four requests a second and one more for each doubling,
// up to [Most].
func Difficulty(perSecond float64) int {
	if !(perSecond > calm) {
		return Least
	}
	return min(Least+int(math.Log2(perSecond/calm)), Most)
}
