package till

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/secret"
)

// late is a provider whose keys are read when it is first used, once an instance: a
// start makes no call, and what is wrong with one provider's keys stops no other.
// They are read anew by new instances alone, see the template's SecretsRotated.
type late struct {
	name payment.Name
	make func(context.Context) (payment.Provider, error)
	mu   sync.Mutex
	made payment.Provider
}

var (
	_ payment.Keyed = (*late)(nil)
	_ payment.Picky = (*late)(nil)
)

// fromSecret is a provider over the JSON of a secret, in the form of K.
func fromSecret[K any](p *boot.Parts, name payment.Name, id string, open func(K) (payment.Provider, error)) payment.Provider {
	r, err := secret.New(p.Env, boot.Clock, boot.Pause)
	if err != nil {
		p.Fail(err)
	}
	return &late{name: name, make: func(ctx context.Context) (payment.Provider, error) {
		text, err := r.Text(ctx, id)
		if err != nil {
			return nil, err
		}
		var keys K
		d := json.NewDecoder(strings.NewReader(text))
		d.DisallowUnknownFields()
		if d.Decode(&keys) != nil {
			return nil, errors.New("the secret has not the form of keys") // the cause could quote it
		}
		return open(keys)
	}}
}

// client bounds a call to a provider: two of them must fit into a function's time.
func client() *http.Client { return &http.Client{Timeout: 5 * time.Second} }

// Takes is of domestic China: those who keep their keys so know one currency.
func (l *late) Takes(a money.Amount) bool { return a.Currency == "CNY" }

// Ready reads the keys, and lets a provider whose keys change by themselves look at its
// clock. A failure is not kept: the next call tries again.
func (l *late) Ready(ctx context.Context) error {
	p, err := l.ready(ctx)
	if k, ok := p.(payment.Keyed); ok && err == nil {
		return k.Ready(ctx)
	}
	return err
}

func (l *late) ready(ctx context.Context) (payment.Provider, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.made != nil {
		return l.made, nil
	}
	made, err := l.make(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: keys of %s: %v", payment.ErrProviderDown, l.name, err)
	}
	l.made = made
	return made, nil
}

func (l *late) Name() payment.Name { return l.name }

func (l *late) Create(ctx context.Context, in payment.Intent) (payment.Created, error) {
	p, err := l.ready(ctx)
	if err != nil {
		return payment.Created{}, err
	}
	return p.Create(ctx, in)
}

func (l *late) Query(ctx context.Context, ref payment.Ref) (payment.Report, error) {
	p, err := l.ready(ctx)
	if err != nil {
		return payment.Report{}, err
	}
	return p.Query(ctx, ref)
}

func (l *late) Close(ctx context.Context, ref payment.Ref) (payment.Report, error) {
	p, err := l.ready(ctx)
	if err != nil {
		return payment.Report{}, err
	}
	return p.Close(ctx, ref)
}

func (l *late) Refund(ctx context.Context, req payment.RefundRequest) (payment.RefundReport, error) {
	p, err := l.ready(ctx)
	if err != nil {
		return payment.RefundReport{}, err
	}
	return p.Refund(ctx, req)
}

// held is the provider if its keys were read.
func (l *late) held() (payment.Provider, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.made, l.made != nil
}

// ParseCallback never reads the keys: a forged callback causes no call.
func (l *late) ParseCallback(h http.Header, body []byte, now time.Time) (payment.Notice, error) {
	p, ok := l.held()
	if !ok {
		return payment.Notice{}, payment.ErrProviderDown
	}
	return p.ParseCallback(h, body, now)
}

// Acknowledge without keys can only ask for another time.
func (l *late) Acknowledge(err error) payment.Ack {
	if p, ok := l.held(); ok {
		return p.Acknowledge(err)
	}
	return payment.Ack{Status: http.StatusServiceUnavailable, ContentType: "text/plain; charset=utf-8", Body: []byte("later")}
}
