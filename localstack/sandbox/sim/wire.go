package sim

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// Kind is what a number is of.
type Kind string

// A provider numbers both itself.
const (
	OfPayment Kind = "payment"
	OfRefund  Kind = "refund"
)

// Wire is how one provider speaks over the books that all share: which calls it
// answers, what its notices look like, and what it takes for an acknowledgement.
//
// Routes may use the methods of [Sim]. The others are asked while its books are
// locked: they must not call it.
type Wire interface {
	// Routes adds the provider's calls. They verify strictly what the shop signed, and
	// spoil their answers as [Sim.Fault] says.
	Routes(mux *http.ServeMux, s *Sim)

	// Ref is the provider's own number, always the same for one of ours.
	Ref(kind Kind, id string) string

	// Notice is the body of the n-th news, of a refund where r is not nil, made once for
	// all its copies and repetitions; "" where the provider is silent about such a thing.
	Notice(n int, now time.Time, p Payment, r *Refund) string

	// Sign adds the headers of one sending, whose time is true or as old as was asked for.
	Sign(h http.Header, body []byte, at time.Time)

	// Taken reports whether the shop's answer ends the repetitions.
	Taken(status int, body []byte) bool
}

// Fault is how signed calls are to be spoilt: "" not at all, "unavailable" by doing
// nothing, "lost" by doing it and telling nobody.
func (s *Sim) Fault() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.set.Defaults.Fault
}

// Now is the simulator's time.
func (s *Sim) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now()
}

// Page is where a person pays; nobody guesses it from the number.
func (s *Sim) Page(id string) string { return s.page(id) }

// Make begins a payment, or answers the one of that number. Errors: [Problem].
func (s *Sim) Make(o Order) (Payment, error) {
	return copied(s, func() (*Payment, error) { return s.create(o) })
}

// Payment answers one.
func (s *Sim) Payment(id string) (Payment, error) {
	return copied(s, func() (*Payment, error) { return found(s.payments[id]) })
}

// Find answers the payment that the provider has numbered so.
func (s *Sim) Find(ref string) (Payment, error) {
	return copied(s, func() (*Payment, error) {
		for _, p := range s.payments {
			if p.Ref == ref {
				return p, nil
			}
		}
		return nil, ErrNotFound
	})
}

// Shut ends a payment that is pending; of any other it tells how it stands.
func (s *Sim) Shut(id string) (Payment, error) {
	return copied(s, func() (*Payment, error) { return s.shut(id) })
}

// Return gives money back once for each number, or tells what became of it. fresh
// tells the two apart.
func (s *Sim) Return(payment string, want Refund) (r Refund, fresh bool, err error) {
	r, err = copied(s, func() (*Refund, error) {
		_, there := s.refunds[want.ID]
		fresh = !there
		return s.refund(payment, want)
	})
	return r, fresh && err == nil, err
}

// Refund answers one.
func (s *Sim) Refund(id string) (Refund, error) {
	return copied(s, func() (*Refund, error) { return found(s.refunds[id]) })
}

// Moved is what moved money from one time to another: payments that were captured,
// refunds that were done.
func (s *Sim) Moved(from, to time.Time) (paid []Payment, back []Refund) {
	s.mu.Lock()
	defer s.mu.Unlock()
	within := func(t time.Time) bool { return !t.Before(from) && t.Before(to) }
	for _, p := range s.payments {
		if p.State == Captured && within(p.At) {
			paid = append(paid, *p)
		}
	}
	for _, r := range s.refunds {
		if r.State == Done && within(r.At) {
			back = append(back, *r)
		}
	}
	sortBy(paid, func(p Payment) (time.Time, string) { return p.At, p.ID })
	sortBy(back, func(r Refund) (time.Time, string) { return r.At, r.ID })
	return paid, back
}

func sortBy[T any](list []T, key func(T) (time.Time, string)) {
	slices.SortFunc(list, func(a, b T) int {
		at, as := key(a)
		bt, bs := key(b)
		if c := at.Compare(bt); c != 0 {
			return c
		}
		return strings.Compare(as, bs)
	})
}

func found[T any](v *T) (*T, error) {
	if v == nil {
		return nil, ErrNotFound
	}
	return v, nil
}

// copied runs under the lock and answers what stood there then.
func copied[T any](s *Sim, do func() (*T, error)) (out T, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := do()
	if err == nil {
		err = s.journal.err
	}
	if err != nil {
		return out, err
	}
	return *v, nil
}
