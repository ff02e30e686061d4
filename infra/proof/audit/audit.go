// Package audit decides whether the tables of a running stack and the books of its
// payment provider contradict the invariants: NoDoubleSell, AllOrNothing,
// NoLostSeat, TenAtMost, MoneyIsTickets. It reads every item of a show, at rest,
// and names what is wrong.
//
// Start with [Books].
package audit

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/fairseat/fairseat/localstack/sandbox/sim"
	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/order"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
)

// Provider is the payment provider's own journal.
type Provider interface {
	Payments(order string) ([]sim.Payment, error)
	Refunds(payment string) ([]sim.Refund, error)
}

// Books are what is audited. Client and HoldsTable serve the one scan: the
// product itself never lists the holds of a show.
type Books struct {
	Store      *store.Store
	Client     *dynamodb.Client
	HoldsTable string
	Policy     booking.Policy
	Provider   Provider
}

// Check names what contradicts the invariants in a show of the layout.
func (b Books) Check(ctx context.Context, show catalog.ShowID, l *seatmap.Layout) error {
	holds, err := b.Holds(ctx, show)
	if err != nil {
		return err
	}
	return b.CheckHolds(ctx, show, l, holds)
}

// CheckHolds is Check for who has read the show's holds already, all of them.
func (b Books) CheckHolds(ctx context.Context, show catalog.ShowID, l *seatmap.Layout, holds map[booking.HoldID]booking.Hold) error {
	claims, err := b.Claims(ctx, show, l)
	if err != nil {
		return err
	}
	return errors.Join(
		CheckSeats(holds, claims),
		b.checkAllowances(ctx, show, holds),
		b.checkTimers(ctx, show, holds),
		b.checkMoney(ctx, holds),
	)
}

// HoldsByShow are all holds of all shows, by one scan.
func (b Books) HoldsByShow(ctx context.Context) (map[catalog.ShowID]map[booking.HoldID]booking.Hold, error) {
	all, err := b.scan(ctx, &dynamodb.ScanInput{})
	byShow := map[catalog.ShowID]map[booking.HoldID]booking.Hold{}
	for id, h := range all {
		if byShow[h.Show] == nil {
			byShow[h.Show] = map[booking.HoldID]booking.Hold{}
		}
		byShow[h.Show][id] = h
	}
	return byShow, err
}

// Holds are all of a show, ended ones too.
func (b Books) Holds(ctx context.Context, show catalog.ShowID) (map[booking.HoldID]booking.Hold, error) {
	return b.scan(ctx, &dynamodb.ScanInput{
		FilterExpression: aws.String("#s = :s"), ExpressionAttributeNames: map[string]string{"#s": "show"},
		ExpressionAttributeValues: map[string]types.AttributeValue{":s": &types.AttributeValueMemberS{Value: string(show)}},
	})
}

func (b Books) scan(ctx context.Context, in *dynamodb.ScanInput) (map[booking.HoldID]booking.Hold, error) {
	in.TableName, in.ConsistentRead = aws.String(b.HoldsTable), aws.Bool(true)
	var ids []booking.HoldID
	pages := dynamodb.NewScanPaginator(b.Client, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, it := range page.Items {
			if pk, ok := it["pk"].(*types.AttributeValueMemberS); ok {
				ids = append(ids, booking.HoldID(strings.TrimPrefix(pk.Value, "HOLD#")))
			}
		}
	}
	return b.Store.HoldsByID(ctx, ids)
}

// Claims are the owners of a show's seats that are not free.
func (b Books) Claims(ctx context.Context, show catalog.ShowID, l *seatmap.Layout) (map[seatmap.SeatID]boxoffice.Owner, error) {
	all := map[seatmap.SeatID]boxoffice.Owner{}
	for _, block := range l.Blocks() {
		claims, err := b.Store.BlockClaims(ctx, show, block.Name)
		if err != nil {
			return nil, err
		}
		for id, o := range claims {
			all[id] = o
		}
	}
	return all, nil
}

// CheckSeats: each claim is of a live hold or set aside, and a live hold has all its seats.
func CheckSeats(holds map[booking.HoldID]booking.Hold, claims map[seatmap.SeatID]boxoffice.Owner) error {
	var errs []error
	owned := map[seatmap.SeatID]booking.HoldID{}
	for _, h := range holds {
		if !h.State.Live() {
			continue
		}
		for _, seat := range h.Seats {
			if other, twice := owned[seat.ID]; twice {
				errs = append(errs, fmt.Errorf("seat %s is of two live holds, %s and %s", seat.ID, other, h.ID))
			}
			owned[seat.ID] = h.ID
			if claims[seat.ID].Hold != h.ID {
				errs = append(errs, fmt.Errorf("hold %s is %s without its seat %s", h.ID, h.State, seat.ID))
			}
		}
	}
	for seat, o := range claims {
		if !o.Line() && owned[seat] != o.Hold {
			errs = append(errs, fmt.Errorf("seat %s is claimed by hold %s, which is %s", seat, o.Hold, holds[o.Hold].State))
		}
	}
	return errors.Join(errs...)
}

