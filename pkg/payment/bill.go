package payment

import (
	"context"
	"time"

	"github.com/fairseat/fairseat/pkg/money"
)

// BillKind says what a line of a bill is about. The zero value is invalid.
type BillKind string

// What moves money.
const (
	BillPayment BillKind = "payment"
	BillRefund  BillKind = "refund"
)

// BillRow is one movement of money by a provider's own books. Amount is never
// negative: the kind says which way it went.
type BillRow struct {
	Kind        BillKind
	Payment     ID
	Refund      RefundID // empty at a payment, and where the bill does not tell
	ProviderRef string
	Amount      money.Amount
	At          time.Time
}

// Biller tells what a provider has in its books, to be laid beside ours. It stands
// apart from [Provider]: no function that sells needs it.
type Biller interface {
	// Bill answers the movements of the day in Beijing that holds the time given.
	// Providers make a day's bill on the next one, after nine or ten o'clock there.
	// Errors: [ErrNotFound] where there is none, yet or because nothing moved;
	// [ErrProviderDown]; [ErrOutcome] where the bill cannot be used as a whole.
	Bill(ctx context.Context, day time.Time) ([]BillRow, error)
}
