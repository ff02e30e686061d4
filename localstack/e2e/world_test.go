package e2e_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/fairseat/fairseat/localstack/cloud"
	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/ddb"
)

// world looks at the cloud from behind: the tables, and shows made to measure.
type world struct {
	tables  store.Tables
	store   *store.Store
	catalog store.Catalog
	layouts map[string]*seatmap.Layout

	mu    sync.Mutex
	shows []*show
}

// show is a show of a test's own, so that tests do not meet.
type show struct {
	catalog.Show
	layout *seatmap.Layout
}

func newWorld(root string, c *cloud.Cloud) (*world, error) {
	client, err := ddb.Client(variable)
	if err != nil {
		return nil, err
	}
	names := map[store.Table]string{}
	for _, t := range append([]store.Table{store.TableCatalog}, store.Names...) {
		id := strings.ToUpper(string(t[:1])) + string(t[1:])
		names[t] = variable("TABLE_" + id)
	}
	w := &world{layouts: map[string]*seatmap.Layout{}}
	w.tables = ddb.New(client, names, func(d time.Duration) time.Duration { return mathrand.N(max(d, 1)) })
	w.store = store.New(w.tables, booking.Policy{Hold: holdTime, Grace: graceTime, MaxSeats: maxSeats})
	w.catalog = store.NewCatalog(w.tables)
	halls, err := os.ReadFile(filepath.Join(root, "infra/catalogue/halls.json"))
	if err != nil {
		return nil, err
	}
	sources, err := seatmap.ParseHalls(halls)
	for _, s := range sources {
		if w.layouts[s.ID], err = seatmap.Expand(s); err != nil {
			return nil, err
		}
	}
	return w, err
}

const ownMovie = "a-film-of-our-own"

// open puts a new show in the hall on sale; change alters it before.
func (w *world) open(t *testing.T, hall string, change ...func(*catalog.Show)) *show {
	t.Helper()
	w.mu.Lock()
	l := w.layouts[hall]
	w.mu.Unlock()
	if l == nil {
		t.Fatalf("no hall %s", hall)
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	s := catalog.Show{
		ID: catalog.ShowID("own-" + strings.ToLower(rand.Text())), MovieID: ownMovie, City: "shanghai-cn",
		Cinema: catalog.Cinema{ID: "own-cinema", Name: "Own Cinema"}, Hall: "1", LayoutID: catalog.LayoutID(hall),
		StartsAt: now.Add(24 * time.Hour), EndsAt: now.Add(26 * time.Hour), LocalDate: now.Add(24 * time.Hour).Format(time.DateOnly),
		SaleOpensAt: now.Add(-time.Hour), SaleClosesAt: now.Add(24 * time.Hour), Status: catalog.OnSale,
	}
	for i, typ := range l.Types() {
		s.Prices = append(s.Prices, catalog.Price{Type: typ, Amount: money.Amount{Minor: int64(1000 + 501*i), Currency: "CNY"}})
	}
	for _, f := range change {
		f(&s)
	}
	w.write(t, s)
	own := &show{s, l}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.shows = append(w.shows, own)
	return own
}

func (w *world) write(t *testing.T, s catalog.Show) {
	t.Helper()
	_, err := w.catalog.Load(t.Context(), []store.CatalogRow{store.ShowRow(s)})
	must(t, err)
}

// of is n neighbouring seats of a type, from the k-th such run on.
func (s *show) of(t *testing.T, typ seatmap.SeatType, n, k int) []string {
	t.Helper()
	for _, sec := range s.layout.Sections() {
		for _, row := range sec.Rows {
			var run []string
			for i := row.First; i < row.First+row.Len; i++ {
				seat := s.layout.At(i)
				if seat.Type != typ {
					run = nil
					continue
				}
				if run = append(run, string(seat.ID)); len(run) < n {
					continue
				}
				if k == 0 {
					return run
				}
				k, run = k-1, nil
			}
		}
	}
	t.Fatalf("%s has not so many runs of %d %s seats", s.LayoutID, n, typ)
	return nil
}

func (s *show) regular(t *testing.T, n, k int) []string {
	t.Helper()
	return s.of(t, seatmap.Regular, n, k)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// eventually waits until the condition holds, and fails with its last objection.
func eventually(t *testing.T, limit time.Duration, condition func() error) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), limit)
	defer stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := condition()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("not within %s: %v", limit, err)
		case <-tick.C:
		}
	}
}