func (b Books) checkAllowances(ctx context.Context, show catalog.ShowID, holds map[booking.HoldID]booking.Hold) error {
	var errs []error
	has := map[booking.Buyer]int{}
	for _, h := range holds {
		if h.State == booking.Blocked {
			continue
		}
		has[h.Buyer] += 0
		if h.State.Live() {
			has[h.Buyer] += len(h.Seats)
		}
	}
	for buyer, n := range has {
		got, err := b.Store.Allowance(ctx, show, buyer)
		if err != nil || got != n || n > b.Policy.MaxSeats {
			errs = append(errs, fmt.Errorf("buyer %s has %d seats, the allowance says %d (%v)", buyer, n, got, err))
		}
	}
	return errors.Join(errs...)
}

// Timers are a show's deadlines by hold; a list out of order is an error.
func (b Books) Timers(ctx context.Context, show catalog.ShowID) (map[booking.HoldID]time.Time, error) {
	all := map[booking.HoldID]time.Time{}
	for shard := range boxoffice.Shards {
		timers, err := b.Store.Timers(ctx, show, shard, time.Time{}, 0)
		if err != nil {
			return nil, err
		}
		for i, t := range timers {
			if i > 0 && t.ExpiresAt.Before(timers[i-1].ExpiresAt) {
				return nil, fmt.Errorf("shard %d lists deadlines out of order", shard)
			}
			all[t.Hold] = t.ExpiresAt
		}
	}
	return all, nil
}

// checkTimers: every held hold has its timer, until the TTL takes it, and no other.
func (b Books) checkTimers(ctx context.Context, show catalog.ShowID, holds map[booking.HoldID]booking.Hold) error {
	timers, err := b.Timers(ctx, show)
	if err != nil {
		return err
	}
	var errs []error
	for id, at := range timers {
		if h := holds[id]; h.State != booking.Held || !h.ExpiresAt.Equal(at) {
			errs = append(errs, fmt.Errorf("a timer is left for hold %s, which is %s", id, h.State))
		}
	}
	for _, h := range holds {
		if _, ok := timers[h.ID]; !ok && h.State == booking.Held && time.Since(h.ExpiresAt) < b.Policy.Grace {
			errs = append(errs, fmt.Errorf("hold %s has no timer", h.ID))
		}
	}
	return errors.Join(errs...)
}

func (b Books) checkMoney(ctx context.Context, holds map[booking.HoldID]booking.Hold) error {
	var errs []error
	seen := map[string]bool{}
	for _, h := range holds {
		if h.State == booking.Sold && h.OrderID == "" {
			errs = append(errs, fmt.Errorf("hold %s is sold without an order", h.ID))
		}
		if h.OrderID == "" || seen[h.OrderID] {
			continue
		}
		seen[h.OrderID] = true
		o, err := b.Store.OrderByID(ctx, order.ID(h.OrderID))
		if err == nil {
			err = b.checkOrder(ctx, o, holds)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("order %s: %w", h.OrderID, err))
		}
	}
	return errors.Join(errs...)
}

func (b Books) checkOrder(ctx context.Context, o order.Order, holds map[booking.HoldID]booking.Hold) error {
	if err := o.Check(); err != nil {
		return err
	}
	h := holds[booking.HoldID(o.HoldID)]
	if (o.Status == order.Paid) != (h.State == booking.Sold) || (o.Status == order.Pending) != (h.State == booking.Held) {
		return fmt.Errorf("is %s, its hold %s is %s", o.Status, h.ID, h.State)
	}
	money, err := b.Provider.Payments(string(o.ID))
	if err != nil {
		return err
	}
	var captured, refunded, tickets int64
	for _, p := range money {
		if p.State == sim.Captured {
			captured += p.Amount.Minor
			refunded += p.Refunded
		}
		if err := b.checkPayment(ctx, p, o); err != nil {
			return err
		}
	}
	if o.Status == order.Paid {
		for _, s := range o.Seats {
			tickets += s.Price.Minor
		}
		if len(o.Tickets) != len(o.Seats) {
			return fmt.Errorf("has %d tickets for %d seats", len(o.Tickets), len(o.Seats))
		}
	}
	if captured-refunded != tickets {
		return fmt.Errorf("is %s: captured %d, refunded %d, live tickets cost %d", o.Status, captured, refunded, tickets)
	}
	return nil
}

// checkPayment compares the provider's books with ours.
func (b Books) checkPayment(ctx context.Context, theirs sim.Payment, o order.Order) error {
	ours, err := b.Store.PaymentByID(ctx, payment.ID(theirs.ID))
	if err != nil {
		return err
	}
	refunds, err := b.Provider.Refunds(theirs.ID)
	if err != nil {
		return err
	}
	want := map[bool]payment.State{true: payment.Refunded, false: payment.Captured}[o.PaidBy != ours.ID || o.Status == order.Refunded]
	if theirs.State == sim.Captured && ours.State != want {
		return fmt.Errorf("payment %s is %s with us, captured at the provider", ours.ID, ours.State)
	}
	if len(refunds) > 1 {
		return fmt.Errorf("payment %s was refunded %d times", ours.ID, len(refunds))
	}
	return nil
}
