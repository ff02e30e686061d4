package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

const lineEvery = 3 * time.Second

// newProgress tells a terminal by a bar, and anything else by a line every few seconds.
func newProgress(w io.Writer, terminal bool, total int, now func() time.Time) (advance func(int)) {
	if terminal {
		bar := progressbar.NewOptions(total,
			progressbar.OptionSetWriter(w), progressbar.OptionSetDescription("catalogue"), progressbar.OptionShowCount(),
			progressbar.OptionShowIts(), progressbar.OptionSetItsString("rows"), progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionSetPredictTime(true), progressbar.OptionOnCompletion(func() { fmt.Fprintln(w) }))
		return func(n int) { _ = bar.Add(n) }
	}
	var mu sync.Mutex
	done, said := 0, now()
	return func(n int) {
		mu.Lock()
		defer mu.Unlock()
		done += n
		if t := now(); t.Sub(said) >= lineEvery {
			said = t
			fmt.Fprintf(w, "catalogue: %d of %d rows (%d %%)\n", done, total, 100*done/total)
		}
	}
}
