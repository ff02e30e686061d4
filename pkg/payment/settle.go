package payment

import (
	"fmt"
	"time"

	"github.com/fairseat/fairseat/pkg/money"
)

// HoldView is what a payment must know of its hold. The zero value is invalid.
type HoldView uint8

// Payable is HELD before expiresAt + grace, Overdue HELD after it, Ended is
// RELEASED, EXPIRED or REFUNDED; a hold is sold by the payment that confirmed it.
const (
	_ HoldView = iota
	HoldPayable
	HoldOverdue
	HoldEnded
	HoldSoldByThis
	HoldSoldByOther
)

// OrderView is what a payment must know of its order.
type OrderView struct {
	ID     string
	Total  money.Amount
	PaidBy ID   // empty while no payment has bought it
	Shut   bool // REFUNDED: it can never be paid again
}

// Verdict is what to do about a report. The zero value is invalid.
type Verdict uint8

// The verdicts. Each is one conditional write, so the loser of a race reads
// again and settles again.
const (
	_          Verdict = iota
	Confirm            // sell the hold to this payment
	Regrant            // run the expiry, then sell a new hold if every seat is free; else Refund
	Refund             // money without seats: give all of this payment back, leave the order alone
	MarkFailed         // no money came; the hold stays as it is; none can come when it is closed
	Nothing            // done already, or out of date
	Wait               // ask again at [NextAsk]
)

func (v Verdict) String() string {
	names := [...]string{Confirm: "Confirm", Regrant: "Regrant", Refund: "Refund", MarkFailed: "MarkFailed", Nothing: "Nothing", Wait: "Wait"}
	if v == 0 || int(v) >= len(names) {
		return fmt.Sprintf("Verdict(%d)", v)
	}
	return names[v]
}

// row is one state's answers. Unless money is heard the hold does not matter.
type row struct {
	quiet, failure Verdict
	money          map[HoldView]Verdict
}

var (
	claimed = map[HoldView]Verdict{
		HoldPayable: Confirm, HoldOverdue: Regrant, HoldEnded: Regrant,
		HoldSoldByThis: Nothing, HoldSoldByOther: Refund,
	}
	spent = map[HoldView]Verdict{
		HoldPayable: Nothing, HoldOverdue: Nothing, HoldEnded: Nothing,
		HoldSoldByThis: Nothing, HoldSoldByOther: Nothing,
	}
	rules = map[State]row{
		Pending:   {Wait, MarkFailed, claimed},
		Failed:    {Nothing, MarkFailed, claimed},
		Captured:  {Nothing, Nothing, claimed},
		Refunding: {Nothing, Nothing, spent},
		Refunded:  {Nothing, Nothing, spent},
	}
)

// Settle decides what a report means.
//
//	           | pending, | failed,    | captured, and the hold (or the order) is
//	payment    | unknown  | closed     | payable | overdue, ended | sold by this | sold by other, shut
//	-----------+----------+------------+---------+----------------+--------------+--------------------
//	pending    | Wait     | MarkFailed | Confirm | Regrant        | Nothing      | Refund
//	failed     | Nothing  | MarkFailed | Confirm | Regrant        | Nothing      | Refund
//	captured   | Nothing  | Nothing    | Confirm | Regrant        | Nothing      | Refund
//	refunding  | Nothing  | Nothing    | Nothing | Nothing        | Nothing      | Nothing
//	refunded   | Nothing  | Nothing    | Nothing | Nothing        | Nothing      | Nothing
//
// Money after a failure is money: a provider may let a buyer try again. A failure
// after money is out of date. A captured payment whose hold is not sold is work
// that a crash left behind, so it is taken up as if it were new. An overdue hold
// is never sold in place: an eligible person in line comes before late money.
//
// Whatever is heard, a hold that this payment bought needs Nothing. Errors:
// [ErrMismatch], [ErrState].
func Settle(p Payment, o OrderView, h HoldView, r Report) (Verdict, error) {
	if err := match(p, o, r); err != nil {
		return 0, err
	}
	h, err := fold(p, o, h)
	if err != nil {
		return 0, err
	}
	rule, ok := rules[p.State]
	if !ok {
		return 0, fmt.Errorf("%w: payment %s is %q", ErrState, p.ID, p.State)
	}
	if h == HoldSoldByThis && known(r.State) {
		return Nothing, nil
	}
	switch r.State {
	case ReportPending, ReportUnknown:
		return rule.quiet, nil
	case ReportFailed, ReportClosed:
		return rule.failure, nil
	case ReportCaptured:
		return rule.money[h], nil
	}
	return 0, fmt.Errorf("%w: report on payment %s is %q", ErrState, p.ID, r.State)
}

