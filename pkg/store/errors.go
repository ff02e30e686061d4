package store

import (
	"fmt"

	"github.com/fairseat/fairseat/pkg/fault"
)

// What Transact and the reads answer beside success.
var (
	ErrUnknown       = fault.New(fault.Unknown, "", "store: sent, outcome unknown")
	ErrThrottled     = fault.New(fault.Busy, "busy", "store: throttled")
	ErrContended     = fault.New(fault.Contended, "busy", "store: in conflict with another transaction")
	ErrStale         = fault.New(fault.Stale, "", "store: changed since it was read")
	ErrTokenMismatch = fault.New(fault.Internal, "", "store: token used with other writes")
)

// ReasonCode is why one write of a transaction stood in the way. The zero value is invalid.
type ReasonCode uint8

const (
	_               ReasonCode = iota
	ReasonNone                 // this write did not stand in the way
	ReasonCondition            // its condition was false; Old is the item, nil when absent
	ReasonConflict             // another transaction had the item in hand
	ReasonThrottled            // its partition is over its rate
	ReasonFault                // anything else: too large, malformed …
)

// Reason is the answer to one write. Old is never shared.
type Reason struct {
	Code ReasonCode
	Old  Item
}

// Canceled is a transaction that was refused as a whole. Reasons are in the order of the writes.
type Canceled struct{ Reasons []Reason }

func (c *Canceled) Error() string { return fmt.Sprintf("store: transaction canceled: %v", c.codes()) }

func (c *Canceled) codes() []ReasonCode {
	codes := make([]ReasonCode, len(c.Reasons))
	for i, r := range c.Reasons {
		codes[i] = r.Code
	}
	return codes
}

// Has reports whether any write was refused for the reason.
func (c *Canceled) Has(code ReasonCode) bool {
	for _, r := range c.Reasons {
		if r.Code == code {
			return true
		}
	}
	return false
}
