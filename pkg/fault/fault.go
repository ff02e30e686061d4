// Package fault sorts every error by what its caller can do about it.
//
// Sentinels live with their domain and carry a [Kind]; the HTTP edge has one
// table Kind → status, the queue edge one table Kind → acknowledge or retry.
// An error without a kind is [Internal]: 500 or retry, and nothing revealed.
package fault

import "errors"

// Kind says what the caller can do. The zero value is invalid and reads as Internal.
type Kind uint8

const (
	_         Kind = iota
	Internal       // nothing: it is our fault, try later
	Invalid        // correct the request (400, 422)
	NotFound       // nothing here, or not yours
	Conflict       // the state says no; read it and decide again
	Stale          // what was read has changed since: read again and retry
	Contended      // another transaction had it in hand: the same again, after a pause
	Busy           // throttled, or contended for too long; nothing was done
	Unknown        // sent, but the outcome was not learned: read the truth
	Forbidden      // not with these credentials
	Limited        // too many attempts: the same again, after the wait that is told (429)
)

// Error is a sentinel with a kind and a stable word to program against.
// Code is empty for kinds that never reach a client.
type Error struct {
	Kind Kind
	Code string
	Text string
}

func (e *Error) Error() string { return e.Text }

// New makes a sentinel.
func New(kind Kind, code, text string) *Error {
	return &Error{Kind: kind, Code: code, Text: text}
}

// KindOf finds the kind of err; an error that carries none is Internal.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) && e.Kind != 0 {
		return e.Kind
	}
	return Internal
}

// Is reports whether err is of the kind.
func Is(err error, kind Kind) bool { return err != nil && KindOf(err) == kind }
