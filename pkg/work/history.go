package work

import (
	"context"

	"github.com/fairseat/fairseat/pkg/history"
	"github.com/fairseat/fairseat/pkg/relay"
	"github.com/fairseat/fairseat/pkg/store"
)

// RecordOrder keeps what buyers are shown of their orders, by the stream of orders. The
// records of one order come in their order, and any of them may come again.
func RecordOrder(b *history.Book) StreamHandler {
	return Stream(func(ctx context.Context, r relay.Record) error {
		from, o, is, err := store.OrderRecord(r.Old, r.New)
		if err != nil || !is {
			return err
		}
		return b.Record(ctx, from, o)
	})
}
