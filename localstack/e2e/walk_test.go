package e2e_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/localstack/apiclient"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/meter"
	"github.com/fairseat/fairseat/pkg/ticket"
)

// TestWalk is the way of a buyer from the city to the tickets (A1 to A7).
func TestWalk(t *testing.T) {
	parallel(t)
	b := guest(t)
	listing := find(b, "Shang", "shanghai-cn")
	id := listing.ID

	s := read[apiclient.Show](b, "/shows/"+id)
	if s.ID != id || s.Status != "on_sale" || !s.SaleClosesAt.Equal(s.StartsAt) || len(s.Prices) == 0 {
		t.Errorf("show is %+v", s)
	}
	hall := read[apiclient.Layout](b, "/layouts/"+s.LayoutID)
	before := read[apiclient.Seatmap](b, "/shows/"+id+"/seatmap?expand=seats")
	agree(t, hall, before)
	if before.Free != before.Capacity {
		t.Errorf("of an untouched show %d of %d seats are free", before.Free, before.Capacity)
	}

	h := bestOf(b, id, 2)
	var price int64
	for _, seat := range h.Seats {
		price += seat.Price.Amount
	}
	if h.State != "held" || h.ShowID != id || h.GraceSeconds != int(graceTime.Seconds()) || h.Total.Amount != price || price == 0 {
		t.Errorf("hold is %+v", h)
	}
	if left := h.ExpiresAt.Sub(h.ServerTime); left > holdTime || left < holdTime-5*time.Second {
		t.Errorf("a hold of %s has %s left when it is answered", holdTime, left)
	}
	awaitMap(b, id, func(m apiclient.Seatmap) bool { return m.Held == 2 })

	p := b.pay(h.ID, "success")
	if p.State != "pending" || !strings.Contains(string(p.Action), `"url"`) {
		t.Errorf("payment is %+v with action %s", p, p.Action)
	}
	o := b.await(p.OrderID, "PAID", 15*time.Second)
	if o.Total != h.Total || !slices.Equal(o.Seats, seatsOf(h)) {
		t.Errorf("order is %+v for %+v", o, h)
	}
	verify(b, id, o)
	if again := read[apiclient.Hold](b, "/holds/"+h.ID); again.State != "sold" || !slices.Equal(seatsOf(again), seatsOf(h)) {
		t.Errorf("after the sale the hold is %+v", again)
	}

	after := awaitMap(b, id, func(m apiclient.Seatmap) bool { return m.Sold == 2 && m.Held == 0 })
	if after.Free != before.Free-2 || after.Version == before.Version {
		t.Errorf("after the sale the map is %d free, version %s, before %s", after.Free, after.Version, before.Version)
	}
	expanded := read[apiclient.Seatmap](b, "/shows/"+id+"/seatmap?expand=seats")
	agree(t, hall, expanded)
	for _, seat := range expanded.Seats {
		if slices.Contains(o.Seats, seat.ID) != (seat.State == "sold") {
			t.Errorf("seat %s is %s", seat.ID, seat.State)
		}
	}
}

// find goes from what a person types to a show that is on sale.
func find(b *buyer, typed, city string) apiclient.ListedShow {
	b.t.Helper()
	cities := read[apiclient.List[apiclient.City]](b, "/cities?q="+url.QueryEscape(typed))
	if !slices.ContainsFunc(cities.Items, func(c apiclient.City) bool { return c.ID == city }) {
		b.t.Fatalf("%q finds %+v", typed, cities.Items)
	}
	movies := read[apiclient.List[apiclient.Movie]](b, "/cities/"+city+"/movies")
	for _, m := range movies.Items {
		l := read[apiclient.List[apiclient.CinemaShows]](b, "/movies/"+m.ID+"/showtimes?city="+city)
		for _, c := range l.Items {
			for _, s := range c.Shows {
				if time.Until(s.StartsAt) > time.Hour && len(s.Seats) > 0 && s.Seats[0].Status == "available" {
					return s
				}
			}
		}
	}
	b.t.Fatalf("of %d movies in %s none shows", len(movies.Items), city)
	return apiclient.ListedShow{}
}

func bestOf(b *buyer, show string, n int) apiclient.Hold {
	b.t.Helper()
	var h apiclient.Hold
	body := map[string]any{"best": map[string]any{"count": n, "type": "regular"}}
	must(b.t, b.Call(b.ctx(), http.MethodPost, "/shows/"+show+"/holds", "", body, &h))
	if len(h.Seats) != n {
		b.t.Fatalf("asked for %d seats, got %v", n, seatsOf(h))
	}
	return h
}

