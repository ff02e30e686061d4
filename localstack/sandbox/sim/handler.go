package sim

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/fairseat/fairseat/pkg/money"
)

const maxBody = 64 << 10

// Handler serves the signed calls, the buyer's page and the controls.
func (s *Sim) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/payments", s.signed(s.postPayment))
	mux.HandleFunc("GET /v1/payments/{id}", s.signed(s.getPayment))
	mux.HandleFunc("POST /v1/payments/{id}/close", s.signed(s.postClose))
	mux.HandleFunc("POST /v1/payments/{id}/refunds", s.signed(s.postRefund))
	mux.HandleFunc("GET /pay/{id}/{token}", s.getPage)
	mux.HandleFunc("POST /pay/{id}/{token}", s.postPage)
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		write(w, http.StatusOK, mustJSON(map[string]string{"status": "ok", "service": "sandbox"}))
	})
	s.controls(mux)
	return mux
}

// call answers a value to send, or an error; the simulator is locked around it.
type call func(r *http.Request, body []byte) (any, error)

// signed takes only what the shop has signed, and signs the answer.
func (s *Sim) signed(do call) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			write(w, http.StatusRequestEntityTooLarge, mustJSON(errorView{badRequest("body is too large")}))
			return
		}
		if !s.signedBy(r, body) {
			s.opt.Log.Warn("refused", "method", r.Method, "path", r.URL.Path, "why", "signature")
			write(w, http.StatusUnauthorized, mustJSON(errorView{&problem{Code: "unauthorized", Text: "signature or timestamp"}}))
			return
		}
		status, answer, lost := s.perform(do, r, body)
		if lost {
			write(w, http.StatusInternalServerError, []byte("{}"))
			return
		}
		s.signAnswer(w.Header(), status, r.Header.Get(signatureHeader), answer)
		write(w, status, answer)
	}
}

// perform runs a call under the lock and renders its answer there, since what it
// answers may change a moment later.
func (s *Sim) perform(do call, r *http.Request, body []byte) (status int, answer []byte, lost bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.set.Defaults.Fault == "unavailable" {
		p := &problem{Status: http.StatusServiceUnavailable, Code: "unavailable", Text: "as asked for"}
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

func render(v any, err error) (int, []byte) {
	var p *problem
	switch {
	case errors.As(err, &p):
		return p.Status, mustJSON(errorView{p})
	case err != nil:
		return http.StatusInternalServerError, mustJSON(errorView{&problem{Code: "internal", Text: "the journal cannot be written"}})
	}
	return http.StatusOK, mustJSON(v)
}

type errorView struct {
	Error *problem `json:"error"`
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
	var o order
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
	return createdView{action{"url", s.opt.URL + "/pay/" + p.ID + "/" + s.token(p.ID)}, v}, nil
}

func (s *Sim) getPayment(r *http.Request, _ []byte) (any, error) {
	p, ok := s.payments[r.PathValue("id")]
	if !ok {
		return nil, errNotFound
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

func decode(body []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return badRequest("body: " + err.Error())
	}
	if _, err := d.Token(); err != io.EOF {
		return badRequest("body: something follows")
	}
	return nil
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // only our own structs come here
	}
	return b
}

func write(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(body)
}