// until waits for a moment: deadlines are what is tested.
func until(t *testing.T, at time.Time) {
	t.Helper()
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.Context().Done():
		t.Fatal(t.Context().Err())
	}
}

// callbacks is a switch like the event sources: whether the provider's come.
const callbacks = "callbacks"

var switches = struct {
	sync.Once
	locks map[string]*sync.RWMutex
}{}

func allSwitches() map[string]*sync.RWMutex {
	switches.Do(func() {
		switches.locks = map[string]*sync.RWMutex{callbacks: {}}
		for _, id := range stack.Sources() {
			switches.locks[id] = &sync.RWMutex{}
		}
	})
	return switches.locks
}

// parallel lets the test run beside others while everything that it needs is on:
// all, but for the two sources that only back up what the buyers themselves do.
func parallel(t *testing.T) {
	t.Helper()
	var need []string
	for id := range allSwitches() {
		if id != expireHold && id != expireTimer {
			need = append(need, id)
		}
	}
	parallelWithout(t, nil, need...)
}

// parallelWithout runs the test while the named switches are off, beside those
// tests only that do not need them. It answers how to put them on again before
// the test's end.
func parallelWithout(t *testing.T, off []string, need ...string) (on func()) {
	t.Helper()
	t.Parallel()
	locks := allSwitches()
	var restore []func()
	on = sync.OnceFunc(func() {
		for _, f := range slices.Backward(restore) {
			f()
		}
	})
	all := slices.Sorted(slices.Values(append(slices.Clone(off), need...)))
	for _, id := range all { // in one order, so that no two tests wait for each other
		l := locks[id]
		switch {
		case l == nil:
			t.Fatalf("no switch %s", id)
		case slices.Contains(off, id):
			l.Lock()
			t.Cleanup(l.Unlock)
			restore = append(restore, switchOff(t, id))
		default:
			l.RLock()
			t.Cleanup(l.RUnlock)
		}
	}
	t.Cleanup(on)
	return on
}

func switchOff(t *testing.T, id string) (on func()) {
	t.Helper()
	if id == callbacks {
		must(t, provider.call("POST", "hold", nil, nil))
		return func() {
			must(t, provider.call("POST", "release", map[string]string{"order": "reverse"}, nil))
		}
	}
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	must(t, stack.Pause(ctx, id))
	if id == expireTimer { // a row that is removed meanwhile would be on no list of deadlines
		timersExpire(t, false)
	}
	return func() {
		must(t, stack.Resume(id))
		if id == expireTimer {
			timersExpire(t, true)
		}
	}
}

// timersExpire puts the TTL of the timers on or off.
func timersExpire(t *testing.T, on bool) {
	t.Helper()
	_, err := stack.Clients().Tables.UpdateTimeToLive(context.Background(), &dynamodb.UpdateTimeToLiveInput{
		TableName: aws.String(variable("TABLE_Timers")), TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("ttl"), Enabled: &on},
	})
	must(t, err)
}

// The event sources by their ids.
const (
	relayHolds    = "RelayHoldsHolds"
	projectHolds  = "ProjectSeatmapHolds"
	projectPool   = "ProjectSeatmapPool"
	expireHold    = "ExpireHoldTimers"
	expireTimer   = "ExpireTimerTimers"
	relayPayments = "RelayPaymentsPayments"
	askProvider   = "AskProviderPayments"
	advanceLine   = "AdvanceLineLane"
	relayLine     = "RelayLineLine"
	tellClients   = "TellClientsHints"
	indexShows    = "IndexShowsCatalogue"
	indexStock    = "IndexShowsStock"
	recordOrder   = "RecordOrderOrders"
	relayMail     = "RelayMailMail"
	sendMail      = "SendMailMail"
)

func TestSwitchesAreAll(t *testing.T) {
	known := []string{relayHolds, projectHolds, projectPool, expireHold, expireTimer, relayPayments, askProvider, advanceLine, relayLine, tellClients,
		indexShows, indexStock, recordOrder, relayMail, sendMail}
	got := slices.Sorted(slices.Values(stack.Sources()))
	if slices.Sort(known); !slices.Equal(got, known) {
		t.Errorf("the template has the event sources %v, the tests know %v", got, known)
	}
}

var errYet = errors.New("not yet")

func yet(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{errYet}, args...)...)
}
