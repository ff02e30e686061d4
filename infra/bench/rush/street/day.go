package street

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/fairseat/fairseat/infra/bench/visit"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// Day is the day on which a popular film goes on sale: people come, look, and a few
// buy. Each request is the next step of somebody who has time, so that the load
// depends on the clock alone, and what is asked on what was answered before.
type Day struct {
	stack  *Stack
	city   string
	movie  string
	title  string
	dates  []string
	houses []hall

	mu     sync.Mutex
	rng    *rand.Rand
	choice *rand.Zipf // a few shows have most of the visitors
	people []*visitor
	n      int
}

// hall is a show of the catalogue with its rows of seats.
type hall struct {
	show, layout string
	rows         [][]string
}

// visitor is one browser and who sits before it.
type visitor struct {
	away  bool // an answer is awaited
	steps []visit.Call
	house *hall
	kept  map[string]string // ETag by address
	token string
	hold  string
	order string
}

// NewDay finds the film with the most shows in the city, and who is there already.
func (s *Stack) NewDay(ctx context.Context, seed uint64) (*Day, error) {
	d := &Day{stack: s, city: "shanghai-cn", rng: rand.New(rand.NewPCG(seed, 5))}
	var movies struct {
		Items []struct{ ID, Title string }
	}
	if err := s.get(ctx, "/cities/"+d.city+"/movies", &movies); err != nil {
		return nil, err
	}
	layouts := map[string][][]string{}
	for _, m := range movies.Items {
		var times struct {
			Items []struct {
				Shows []struct {
					ID string
					At time.Time `json:"starts_at"`
				}
			}
		}
		if err := s.get(ctx, "/movies/"+m.ID+"/showtimes?limit=100&city="+d.city, &times); err != nil {
			return nil, err
		}
		var houses []hall
		for _, c := range times.Items {
			for _, show := range c.Shows {
				if time.Until(show.At) > time.Hour {
					houses = append(houses, hall{show: show.ID})
				}
			}
		}
		if len(houses) > len(d.houses) {
			d.movie, d.title, d.houses = m.ID, m.Title, houses
		}
	}
	if len(d.houses) < 2 {
		return nil, errors.New("street: no film has two shows")
	}
	for i := range d.houses {
		if err := d.enter(ctx, &d.houses[i], layouts); err != nil {
			return nil, err
		}
	}
	d.choice = rand.NewZipf(d.rng, 1.1, 2, uint64(len(d.houses)-1))
	today := time.Now().UTC()
	for i := range 3 {
		d.dates = append(d.dates, today.AddDate(0, 0, i).Format(time.DateOnly))
	}
	for range 200 {
		v := d.come()
		v.steps = v.steps[d.rng.IntN(len(v.steps)):] // they came earlier
		d.people = append(d.people, v)
	}
	return d, nil
}

// enter finds the seats of a show's hall.
func (d *Day) enter(ctx context.Context, h *hall, layouts map[string][][]string) error {
	var show struct {
		Layout string `json:"layout_id"`
	}
	if err := d.stack.get(ctx, "/shows/"+h.show, &show); err != nil {
		return err
	}
	h.layout = show.Layout
	if layouts[h.layout] == nil {
		var doc struct {
			Sections []struct {
				Rows []struct{ Seats []struct{ ID, Type string } }
			}
		}
		if err := d.stack.get(ctx, "/layouts/"+h.layout, &doc); err != nil {
			return err
		}
		for _, s := range doc.Sections {
			for _, r := range s.Rows {
				var ids []string
				for _, seat := range r.Seats {
					if seat.Type == string(seatmap.Regular) { // others are sold by their own rules
						ids = append(ids, seat.ID)
					}
				}
				if len(ids) >= 2 {
					layouts[h.layout] = append(layouts[h.layout], ids)
				}
			}
		}
	}
	h.rows = layouts[h.layout]
	if len(h.rows) == 0 {
		return fmt.Errorf("street: layout %s has no row of two", h.layout)
	}
	return nil
}

func (s *Stack) get(ctx context.Context, path string, doc any) error {
	r := s.Send(ctx, time.Now(), Request{Method: "GET", Path: path, Keep: true})
	if r.Err != nil || r.Status != 200 {
		return fmt.Errorf("street: GET %s: status %d, %w", path, r.Status, r.Err)
	}
	return json.Unmarshal(r.Body, doc)
}

// come is a new visitor, who steps in with a choice of show.
func (d *Day) come() *visitor {
	return &visitor{steps: visit.Draw(d.rng), house: &d.houses[d.choice.Uint64()], kept: map[string]string{}}
}

// next is the next request of somebody who has time, or of somebody new.
func (d *Day) next() (*visitor, Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	at := d.rng.IntN(len(d.people))
	for n := 0; d.people[at].away && n < len(d.people); n++ {
		at = (at + 1) % len(d.people)
	}
	if d.people[at].away { // all wait for answers
		d.people = append(d.people, d.come())
		at = len(d.people) - 1
	}
	for {
		v := d.people[at]
		if len(v.steps) == 0 {
			d.people[at] = d.come()
			continue
		}
		step := v.steps[0]
		v.steps = v.steps[1:]
		if q, ok := d.request(v, step); ok {
			v.away = true
			return v, q
		}
	}
}

