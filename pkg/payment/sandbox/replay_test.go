package sandbox

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/payment"
)

// TestReplay plays what went wrong at others' providers; pkg/boxoffice has the rest.
func TestReplay(t *testing.T) {
	t.Run("smartwalle-alipay", forgedCallbacksStall)
}

// forgedCallbacksStall: there an unknown serial of a certificate was looked up at
// the provider, under one lock, so that forged callbacks stalled the real ones.
// Whatever a callback says, telling that it is authentic calls nobody.
func forgedCallbacksStall(t *testing.T) {
	var mu sync.Mutex
	calls := 0
	outside := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		mu.Lock()
		defer mu.Unlock()
		calls++
		return nil, errors.New("nobody is there")
	})}
	p, err := New(outside, "http://provider.example", secret, func() time.Time { return t0 })
	if err != nil {
		t.Fatal(err)
	}
	genuine := signed(p, good, t0)
	forged := genuine.Clone()
	forged.Set(signatureHeader, strings.Repeat("0", 64))
	forged.Set("Alipay-Cert-Sn", "of a certificate that nobody knows")
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if _, err := p.ParseCallback(forged, []byte(good), t0); !errors.Is(err, payment.ErrSignature) {
				t.Errorf("forged: %v", err)
			}
		})
		all.Go(func() {
			if n, err := p.ParseCallback(genuine, []byte(good), t0); err != nil || n.Payment == nil {
				t.Errorf("genuine: %+v, %v", n, err)
			}
		})
	}
	all.Wait()
	if calls != 0 {
		t.Errorf("%d calls to the provider", calls)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
