package sim

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// controls are for tests and for the curious; they are not signed.
//
//	GET  /control/payments   ?order=       all payments
//	GET  /control/refunds    ?payment=     all refunds
//	GET  /control/callbacks  ?payment=     all callbacks with their tries
//	GET  /control/defaults
//	PUT  /control/defaults   {"outcome","callback":{"copies","delay_ms","drop"},"refund_delay_ms","refund_fails","fault"}
//	POST /control/decide     {"payment","decision":"approve"|"decline"}
//	POST /control/pay        {"payment"}  money comes, whatever was decided or closed before
//	POST /control/deliver    {"payment","copies","age_seconds"}  its latest notice again
//	POST /control/hold       callbacks wait from now on
//	POST /control/release    {"order":"sent"|"reverse"|"shuffle"}  and go, 20 ms apart
//	POST /control/advance    {"seconds"}  the simulator's clock, not its signatures'
func (s *Sim) controls(mux *http.ServeMux) {
	for pattern, do := range map[string]call{
		"GET /control/payments":  s.listPayments,
		"GET /control/refunds":   s.listRefunds,
		"GET /control/callbacks": s.listCallbacks,
		"GET /control/defaults":  func(*http.Request, []byte) (any, error) { return s.set.Defaults, nil },
		"PUT /control/defaults":  s.putDefaults,
		"POST /control/decide":   s.postDecide,
		"POST /control/pay":      s.postPay,
		"POST /control/deliver":  s.postDeliver,
		"POST /control/hold":     s.postHold,
		"POST /control/release":  s.postRelease,
		"POST /control/advance":  s.postAdvance,
	} {
		mux.HandleFunc(pattern, s.unsigned(do))
	}
}

// unsigned refuses what a page of another site could send, and nothing else.
func (s *Sim) unsigned(do call) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil || r.Header.Get("Origin") != "" {
			write(w, http.StatusBadRequest, mustJSON(errorView{badRequest("not from a browser, at most 64 KiB")}))
			return
		}
		s.mu.Lock()
		v, err := do(r, body)
		if err == nil {
			err = s.journal.err
		}
		status, answer := render(v, err)
		s.mu.Unlock()
		write(w, status, answer)
	}
}

type list[T any] struct {
	Items []T `json:"items"`
}

func (s *Sim) listPayments(r *http.Request, _ []byte) (any, error) {
	order, out := r.URL.Query().Get("order"), list[*Payment]{Items: []*Payment{}}
	for _, p := range s.payments {
		if order == "" || p.Order == order {
			out.Items = append(out.Items, p)
		}
	}
	slices.SortFunc(out.Items, func(a, b *Payment) int {
		if c := a.CreatedAt.Compare(b.CreatedAt); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return out, nil
}

func (s *Sim) listRefunds(r *http.Request, _ []byte) (any, error) {
	payment, out := r.URL.Query().Get("payment"), list[*Refund]{Items: []*Refund{}}
	for _, b := range s.refunds {
		if payment == "" || b.Payment == payment {
			out.Items = append(out.Items, b)
		}
	}
	slices.SortFunc(out.Items, func(a, b *Refund) int { return strings.Compare(a.ID, b.ID) })
	return out, nil
}

func (s *Sim) listCallbacks(r *http.Request, _ []byte) (any, error) {
	payment, out := r.URL.Query().Get("payment"), list[*Callback]{Items: []*Callback{}}
	for _, c := range s.callbacks {
		if payment == "" || c.Payment == payment {
			out.Items = append(out.Items, c)
		}
	}
	return out, nil
}

func (s *Sim) putDefaults(_ *http.Request, body []byte) (any, error) {
	d := s.set.Defaults
	if err := decode(body, &d); err != nil {
		return nil, err
	}
	if bad := d.check(); bad != nil {
		return nil, bad
	}
	s.set.Defaults = d
	s.save(record{Settings: &s.set})
	return d, nil
}

func (s *Sim) postDecide(_ *http.Request, body []byte) (any, error) {
	var want struct {
		Payment  string `json:"payment"`
		Decision string `json:"decision"`
	}
	if err := decode(body, &want); err != nil {
		return nil, err
	}
	p, err := s.decide(want.Payment, want.Decision)
	if err != nil {
		return nil, err
	}
	return p, nil
}

func (s *Sim) postPay(_ *http.Request, body []byte) (any, error) {
	var want struct {
		Payment string `json:"payment"`
	}
	if err := decode(body, &want); err != nil {
		return nil, err
	}
	p, err := s.pay(want.Payment)
	if err != nil {
		return nil, err
	}
	return p, nil
}

func (s *Sim) postDeliver(_ *http.Request, body []byte) (any, error) {
	want := struct {
		Payment    string `json:"payment"`
		Copies     int    `json:"copies"`
		AgeSeconds int64  `json:"age_seconds"`
	}{Copies: 1}
	if err := decode(body, &want); err != nil {
		return nil, err
	}
	if want.Copies < 1 || want.Copies > 10 {
		return nil, badRequest("copies is 1 to 10")
	}
	var last *Callback
	for _, c := range s.callbacks {
		if c.Payment == want.Payment {
			last = c
		}
	}
	if last == nil {
		return nil, ErrNotFound
	}
	out := list[*Callback]{}
	for range want.Copies {
		again := Callback{Payment: last.Payment, URL: last.URL, Body: last.Body, AgeSeconds: want.AgeSeconds}
		out.Items = append(out.Items, s.enqueue(again, s.now()))
	}
	return out, nil
}

func (s *Sim) postHold(*http.Request, []byte) (any, error) {
	s.set.Holding = true
	s.save(record{Settings: &s.set})
	return map[string]bool{"holding": true}, nil
}

func (s *Sim) postRelease(_ *http.Request, body []byte) (any, error) {
	want := struct {
		Order string `json:"order"`
	}{Order: "sent"}
	if len(body) > 0 {
		if err := decode(body, &want); err != nil {
			return nil, err
		}
	}
	var held []*Callback
	for _, c := range s.callbacks {
		if c.Progress == Held {
			held = append(held, c)
		}
	}
	switch want.Order {
	case "sent":
	case "reverse":
		slices.Reverse(held)
	case "shuffle":
		for i := len(held) - 1; i > 0; i-- {
			j := int(s.opt.Random(int64(i + 1)))
			held[i], held[j] = held[j], held[i]
		}
	default:
		return nil, badRequest("order is sent, reverse or shuffle")
	}
	s.set.Holding = false
	s.save(record{Settings: &s.set})
	s.letGo(held)
	return map[string]int{"released": len(held)}, nil
}

func (s *Sim) letGo(held []*Callback) {
	for i, c := range held {
		c.DueAt = s.now().Add(time.Duration(i) * 20 * time.Millisecond)
		s.mark(c, Waiting)
		s.plan(entry{at: c.DueAt, callback: c.N})
	}
}

func (s *Sim) postAdvance(_ *http.Request, body []byte) (any, error) {
	var want struct {
		Seconds int64 `json:"seconds"`
	}
	if err := decode(body, &want); err != nil {
		return nil, err
	}
	if want.Seconds < 1 || want.Seconds > 30*86_400 {
		return nil, badRequest("seconds is 1 to 30 days")
	}
	s.set.Ahead += time.Duration(want.Seconds) * time.Second
	s.save(record{Settings: &s.set})
	s.nudge()
	return map[string]string{"now": s.now().Format(wireTime)}, nil
}
