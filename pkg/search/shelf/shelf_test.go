package shelf

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fairseat/fairseat/pkg/blob"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/seatmap"

	"github.com/fairseat/fairseat/pkg/search"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// memory is a list and its objects, with the rules of the contracts.
type memory struct {
	mu      sync.Mutex
	list    List
	objects map[string][]byte
	lag     func() bool // whether a read that is not fresh sees the list before
	before  List
	race    func() // runs between a read of the list and its move
}

func (m *memory) List(_ context.Context, fresh bool) (List, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !fresh && m.lag != nil && m.lag() {
		return m.before, nil
	}
	return m.list, nil
}

func (m *memory) MoveList(_ context.Context, was int64, next List) error {
	if race := m.race; race != nil {
		m.race = nil
		race()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.list.Version != was {
		return fault.New(fault.Stale, "", "moved")
	}
	m.before, m.list = m.list, next
	return nil
}

func (m *memory) Get(_ context.Context, name string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if b, ok := m.objects[name]; ok {
		return b, nil
	}
	return nil, blob.ErrMissing
}

func (m *memory) Put(_ context.Context, name string, body []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.objects[name] = body
	return nil
}

func (m *memory) Delete(_ context.Context, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.objects, name)
	return nil
}

func newMemory() *memory { return &memory{objects: map[string][]byte{}} }

func drawRows(t *rapid.T, most int) search.Rows {
	rows := search.Rows{}
	for range rapid.IntRange(1, most).Draw(t, "rows") {
		id := fmt.Sprint(rapid.IntRange(0, 40).Draw(t, "id"))
		n := rapid.IntRange(0, 1000).Draw(t, "n")
		price := catalog.Price{Type: seatmap.Regular, Amount: money.Amount{Minor: int64(n % 3), Currency: "EUR"}}
		switch rapid.IntRange(0, 5).Draw(t, "kind") {
		case 0:
			rows[search.Key{Kind: search.OfFilm, ID: id}] = search.Row{Film: &catalog.Movie{ID: catalog.MovieID(id), Title: fmt.Sprint("t", n), Genres: []string{"Drama"}}}
		case 1:
			rows[search.Key{Kind: search.OfCity, ID: id}] = search.Row{City: &catalog.City{ID: catalog.CityID(id), Lat: float64(n)}}
		case 2:
			rows[search.Key{Kind: search.OfHall, ID: id}] = search.Row{Hall: &search.Hall{ID: catalog.LayoutID(id), Together: n}}
		case 3:
			rows[search.Key{Kind: search.OfStock, ID: id}] = search.Row{Stock: &search.Stock{Show: catalog.ShowID(id), Until: noon.Add(time.Duration(n-500) * time.Minute), Together: n % 11, Statuses: map[seatmap.SeatType]seatmap.Availability{seatmap.Regular: seatmap.Full}}}
		case 4:
			rows[search.Key{Kind: search.OfShow, ID: id}] = search.Row{}
		default:
			starts := noon.Add(time.Duration(n-500) * time.Minute)
			rows[search.Key{Kind: search.OfShow, ID: id}] = search.Row{Show: &search.Show{
				ID: catalog.ShowID(id), Movie: catalog.MovieID(fmt.Sprint(n % 5)), City: "a", Layout: "l", Cinema: catalog.Cinema{ID: catalog.CinemaID(fmt.Sprint(n % 7)), PostalCode: "10"},
				StartsAt: starts, EndsAt: starts.Add(time.Hour), OnSale: n%2 == 0, Prices: []catalog.Price{price, price},
			}}
		}
	}
	return rows
}

func TestSegmentsKeepRows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := drawRows(t, 30)
		b := Pack(rows)
		got, err := Unpack(b)
		if d := cmp.Diff(rows, got); err != nil || d != "" {
			t.Fatalf("%v\n%s", err, d)
		}
		if !bytes.Equal(b, Pack(got)) {
			t.Fatal("the same rows gave other bytes")
		}
	})
}

// alive is what an index says: what is gone or over is not in it.
func alive(rows search.Rows, now time.Time) search.Rows { return rows.Over(nil).Settled(now) }

