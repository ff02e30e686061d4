package e2e_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fairseat/fairseat/localstack/apiclient"
	"github.com/fairseat/fairseat/pkg/api"
	"github.com/fairseat/fairseat/pkg/session"
)

// owned says of each parameter of a path whether the thing has an owner, and of
// each that has one, which of Ann's it is.
var owned = map[string]bool{
	"show": false, "city": false, "movie": false, "layout": false, "provider": false,
	"hold": true, "order": true, "waiter": true, "key": true,
}

// bodies come as far as the thing that is asked for; a call of somebody else's must
// be refused for that, not for its form.
var bodies = map[string]string{"PayHold": `{"provider":"sandbox"}`, "ReserveSeats": `{"seats":["A-1"]}`, "JoinLine": `{"seats":1}`}

// estate is what Ann has, and words that only answers to her may hold.
type estate struct {
	things  map[string]string // by parameter
	marks   []string
	revoked string // a key
	tokens  map[string]string
}

// annsEstate: an account with a hold, an order that is paid, a place in line and a
// developer key; and the tokens that the columns need.
func annsEstate(t *testing.T) (*buyer, *estate) {
	t.Helper()
	ann := &buyer{developerAccount(t), t}
	ann.Key = developerKey
	e := &estate{things: map[string]string{"city": "nowhere", "movie": "nothing", "layout": "nothing", "provider": "sandbox"}, tokens: map[string]string{}}
	sold, wanted := shop.open(t, "standard-90"), small(t, 1)
	e.things["show"] = string(sold.ID)
	h := ann.hold(sold, sold.regular(t, 1, 0)...)
	e.things["hold"] = h.ID
	order := ann.await(ann.pay(h.ID, "success").OrderID, "PAID", 15*time.Second)
	e.things["order"] = order.ID
	full(t, wanted, 1)
	place := ann.asks(wanted, 1)
	t.Cleanup(func() {
		_, err := ann.Do(context.Background(), http.MethodDelete, place.path(), nil, nil)
		must(t, err)
	})
	e.things["waiter"] = place.Place.ID
	owner, gone := makeKey(t, ann.Client), makeKey(t, ann.Client)
	e.things["key"], e.revoked = owner.ID, gone.Key
	must(t, ann.Call(t.Context(), http.MethodDelete, "/developer/keys/"+gone.ID, "", nil, nil))
	e.marks = []string{h.ID, order.ID, owner.ID, owner.Key[:13], e.things["waiter"]}
	for _, k := range order.Tickets {
		e.marks = append(e.marks, k.ID, k.Code)
	}

	k := keepers(t)
	now := time.Now()
	stranger, err := session.New(rand.Reader, "the secret of another deployment")
	must(t, err)
	e.tokens["expired guest"] = guestOf(t, k, now.Add(-session.Length))
	e.tokens["expired access"], _ = k.Access(session.AccountID{1}, session.LoginID{1}, now.Add(-session.AccessLength))
	e.tokens["renewal"] = k.Renewal(session.Turn{Account: session.AccountID{1}, Login: session.LoginID{1}})
	e.tokens["guest"] = guestOf(t, k, now)
	e.tokens["another deployment's"], _ = stranger.Access(session.AccountID{1}, session.LoginID{1}, now)
	return ann, e
}

func guestOf(t *testing.T, k *session.Keeper, at time.Time) string {
	t.Helper()
	s, err := k.Issue(at)
	must(t, err)
	return s.Token
}

// operationOf is one of the document's.
type operationOf struct {
	method, path, id string
	key, buyer       bool
	account          bool
}

// documentedOperations reads the served document.
func documentedOperations(t *testing.T) []operationOf {
	t.Helper()
	r, err := client().Do(t.Context(), http.MethodGet, "/openapi.json", nil, nil)
	must(t, err)
	var doc struct {
		Paths map[string]map[string]struct {
			ID       string                `json:"operationId"`
			Security []map[string][]string `json:"security"`
		}
	}
	must(t, json.Unmarshal(r.Body, &doc))
	var all []operationOf
	for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
		for method, op := range doc.Paths[path] {
			o := operationOf{method: strings.ToUpper(method), path: path, id: op.ID}
			for _, s := range op.Security {
				_, header := s["DeveloperKey"]
				_, buyer := s["Buyer"]
				o.key, o.buyer = o.key || header, o.buyer || buyer
			}
			for _, r := range api.Routes() {
				o.account = o.account || r.Operation == o.id && r.Account
			}
			all = append(all, o)
		}
	}
	return all
}

// column is one way to come without the right.
type column struct {
	name   string
	key    string // developer key; "" none
	token  string // "" none
	of     func(operationOf) bool
	status int
	code   string
}

