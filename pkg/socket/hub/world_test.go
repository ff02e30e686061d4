package hub_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/socket"
	"github.com/fairseat/fairseat/pkg/socket/hub"
	"github.com/fairseat/fairseat/pkg/socket/post"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
)

const (
	mine  = booking.Buyer("g_mine")
	yours = booking.Buyer("g_yours")
	show  = catalog.ShowID("solaris")
)

var (
	noon   = time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC)
	policy = booking.Policy{Hold: 5 * time.Minute, Grace: 5 * time.Second, MaxSeats: 10}
)

// world is a hub over tables in memory, and a gateway that speaks the real wire.
type world struct {
	*hub.Hub
	t     *testing.T
	board *store.Switchboard
	store *store.Store
	db    *memstore.DB
	later []put
	keys  int

	mu     sync.Mutex
	now    time.Time
	faults func(memstore.Op) memstore.Fault
	heard  []string       // "id text", as the gateway got them
	closed []string       // ids
	status map[string]int // of a connection, if not 200
}

// put is a hint that was put off.
type put struct {
	hint socket.Hint
	wait time.Duration
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, now: noon, status: map[string]int{}}
	w.db = memstore.New(memstore.Options{Clock: w.clock, Faults: func(op memstore.Op) memstore.Fault {
		if w.faults == nil {
			return memstore.NoFault
		}
		return w.faults(op)
	}})
	w.board, w.store = store.NewSwitchboard(w.db), store.New(w.db, policy)
	gateway := httptest.NewServer(http.HandlerFunc(w.connections))
	t.Cleanup(gateway.Close)
	env := map[string]string{"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
	line, err := post.New(func(name string) string { return env[name] }, gateway.URL+"/v1", 4, w.clock)
	if err != nil {
		t.Fatal(err)
	}
	press, err := socket.NewPress("a secret of sixteen")
	if err != nil {
		t.Fatal(err)
	}
	w.Hub = &hub.Hub{
		Store: w.board, Truth: w.store, Line: line, Press: press, Clock: w.clock, Parallel: 4,
		Pause: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
		Later: func(_ context.Context, h socket.Hint, wait time.Duration) error {
			w.later = append(w.later, put{h, wait})
			return nil
		},
	}
	return w
}

// connections is the gateway's @connections.
func (w *world) connections(rw http.ResponseWriter, r *http.Request) {
	text, _ := io.ReadAll(r.Body)
	escaped, ok := strings.CutPrefix(r.URL.EscapedPath(), "/v1/@connections/")
	id, err := url.PathUnescape(escaped)
	w.mu.Lock()
	defer w.mu.Unlock()
	auth := r.Header.Get("Authorization")
	if !ok || err != nil || strings.Contains(escaped, "=") || !strings.Contains(auth, "Credential=key/20300501/eu-west-1/execute-api/aws4_request") {
		w.t.Errorf("%s %s: %s", r.Method, r.URL, auth)
	}
	if code := w.status[id]; code != 0 {
		rw.WriteHeader(code)
		return
	}
	switch r.Method {
	case http.MethodPost:
		w.heard = append(w.heard, id+" "+string(text))
	case http.MethodDelete:
		w.closed = append(w.closed, id)
		w.status[id] = http.StatusGone
		rw.WriteHeader(http.StatusNoContent)
	}
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// ticket is a new one of the buyer, whose session has ends to live.
func (w *world) ticket(b booking.Buyer, ends time.Duration) string {
	w.t.Helper()
	w.keys++
	text, _, err := w.Issue(w.t.Context(), b, fmt.Sprint("key ", w.keys), w.clock().Add(ends), w.clock())
	w.ok(err)
	return text
}

func (w *world) open(b booking.Buyer, id socket.ConnID) {
	w.t.Helper()
	w.ok(w.Connect(w.t.Context(), id, w.ticket(b, 24*time.Hour)))
}

// says sends a message as a client, and gives what he hears.
func (w *world) says(id socket.ConnID, body string) string {
	w.t.Helper()
	w.heard = nil
	w.ok(w.Receive(w.t.Context(), id, body))
	return strings.Join(w.heard, "\n")
}

func (w *world) watches(id socket.ConnID, s catalog.ShowID) {
	w.t.Helper()
	w.says(id, fmt.Sprintf(`{"action":"watch","show_id":%q}`, s))
}

// tells tells a hint and gives the ids of those who heard, sorted.
func (w *world) tells(h socket.Hint) string {
	w.t.Helper()
	w.heard = nil
	if _, err := w.Tell(w.t.Context(), h); err != nil {
		w.t.Fatalf("%+v: %v", h, err)
	}
	return w.who(string(h.Kind))
}

// who heard of the kind, sorted.
func (w *world) who(kind string) string {
	var ids []string
	for _, x := range w.heard {
		id, text, _ := strings.Cut(x, " ")
		if strings.Contains(text, `"type":"`+kind+`"`) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return strings.Join(ids, " ")
}

// map of the show, in a version.
func (w *world) saveMap(version int64) {
	w.t.Helper()
	m, err := w.store.FreshSnapshot(w.t.Context(), show)
	w.ok(err)
	var was int64
	if m != nil {
		was = m.Version
	}
	w.ok(w.store.SaveSnapshot(w.t.Context(), catalog.Show{ID: show}, boxoffice.Map{Show: show, Version: version, Seats: seatmap.NewPacked(8), Line: seatmap.NewLineSeats(8)}, was, false))
}

func (w *world) hold(id booking.HoldID) booking.Hold {
	w.t.Helper()
	h := booking.Hold{
		ID: id, Show: show, Buyer: mine, State: booking.Held, ExpiresAt: w.clock().Add(policy.Hold), Rev: 1, MadeAt: w.clock(),
		Seats: []booking.Seat{{ID: "A-1", Type: seatmap.Regular, Block: "0", Price: money.Amount{Minor: 1, Currency: "USD"}}},
	}
	w.ok(w.store.Hold(w.t.Context(), h, w.clock(), booking.Terms{}))
	return h
}

// rows counts what the table keeps of sockets beside tickets.
func (w *world) rows(t *testing.T) int {
	t.Helper()
	n := 0
	for _, x := range []func() (int, error){
		func() (int, error) { e, err := w.board.OfBuyer(t.Context(), mine); return len(e), err },
		func() (int, error) { e, err := w.board.OfBuyer(t.Context(), yours); return len(e), err },
	} {
		k, err := x()
		w.ok(err)
		n += k
	}
	for k := range boxoffice.Shards {
		for _, s := range []catalog.ShowID{show, "other"} {
			e, err := w.board.Watchers(t.Context(), s, k)
			w.ok(err)
			n += len(e)
		}
	}
	return n
}
