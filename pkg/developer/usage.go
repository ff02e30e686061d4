package developer

import "time"

// Tally is calls that were counted of one day, by operation; "" are those that a
// quota refused.
type Tally map[string]int64

// Day is the usage of one day, UTC.
type Day struct {
	Date  string // YYYY-MM-DD
	Calls Tally
}

// UsageKept is how long the usage of a day can be read; MostDays how many days
// one answer has.
const (
	UsageKept = 400 * 24 * time.Hour
	MostDays  = 92
)

// Days tells the first and the last day of a question for usage, and whether it may
// be asked. Without a first it is the last thirty days, without a last it is today.
func Days(from, to string, now time.Time) (first, last string, ok bool) {
	last = to
	if to == "" {
		last = now.UTC().Format(time.DateOnly)
	}
	end, err := time.Parse(time.DateOnly, last)
	if err != nil {
		return "", "", false
	}
	first = from
	if from == "" {
		first = end.AddDate(0, 0, -29).Format(time.DateOnly)
	}
	begin, err := time.Parse(time.DateOnly, first)
	span := end.Sub(begin)
	return first, last, err == nil && span >= 0 && span < MostDays*24*time.Hour
}