// request is what a step asks; not every one can be taken.
func (d *Day) request(v *visitor, step visit.Call) (Request, bool) {
	d.n++
	q := Request{Kind: step.String(), Method: "GET", Token: v.token, Header: map[string]string{}}
	switch step {
	case visit.Search:
		q.Path = "/search/movies?" + d.wish().Encode()
	case visit.Cities:
		q.Path = "/cities?q=" + url.QueryEscape(d.city[:5])
	case visit.Movies:
		q.Path = "/cities/" + d.city + "/movies"
	case visit.Showtimes:
		q.Path = "/movies/" + d.movie + "/showtimes?city=" + d.city + "&date=" + d.dates[d.rng.IntN(len(d.dates))]
	case visit.Show:
		q.Path = "/shows/" + v.house.show
	case visit.Layout:
		q.Path = "/layouts/" + v.house.layout
	case visit.Map:
		q.Path = "/shows/" + v.house.show + "/seatmap"
	case visit.Session:
		q.Method, q.Path, q.Keep = "POST", "/sessions", true
	case visit.Hold:
		row := v.house.rows[d.rng.IntN(len(v.house.rows))]
		first := d.rng.IntN(len(row) - 1)
		q.Method, q.Path, q.Key, q.Keep = "POST", "/shows/"+v.house.show+"/holds", fmt.Sprint("h", d.n), true
		q.Body = fmt.Sprintf(`{"seats":[%q,%q]}`, row[first], row[first+1])
		return q, v.token != ""
	case visit.Payment:
		q.Method, q.Path, q.Key, q.Keep = "POST", "/holds/"+v.hold+"/payments", fmt.Sprint("p", d.n), true
		q.Body = `{"provider":"sandbox"}`
		return q, v.hold != ""
	case visit.Order:
		q.Path = "/orders/" + v.order
		return q, v.order != ""
	case visit.Release:
		q.Method, q.Path = "DELETE", "/holds/"+v.hold
		return q, v.hold != ""
	}
	if q.Method == "GET" && v.kept[q.Path] != "" {
		q.Header["If-None-Match"] = v.kept[q.Path]
	}
	return q, true
}

// wish is what somebody types: words of the title, now and then with a letter missing,
// a place, and what matters to him.
func (d *Day) wish() url.Values {
	words := d.title
	if at := 1 + d.rng.IntN(max(len(words)-1, 1)); d.rng.IntN(4) == 0 && at < len(words) && words[at] < utf8.RuneSelf && words[at-1] < utf8.RuneSelf {
		words = words[:at] + words[at+1:]
	}
	q := url.Values{"keyword": {words}, "includeSpellcheck": {"yes"}}
	if d.rng.IntN(2) == 0 {
		q.Set("city", d.city)
	} else { // where he stands, within a kilometre or so
		q.Set("lat_long", fmt.Sprintf("%.2f,%.2f", 31.2+0.1*d.rng.Float64(), 121.4+0.1*d.rng.Float64()))
		q.Set("radius", "25")
		q.Set("sorting_order", "distance,asc")
	}
	switch d.rng.IntN(4) {
	case 0:
		q.Set("seats_together", fmt.Sprint(2+d.rng.IntN(3)))
	case 1:
		q.Set("start_datetime", d.dates[1+d.rng.IntN(2)]+"T10:00:00Z")
	}
	return q
}

// seen is what the answer leaves with the visitor.
func (d *Day) seen(v *visitor, q Request, r Reply) {
	d.mu.Lock()
	defer d.mu.Unlock()
	v.away = false
	var doc struct {
		ID    string
		Token string `json:"session_token"`
		Order string `json:"order_id"`
	}
	switch {
	case q.Method == "GET" && r.Status == 200 && r.Header.Get("ETag") != "":
		v.kept[q.Path] = r.Header.Get("ETag")
	case r.Status == 201 && json.Unmarshal(r.Body, &doc) == nil:
		switch q.Kind {
		case visit.Session.String():
			v.token = doc.Token
		case visit.Hold.String():
			v.hold = doc.ID
		case visit.Payment.String():
			v.order = doc.Order
		}
	}
}

// Run sends rate requests a second for so long, come what may of them.
func (d *Day) Run(ctx context.Context, rate int, length time.Duration) (replies []Reply, late time.Duration, err error) {
	return poisson(ctx, d.rng, rate, length, func(due time.Time) Reply {
		v, q := d.next()
		r := d.stack.Send(ctx, due, q)
		d.seen(v, q, r)
		return r
	})
}

// poisson sends requests at random times, as many independent people do.
func poisson(ctx context.Context, rng *rand.Rand, rate int, length time.Duration, send func(due time.Time) Reply) (replies []Reply, late time.Duration, err error) {
	shots := make([]Shot, int(float64(rate)*length.Seconds()))
	replies = make([]Reply, len(shots))
	for i := range shots {
		at := time.Duration(rng.Float64() * float64(length))
		shots[i] = Shot{At: at, Do: func(due time.Time) { replies[i] = send(due) }}
	}
	sortShots(shots)
	late, err = Volley(ctx, shots)
	return replies, late, err
}
