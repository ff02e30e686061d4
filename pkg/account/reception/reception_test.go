package reception_test

import (
	"crypto/sha256"
	"errors"
	"maps"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairseat/fairseat/pkg/account"
	"github.com/fairseat/fairseat/pkg/account/password"
	"github.com/fairseat/fairseat/pkg/account/reception"
	"github.com/fairseat/fairseat/pkg/mail"
	"github.com/fairseat/fairseat/pkg/session"
	"github.com/fairseat/fairseat/pkg/store/memstore"
	"github.com/fairseat/fairseat/pkg/store/meter"
	"github.com/fairseat/fairseat/pkg/throttle"
)

const (
	ann  = "ann@example.org"
	bob  = "bob@example.org"
	rain = "a bicycle in the rain"
	sun  = "a bicycle in the sun"
)

// TestSameWork: whether an address has an account shows neither in the answer nor
// in what is done for it: hashes, sealings, requests and capacity units.
func TestSameWork(t *testing.T) {
	for name, ask := range map[string]func(*scene, string) error{
		"register": func(s *scene, to string) error {
			return s.Reception.Register(t.Context(), reception.Application{Email: to, Password: sun, Locale: "en", Key: "x", From: "192.0.2.2"})
		},
		"reset": func(s *scene, to string) error { return s.AskReset(t.Context(), to, "x", "192.0.2.2") },
		"log in": func(s *scene, to string) error {
			_, err := s.Reception.LogIn(t.Context(), reception.Credentials{Email: to, Password: sun, From: "192.0.2.2"})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			var did [2]work
			var cost [2]meter.Counts
			var said [2]string
			for i, to := range []string{ann, bob} { // one has an account, one has not
				s := newScene(t, nil)
				s.member(t, ann, rain)
				s.now = s.now.Add(24 * time.Hour) // the letter of the registration counts no more
				s.did = work{}
				s.meter.Reset()
				said[i] = what(ask(s, to))
				did[i], cost[i] = s.did, s.meter.Snapshot()
			}
			if did[0] != did[1] || said[0] != said[1] {
				t.Errorf("%+v and %q with an account, %+v and %q without", did[0], said[0], did[1], said[1])
			}
			if did[0] == (work{}) || !maps.Equal(cost[0].Requests, cost[1].Requests) {
				t.Errorf("requests %v and %v", cost[0].Requests, cost[1].Requests)
			}
			writes := func(c meter.Counts) meter.Halves { return c.Of(meter.Transact) }
			if writes(cost[0]) != writes(cost[1]) {
				t.Errorf("write units %v and %v", writes(cost[0]), writes(cost[1]))
			}
		})
	}
}

// TestLimitBeforeWork: who is refused by a limit has had nothing hashed.
func TestLimitBeforeWork(t *testing.T) {
	s := newScene(t, nil)
	s.member(t, ann, rain)
	try := func(to, from string) error {
		_, err := s.Reception.LogIn(t.Context(), reception.Credentials{Email: to, Password: sun, From: from})
		return err
	}
	for range 10 {
		if err := try(ann, "192.0.2.9"); !errors.Is(err, account.ErrCredentials) {
			t.Fatal(err)
		}
	}
	before := s.did.verifies
	if err := try(ann, "192.0.2.10"); !errors.Is(err, throttle.ErrLimited) || s.did.verifies != before {
		t.Errorf("for an account: %v, %d hashes", err, s.did.verifies-before)
	}
	if err := try(bob, "192.0.2.9"); !errors.Is(err, account.ErrCredentials) {
		t.Errorf("another account of the same address: %v", err)
	}
	for range 19 {
		_ = try("x"+bob, "192.0.2.9")
	}
	before = s.did.verifies
	if err := try("y"+bob, "192.0.2.9"); !errors.Is(err, throttle.ErrLimited) || s.did.verifies != before {
		t.Errorf("for an address: %v, %d hashes", err, s.did.verifies-before)
	}
	if err := try("z"+bob, "192.0.2.11"); !errors.Is(err, account.ErrCredentials) {
		t.Errorf("from another address: %v", err)
	}
}

// TestNobodyElsesPassword: whoever registers another's address never gets into the
// account that its owner makes, and the owner not into one of whose password he
// does not know.
func TestNobodyElsesPassword(t *testing.T) {
	s := newScene(t, nil)
	apply := func(word, key string) {
		must(t, s.Reception.Register(t.Context(), reception.Application{Email: ann, Password: word, Locale: "en", Key: key, From: "192.0.2.1"}))
	}
	apply(sun, "thief")
	letter := s.letters[0].Token
	if err := s.Reception.Confirm(t.Context(), letter, rain, "192.0.2.1"); !errors.Is(err, account.ErrCredentials) {
		t.Errorf("the owner by the thief's letter: %v", err)
	}
	apply(rain, "owner")
	must(t, s.Reception.Confirm(t.Context(), s.letters[1].Token, rain, "192.0.2.1"))
	if err := s.Reception.Confirm(t.Context(), letter, sun, "192.0.2.1"); !errors.Is(err, account.ErrTaken) {
		t.Errorf("the thief's letter afterwards: %v", err)
	}
	if _, err := s.Reception.LogIn(t.Context(), reception.Credentials{Email: ann, Password: sun, From: "192.0.2.1"}); !errors.Is(err, account.ErrCredentials) {
		t.Errorf("the thief: %v", err)
	}
	apply(sun, "again")
	if l := s.letters[2]; l.Kind != mail.Taken || l.Token != "" {
		t.Errorf("%+v", l)
	}
}

