package sdk

import (
	"fmt"
	"runtime"
	"syscall"
	"time"
)

// cost is what a run of calls took, each.
type cost struct{ micros, allocs, bytes float64 }

// gauge runs f(0) to f(n-1) in a row. Processor time is that of the whole process
// (getrusage), so that the collector's share counts; it starts from a swept heap.
func gauge(n int, f func(i int) error) (cost, error) {
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := processor()
	for i := range n {
		if err := f(i); err != nil {
			return cost{}, err
		}
	}
	spent := processor() - start
	runtime.ReadMemStats(&after)
	per := func(x float64) float64 { return x / float64(n) }
	return cost{
		micros: per(float64(spent) / float64(time.Microsecond)),
		allocs: per(float64(after.Mallocs - before.Mallocs)),
		bytes:  per(float64(after.TotalAlloc - before.TotalAlloc)),
	}, nil
}

// processor is the user and system time that the process has had.
func processor() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(fmt.Sprintf("sdk: getrusage: %v", err)) // it fails for wrong arguments alone
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// costs are the samples of one side.
type costs struct{ micros, allocs, bytes []float64 }

func (c *costs) add(x cost) {
	c.micros = append(c.micros, x.micros)
	c.allocs = append(c.allocs, x.allocs)
	c.bytes = append(c.bytes, x.bytes)
}
