package sim

import (
	"net/url"
	"time"

	"github.com/fairseat/fairseat/pkg/money"
)

// State is where a payment or refund stands here.
type State string

// Of a payment: Pending, Captured, Failed, Closed. Of a refund: Pending, Done, Failed.
const (
	Pending  State = "pending"
	Captured State = "captured"
	Failed   State = "failed"
	Closed   State = "closed"
	Done     State = "done"
)

// Outcome is how a payment is to end.
type Outcome string

// Success captures at once; Decline fails at once; Never captures at once and
// sends no callback; Late captures 0 to 5 s after expires_at + grace; Person asks
// somebody on the page until expires_at + grace.
const (
	Success Outcome = "success"
	Decline Outcome = "decline"
	Never   Outcome = "never"
	Late    Outcome = "late"
	Person  Outcome = "person"
)

func (o Outcome) valid() bool {
	switch o {
	case Success, Decline, Never, Late, Person:
		return true
	}
	return false
}

// Manner is how the callbacks of a payment behave. Zero copies means one.
type Manner struct {
	Copies  int   `json:"copies,omitempty"`
	DelayMS int64 `json:"delay_ms,omitempty"`
	Drop    bool  `json:"drop,omitempty"`
}

func (m Manner) valid() bool {
	return m.Copies >= 0 && m.Copies <= 10 && m.DelayMS >= 0 && m.DelayMS <= 86_400_000
}

// Payment is kept for ever, as its number is.
type Payment struct {
	ID          string       `json:"id"`
	Order       string       `json:"order_id"`
	Amount      money.Amount `json:"amount"`
	Description string       `json:"description,omitempty"`
	NotifyURL   string       `json:"notify_url"`
	ExpiresAt   time.Time    `json:"expires_at"`
	Outcome     Outcome      `json:"outcome"`
	Callback    Manner       `json:"callback"`

	Extra map[string]string `json:"extra,omitempty"` // what its wire must remember

	Ref       string    `json:"provider_ref"`
	State     State     `json:"state"`
	Seen      bool      `json:"seen,omitempty"` // somebody opened its page, or paid
	PaidAt    time.Time `json:"paid_at,omitzero"`
	Refunded  int64     `json:"refunded"` // minor units, promised ones included
	CreatedAt time.Time `json:"created_at"`
	At        time.Time `json:"at"`              // of the last change of State
	DueAt     time.Time `json:"due_at,omitzero"` // of the next change by itself; absent for none
}

// Refund is one part given back.
type Refund struct {
	ID      string       `json:"id"`
	Payment string       `json:"payment_id"`
	Amount  money.Amount `json:"amount"`
	Reason  string       `json:"reason,omitempty"`

	NotifyURL string            `json:"notify_url,omitempty"` // the payment's if empty
	Extra     map[string]string `json:"extra,omitempty"`

	Ref       string    `json:"provider_ref"`
	State     State     `json:"state"`
	CreatedAt time.Time `json:"created_at,omitzero"`
	At        time.Time `json:"at"`
	DueAt     time.Time `json:"due_at,omitzero"`
}

// Progress is where a callback stands.
type Progress string

// A waiting callback has a time; a held one waits for a release; a dropped one
// was never sent, a given-up one never accepted.
const (
	Waiting   Progress = "waiting"
	Sending   Progress = "sending"
	Held      Progress = "held"
	Delivered Progress = "delivered"
	Dropped   Progress = "dropped"
	GivenUp   Progress = "given_up"
)

// Try is one sending. Status is 0 where no answer came.
type Try struct {
	At     time.Time `json:"at"`
	Status int       `json:"status"`
}

// Callback is one copy of a notice.
type Callback struct {
	N          int       `json:"n"`
	Payment    string    `json:"payment_id"`
	URL        string    `json:"url"`
	Body       string    `json:"body"`
	AgeSeconds int64     `json:"age_seconds,omitempty"` // how much older than true its timestamp is
	Progress   Progress  `json:"progress"`
	DueAt      time.Time `json:"due_at,omitzero"`
	Tries      []Try     `json:"tries,omitempty"`
}

const maxTries = 12

// retryGap follows the n-th try: 1, 2, 4 … seconds, at most five minutes.
func retryGap(n int) time.Duration {
	return min(time.Second<<min(n-1, 20), 5*time.Minute)
}

// Problem is a refusal by the rules here.
type Problem struct {
	Status int    `json:"-"`
	Code   string `json:"code"`
	Text   string `json:"text"`
}

func (p *Problem) Error() string { return p.Code + ": " + p.Text }

// Why a call of a wire may fail; anything else is the journal's fault.
var (
	ErrNotFound   = &Problem{404, "not_found", "no such thing here"}
	ErrOther      = &Problem{409, "number_used", "this number was used for something else"}
	ErrTooMuch    = &Problem{409, "too_much", "more than was captured and not yet refunded"}
	ErrNotPaid    = &Problem{409, "not_captured", "only captured money can be refunded"}
	errNotPending = &Problem{409, "not_pending", "decided already"}
)

func badRequest(text string) *Problem { return &Problem{400, "bad_request", text} }

// Order is what a payment is asked for with; as JSON, the body of the sandbox's create.
type Order struct {
	ID          string       `json:"id"`
	Order       string       `json:"order_id"`
	Amount      money.Amount `json:"amount"`
	Description string       `json:"description"`
	NotifyURL   string       `json:"notify_url"`
	ExpiresAt   time.Time    `json:"expires_at"`
	Outcome     Outcome      `json:"outcome"`
	Callback    *Manner      `json:"callback"`

	Extra map[string]string `json:"-"` // what the wire must remember
}

func (o Order) check() *Problem {
	u, err := url.Parse(o.NotifyURL)
	switch {
	case !number(o.ID) || !number(o.Order):
		return badRequest("id and order_id are 1 to 128 letters, digits, - or _")
	case !o.Amount.Valid() || o.Amount.Minor == 0:
		return badRequest("amount is positive minor units of a currency")
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return badRequest("notify_url is an absolute http or https URL")
	case o.ExpiresAt.IsZero():
		return badRequest("expires_at is missing")
	case o.Outcome != "" && !o.Outcome.valid():
		return badRequest("outcome is success, decline, never, late or person")
	case o.Callback != nil && !o.Callback.valid():
		return badRequest("callback.copies is at most 10, callback.delay_ms at most a day")
	}
	return nil
}

func number(s string) bool {
	if s == "" || len(s) > 128 {
		return false
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// same reports whether a repeated create asks for the same payment. The outcome
// is a wish, not a part of it.
func (p *Payment) same(o Order) bool {
	return p.Order == o.Order && p.Amount == o.Amount
}
