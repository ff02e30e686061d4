package crowd

import (
	"time"

	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/meter"
)

// load is how many read units one partition gave in one second, at the most. The
// service gives 3,000; the model does not refuse more, so it is shown.
type load struct {
	second map[slot]int64
	most   int64
}

type slot struct {
	table store.Table
	pk    string
	at    int64
}

func (l *load) read(now time.Time, k store.Key, units int64) {
	s := slot{k.Table, k.PK, now.Unix()}
	l.second[s] += units
	l.most = max(l.most, l.second[s])
}

func (l *load) query(now time.Time, q store.Query, items []store.Item) {
	size := 0
	for _, it := range items {
		size += meter.Size(it)
	}
	l.read(now, store.Key{Table: q.Table, PK: q.PK}, int64(size+4095)/4096)
}