// behind is how old a seat map may be. patience is for tests that are about
// something else, beside seven others.
const (
	behind   = 2 * time.Second
	patience = 10 * time.Second
)

// awaitMap reads the map until it shows what was acknowledged before the call.
func awaitMap(b *buyer, show string, shows func(apiclient.Seatmap) bool) apiclient.Seatmap {
	b.t.Helper()
	var m apiclient.Seatmap
	eventually(b.t, patience, func() error {
		m = read[apiclient.Seatmap](b, "/shows/"+show+"/seatmap")
		if !shows(m) {
			return yet("the map shows %d free, %d held, %d sold", m.Free, m.Held, m.Sold)
		}
		return nil
	})
	return m
}

var stateNames = []string{"free", "held", "sold", "blocked"}

// agree holds the packed states against the seats, the counts and the layout.
func agree(t *testing.T, hall apiclient.Layout, m apiclient.Seatmap) {
	t.Helper()
	i := 0
	count := map[string]int{}
	for _, sec := range hall.Sections {
		for _, row := range sec.Rows {
			for _, seat := range row.Seats {
				if i >= len(m.Seats) || m.Seats[i].ID != seat.ID || m.Seats[i].Type != seat.Type {
					t.Fatalf("seat %d of the layout is %s, not so on the map", i, seat.ID)
				}
				state := stateNames[m.States[i/4]>>(2*(i%4))&3]
				if said := m.Seats[i].State; state != said && (state != "held" || said != "line") {
					t.Errorf("seat %s is %s packed and %s expanded", seat.ID, state, said)
				}
				count[m.Seats[i].State]++
				i++
			}
		}
	}
	if i != m.Capacity || len(m.Seats) != i || len(m.States) != (i+3)/4 {
		t.Errorf("layout has %d seats, the map capacity %d, %d seats, %d bytes", i, m.Capacity, len(m.Seats), len(m.States))
	}
	if count["free"] != m.Free || count["held"] != m.Held || count["line"] != m.Line || count["sold"] != m.Sold || count["blocked"] != m.Blocked {
		t.Errorf("seats count %v, the map says %+v", count, m)
	}
}

// verify checks tickets with nothing but the published keys.
func verify(b *buyer, show string, o apiclient.Order) {
	b.t.Helper()
	r, err := (&apiclient.Client{Base: b.Base, HTTP: wire}).Do(b.ctx(), http.MethodGet, "/ticket-keys", nil, nil)
	must(b.t, err)
	keys, err := ticket.ParseKeys(r.Body)
	must(b.t, err)
	if len(o.Tickets) != len(o.Seats) || len(o.Tickets) == 0 {
		b.t.Fatalf("%d tickets for %d seats", len(o.Tickets), len(o.Seats))
	}
	for i, tk := range o.Tickets {
		v, err := ticket.Verify(keys, tk.Code)
		if err != nil || v.Show != show || v.Seat != o.Seats[i] || string(v.ID) != tk.ID || tk.Seat != v.Seat {
			b.t.Errorf("ticket %+v says %+v: %v", tk, v, err)
		}
		if _, err := ticket.Verify(keys, tk.Code[:len(tk.Code)-8]+"AAAAAAAA"); err == nil {
			b.t.Errorf("a forged ticket verifies")
		}
	}
}

// TestArena is the largest hall: its map is one small item (A5, A19).
func TestArena(t *testing.T) {
	parallel(t)
	b := guest(t)
	l := read[apiclient.List[apiclient.CinemaShows]](b, "/movies/interstellar-2014/showtimes?city=beijing-cn")
	var id string
	for _, c := range l.Items {
		for _, s := range c.Shows {
			if strings.HasPrefix(s.Hall, "Arena") {
				id = s.ID
			}
		}
	}
	s := read[apiclient.Show](b, "/shows/"+id)
	if s.LayoutID != "arena-20000" {
		t.Fatalf("the arena's show is %+v", s)
	}
	hall := read[apiclient.Layout](b, "/layouts/"+s.LayoutID)
	h := bestOf(b, id, 8)
	m := awaitMap(b, id, func(m apiclient.Seatmap) bool { return m.Held == 8 })
	if m.Capacity != 20000 || m.Free != 20000-8 || len(m.States) != 5000 {
		t.Errorf("the map has capacity %d, %d free, %d bytes", m.Capacity, m.Free, len(m.States))
	}
	agree(t, hall, read[apiclient.Seatmap](b, "/shows/"+id+"/seatmap?expand=seats"))

	it, err := shop.tables.Get(t.Context(), store.Key{Table: store.Snapshots, PK: "MAP#" + id, SK: "MAP"}, true)
	must(t, err)
	if size := meter.Size(it); size == 0 || size > 8<<10 {
		t.Errorf("the stored map has %d bytes", size)
	}
	b.release(h.ID)
	awaitMap(b, id, func(m apiclient.Seatmap) bool { return m.Free == 20000 })
}

