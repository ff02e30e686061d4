package seatmap

// numbering is how the seats of a row get their numbers; a hall file names it
// for the hall or for each section.
type numbering string

const (
	leftToRight numbering = "ltr"
	rightToLeft numbering = "rtl"
	// oddEven counts outwards from the two aisles: odd on the left, even on the
	// right, and from 101 left to right in between. A row of one block is split
	// at its middle, an odd middle seat going left; a row of two has no centre.
	oddEven numbering = "odd-even"
	// byBlock is the arena's: left to right within each row of each block.
	byBlock numbering = "blocks"
)

const centreFirst = 101

func (n numbering) valid() bool {
	return n == leftToRight || n == rightToLeft || n == oddEven || n == byBlock || n == asSeated
}

// numbers gives each cell of a printed row its number, 0 to a gap.
func (n numbering) numbers(cells string) []int {
	switch n {
	case rightToLeft:
		out := make([]int, len(cells))
		next := 1
		for c := len(cells) - 1; c >= 0; c-- {
			if cells[c] != gap {
				out[c] = next
				next++
			}
		}
		return out
	case oddEven:
		return oddEvenNumbers(cells)
	}
	return count(make([]int, len(cells)), cells, 0, len(cells), 1)
}

func oddEvenNumbers(cells string) []int {
	out := make([]int, len(cells))
	runs := runsOf(cells)
	left, right := runs[0], runs[len(runs)-1]
	if len(runs) == 1 {
		mid := (left.first + left.end + 1) / 2
		left.end, right.first = mid, mid
	} else if len(runs) > 2 {
		count(out, cells, left.end, right.first, centreFirst)
	}
	for k, c := 1, left.end-1; c >= left.first; k, c = k+2, c-1 {
		out[c] = k
	}
	for k, c := 2, right.first; c < right.end; k, c = k+2, c+1 {
		out[c] = k
	}
	return out
}

// count numbers the places among cells[from:to] upwards.
func count(out []int, cells string, from, to, next int) []int {
	for c := from; c < to; c++ {
		if cells[c] != gap {
			out[c] = next
			next++
		}
	}
	return out
}

type run struct{ first, end int }

// runsOf finds the stretches without a gap.
func runsOf(cells string) []run {
	var runs []run
	for c := range len(cells) {
		switch {
		case cells[c] == gap:
		case c == 0 || cells[c-1] == gap:
			runs = append(runs, run{c, c + 1})
		default:
			runs[len(runs)-1].end = c + 1
		}
	}
	return runs
}