func TestSameApplication(t *testing.T) {
	s := newScene(t, nil)
	a := reception.Application{Email: ann, Password: rain, Locale: "en", Key: "k", From: "192.0.2.1"}
	apply := func(a reception.Application) error { return s.Reception.Register(t.Context(), a) }
	must(t, apply(a))
	must(t, apply(a))
	other := a
	other.Password = sun
	if err := apply(other); !errors.Is(err, account.ErrMismatch) || len(s.letters) != 1 {
		t.Errorf("%v, %d letters", err, len(s.letters))
	}
	must(t, s.Reception.Confirm(t.Context(), s.letters[0].Token, rain, "192.0.2.1"))
	s.now = s.now.Add(time.Hour)
	must(t, apply(a)) // also when it has become an account
	if err := apply(other); !errors.Is(err, account.ErrMismatch) || len(s.letters) != 1 {
		t.Errorf("%v, %d letters", err, len(s.letters))
	}
}

// TestRehash: whoever logs in has his password kept by today's numbers.
func TestRehash(t *testing.T) {
	s := newScene(t, nil)
	s.member(t, ann, rain)
	s.hasher = reception.Argon2id{Parameters: password.Parameters{Memory: 16, Time: 1, Threads: 1}, Random: &endless{9}}
	for i, want := range []int{1, 0} {
		s.did = work{}
		_, err := s.Reception.LogIn(t.Context(), reception.Credentials{Email: ann, Password: rain, From: "192.0.2.1"})
		if must(t, err); s.did.hashes != want {
			t.Errorf("log-in %d: %d hashes, want %d", i, s.did.hashes, want)
		}
	}
	id, _, _ := s.Store.Holder(t.Context(), s.blind(ann))
	if a, _ := s.Store.Account(t.Context(), id); !strings.Contains(a.Password, "m=16,") {
		t.Errorf("kept as %s", a.Password)
	}
}

// TestRenewAtOnce: of many who renew with one token at once, all have the same next
// one, and the log-in lasts.
func TestRenewAtOnce(t *testing.T) { synctest.Test(t, renewAtOnce) }

func renewAtOnce(t *testing.T) {
	s := newScene(t, nil)
	s.member(t, ann, rain)
	g, err := s.Reception.LogIn(t.Context(), reception.Credentials{Email: ann, Password: rain, From: "192.0.2.1"})
	must(t, err)
	var all sync.WaitGroup
	next := make([]string, 3)
	for i := range next {
		all.Go(func() {
			g, err := s.Renew(t.Context(), g.Renewal)
			if next[i] = g.Renewal; err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if next[0] != next[1] || next[1] != next[2] {
		t.Error("they have different tokens")
	}
	if _, err := s.Renew(t.Context(), next[0]); err != nil {
		t.Error(err)
	}
}

// TestErased: what is left of an erased account names no person.
func TestErased(t *testing.T) {
	s := newScene(t, nil)
	s.member(t, ann, rain)
	g, err := s.Reception.LogIn(t.Context(), reception.Credentials{Email: ann, Password: rain, From: "192.0.2.1"})
	must(t, err)
	p, err := s.Tokens.Account(g.Access, s.now)
	must(t, err)
	name := "Ann Miller"
	_, err = s.Reception.Change(t.Context(), p, reception.Changes{Name: &name, Phone: &name})
	must(t, err)
	must(t, s.Reception.Erase(t.Context(), p))
	a, err := s.Store.Account(t.Context(), p.Account)
	must(t, err)
	if want := (account.Account{ID: p.Account, State: account.Erased, Rev: a.Rev, Epoch: 1, MadeAt: noon, ErasedAt: s.now}); !reflect.DeepEqual(a, want) {
		t.Errorf("%+v", a)
	}
	if _, found, _ := s.Store.Holder(t.Context(), s.blind(ann)); found {
		t.Error("the address is still held")
	}
	if _, err := s.Renew(t.Context(), g.Renewal); !errors.Is(err, account.ErrOver) {
		t.Errorf("renewed: %v", err)
	}
	if err := s.Reception.Confirm(t.Context(), s.letters[0].Token, rain, "192.0.2.1"); !errors.Is(err, account.ErrProof) {
		t.Errorf("the old letter: %v", err)
	}
}

// TestLostAnswers: whatever write's outcome is unknown, the same request again has
// the effect of one.
func TestLostAnswers(t *testing.T) {
	lose := false
	s := newScene(t, func(op memstore.Op) memstore.Fault {
		if op.Kind == memstore.OpTransact && lose {
			lose = false
			return memstore.LoseReply
		}
		return memstore.NoFault
	})
	s.unlimited()
	twice := func(act func() error) {
		t.Helper()
		lose = true
		_ = act()
		lose = false
		must(t, act())
	}
	a := reception.Application{Email: ann, Password: rain, Locale: "en", Key: "k", From: "192.0.2.1"}
	twice(func() error { return s.Reception.Register(t.Context(), a) })
	id := sha256.Sum256([]byte("registration\x00" + string(s.blind(ann)) + "\x00k"))
	reg := s.Tokens.Prove(session.Confirms, session.Proof{ID: [16]byte(id[:16]), ExpiresAt: s.now.Add(time.Hour)})
	twice(func() error { return s.Reception.Confirm(t.Context(), reg, rain, "192.0.2.1") })
	g, err := s.Reception.LogIn(t.Context(), reception.Credentials{Email: ann, Password: rain, From: "192.0.2.1"})
	must(t, err)
	twice(func() error { _, err := s.Renew(t.Context(), g.Renewal); return err })
	p, err := s.Tokens.Account(g.Access, s.now)
	must(t, err)
	twice(func() error { return s.AskReset(t.Context(), ann, "r", "192.0.2.1") })
	twice(func() error { return s.LogOutEverywhere(t.Context(), p) })
}
