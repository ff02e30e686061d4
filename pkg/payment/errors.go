package payment

import "github.com/fairseat/fairseat/pkg/fault"

// What can be wrong with a message, a request to a provider or its answer.
var (
	ErrSignature    = fault.New(fault.Forbidden, "bad_signature", "payment: signature does not verify")
	ErrReplayWindow = fault.New(fault.Forbidden, "stale_message", "payment: message is outside its time window")
	ErrMalformed    = fault.New(fault.Invalid, "bad_request", "payment: message is malformed")

	// ErrMismatch: an authentic report names another payment, order, amount or
	// currency than ours. It changes nothing and somebody must look.
	ErrMismatch = fault.New(fault.Conflict, "payment_mismatch", "payment: report differs from the payment")

	// ErrProviderDown: the provider was not reached or took nothing on.
	ErrProviderDown = fault.New(fault.Busy, "busy", "payment: provider is not available")

	// ErrOutcome: the request was sent and no usable answer came. The same
	// request under the same number is safe, another number is not.
	ErrOutcome = fault.New(fault.Unknown, "busy", "payment: provider's answer was not learned")

	ErrNotFound = fault.New(fault.NotFound, "not_found", "payment: provider does not know it")

	// ErrRefused: the provider's rules say no, e.g. another amount under a used
	// number, or more refunded than was captured.
	ErrRefused = fault.New(fault.Conflict, "payment_refused", "payment: provider refused the request")

	ErrState = fault.New(fault.Internal, "", "payment: state is not a known one")
)
