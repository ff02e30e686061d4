package boxoffice_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/payment"
)

// bank is a provider that does what the test says and keeps the port's contract:
// every call is idempotent by number, another amount under one is refused.
type bank struct {
	mu      sync.Mutex
	now     func() time.Time
	pays    map[payment.ID]*account
	refunds map[payment.RefundID]payment.RefundReport

	down  bool   // nothing is taken on
	lose  bool   // everything is done, no answer comes
	slow  bool   // refunds stay pending until finish
	limit bool   // Create refuses the buyer at once
	rules bool   // Create is refused by the provider's rules
	only  string // the one currency it takes; any if empty
	asked int
}

type account struct {
	in    payment.Intent
	state payment.ReportState
}

func newBank(now func() time.Time) *bank {
	return &bank{now: now, pays: map[payment.ID]*account{}, refunds: map[payment.RefundID]payment.RefundReport{}}
}

func (b *bank) Name() payment.Name { return payment.Sandbox }

// Takes makes it a [payment.Picky].
func (b *bank) Takes(a money.Amount) bool { return b.only == "" || b.only == a.Currency }

func (b *bank) answer() error {
	switch {
	case b.down:
		return payment.ErrProviderDown
	case b.lose:
		return payment.ErrOutcome
	}
	return nil
}

func (b *bank) Create(_ context.Context, in payment.Intent) (payment.Created, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.down {
		return payment.Created{}, payment.ErrProviderDown
	}
	if b.rules {
		return payment.Created{}, payment.ErrRefused
	}
	a := b.pays[in.ID]
	if a == nil {
		a = &account{in, payment.ReportPending}
		b.pays[in.ID] = a
		if b.limit {
			a.state = payment.ReportFailed
		}
	}
	if a.in.Amount != in.Amount || a.in.OrderID != in.OrderID {
		return payment.Created{}, payment.ErrRefused
	}
	made := payment.Created{Action: payment.Action{Kind: payment.ActionURL, Value: "https://bank.example/" + string(in.ID)}, Report: b.report(a)}
	if made.Report.State != payment.ReportFailed {
		made.Report.State = payment.ReportPending
	}
	return made, b.answer()
}

func (b *bank) report(a *account) payment.Report {
	return payment.Report{Payment: a.in.ID, Order: a.in.OrderID, ProviderRef: "ref-" + string(a.in.ID), State: a.state, Amount: a.in.Amount, At: b.now()}
}

func (b *bank) Query(_ context.Context, ref payment.Ref) (payment.Report, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked++
	if err := b.answer(); err != nil {
		return payment.Report{}, err
	}
	a := b.pays[ref.ID]
	if a == nil {
		return payment.Report{}, payment.ErrNotFound
	}
	return b.report(a), nil
}

func (b *bank) Close(ctx context.Context, ref payment.Ref) (payment.Report, error) {
	b.mu.Lock()
	if a := b.pays[ref.ID]; a != nil && a.state == payment.ReportPending && !b.down {
		a.state = payment.ReportClosed
	}
	b.mu.Unlock()
	return b.Query(ctx, ref)
}

func (b *bank) Refund(_ context.Context, req payment.RefundRequest) (payment.RefundReport, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.down {
		return payment.RefundReport{}, payment.ErrProviderDown
	}
	a := b.pays[req.Payment.ID]
	if a == nil || a.state != payment.ReportCaptured {
		return payment.RefundReport{}, payment.ErrRefused
	}
	r, ok := b.refunds[req.ID]
	if !ok {
		r = payment.RefundReport{ID: req.ID, Payment: req.Payment.ID, State: payment.RefundDone, Amount: req.Amount, At: b.now()}
		if b.slow {
			r.State = payment.RefundPending
		}
		b.refunds[req.ID] = r
	}
	if r.Amount != req.Amount || r.Payment != req.Payment.ID {
		return payment.RefundReport{}, payment.ErrRefused
	}
	return r, b.answer()
}

func (b *bank) ParseCallback(http.Header, []byte, time.Time) (payment.Notice, error) {
	return payment.Notice{}, payment.ErrMalformed
}

func (b *bank) Acknowledge(error) payment.Ack { return payment.Ack{Status: http.StatusOK} }

// capture is the buyer's money; the report is the callback to come.
func (b *bank) capture(id payment.ID) payment.Report { return b.turn(id, payment.ReportCaptured) }

func (b *bank) decline(id payment.ID) payment.Report { return b.turn(id, payment.ReportFailed) }

func (b *bank) turn(id payment.ID, to payment.ReportState) payment.Report {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.pays[id]
	if a == nil {
		panic(fmt.Sprintf("bank: no payment %s", id))
	}
	a.state = to
	return b.report(a)
}

// refunded is how many refunds the payment has had, and the sum of them.
func (b *bank) refunded(id payment.ID) (n int, sum int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.refunds {
		if r.Payment == id {
			n++
			sum += r.Amount.Minor
		}
	}
	return n, sum
}
