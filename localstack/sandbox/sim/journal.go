package sim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
)

// record is one line of the journal: whole things as they are after a change;
// the last word about each counts.
type record struct {
	Payment  *Payment  `json:"payment,omitempty"`
	Refund   *Refund   `json:"refund,omitempty"`
	Callback *Callback `json:"callback,omitempty"`
	Settings *settings `json:"settings,omitempty"`
}

// journal is an append-only file of JSON lines, one write a record: a kill -9
// loses at most the line being written. It does not survive a power cut.
type journal struct {
	file *os.File // nil keeps nothing
	err  error    // the first failure; nothing is promised after it
}

func (j *journal) append(r record) {
	if j.file == nil || j.err != nil {
		return
	}
	line, err := json.Marshal(r)
	if err == nil {
		_, err = j.file.Write(append(line, '\n'))
	}
	j.err = err
}

func (j *journal) close() error {
	if j.file == nil {
		return nil
	}
	return j.file.Close()
}

func (s *Sim) save(r record) { s.journal.append(r) }

// open replays the journal, cuts off a line that was torn by a crash, and plans
// what is due.
func (s *Sim) open(path string) error {
	data, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	whole := bytes.LastIndexByte(data, '\n') + 1
	for i, line := range slices.Collect(bytes.Lines(data[:whole])) {
		var r record
		if err := json.Unmarshal(line, &r); err != nil {
			return fmt.Errorf("line %d: %w", i+1, err)
		}
		if err := s.replay(r); err != nil {
			return fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	if err := f.Truncate(int64(whole)); err != nil {
		f.Close()
		return err
	}
	s.journal.file = f
	return s.resume()
}

func (s *Sim) replay(r record) error {
	if r.Payment != nil && !number(r.Payment.ID) || r.Refund != nil && !number(r.Refund.ID) {
		return errors.New("payment or refund without a number")
	}
	if r.Payment != nil {
		s.payments[r.Payment.ID] = r.Payment
	}
	if r.Refund != nil {
		s.refunds[r.Refund.ID] = r.Refund
	}
	if r.Settings != nil {
		s.set = *r.Settings
	}
	c := r.Callback
	switch {
	case c == nil:
	case c.N >= 1 && c.N <= len(s.callbacks):
		s.callbacks[c.N-1] = c
	case c.N == len(s.callbacks)+1:
		s.callbacks = append(s.callbacks, c)
	default:
		return fmt.Errorf("callback %d follows %d", c.N, len(s.callbacks))
	}
	return nil
}

func (s *Sim) resume() error {
	for _, p := range s.payments {
		if p.State == Pending && !p.DueAt.IsZero() {
			s.plan(entry{at: p.DueAt, payment: p.ID})
		}
	}
	for _, r := range s.refunds {
		if s.payments[r.Payment] == nil {
			return fmt.Errorf("refund %s of payment %s, which is missing", r.ID, r.Payment)
		}
		if r.State == Pending {
			s.plan(entry{at: r.DueAt, refund: r.ID})
		}
	}
	for _, c := range s.callbacks {
		if c.Progress == Sending {
			c.Progress = Waiting
		}
		if c.Progress == Waiting {
			s.plan(entry{at: c.DueAt, callback: c.N})
		}
	}
	return nil
}
