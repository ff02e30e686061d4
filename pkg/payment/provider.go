package payment

import (
	"context"
	"net/http"
	"time"

	"github.com/fairseat/fairseat/pkg/money"
)

// Intent asks for money.
type Intent struct {
	ID          ID
	OrderID     string
	Amount      money.Amount
	Description string
	NotifyURL   string // bare path without a query: UnionPay mixes a query into what it signs
	CreatedAt   time.Time
	ExpiresAt   time.Time
	Hints       map[string]string // unknown ones are [ErrMalformed] at a test provider, ignored at a real one
}

// Ref finds a payment at its provider: Alipay and WeChat Pay by ID, UnionPay by
// ID and CreatedAt. Amount and OrderID complete reports that leave them out.
// ExpiresAt is the time that the provider was given to take the money in.
type Ref struct {
	ID          ID
	OrderID     string
	ProviderRef string
	Amount      money.Amount
	CreatedAt   time.Time
	ExpiresAt   time.Time
}

// ReportState is what a provider says of a payment. The zero value is invalid.
type ReportState string

// Closed: unpaid, and no money can come any more. Unknown: the provider cannot
// tell now, which is never a reason to think that no money will come (Alipay
// knows no trade before its QR code is scanned; UnionPay's respCode 03, 04, 05).
// A payment refunded in part or whole is still Captured.
const (
	ReportPending  ReportState = "pending"
	ReportCaptured ReportState = "captured"
	ReportFailed   ReportState = "failed"
	ReportClosed   ReportState = "closed"
	ReportUnknown  ReportState = "unknown"
)

// ReportStates lists every valid one.
var ReportStates = []ReportState{ReportPending, ReportCaptured, ReportFailed, ReportClosed, ReportUnknown}

// ParseReportState refuses what is not one of [ReportStates] with [ErrState].
func ParseReportState(s string) (ReportState, error) { return parse(s, ReportStates) }

// Report is an authentic statement about a payment. Amount is the price that was
// asked for, in the order's currency, not what the buyer paid after a coupon. What
// a provider does not name is left zero: Order by those who know our number alone,
// CreatedAt, of the payment, in whole seconds, by all but UnionPay.
type Report struct {
	Payment     ID
	Provider    Name   // whose word it is; empty where the right one was asked
	Order       string // empty where the provider was not told, or does not tell
	ProviderRef string
	State       ReportState
	Amount      money.Amount
	CreatedAt   time.Time
	At          time.Time // when it happened, by the provider's clock
}

// Created is the answer to [Provider.Create]. Report is pending, or failed where
// the provider refuses the buyer at once; money is never told here.
type Created struct {
	Action Action
	Report Report
}

// RefundRequest asks to give back Amount of Payment.Amount.
type RefundRequest struct {
	ID          RefundID
	Payment     Ref // WeChat Pay wants the whole price, UnionPay its ProviderRef
	Amount      money.Amount
	Reason      string    // ≤ 80 bytes; the buyer may read it
	RequestedAt time.Time // of the first try: part of the number at UnionPay
}

// RefundState is where a refund stands. The zero value is invalid.
type RefundState string

// Failed means that nothing moved and nothing will under this number.
const (
	RefundPending RefundState = "pending"
	RefundDone    RefundState = "done"
	RefundFailed  RefundState = "failed"
)

// RefundStates lists every valid one.
var RefundStates = []RefundState{RefundPending, RefundDone, RefundFailed}

// ParseRefundState refuses what is not one of [RefundStates] with [ErrState].
func ParseRefundState(s string) (RefundState, error) { return parse(s, RefundStates) }

// RefundReport is an authentic statement about one refund. Amount is that of
// this refund, never the sum so far (which Alipay answers); a pending one may leave
// it out.
type RefundReport struct {
	ID          RefundID
	Payment     ID
	Provider    Name // as in [Report]
	ProviderRef string
	State       RefundState
	Amount      money.Amount
	At          time.Time
}

// Notice is what an authentic callback says: exactly one of the two is not nil.
// Alipay and UnionPay send both kinds to one address.
type Notice struct {
	Payment *Report
	Refund  *RefundReport
}

// By is the notice as the word of one provider, which is none about a payment at
// another: whoever holds the keys of one cannot sell what is to be paid at the other.
func (n Notice) By(name Name) Notice {
	if n.Payment != nil {
		r := *n.Payment
		r.Provider, n.Payment = name, &r
	}
	if n.Refund != nil {
		r := *n.Refund
		r.Provider, n.Refund = name, &r
	}
	return n
}

// Ack is the answer that a provider wants to its callback.
type Ack struct {
	Status      int
	ContentType string
	Body        []byte
}

// Provider moves money. Implementations are safe for concurrent use.
//
// Every method that moves something is idempotent by our number: the same
// request again has one effect and the same answer. Another amount under a used
// number is [ErrRefused].
//
// Errors: [ErrProviderDown] when nothing was taken on; [ErrOutcome] when that is
// not known, and the same call may be repeated; [ErrNotFound]; [ErrRefused].
// An answer whose signature does not verify is no answer: [ErrOutcome].
type Provider interface {
	Name() Name

	// Create asks the buyer for money.
	Create(ctx context.Context, in Intent) (Created, error)

	// Query asks how a payment stands. [ErrNotFound] proves nothing about the future.
	Query(ctx context.Context, ref Ref) (Report, error)

	// Close asks that no money come any more, and reports what then is true:
	// closed or failed; captured, when the buyer was faster; pending or unknown,
	// when this provider cannot close it now (UnionPay never can).
	Close(ctx context.Context, ref Ref) (Report, error)

	// Refund gives back a part or the whole. RefundPending is not the end: the
	// same request again tells how it stands and moves nothing.
	Refund(ctx context.Context, req RefundRequest) (RefundReport, error)

	// ParseCallback verifies raw bytes before it reads them. now is compared
	// with the time that was signed, where a provider signs one. It calls nobody.
	// Errors: [ErrSignature], [ErrReplayWindow], [ErrMalformed]; [ErrMismatch] where
	// it is authentic, but of another merchant, app or seller, or unfit to be read.
	ParseCallback(header http.Header, body []byte, now time.Time) (Notice, error)

	// Acknowledge tells how to answer a callback whose handling ended with err.
	// Ask only after the commit: a provider stops repeating what was acknowledged.
	Acknowledge(err error) Ack
}

// Picky is a provider that does not take every amount; its currency says most of it.
type Picky interface {
	Takes(a money.Amount) bool
}

// Keyed is a provider that must fetch its keys first, or anew from time to time. Ready
// does so where it is time to, and else calls nobody: what a message says never decides
// that. A callback that is heard without keys finds [ErrProviderDown].
type Keyed interface {
	Ready(ctx context.Context) error
}