func columns(e *estate, good, other string) []column {
	key := func(o operationOf) bool { return o.key }
	buyer := func(o operationOf) bool { return o.buyer }
	return []column{
		{"no key", "", good, key, 403, "forbidden"},
		{"unknown key", "nobody", good, key, 403, "forbidden"},
		{"revoked key", e.revoked, good, key, 403, "forbidden"},
		{"no token", developerKey, "", buyer, 401, "unauthorized"},
		{"expired guest", developerKey, e.tokens["expired guest"], buyer, 401, "unauthorized"},
		{"expired access", developerKey, e.tokens["expired access"], buyer, 401, "unauthorized"},
		{"renewal for access", developerKey, e.tokens["renewal"], buyer, 401, "unauthorized"},
		{"another deployment's", developerKey, e.tokens["another deployment's"], buyer, 401, "unauthorized"},
		{"guest for account", developerKey, e.tokens["guest"], func(o operationOf) bool { return o.account }, 401, "unauthorized"},
		{"key for token", developerKey, developerKey, buyer, 401, "unauthorized"},
		{"other buyer", developerKey, other, func(o operationOf) bool { return o.buyer && ownedBy(o.path) }, 404, "not_found"},
	}
}

func ownedBy(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		if owned[strings.Trim(segment, "{}")] {
			return true
		}
	}
	return false
}

// send makes the call of a cell.
func (e *estate) send(t *testing.T, o operationOf, c column) (apiclient.Reply, error) {
	path := o.path
	for segment := range strings.SplitSeq(o.path, "/") {
		if name := strings.Trim(segment, "{}"); name != segment {
			id, known := e.things[name]
			if _, said := owned[name]; !known || !said {
				return apiclient.Reply{}, fmt.Errorf("whose is {%s}?", name)
			}
			path = strings.ReplaceAll(path, segment, id)
		}
	}
	body := bodies[o.id]
	if body == "" {
		body = `{}`
	}
	b := client()
	b.Key, b.Token = c.key, c.token
	h := http.Header{"Content-Type": {"application/json"}, "Idempotency-Key": {rand.Text()}}
	return b.Do(t.Context(), o.method, path, h, []byte(body))
}

// TestAuthorizationMatrix is made from the served document: every operation, in
// every way of coming without the right. Where the way matters the answer is the one
// that it must be; where it does not, it does not matter. No answer tells anything
// of Ann's, and what she has is as it was.
func TestAuthorizationMatrix(t *testing.T) {
	parallel(t)
	ann, e := annsEstate(t)
	other := developerAccount(t).Token
	state := func() string {
		var b bytes.Buffer
		for _, path := range []string{"/holds/" + e.things["hold"], "/orders/" + e.things["order"], "/developer/keys"} {
			r, err := ann.Do(t.Context(), http.MethodGet, path, nil, nil)
			must(t, err)
			var v map[string]any
			must(t, json.Unmarshal(r.Body, &v))
			delete(v, "server_time")
			fmt.Fprintln(&b, r.Status, v)
		}
		if p := read[apiclient.Place](ann, "/line/"+e.things["waiter"]); !slices.Contains([]string{"joining", "waiting", "offered"}, p.State) {
			fmt.Fprintln(&b, p.State)
		}
		return b.String()
	}
	before := state()
	operations := documentedOperations(t)
	cols := columns(e, guestOf(t, keepers(t), time.Now()), other)
	var mu sync.Mutex
	asserted, leaks := 0, 0
	var all sync.WaitGroup
	room := make(chan struct{}, 6)
	for _, o := range operations {
		for _, c := range cols {
			room <- struct{}{}
			all.Go(func() {
				defer func() { <-room }()
				r, err := e.send(t, o, c)
				if err != nil {
					t.Errorf("%s, %s: %v", o.id, c.name, err)
					return
				}
				var p struct{ Code string }
				_ = json.Unmarshal(r.Body, &p)
				switch wanted := c.of(o); {
				case wanted && (r.Status != c.status || p.Code != c.code):
					t.Errorf("%s, %s: %d %s, want %d %s", o.id, c.name, r.Status, r.Body, c.status, c.code)
				case !wanted && !o.key && p.Code == "forbidden":
					t.Errorf("%s, %s: %d %s, and needs no key", o.id, c.name, r.Status, r.Body)
				case !wanted && !o.buyer && p.Code == "unauthorized":
					t.Errorf("%s, %s: %d %s, and needs no token", o.id, c.name, r.Status, r.Body)
				}
				mu.Lock()
				defer mu.Unlock()
				asserted++
				for _, mark := range e.marks {
					if bytes.Contains(r.Body, []byte(mark)) {
						leaks++
						t.Errorf("%s, %s: %d tells %s", o.id, c.name, r.Status, mark)
					}
				}
			})
		}
	}
	all.Wait()
	if asserted != len(operations)*len(cols) || len(operations) != len(api.Routes()) {
		t.Errorf("%d cells of %d × %d", asserted, len(operations), len(cols))
	}
	if after := state(); after != before {
		t.Errorf("what she has has changed:\n%s\nwas\n%s", after, before)
	}
	t.Logf("%d operations × %d ways: %d cells, %d leaks", len(operations), len(cols), asserted, leaks)
}
