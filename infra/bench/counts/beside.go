package counts

import (
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/history"
	"github.com/fairseat/fairseat/pkg/order"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/throttle"
)

// besideSteps are what a sale causes beside itself. A challenge that a hold has to
// solve is kept in the buyer's allowance and costs the hold nothing.
var besideSteps = []step{
	{
		"an attempt, counted at the table", use(1, 2, 0), use(1, 1, 0),
		"one item; built: in a transaction of one. A challenge takes two, of its buyer and his address; a hold, a place and a session none while an instance lets a few of each pass from its memory",
		func(s *stage) (func() error, error) {
			names, err := throttle.NewNamer("names the limits of the measurements")
			if err != nil {
				return nil, err
			}
			limits, key := store.NewLimiter(s.Tables), names.Of("challenge-buyer", "g_1")
			return func() error { return limits.Take(s.ctx, key, throttle.Rate{Burst: 40, Every: time.Second}, 1, s.now) }, nil
		},
	},
	{
		"order shown to its buyer, begun", use(2, 4, 1), use(1, 2, 0),
		"its entry among all and among those of its state; built: what was there is read, and both are one transaction",
		paying(func(s *stage, _ booking.Hold, p payment.Payment) error { return s.list(p) }),
	},
	{
		"order shown to its buyer, paid", use(2, 8, 1), use(2, 4, 1),
		"the entry, that of its old state, that of its new one, the ticket; built: in one transaction",
		paying(func(s *stage, _ booking.Hold, p payment.Payment) error {
			if err := s.list(p); err != nil {
				return err
			}
			if err := s.captured(p); err != nil {
				return err
			}
			s.meter.Reset()
			return s.list(p)
		}),
	},
}

// list does for the order of a payment what the stream of orders causes.
func (s *stage) list(p payment.Payment) error {
	o, err := s.Store.OrderByID(s.ctx, order.ID(p.OrderID))
	if err != nil {
		return err
	}
	s.meter.Reset()
	book := &history.Book{Store: store.NewHistories(s.Tables), Shows: s.Office.Catalog, Clock: func() time.Time { return s.now }}
	return book.Record(s.ctx, "", o)
}
