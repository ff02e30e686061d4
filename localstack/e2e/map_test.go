package e2e_test

import (
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/fairseat/fairseat/localstack/apiclient"
	"github.com/fairseat/fairseat/pkg/catalog"
)

// TestMapFollows: hold, release and sale show within two seconds, each time, on a
// machine that does nothing else; it runs alone.
func TestMapFollows(t *testing.T) {
	s, b := shop.open(t, "standard-90"), guest(t)
	path := string(s.ID)
	last := awaitMap(b, path, func(m apiclient.Seatmap) bool { return m.Free == m.Capacity })
	follows := func(what string, shows func(apiclient.Seatmap) bool) {
		t.Helper()
		began := time.Now()
		m := awaitMap(b, path, shows)
		if late := time.Since(began); late > behind {
			t.Errorf("%s shows after %s", what, late)
		}
		if m.Version == last.Version {
			t.Errorf("%s: another map under version %s", what, m.Version)
		}
		last = m
		t.Logf("%s shows after %s", what, time.Since(began).Round(time.Millisecond))
	}
	for k := range 3 {
		h := b.hold(s, s.regular(t, 2, k)...)
		follows("a hold", func(m apiclient.Seatmap) bool { return m.Held == 2 })
		b.release(h.ID)
		follows("a release", func(m apiclient.Seatmap) bool { return m.Held == 0 })
	}
	b.buy(s, s.regular(t, 2, 0)...)
	follows("a sale", func(m apiclient.Seatmap) bool { return m.Sold == 2 && m.Held == 0 })
}

// TestMapIsRebuilt: a map that is lost comes back whole from the claims alone.
func TestMapIsRebuilt(t *testing.T) {
	parallel(t)
	s, b := shop.open(t, "standard-90"), guest(t)
	path := "/shows/" + string(s.ID) + "/seatmap?expand=seats"
	b.buy(s, s.regular(t, 2, 0)...)
	b.hold(s, s.regular(t, 3, 1)...)
	s.house(t, s.regular(t, 1, 20)...)
	awaitMap(b, string(s.ID), func(m apiclient.Seatmap) bool { return m.Sold == 2 && m.Held == 3 })
	lose(t, s) // the house's seats come with the rebuilt map, at the latest
	was := read[apiclient.Seatmap](b, path)
	if was.Sold != 2 || was.Held != 3 || was.Blocked != 1 {
		t.Errorf("the rebuilt map shows %d sold, %d held, %d blocked", was.Sold, was.Held, was.Blocked)
	}
	for range 3 {
		lose(t, s)
		var together sync.WaitGroup
		for range 10 { // all who ask at once get it
			together.Go(func() {
				var m apiclient.Seatmap
				if err := b.get(path, &m); err != nil || m.Sold != 2 || m.Held != 3 || m.Blocked != 1 || !slices.Equal(m.States, was.States) || m.Version < was.Version {
					t.Errorf("the rebuilt map is %d sold, %d held, version %s, was %s: %v", m.Sold, m.Held, m.Version, was.Version, err)
				}
			})
		}
		together.Wait()
	}
	// It follows again, and a loss between two writes is made good by the next.
	lose(t, s)
	guest(t).hold(s, s.regular(t, 2, 3)...)
	awaitMap(b, string(s.ID), func(m apiclient.Seatmap) bool { return m.Sold == 2 && m.Held == 5 && m.Blocked == 1 })
}

func lose(t *testing.T, s *show) {
	t.Helper()
	_, err := stack.Clients().Tables.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{
		TableName: aws.String(variable("TABLE_Snapshots")),
		Key:       map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: "MAP#" + string(s.ID)}, "sk": &types.AttributeValueMemberS{Value: "MAP"}},
	})
	must(t, err)
}

// TestMapShowsWholeHolds: while parties of four come and go, no reader ever sees a
// part of one (AllOrNothing).
func TestMapShowsWholeHolds(t *testing.T) {
	parallel(t)
	s := shop.open(t, "standard-180")
	parties := 4
	var groups [][]string
	for k := range parties {
		groups = append(groups, s.regular(t, 4, k))
	}
	stop := time.Now().Add(5 * time.Second)
	var all sync.WaitGroup
	for k, b := range guests(t, parties) {
		all.Go(func() {
			for time.Now().Before(stop) {
				h, err := b.try(s, groups[k]...)
				if err != nil {
					t.Errorf("party %d: %v", k, err)
					return
				}
				if err := b.Call(b.ctx(), http.MethodDelete, "/holds/"+h.ID, "", nil, nil); err != nil {
					t.Errorf("party %d: %v", k, err)
					return
				}
			}
		})
	}
	var seen, held atomic.Int64
	for _, b := range guests(t, 2) {
		all.Go(func() {
			for time.Now().Before(stop) {
				var m apiclient.Seatmap
				if err := b.get("/shows/"+string(s.ID)+"/seatmap", &m); err != nil {
					t.Error(err)
					return
				}
				seen.Add(1)
				for k, g := range groups {
					n := 0
					for _, id := range g {
						i := s.index(id)
						n += int(m.States[i/4] >> (2 * (i % 4)) & 1)
					}
					if n > 0 {
						held.Add(1)
					}
					if n != 0 && n != len(g) {
						t.Errorf("of party %d's four seats %d are held in version %s", k, n, m.Version)
					}
				}
			}
		})
	}
	all.Wait()
	if held.Load() == 0 {
		t.Errorf("in %d maps no party was ever seen", seen.Load())
	}
	shop.balanced(t, s)
}

func (s *show) index(id string) int {
	for i := range s.layout.Len() {
		if string(s.layout.At(i).ID) == id {
			return i
		}
	}
	return -1
}

// TestStatusesInTheListing: available, almost full (at most 15 % free), full (A3).
func TestStatusesInTheListing(t *testing.T) {
	parallel(t)
	b := guest(t)
	s := shop.open(t, "arthouse-40", func(s *catalog.Show) { s.MovieID = "interstellar-2014" })
	status := func(want string) {
		t.Helper()
		eventually(t, behind+showsAge, func() error {
			l := read[apiclient.List[apiclient.CinemaShows]](b, "/movies/interstellar-2014/showtimes?city=shanghai-cn&limit=100")
			for _, c := range l.Items {
				for _, listed := range c.Shows {
					for _, seats := range listed.Seats {
						if listed.ID == string(s.ID) && seats.Type == "regular" {
							if seats.Status == want {
								return nil
							}
							return yet("the listing says %s", seats.Status)
						}
					}
				}
			}
			return yet("the show is not listed")
		})
	}
	regular := s.except(generalSale[:1]) // 32
	status("available")
	s.house(t, regular[:26]...)
	h := b.hold(s, regular[26:28]...) // 4 of 32 are free
	status("almost_full")
	s.house(t, regular[28:]...)
	b.release(h.ID)
	status("almost_full")
	b.buy(s, regular[26:28]...)
	status("full")
}

// showsAge is how long a listing may be repeated from memory before a new show is in it.
const showsAge = 4 * time.Second
