package vault_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/vault"
	"github.com/fairseat/fairseat/pkg/vault/vaulttest"
)

const secret = "a secret of the blind index"

var (
	june  = time.Date(2030, 6, 30, 23, 59, 0, 0, time.UTC)
	july  = june.Add(2 * time.Minute)
	place = vault.Place{Table: "accounts", Item: "u_1", Field: "email"}
)

// stand is a deployment: one key service and one shelf for any number of instances.
type stand struct {
	keys  *vaulttest.Keys
	shelf *vaulttest.Shelf
	now   atomic.Pointer[time.Time]
}

func newStand() *stand {
	s := &stand{keys: vaulttest.NewKeys(), shelf: vaulttest.NewShelf()}
	s.now.Store(&june)
	return s
}

func (s *stand) instance(t *testing.T) *vault.Keeper {
	t.Helper()
	k, err := vault.New(s.keys, s.shelf, secret, func() time.Time { return *s.now.Load() })
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func seal(t *testing.T, k *vault.Keeper, at vault.Place, plain string) string {
	t.Helper()
	sealed, err := k.Seal(t.Context(), at, plain)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func TestSealAndOpen(t *testing.T) {
	s := newStand()
	a, b := s.instance(t), s.instance(t)
	for _, plain := range []string{"", "ada@example.com", "+86 138 0013 8000", strings.Repeat("长", 1000), "\x00"} {
		one, two := seal(t, a, place, plain), seal(t, a, place, plain)
		if one == two || plain != "" && strings.Contains(one, plain) || !vault.IsSealed(one) {
			t.Errorf("%q sealed to %q and %q", plain, one, two)
		}
		if got, err := b.Open(t.Context(), place, one); err != nil || got != plain {
			t.Errorf("%q came back as %q: %v", plain, got, err)
		}
	}
}

// TestBoundToItsPlace: moved, cut, changed or made up, a field does not open.
func TestBoundToItsPlace(t *testing.T) {
	s := newStand()
	k := s.instance(t)
	sealed := seal(t, k, place, "ada@example.com")
	for _, other := range []vault.Place{
		{Table: "mail", Item: "u_1", Field: "email"}, {Table: "accounts", Item: "u_2", Field: "email"}, {Table: "accounts", Item: "u_1", Field: "phone"},
		{Table: "accountsu", Item: "_1", Field: "email"}, {Table: "accounts", Item: "u_1e", Field: "mail"},
	} {
		if got, err := k.Open(t.Context(), other, sealed); !errors.Is(err, vault.ErrSealed) {
			t.Errorf("at %v it opens to %q: %v", other, got, err)
		}
	}
	for i := range sealed {
		spoilt := sealed[:i] + string(sealed[i]^1) + sealed[i+1:]
		if got, err := k.Open(t.Context(), place, spoilt); !errors.Is(err, vault.ErrSealed) {
			t.Errorf("spoilt at %d it opens to %q: %v", i, got, err)
		}
		if got, err := k.Open(t.Context(), place, sealed[:i]); !errors.Is(err, vault.ErrSealed) {
			t.Errorf("cut at %d it opens to %q: %v", i, got, err)
		}
	}
	for _, p := range []vault.Place{{}, {Table: "t", Item: "i"}, {Table: "t", Field: "f"}, {Item: "i", Field: "f"}} {
		if _, err := k.Seal(t.Context(), p, "x"); !errors.Is(err, vault.ErrPlace) {
			t.Errorf("%v: %v", p, err)
		}
	}
}

// TestOneCallAnInstanceAndPeriod: counted at the key service, under any parallelism.
func TestOneCallAnInstanceAndPeriod(t *testing.T) {
	s := newStand()
	var all []*vault.Keeper
	for range 5 {
		all = append(all, s.instance(t))
	}
	var old []string
	for i, month := range []*time.Time{&june, &july} {
		s.now.Store(month)
		var busy sync.WaitGroup
		for _, k := range all {
			for range 20 {
				busy.Go(func() {
					sealed, err := k.Seal(context.Background(), place, "x")
					if err == nil {
						_, err = k.Open(context.Background(), place, sealed)
					}
					if err != nil {
						t.Error(err)
					}
				})
			}
		}
		busy.Wait()
		old = append(old, seal(t, all[0], place, "x"))
		if n, lost := s.keys.Calls(), s.shelf.Lost(); n-lost != 5*(i+1) {
			t.Errorf("after %d months of 5 instances %d calls, %d of them for keys that another instance had made first", i+1, n, lost)
		}
	}
	// An instance that comes later opens both months, and needs a call for each.
	late, before := s.instance(t), s.keys.Calls()
	for range 3 {
		for _, sealed := range old {
			if _, err := late.Open(t.Context(), place, sealed); err != nil {
				t.Error(err)
			}
		}
	}
	if n := s.keys.Calls() - before; n != 2 {
		t.Errorf("%d calls for two months", n)
	}
	if !late.Stale(old[0]) || late.Stale(old[1]) || late.Stale("x") {
		t.Error("what is stale is not last month's alone")
	}
}

// TestAFailureIsNotRemembered, and nothing is sealed meanwhile.
func TestAFailureIsNotRemembered(t *testing.T) {
	s := newStand()
	k := s.instance(t)
	s.keys.Fail(errors.New("out of reach"))
	if sealed, err := k.Seal(t.Context(), place, "x"); err == nil || errors.Is(err, vault.ErrSealed) || sealed != "" {
		t.Errorf("%q, %v", sealed, err)
	}
	s.keys.Fail(nil)
	sealed := seal(t, k, place, "x")
	other := s.instance(t)
	s.keys.Fail(errors.New("out of reach"))
	if _, err := other.Open(t.Context(), place, sealed); err == nil || errors.Is(err, vault.ErrSealed) {
		t.Errorf("a key service out of reach is %v", err)
	}
}

// TestAKeyOfNobody: a period that nobody sealed in is no reason to make a key.
func TestAKeyOfNobody(t *testing.T) {
	s := newStand()
	if _, err := s.instance(t).Open(t.Context(), place, "fv1.190001.AAAA"); !errors.Is(err, vault.ErrSealed) || s.keys.Calls() != 0 {
		t.Errorf("%v after %d calls", err, s.keys.Calls())
	}
}

func TestBlind(t *testing.T) {
	s := newStand()
	k := s.instance(t)
	for _, tt := range []struct {
		kind vault.Kind
		same []string
	}{
		{vault.Email, []string{"Ada@Example.com", " ada@example.COM\n", "ada@example.com"}},
		{vault.Email, []string{"ada+1@example.com"}},
		{vault.Email, []string{"张三@例子.中国"}},
		{vault.Phone, []string{"+86 138-0013-8000", "+86 (138) 0013.8000", "+8613800138000"}},
		{vault.Document, []string{"e 1234-5678", "E12345678"}},
	} {
		seen := map[string]bool{}
		for _, v := range tt.same {
			index, ok := k.Blind(tt.kind, v)
			if !ok || strings.Contains(index, v) || len(index) != 43 {
				t.Errorf("%q: %q, %v", v, index, ok)
			}
			seen[index] = true
		}
		if len(seen) != 1 {
			t.Errorf("%q have %d indexes", tt.same, len(seen))
		}
	}
	mail, _ := k.Blind(vault.Email, "a1@b.cd")
	for _, other := range []string{"a2@b.cd", "a1@b.ce"} {
		if index, _ := k.Blind(vault.Email, other); index == mail {
			t.Errorf("%s is found as another", other)
		}
	}
	elsewhere, err := vault.New(s.keys, s.shelf, secret+"2", nil)
	if err != nil {
		t.Fatal(err)
	}
	if index, _ := elsewhere.Blind(vault.Email, "a1@b.cd"); index == mail {
		t.Error("the index does not depend on the secret")
	}
}

func TestWhatIsNoValue(t *testing.T) {
	for kind, bad := range map[vault.Kind][]string{
		0:              {"x"},
		vault.Email:    {"", "a", "a@", "@b.cd", "a@b", "a@@b.cd", "a@b.cd,c@d.ef", "a b@c.de", "a@b.cd\r\nBcc: x@y.zz", "<a@b.cd>", "a@-b.cd", "a@b..cd", "a@b.cd.", "\xff@b.cd", strings.Repeat("a", 65) + "@b.cd", "a@" + strings.Repeat("b.", 130) + "cd"},
		vault.Phone:    {"", "138 0013 8000", "+0123456789", "+12", "+1234567890123456", "+12345678a"},
		vault.Document: {"", "123", "E1234567é", strings.Repeat("1", 33)},
	} {
		for _, v := range bad {
			if normal, ok := kind.Normal(v); ok {
				t.Errorf("kind %d: %q is %q", kind, v, normal)
			}
		}
	}
}

func TestSecretHasALength(t *testing.T) {
	if _, err := vault.New(nil, nil, "short", nil); !errors.Is(err, vault.ErrSecret) {
		t.Error(err)
	}
}
