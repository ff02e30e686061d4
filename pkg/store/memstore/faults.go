package memstore

import (
	"fmt"

	"github.com/fairseat/fairseat/pkg/store"
)

// OpKind names a call of the port. The zero value is invalid.
type OpKind uint8

const (
	_ OpKind = iota
	OpTransact
	OpGet
	OpBatchGet
	OpTransactGet
	OpQuery
	OpUpdate
)

func (k OpKind) String() string {
	return [...]string{"invalid", "Transact", "Get", "BatchGet", "TransactGet", "Query", "Update"}[k]
}

// Op is a call as a fault hook sees it. Keys are in the order of the call; a
// Query has one, without SK.
type Op struct {
	Kind  OpKind
	Keys  []store.Key
	Token string
}

// Fault is what goes wrong with one call. The zero value is invalid.
type Fault uint8

const (
	_            Fault = iota
	NoFault            // nothing
	Throttle           // store.ErrThrottled, not applied
	Conflict           // ReasonConflict for each write; for a read that cannot conflict, no answer
	LoseRequest        // never arrives: store.ErrUnknown; for a read, no answer
	LoseReply          // is judged and applied as usual, the caller gets store.ErrUnknown
	DelayRequest       // store.ErrUnknown, and the request arrives at the next Deliver
)

// Deliver lets the requests of DelayRequest arrive, oldest first, and returns
// how many there were. Nobody learns their outcome.
func (db *DB) Deliver() int {
	db.mu.Lock()
	late := db.delayed
	db.delayed = nil
	db.mu.Unlock()
	for _, arrive := range late {
		arrive()
	}
	return len(late)
}

func (db *DB) fault(op Op) (Fault, error) {
	if db.opts.Faults == nil {
		return NoFault, nil
	}
	f := db.opts.Faults(op)
	if f < NoFault || f > DelayRequest {
		return 0, fmt.Errorf("memstore: %s: the hook answered with fault %d", op.Kind, f)
	}
	return f, nil
}

// readFault is the fault of a read as an error. An outcome is unknown only for
// writes: a read without an answer is just that.
func (db *DB) readFault(op Op) error {
	f, err := db.fault(op)
	if err != nil || f == NoFault {
		return err
	}
	if f == Throttle {
		return fmt.Errorf("memstore: %s: %w", op.Kind, store.ErrThrottled)
	}
	if f == Conflict && op.Kind == OpTransactGet {
		return fmt.Errorf("memstore: %s: %w", op.Kind, canceled(len(op.Keys), store.ReasonConflict))
	}
	return fmt.Errorf("memstore: %s: no answer", op.Kind)
}

// canceled is a refusal for one reason throughout.
func canceled(n int, code store.ReasonCode) *store.Canceled {
	reasons := make([]store.Reason, n)
	for i := range reasons {
		reasons[i].Code = code
	}
	return &store.Canceled{Reasons: reasons}
}
