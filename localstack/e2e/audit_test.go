package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/fairseat/fairseat/localstack/sandbox/sim"
	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/order"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// audit reads every item of a show, at rest, and names what contradicts the
// invariants: NoDoubleSell, AllOrNothing, NoLostSeat, TenAtMost, MoneyIsTickets.
func (w *world) audit(ctx context.Context, s *show) error {
	holds, err := w.holds(ctx, s)
	if err != nil {
		return err
	}
	claims, err := w.claims(ctx, s)
	if err != nil {
		return err
	}
	return errors.Join(
		auditSeats(holds, claims),
		w.auditAllowances(ctx, s, holds),
		w.auditTimers(ctx, s, holds),
		w.auditMoney(ctx, holds),
	)
}

// balanced waits until the audit finds nothing.
func (w *world) balanced(t *testing.T, s *show) {
	t.Helper()
	eventually(t, 20*time.Second, func() error { return w.audit(t.Context(), s) })
}

// auditAll is for the end, when nothing moves but the clock.
func (w *world) auditAll() error {
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	var errs []error
	for _, s := range w.shows {
		if err := w.audit(ctx, s); err != nil {
			errs = append(errs, fmt.Errorf("show %s: %w", s.ID, err))
		}
	}
	return errors.Join(errs...)
}

// holds are all of a show, ended ones too.
func (w *world) holds(ctx context.Context, s *show) (map[booking.HoldID]booking.Hold, error) {
	var ids []booking.HoldID
	pages := dynamodb.NewScanPaginator(stack.Clients().Tables, &dynamodb.ScanInput{
		TableName: aws.String(variable("TABLE_Holds")), ConsistentRead: aws.Bool(true),
		FilterExpression: aws.String("#s = :s"), ExpressionAttributeNames: map[string]string{"#s": "show"},
		ExpressionAttributeValues: map[string]types.AttributeValue{":s": &types.AttributeValueMemberS{Value: string(s.ID)}},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, it := range page.Items {
			pk, _ := it["pk"].(*types.AttributeValueMemberS)
			if pk != nil {
				ids = append(ids, booking.HoldID(pk.Value[len("HOLD#"):]))
			}
		}
	}
	return w.store.HoldsByID(ctx, ids)
}

func (w *world) claims(ctx context.Context, s *show) (map[seatmap.SeatID]boxoffice.Owner, error) {
	all := map[seatmap.SeatID]boxoffice.Owner{}
	for _, b := range s.layout.Blocks() {
		claims, err := w.store.BlockClaims(ctx, s.ID, b.Name)
		if err != nil {
			return nil, err
		}
		for id, o := range claims {
			all[id] = o
		}
	}
	return all, nil
}

func auditSeats(holds map[booking.HoldID]booking.Hold, claims map[seatmap.SeatID]boxoffice.Owner) error {
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

func (w *world) auditAllowances(ctx context.Context, s *show, holds map[booking.HoldID]booking.Hold) error {
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
	for b, n := range has {
		got, err := w.store.Allowance(ctx, s.ID, b)
		if err != nil || got != n || n > maxSeats {
			errs = append(errs, fmt.Errorf("buyer %s has %d seats, the allowance says %d (%v)", b, n, got, err))
		}
	}
	return errors.Join(errs...)
}

func (w *world) timers(ctx context.Context, s *show) (map[booking.HoldID]time.Time, error) {
	all := map[booking.HoldID]time.Time{}
	for shard := range boxoffice.Shards {
		timers, err := w.store.Timers(ctx, s.ID, shard, time.Time{}, 0)
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

// auditTimers: every held hold has its timer, until the TTL takes it, and no other.
func (w *world) auditTimers(ctx context.Context, s *show, holds map[booking.HoldID]booking.Hold) error {
	timers, err := w.timers(ctx, s)
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
		if _, ok := timers[h.ID]; !ok && h.State == booking.Held && time.Since(h.ExpiresAt) < graceTime {
			errs = append(errs, fmt.Errorf("hold %s has no timer", h.ID))
		}
	}
	return errors.Join(errs...)
}

func (w *world) auditMoney(ctx context.Context, holds map[booking.HoldID]booking.Hold) error {
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
		o, err := w.store.OrderByID(ctx, order.ID(h.OrderID))
		if err == nil {
			err = w.auditOrder(ctx, o, holds)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("order %s: %w", h.OrderID, err))
		}
	}
	return errors.Join(errs...)
}

func (w *world) auditOrder(ctx context.Context, o order.Order, holds map[booking.HoldID]booking.Hold) error {
	if err := o.Check(); err != nil {
		return err
	}
	h := holds[booking.HoldID(o.HoldID)]
	if (o.Status == order.Paid) != (h.State == booking.Sold) || (o.Status == order.Pending) != (h.State == booking.Held) {
		return fmt.Errorf("is %s, its hold %s is %s", o.Status, h.ID, h.State)
	}
	money, err := provider.payments(string(o.ID))
	if err != nil {
		return err
	}
	var captured, refunded, tickets int64
	for _, p := range money {
		if p.State == sim.Captured {
			captured += p.Amount.Minor
			refunded += p.Refunded
		}
		if err := w.auditPayment(ctx, p, o); err != nil {
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

// auditPayment compares the provider's books with ours.
func (w *world) auditPayment(ctx context.Context, theirs sim.Payment, o order.Order) error {
	ours, err := w.store.PaymentByID(ctx, payment.ID(theirs.ID))
	if err != nil {
		return err
	}
	refunds, err := provider.refunds(theirs.ID)
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