// TestReadersFollow: whatever the batches, and whoever reads however late, an
// index is all batches laid over one another; its segments stay few.
func TestReadersFollow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newMemory()
		m.lag = func() bool { return rapid.IntRange(0, 3).Draw(t, "lag") == 0 }
		now := noon
		w := &Writer{Lists: m, Blobs: m, Clock: func() time.Time { return now }}
		other := &Writer{Lists: m, Blobs: m, Clock: w.Clock}
		r := Reader{m, m}
		want := search.Rows{}
		type reader struct {
			list List
			rows search.Rows
		}
		readers := []reader{{}, {}}
		for range rapid.IntRange(1, 12).Draw(t, "batches") {
			batch := drawRows(t, rapid.SampledFrom([]int{1, 2, 12}).Draw(t, "size"))
			by := w
			if rapid.Bool().Draw(t, "other") {
				by = other
			}
			if err := by.Append(t.Context(), batch); err != nil {
				t.Fatal(err)
			}
			want = want.Over(batch)
			now = now.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "s")) * time.Second)
			if i := rapid.IntRange(0, 3).Draw(t, "reader"); i < len(readers) {
				n, err := r.Since(t.Context(), readers[i].list)
				if err != nil {
					t.Fatal(err)
				}
				if n.Whole {
					readers[i].rows = nil
				}
				readers[i] = reader{n.List, readers[i].rows.Over(n.Rows)}
			}
		}
		m.lag = nil
		for i, rd := range readers {
			n, err := r.Since(t.Context(), rd.list)
			if err != nil {
				t.Fatal(err)
			}
			if n.Whole {
				rd.rows = nil
			}
			if d := cmp.Diff(alive(want, now), alive(rd.rows.Over(n.Rows), now)); d != "" {
				t.Fatalf("reader %d (-want +got):\n%s", i, d)
			}
		}
		if n := len(m.list.Segments); n > 6 {
			t.Fatalf("%d segments", n)
		}
		if len(m.objects) > len(m.list.Segments)+len(m.list.Retired) {
			t.Fatalf("%d objects for %d segments and %d retired", len(m.objects), len(m.list.Segments), len(m.list.Retired))
		}
	})
}

func TestTwoWritersAtOnce(t *testing.T) {
	m := newMemory()
	clock := func() time.Time { return noon }
	a, b := &Writer{Lists: m, Blobs: m, Clock: clock}, &Writer{Lists: m, Blobs: m, Clock: clock}
	row := func(id string) search.Rows {
		return search.Rows{{Kind: search.OfHall, ID: id}: {Hall: &search.Hall{ID: catalog.LayoutID(id)}}}
	}
	m.race = func() {
		if err := b.Append(t.Context(), row("b")); err != nil {
			t.Error(err)
		}
	}
	if err := a.Append(t.Context(), row("a")); err != nil {
		t.Fatal(err)
	}
	n, err := Reader{m, m}.Since(t.Context(), List{})
	if err != nil || len(n.Rows) != 2 || n.List.Version != 2 {
		t.Errorf("%+v, %v", n, err)
	}
}

func TestReaderOfAListThatIsGone(t *testing.T) {
	m := newMemory()
	w := &Writer{Lists: m, Blobs: m, Clock: func() time.Time { return noon }}
	for _, id := range []string{"a", "b"} {
		if err := w.Append(t.Context(), search.Rows{{Kind: search.OfHall, ID: id}: {Hall: &search.Hall{}}}); err != nil {
			t.Fatal(err)
		}
		if id == "a" {
			m.objects = map[string][]byte{}
		}
	}
	stale := 0
	m.before = List{Version: 1, Segments: []Segment{{Name: m.list.Retired[0].Name, Rows: 1}}}
	m.lag = func() bool { stale++; return stale == 1 }
	n, err := Reader{m, m}.Since(t.Context(), List{})
	if err != nil || n.List.Version != 2 || stale != 1 {
		t.Errorf("%+v, %v after %d reads", n.List, err, stale)
	}
	m.objects = nil
	if _, err := (Reader{m, m}).Since(t.Context(), List{}); !errors.Is(err, blob.ErrMissing) {
		t.Errorf("with no objects at all: %v", err)
	}
}

func TestSegmentsAreFew(t *testing.T) {
	for _, tt := range []struct {
		sizes []int
		n     int
		keep  int
	}{
		{nil, 5, 0}, {[]int{100}, 1, 1}, {[]int{100, 10}, 4, 2}, {[]int{100, 10}, 5, 1}, {[]int{100, 40, 10}, 5, 2}, {[]int{20, 10}, 5, 0}, {[]int{31, 10}, 5, 1},
	} {
		var s []Segment
		for _, n := range tt.sizes {
			s = append(s, Segment{Rows: n})
		}
		if got := untouched(s, tt.n); got != tt.keep {
			t.Errorf("%v and %d more: %d stay, want %d", tt.sizes, tt.n, got, tt.keep)
		}
	}
}

func TestOthersAreNoSegments(t *testing.T) {
	whole := Pack(search.Rows{{Kind: search.OfShow, ID: "s"}: {Show: &search.Show{ID: "s"}}})
	for _, b := range [][]byte{nil, []byte("x"), []byte(magic), whole[:len(whole)-9], slices.Concat([]byte(magic), []byte("abc"))} {
		if _, err := Unpack(b); !errors.Is(err, ErrSegment) {
			t.Errorf("%q: %v", b, err)
		}
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add(Pack(search.Rows{{Kind: search.OfShow, ID: "s"}: {Show: &search.Show{ID: "s"}}}))
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, b []byte) {
		if rows, err := Unpack(b); err == nil {
			Pack(rows)
		} else if !errors.Is(err, ErrSegment) {
			t.Fatal(err)
		}
	})
}