// TestCaches: what may be kept, for how long, and that an unchanged answer is 304.
func TestCaches(t *testing.T) {
	parallel(t)
	s := shop.open(t, "standard-90")
	c := client()
	map1 := "/shows/" + string(s.ID) + "/seatmap"
	for path, keep := range map[string]string{
		"/cities":                    "public, max-age=60, stale-while-revalidate=600, stale-if-error=86400",
		"/cities/shanghai-cn/movies": "public, max-age=2, stale-if-error=600",
		"/shows/" + string(s.ID):     "public, max-age=2, must-revalidate",
		"/layouts/arena-20000":       "public, max-age=31536000, immutable",
		map1:                         "public, max-age=1, must-revalidate",
		map1 + "?expand=seats":       "public, max-age=1, must-revalidate",
		"/movies/interstellar-2014/showtimes?city=beijing-cn": "public, max-age=1, must-revalidate",
	} {
		first, err := c.Do(t.Context(), http.MethodGet, path, nil, nil)
		must(t, err)
		tag := first.Header.Get("ETag")
		if first.Status != 200 || first.Header.Get("Cache-Control") != keep || first.Header.Get("Vary") != "X-Api-Key" || len(tag) < 3 || first.Header.Get("Date") == "" {
			t.Errorf("%s: %d with %v", path, first.Status, first.Header)
			continue
		}
		for _, known := range []string{tag, "W/" + tag, `"other", ` + tag, "*"} {
			again, err := c.Do(t.Context(), http.MethodGet, path, http.Header{"If-None-Match": {known}}, nil)
			must(t, err)
			if again.Status != 304 || len(again.Body) != 0 || again.Header.Get("ETag") != tag {
				t.Errorf("%s: If-None-Match %s: %d with ETag %s and %d bytes, was %s", path, known, again.Status, again.Header.Get("ETag"), len(again.Body), tag)
			}
		}
		other, err := c.Do(t.Context(), http.MethodGet, path, http.Header{"If-None-Match": {`"other"`}}, nil)
		must(t, err)
		if other.Status != 200 {
			t.Errorf("%s: another tag: %d", path, other.Status)
		}
	}
	b := guest(t)
	was, err := c.Do(t.Context(), http.MethodGet, map1, nil, nil)
	must(t, err)
	b.hold(s, s.regular(t, 2, 0)...)
	eventually(t, patience, func() error {
		now, err := c.Do(t.Context(), http.MethodGet, map1, http.Header{"If-None-Match": {was.Header.Get("ETag")}}, nil)
		if err == nil && now.Status != 200 {
			err = yet("the changed map is %d", now.Status)
		}
		return err
	})
}

// TestStatesAreBase64 reads the member as api.md words it, without our own types.
func TestStatesAreBase64(t *testing.T) {
	parallel(t)
	s := shop.open(t, "arthouse-40")
	b := guest(t)
	seats := s.regular(t, 1, 2)
	b.hold(s, seats...)
	at, _ := s.layout.Seat(s.layout.At(0).ID)
	for i := range s.layout.Len() {
		if string(s.layout.At(i).ID) == seats[0] {
			at = s.layout.At(i)
		}
	}
	eventually(t, patience, func() error {
		r, err := b.Do(b.ctx(), http.MethodGet, "/shows/"+string(s.ID)+"/seatmap", nil, nil)
		if err != nil {
			return err
		}
		var doc map[string]any
		if err := json.Unmarshal(r.Body, &doc); err != nil {
			return err
		}
		text, _ := doc["states"].(string)
		raw, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(raw) != 10 {
			t.Fatalf("states %q: %v", text, err)
		}
		for i, by := range raw {
			want := byte(0)
			if i == at.Index/4 {
				want = 1 << (2 * (at.Index % 4))
			}
			if by != want {
				return yet("byte %d is %08b, not %08b", i, by, want)
			}
		}
		return nil
	})
}
