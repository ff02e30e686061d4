package payment

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/fairseat/fairseat/pkg/money"
)

// ID is our number of a payment, the key of idempotence at every provider:
// 8 to 32 letters and digits, the narrowest form of the three (UnionPay orderId).
type ID string

// RefundID is our number of a refund, of the same form as [ID].
type RefundID string

// Name names a provider as clients write it.
type Name string

// The providers.
const (
	Sandbox  Name = "sandbox"
	Alipay   Name = "alipay"
	WeChat   Name = "wechat"
	UnionPay Name = "unionpay"
)

// IDFor derives a number from what makes the payment one, e.g. its hold and
// attempt. The same parts make the same number, so a retry cannot pay twice.
func IDFor(parts ...string) ID { return ID(number("payment", parts)) }

// RefundFor is the number of the n-th refund of a payment. A refund whose
// outcome is unknown is repeated under the same n.
func RefundFor(id ID, n int) RefundID {
	return RefundID(number("refund", []string{string(id), strconv.Itoa(n)}))
}

// number hashes length-prefixed parts: ("a", "bc") and ("ab", "c") must differ.
func number(kind string, parts []string) string {
	h := sha256.New()
	for _, p := range append([]string{kind}, parts...) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		h.Write(n[:])
		h.Write([]byte(p))
	}
	sum := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(h.Sum(nil)[:16])
	return strings.ToLower(sum)
}

// Valid reports whether every provider would take the number.
func (id ID) Valid() bool { return validNumber(string(id)) }

// Valid reports whether every provider would take the number.
func (id RefundID) Valid() bool { return validNumber(string(id)) }

func validNumber(s string) bool {
	if len(s) < 8 || len(s) > 32 {
		return false
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}

// State is where a payment stands. The zero value is invalid.
type State string

// Captured means that the money is ours; Refunding that it is promised back.
const (
	Pending   State = "pending"
	Captured  State = "captured"
	Failed    State = "failed"
	Refunding State = "refunding"
	Refunded  State = "refunded"
)

// States lists every valid one.
var States = []State{Pending, Captured, Failed, Refunding, Refunded}

// ParseState refuses what is not one of [States] with [ErrState].
func ParseState(s string) (State, error) { return parse(s, States) }

func parse[T ~string](s string, known []T) (T, error) {
	for _, k := range known {
		if s == string(k) {
			return k, nil
		}
	}
	return "", fmt.Errorf("%w: %q", ErrState, s)
}

// Payment is one attempt to pay for one order. A hold may see several, one
// pending at a time.
type Payment struct {
	ID       ID
	HoldID   string
	OrderID  string
	Buyer    string
	Provider Name
	State    State
	Amount   money.Amount
	Hints    map[string]string // wishes to a test provider, e.g. outcome=late
	BodyHash string            // of the request that made it, for its idempotency key

	CreatedAt   time.Time // providers may need it to find the payment again
	ExpiresAt   time.Time // of the hold; the provider should take no money after it
	ProviderRef string    // the provider's own number, once told
	Action      Action    // zero until the provider has answered
	Attempt     int       // how often the provider was asked in this state
	NextAskAt   time.Time // see [NextAsk]
	CapturedAt  time.Time
}

// Ref is what finds the payment at its provider.
func (p Payment) Ref() Ref {
	return Ref{
		ID: p.ID, OrderID: p.OrderID, ProviderRef: p.ProviderRef, Amount: p.Amount,
		CreatedAt: p.CreatedAt, ExpiresAt: p.ExpiresAt,
	}
}

// Intent is what the provider is to be asked for.
func (p Payment) Intent(description, notifyURL string) Intent {
	return Intent{
		ID: p.ID, OrderID: p.OrderID, Amount: p.Amount, Description: description, NotifyURL: notifyURL,
		CreatedAt: p.CreatedAt, ExpiresAt: p.ExpiresAt, Hints: p.Hints,
	}
}

// Check finds what no stored payment may have.
func (p Payment) Check() error {
	if _, err := ParseState(string(p.State)); err != nil {
		return fmt.Errorf("payment %s: %w", p.ID, err)
	}
	switch {
	case !p.ID.Valid():
		return fmt.Errorf("payment %q: number has not the form of one", p.ID)
	case !p.Amount.Valid() || p.Amount.Minor == 0:
		return fmt.Errorf("payment %s: %v cannot be paid", p.ID, p.Amount)
	case p.HoldID == "" || p.OrderID == "" || p.Provider == "" || p.CreatedAt.IsZero():
		return fmt.Errorf("payment %s: hold, order, provider or time is missing", p.ID)
	}
	return nil
}

// ActionKind says how to read an [Action]. The zero value is invalid.
type ActionKind string

// A URL is opened on the buyer's device; a QR text is drawn for another one to scan.
const (
	ActionURL ActionKind = "url"
	ActionQR  ActionKind = "qr"
)

// Action is what the buyer's device must do.
type Action struct {
	Kind  ActionKind `json:"kind"`
	Value string     `json:"value"`
}

// ParseActionKind refuses an unknown kind with [ErrState].
func ParseActionKind(s string) (ActionKind, error) {
	return parse(s, []ActionKind{ActionURL, ActionQR})
}
