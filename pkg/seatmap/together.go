package seatmap

// Together is the longest run of free neighbouring seats of general sale in one
// row, and not more than most. An aisle ends a run. A wheelchair place or a
// companion's is no seat for others. Standing places are together wherever they
// are: each section counts as one run.
func Together(l *Layout, free func(i int) bool, most int) int {
	best := 0
	for _, sec := range l.sections {
		standing := 0
		for _, row := range sec.Rows {
			run := 0
			for i := row.First; i < row.First+row.Len && best < most; i++ {
				typ := l.seats[i].Type
				switch {
				case !free(i) || typ == Wheelchair || typ == Companion:
					run = 0
				case typ == Standing:
					standing++
				case l.beside[i]:
					run++
				default:
					run = 1
				}
				best = max(best, run, standing)
			}
		}
	}
	return min(best, most)
}