func known(s ReportState) bool {
	_, err := ParseReportState(string(s))
	return err == nil
}

// match refuses a report on anything else. An amount may be missing only where
// no money is claimed; an order, or when the payment was made, where the provider
// does not name it. Money under another number of the provider's than the money we
// have is a second one for the same payment, which no provider should take.
func match(p Payment, o OrderView, r Report) error {
	said := r.Amount
	if said == (money.Amount{}) && r.State != ReportCaptured {
		said = p.Amount
	}
	switch {
	case r.Payment != p.ID:
		return fmt.Errorf("%w: payment %s, not %s", ErrMismatch, r.Payment, p.ID)
	case r.Provider != "" && r.Provider != p.Provider:
		return fmt.Errorf("%w: payment %s is not of %s", ErrMismatch, p.ID, r.Provider)
	case r.Order != "" && r.Order != p.OrderID || o.ID != p.OrderID:
		return fmt.Errorf("%w: payment %s is of order %s", ErrMismatch, p.ID, p.OrderID)
	case !r.CreatedAt.IsZero() && !r.CreatedAt.Equal(p.CreatedAt.Truncate(time.Second)):
		return fmt.Errorf("%w: payment %s was made at another time", ErrMismatch, p.ID)
	case said != p.Amount || o.Total != p.Amount:
		return fmt.Errorf("%w: amount of payment %s", ErrMismatch, p.ID)
	case p.Amount.Minor <= 0:
		return fmt.Errorf("%w: payment %s has no amount", ErrMismatch, p.ID)
	case second(p, r):
		return fmt.Errorf("%w: payment %s was captured twice", ErrMismatch, p.ID)
	}
	return nil
}

func second(p Payment, r Report) bool {
	have := p.State == Captured || p.State == Refunding || p.State == Refunded
	return have && r.State == ReportCaptured && p.ProviderRef != "" && r.ProviderRef != "" && p.ProviderRef != r.ProviderRef
}

// fold makes one view of hold and order, which may have been read at two
// moments: a sale seen in either has happened. After a regrant the first hold
// has ended and only the order tells who bought it.
func fold(p Payment, o OrderView, h HoldView) (HoldView, error) {
	if h < HoldPayable || h > HoldSoldByOther {
		return 0, fmt.Errorf("%w: hold of payment %s", ErrState, p.ID)
	}
	mine := o.PaidBy == p.ID
	switch {
	case h == HoldSoldByThis && o.PaidBy != "" && !mine, h == HoldSoldByOther && mine:
		return 0, fmt.Errorf("%w: hold and order of payment %s were bought by two payments", ErrState, p.ID)
	case o.Shut:
		return HoldSoldByOther, nil
	case mine:
		return HoldSoldByThis, nil
	case o.PaidBy != "":
		return HoldSoldByOther, nil
	}
	return h, nil
}

// SettleRefund decides what a refund's report makes of a payment under refund of
// its whole amount: Refunded when done, Refunding while not. A report after the
// end changes nothing. [ErrRefused] when the provider gave the refund up, which
// needs a person; [ErrMismatch] for any other payment, number or amount.
func SettleRefund(p Payment, id RefundID, r RefundReport) (State, error) {
	said := r.Amount
	if said == (money.Amount{}) && r.State == RefundPending {
		said = p.Amount // not told, as nothing is claimed
	}
	if r.Payment != p.ID || r.ID != id || said != p.Amount || r.Provider != "" && r.Provider != p.Provider {
		return "", fmt.Errorf("%w: refund %s of payment %s", ErrMismatch, r.ID, p.ID)
	}
	if p.State != Refunding && p.State != Refunded {
		return "", fmt.Errorf("%w: payment %s is %s, not under refund", ErrMismatch, p.ID, p.State)
	}
	switch {
	case p.State == Refunded || r.State == RefundDone:
		return Refunded, nil
	case r.State == RefundPending:
		return Refunding, nil
	case r.State == RefundFailed:
		return "", fmt.Errorf("%w: refund %s of payment %s", ErrRefused, r.ID, p.ID)
	}
	return "", fmt.Errorf("%w: refund %s is %q", ErrState, r.ID, r.State)
}
