package e2e_test

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fairseat/fairseat/localstack/apiclient"
	"github.com/fairseat/fairseat/pkg/session"
)

// keepers signs tokens as the deployment does.
func keepers(t *testing.T) *session.Keeper {
	t.Helper()
	signs, _, _ := strings.Cut(variable("SECRET_SessionSecret"), ",")
	k, err := session.New(rand.Reader, signs)
	must(t, err)
	return k
}

// developerAccount is a client with a new account's access token and no key.
func developerAccount(t *testing.T) *apiclient.Client {
	t.Helper()
	var a session.AccountID
	var l session.LoginID
	_, _ = rand.Read(a[:])
	_, _ = rand.Read(l[:])
	c := client()
	c.Key = ""
	c.Token, _ = keepers(t).Access(a, l, time.Now())
	return c
}

type ownKey struct {
	ID     string `json:"id"`
	Key    string `json:"key"`
	State  string `json:"state"`
	Prefix string `json:"prefix"`
}

func makeKey(t *testing.T, c *apiclient.Client) ownKey {
	t.Helper()
	var k ownKey
	must(t, c.Call(t.Context(), http.MethodPost, "/developer/keys", "", map[string]any{"name": "a test", "accept_terms": true}, &k))
	return k
}

// withKey lists cities with a key.
func withKey(t *testing.T, key string) apiclient.Reply {
	t.Helper()
	c := client()
	c.Key = key
	r, err := c.Do(t.Context(), http.MethodGet, "/cities?limit=1", nil, nil)
	must(t, err)
	return r
}

// TestDeveloperKeys is the life of keys (A13): made, used by header and parameter,
// replaced with an overlap, revoked, and none is good that is not one.
func TestDeveloperKeys(t *testing.T) {
	parallel(t)
	c := developerAccount(t)
	refused(t, c.Call(t.Context(), http.MethodGet, "/developer", "", nil, nil), 404, "not_found")
	first := makeKey(t, c)
	if r := withKey(t, first.Key); r.Status != 200 || !strings.HasPrefix(r.Header.Get("RateLimit-Policy"), `"minute";q=60;w=60, "month";q=100000;w=`) ||
		!strings.HasPrefix(r.Header.Get("RateLimit"), `"minute";r=`) {
		t.Errorf("a new key: %d %v", r.Status, r.Header)
	}
	if r, err := c.Do(t.Context(), http.MethodGet, "/cities?limit=1&api_dev_key="+first.Key, nil, nil); err != nil || r.Status != 200 {
		t.Errorf("as a parameter: %v, %d", err, r.Status)
	}
	var second ownKey
	must(t, c.Call(t.Context(), http.MethodPost, "/developer/keys/"+first.ID+"/rotations", "", map[string]int{"overlap_seconds": 3600}, &second))
	for _, k := range []string{first.Key, second.Key} {
		if r := withKey(t, k); r.Status != 200 {
			t.Errorf("within the overlap: %d %s", r.Status, r.Body)
		}
	}
	must(t, c.Call(t.Context(), http.MethodDelete, "/developer/keys/"+first.ID, "", nil, nil))
	revoked := time.Now()
	eventually(t, 5*time.Second-time.Since(revoked), func() error {
		for range 4 { // several instances may remember it
			if r := withKey(t, first.Key); r.Status != 403 {
				return fmt.Errorf("a revoked key: %d", r.Status)
			}
		}
		return nil
	})
	t.Logf("refused %v after it was revoked", time.Since(revoked))
	if r := withKey(t, second.Key); r.Status != 200 {
		t.Errorf("the other key: %d %s", r.Status, r.Body)
	}
	refused(t, withKey(t, first.Key[:len(first.Key)-1]+"b").Problem(), 403, "forbidden")
	var list apiclient.List[ownKey]
	must(t, c.Call(t.Context(), http.MethodGet, "/developer/keys", "", nil, &list))
	if len(list.Items) != 2 || list.Items[0].State != "active" || list.Items[1].State != "revoked" || list.Items[0].Key != "" {
		t.Errorf("%+v", list)
	}
	refused(t, developerAccount(t).Call(t.Context(), http.MethodDelete, "/developer/keys/"+second.ID, "", nil, nil), 404, "not_found")
	refused(t, guest(t).Call(t.Context(), http.MethodGet, "/developer", "", nil, nil), 401, "unauthorized")
}

// TestDeveloperQuota: of two hundred calls at once in one minute exactly sixty pass
// (the plan free), the others are told when to come again, and the owner reads it.
func TestDeveloperQuota(t *testing.T) {
	parallel(t)
	c := developerAccount(t)
	key := makeKey(t, c)
	begun := time.Now()
	if rest := time.Minute - begun.Sub(begun.Truncate(time.Minute)); rest < 10*time.Second {
		until(t, begun.Add(rest)) // all of it in one minute
	}
	minute := time.Now().Truncate(time.Minute)
	var passed, over atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 25 {
				r := withKey(t, key.Key)
				switch wait, _ := strconv.Atoi(r.Header.Get("Retry-After")); {
				case r.Status == 200:
					passed.Add(1)
				case r.Status == 429 && wait >= 1 && wait <= 60 && strings.Contains(string(r.Body), "quota_exceeded") && strings.HasPrefix(r.Header.Get("RateLimit"), `"minute";r=0;`):
					over.Add(1)
				default:
					t.Errorf("%d %s %v", r.Status, r.Body, r.Header)
				}
			}
		})
	}
	all.Wait()
	if same := time.Now().Truncate(time.Minute).Equal(minute); same && passed.Load() != 60 || passed.Load() > 120 {
		t.Errorf("%d of 200 passed, %d were over, in one minute: %v", passed.Load(), over.Load(), same)
	}
	eventually(t, 20*time.Second, func() error {
		for range 8 { // most of those who let the calls in are called, by anybody
			all.Go(func() { withKey(t, developerKey) })
		}
		all.Wait()
		var u struct {
			Items []struct {
				Total, Refused int64
			}
			Month struct{ Taken int64 }
		}
		must(t, c.Call(t.Context(), http.MethodGet, "/developer/usage", "", nil, &u))
		var total, refused int64
		for _, d := range u.Items {
			total, refused = total+d.Total, refused+d.Refused
		}
		if total > passed.Load() || refused > over.Load() || total+refused < 100 || u.Month.Taken < passed.Load() {
			return fmt.Errorf("%d passed and %d were refused; the owner reads %+v", passed.Load(), over.Load(), u)
		}
		return nil
	})
}
