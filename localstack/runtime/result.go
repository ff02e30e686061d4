package runtime

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Lambda's limits for a synchronous invocation, in bytes.
const (
	MaxRequest  = 6 << 20
	MaxResponse = 6<<20 + 100
)

// Refusals: the function has not run. Everything that happens once it runs is a [Result].
var (
	ErrThrottled = errors.New("runtime: reserved concurrency is used up")     // TooManyRequestsException
	ErrTooLarge  = errors.New("runtime: request payload is larger than 6 MB") // RequestEntityTooLargeException
	ErrClosed    = errors.New("runtime: pool is closed")
)

// ErrorKind tells who reported a function error. The zero value is invalid.
// On the wire AWS calls both "Unhandled".
type ErrorKind uint8

const (
	_         ErrorKind = iota
	Handled             // the function answered with an error
	Unhandled           // it crashed, ran out of time, never started, or answered too much
)

// FunctionError is an invocation that failed while the function had it.
type FunctionError struct {
	Kind    ErrorKind
	Type    string // errorType, such as Runtime.ExitError
	Message string // errorMessage
}

func (e *FunctionError) Error() string { return e.Type + ": " + e.Message }

// Result is how an invocation ended. Payload is what Invoke's caller would read:
// the answer, or the error document if Err is set.
type Result struct {
	RequestID string
	Payload   []byte
	Err       *FunctionError
	Duration  time.Duration // from hand-over to answer; the cold start is not in it
	Cold      bool          // a process was started for it
}

func exitError(id, state string) *FunctionError {
	msg := "Runtime exited without providing a reason"
	if state != "" {
		msg = "Runtime exited with error: " + state
	}
	return failure(id, "Runtime.ExitError", msg)
}

func timeoutError(id string, limit time.Duration) *FunctionError {
	return failure(id, "Sandbox.Timedout", fmt.Sprintf("Task timed out after %.2f seconds", limit.Seconds()))
}

func failure(id, kind, msg string) *FunctionError {
	return &FunctionError{Kind: Unhandled, Type: kind, Message: "RequestId: " + id + " Error: " + msg}
}

type errorDocument struct {
	Message string `json:"errorMessage"`
	Type    string `json:"errorType,omitempty"`
}

// decodeError reads what a function posts as its error. AWS takes any body; one
// that is not the usual document still is an error, with the header's type.
func decodeError(body []byte, header string) *FunctionError {
	var doc errorDocument
	if json.Unmarshal(body, &doc) != nil || doc == (errorDocument{}) {
		doc = errorDocument{Message: string(body), Type: header}
	}
	if doc.Type == "" {
		doc.Type = header
	}
	return &FunctionError{Kind: Handled, Type: doc.Type, Message: doc.Message}
}

func (e *FunctionError) document() []byte {
	b, _ := json.Marshal(errorDocument{Message: e.Message, Type: e.Type})
	return b
}
