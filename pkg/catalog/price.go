package catalog

import (
	"fmt"

	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// PriceOf is what one seat of the type costs in the show, in minor units. Every
// price is for one seat, also of a loveseat, which is sold as a pair: what a
// listing says, times the seats, is what a hold costs.
func (s Show) PriceOf(t seatmap.SeatType) (money.Amount, error) {
	for _, p := range s.Prices {
		if p.Type == t {
			return p.Amount, nil
		}
	}
	return money.Amount{}, fmt.Errorf("catalog: show %s has no price for %s seats", s.ID, t)
}
