package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/mail"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
	"github.com/fairseat/fairseat/pkg/vault/vaulttest"
)

// unique names something that no other run on the same database has.
func unique() string {
	return fmt.Sprintf("%x-%x", time.Now().UnixNano(), limitKeys.Add(1))
}

// TestOutboxAndKeys on both databases.
func TestOutboxAndKeys(t *testing.T) {
	for where, tables := range map[string]store.Tables{"memory": memory(), "service": service} {
		for name, run := range map[string]func(*testing.T, store.Tables){"letters": outboxLetters, "claims": outboxClaims, "keys": wrappedKeys} {
			t.Run(where+"/"+name, func(t *testing.T) { run(t, tables) })
		}
	}
}

func posted(t *testing.T, tables store.Tables) mail.Post {
	t.Helper()
	p, err := mail.Close(t.Context(), vaulttest.Keeper(func() time.Time { return evening }), mail.Letter{
		ID: mail.ID("m_" + unique()), Kind: mail.Changed, Locale: "zh", To: "ada@example.com", At: evening,
	})
	if err == nil {
		err = tables.Transact(t.Context(), []store.Write{store.MailWrite(p)}, "")
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func outboxLetters(t *testing.T, tables store.Tables) {
	o, p, until := store.NewOutbox(tables), posted(t, tables), evening.Add(time.Minute)
	var c *store.Canceled
	if err := tables.Transact(t.Context(), []store.Write{store.MailWrite(p)}, ""); !errors.As(err, &c) || !c.Has(store.ReasonCondition) {
		t.Errorf("the same letter again: %v", err)
	}
	got, found, err := o.Claim(t.Context(), p.ID, evening, until)
	if err != nil || !found || got != p {
		t.Errorf("claimed %+v, %v, %v; want %+v", got, found, err, p)
	}
	if _, _, err := o.Claim(t.Context(), p.ID, until.Add(-time.Millisecond), until); !errors.Is(err, mail.ErrInHand) {
		t.Errorf("while it is claimed: %v", err)
	}
	if err := o.Release(t.Context(), p.ID, until.Add(time.Second)); err != nil {
		t.Error(err)
	}
	if _, _, err := o.Claim(t.Context(), p.ID, evening, until); !errors.Is(err, mail.ErrInHand) {
		t.Errorf("after the release of another claim: %v", err)
	}
	if err := o.Release(t.Context(), p.ID, until); err != nil {
		t.Error(err)
	}
	if _, found, err := o.Claim(t.Context(), p.ID, evening, until); err != nil || !found {
		t.Errorf("after its release: %v, %v", found, err)
	}
	if _, found, err := o.Claim(t.Context(), p.ID, until, until.Add(time.Minute)); err != nil || !found {
		t.Errorf("after its end: %v, %v", found, err)
	}
	for range 2 {
		if err := o.Done(t.Context(), p.ID); err != nil {
			t.Error(err)
		}
	}
	if _, found, err := o.Claim(t.Context(), p.ID, evening, until); err != nil || found {
		t.Errorf("what was sent: %v, %v", found, err)
	}
	if err := o.Release(t.Context(), p.ID, until); err != nil {
		t.Error(err)
	}
}

// outboxClaims: of many at once one has it.
func outboxClaims(t *testing.T, tables store.Tables) {
	o, p := store.NewOutbox(tables), posted(t, tables)
	var had atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			_, found, err := o.Claim(t.Context(), p.ID, evening, evening.Add(time.Minute))
			switch {
			case err == nil && found:
				had.Add(1)
			case !errors.Is(err, mail.ErrInHand):
				t.Error(found, err)
			}
		})
	}
	all.Wait()
	if had.Load() != 1 {
		t.Errorf("%d had it", had.Load())
	}
}

// wrappedKeys: all who make one at once go on with the same.
func wrappedKeys(t *testing.T, tables store.Tables) {
	s, period := store.NewShelf(tables), unique()
	if got, err := s.Wrapped(t.Context(), period); got != nil || err != nil {
		t.Errorf("of nobody: %x, %v", got, err)
	}
	var mu sync.Mutex
	var kept [][]byte
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			got, err := s.Keep(t.Context(), period, []byte{1, byte(i)})
			for fault.Is(err, fault.Contended) { // an instance that meets this is answered busy
				got, err = s.Keep(t.Context(), period, []byte{1, byte(i)})
			}
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			kept = append(kept, got)
		})
	}
	all.Wait()
	stands, err := s.Wrapped(t.Context(), period)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range kept {
		if !bytes.Equal(k, stands) {
			t.Errorf("somebody goes on with %x, %x stands", k, stands)
		}
	}
}

// TestKeysUnderFaults: a key that may not stand is given to nobody.
func TestKeysUnderFaults(t *testing.T) {
	for _, f := range []memstore.Fault{memstore.Conflict, memstore.Throttle} {
		if got, err := store.NewShelf(memoryThat(f)).Keep(t.Context(), "203005", []byte("k")); err == nil || got != nil {
			t.Errorf("%v: %q, %v", f, got, err)
		}
	}
}
