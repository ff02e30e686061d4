package sim

import (
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/fairseat/fairseat/pkg/money"
)

// own is the sandbox's wire.
type own struct{ secret string }

func (o own) Routes(mux *http.ServeMux, s *Sim) {
	mux.HandleFunc("POST /v1/payments", s.signed(o, s.postPayment))
	mux.HandleFunc("GET /v1/payments/{id}", s.signed(o, s.getPayment))
	mux.HandleFunc("POST /v1/payments/{id}/close", s.signed(o, s.postClose))
	mux.HandleFunc("POST /v1/payments/{id}/refunds", s.signed(o, s.postRefund))
}

// Ref names a payment or a refund by our own number.
func (own) Ref(kind Kind, id string) string {
	if kind == OfRefund {
		return "sbr-" + id
	}
	return "sb-" + id
}

// notice is the body of a callback.
type notice struct {
	ID      string       `json:"id"`
	Event   string       `json:"event"`
	Payment *paymentView `json:"payment,omitempty"`
	Refund  *refundFacts `json:"refund,omitempty"`
}

// Notice tells of all but a close, which the shop asked for or saw coming.
func (own) Notice(n int, _ time.Time, p Payment, r *Refund) string {
	out := notice{ID: "ev-" + strconv.Itoa(n)}
	switch {
	case r != nil && r.State != Pending:
		out.Event, out.Refund = "refund", refundView(r)
	case r == nil && p.State != Closed:
		out.Event, out.Payment = "payment", viewOf(&p)
	default:
		return ""
	}
	return string(mustJSON(out))
}

// Sign puts the signature beside the body, with the time of this sending.
func (o own) Sign(h http.Header, body []byte, at time.Time) {
	ts := strconv.FormatInt(at.Unix(), 10)
	h.Set("Content-Type", "application/json")
	h.Set(timestampHeader, ts)
	h.Set(signatureHeader, o.sign(ts, "", body))
}

// Taken is any success.
func (own) Taken(status int, _ []byte) bool { return status >= 200 && status < 300 }

// signed takes only what the shop has signed, and signs the answer.
func (s *Sim) signed(o own, do call) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			write(w, http.StatusRequestEntityTooLarge, mustJSON(errorView{badRequest("body is too large")}))
			return
		}
		if !o.signedBy(r, body, s.opt.Now()) {
			s.opt.Log.Warn("refused", "method", r.Method, "path", r.URL.Path, "why", "signature")
			write(w, http.StatusUnauthorized, mustJSON(errorView{&Problem{Code: "unauthorized", Text: "signature or timestamp"}}))
			return
		}
		status, answer, lost := s.perform(do, r, body)
		if lost {
			write(w, http.StatusInternalServerError, []byte("{}"))
			return
		}
		o.signAnswer(w.Header(), s.opt.Now(), status, r.Header.Get(signatureHeader), answer)
		write(w, status, answer)
	}
}

// perform runs a call under the lock and renders its answer there, since what it
// answers may change a moment later.
func (s *Sim) perform(do call, r *http.Request, body []byte) (status int, answer []byte, lost bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.set.Defaults.Fault == "unavailable" {
		p := &Problem{Status: http.StatusServiceUnavailable, Code: "unavailable", Text: "as asked for"}
		return p.Status, mustJSON(errorView{p}), false
	}
	v, err := do(r, body)
	if err == nil {
		err = s.journal.err
	}
	status, answer = render(v, err)
	if status >= 500 {
		s.opt.Log.Error("failed", "method", r.Method, "path", r.URL.Path, "err", err)
	}
	return status, answer, s.set.Defaults.Fault == "lost"
}

// paymentView is what the shop may know of a payment.
type paymentView struct {
	ID     string       `json:"id"`
	Order  string       `json:"order_id"`
	Ref    string       `json:"provider_ref"`
	State  State        `json:"state"`
	Amount money.Amount `json:"amount"`
	At     string       `json:"at"`
}

type refundFacts struct {
	ID      string       `json:"id"`
	Payment string       `json:"payment_id"`
	Ref     string       `json:"provider_ref"`
	State   State        `json:"state"`
	Amount  money.Amount `json:"amount"`
	At      string       `json:"at"`
}

const wireTime = "2006-01-02T15:04:05.000Z"

func viewOf(p *Payment) *paymentView {
	return &paymentView{p.ID, p.Order, p.Ref, p.State, p.Amount, p.At.UTC().Format(wireTime)}
}

func refundView(r *Refund) *refundFacts {
	return &refundFacts{r.ID, r.Payment, r.Ref, r.State, r.Amount, r.At.UTC().Format(wireTime)}
}

type action struct {
	Kind  string `json:"kind"`
	Value string `json:"value"`
}

type createdView struct {
	Action  action       `json:"action"`
	Payment *paymentView `json:"payment"`
}

type paymentAnswer struct {
	Payment *paymentView `json:"payment"`
}

type refundAnswer struct {
	Refund *refundFacts `json:"refund"`
}

// postPayment never tells of captured money: as with a real QR code, that is
// learned by callback or by asking.
func (s *Sim) postPayment(_ *http.Request, body []byte) (any, error) {
	var o Order
	if err := decode(body, &o); err != nil {
		return nil, err
	}
	p, err := s.create(o)
	if err != nil {
		return nil, err
	}
	v := viewOf(p)
	if v.State == Captured {
		v.State, v.At = Pending, p.CreatedAt.UTC().Format(wireTime)
	}
	return createdView{action{"url", s.page(p.ID)}, v}, nil
}

func (s *Sim) getPayment(r *http.Request, _ []byte) (any, error) {
	p, ok := s.payments[r.PathValue("id")]
	if !ok {
		return nil, ErrNotFound
	}
	return paymentAnswer{viewOf(p)}, nil
}

func (s *Sim) postClose(r *http.Request, _ []byte) (any, error) {
	p, err := s.shut(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return paymentAnswer{viewOf(p)}, nil
}

func (s *Sim) postRefund(r *http.Request, body []byte) (any, error) {
	var want struct {
		ID     string       `json:"id"`
		Amount money.Amount `json:"amount"`
		Reason string       `json:"reason"`
	}
	if err := decode(body, &want); err != nil {
		return nil, err
	}
	back, err := s.refund(r.PathValue("id"), Refund{ID: want.ID, Amount: want.Amount, Reason: want.Reason})
	if err != nil {
		return nil, err
	}
	return refundAnswer{refundView(back)}, nil
}
