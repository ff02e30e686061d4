package catalog

import (
	"fmt"

	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// SeatPrice is what one seat costs in the show, in minor units. A loveseat is
// priced by the pair: each half costs half of it, and an odd minor unit goes to
// the half that comes first in the layout, so that both together cost the pair.
func SeatPrice(s Show, seat seatmap.Seat) (money.Amount, error) {
	for _, p := range s.Prices {
		if p.Type == seat.Type {
			return share(p.Amount, seat), nil
		}
	}
	return money.Amount{}, fmt.Errorf("catalog: show %s has no price for %s seats (%s)", s.ID, seat.Type, seat.ID)
}

func share(a money.Amount, seat seatmap.Seat) money.Amount {
	if seat.Type != seatmap.Loveseat {
		return a
	}
	half := a.Minor / 2
	if seat.Index < seat.Partner {
		half = a.Minor - half
	}
	return money.Amount{Minor: half, Currency: a.Currency}
}

// Total is the sum over the seats. No seats have no currency: an error.
func Total(s Show, seats []seatmap.Seat) (money.Amount, error) {
	var sum money.Amount
	for i, seat := range seats {
		p, err := SeatPrice(s, seat)
		if err != nil {
			return money.Amount{}, err
		}
		if i == 0 {
			sum = p
			continue
		}
		if sum, err = sum.Add(p); err != nil {
			return money.Amount{}, fmt.Errorf("catalog: total of show %s: %w", s.ID, err)
		}
	}
	if len(seats) == 0 {
		return money.Amount{}, fmt.Errorf("catalog: total of show %s: no seats", s.ID)
	}
	return sum, nil
}
