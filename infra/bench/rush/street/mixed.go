package street

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Mix is a day's requests: of a hundred five hold, give back or pay, and the others
// read what a buyer reads on the way there.
type Mix struct {
	stack  *Stack
	house  *House
	city   string
	movie  string
	layout string
	tokens []string

	mu    sync.Mutex
	rng   *rand.Rand
	tag   string // of the map as last seen
	holds []kept
	next  int
}

type kept struct{ id, token string }

// NewMix finds what can be read, and makes buyers.
func (s *Stack) NewMix(ctx context.Context, h *House, seed uint64) (*Mix, error) {
	m := &Mix{stack: s, house: h, city: "shanghai-cn", rng: rand.New(rand.NewPCG(seed, 1))}
	r := s.Send(ctx, time.Now(), Request{Method: "GET", Path: "/cities/" + m.city + "/movies", Keep: true})
	var movies struct{ Items []struct{ ID string } }
	if r.Err != nil || r.Status != 200 || json.Unmarshal(r.Body, &movies) != nil || len(movies.Items) == 0 {
		return nil, fmt.Errorf("street: movies of %s: status %d, %w", m.city, r.Status, r.Err)
	}
	m.movie, m.layout = movies.Items[0].ID, fmt.Sprintf("plain-%d-%d", h.Rows, h.Width)
	for range 500 {
		t, err := s.Guest()
		if err != nil {
			return nil, err
		}
		m.tokens = append(m.tokens, t)
	}
	return m, nil
}

// one is the next request. What follows from its answer is left to seen.
func (m *Mix) one() Request {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.next++
	token := m.tokens[m.next%len(m.tokens)]
	get := func(kind, path string) Request { return Request{Kind: kind, Method: "GET", Path: path} }
	show := "/shows/" + string(m.house.Show)
	switch n := m.rng.IntN(100); {
	case n < 3:
		return m.hold(token)
	case n < 4 && len(m.holds) > 20:
		k := m.take()
		return Request{Kind: "release", Method: "DELETE", Path: "/holds/" + k.id, Token: k.token}
	case n < 5 && len(m.holds) > 20:
		k := m.take()
		return Request{Kind: "payment", Method: "POST", Path: "/holds/" + k.id + "/payments", Token: k.token, Key: fmt.Sprint("p", m.next), Body: `{"provider":"sandbox"}`}
	case n < 15:
		return get("cities", "/cities?q="+url.QueryEscape("shang"))
	case n < 25:
		return get("movies", "/cities/"+m.city+"/movies")
	case n < 40:
		return get("showtimes", "/movies/"+m.movie+"/showtimes?city="+m.city)
	case n < 58:
		return get("show", show)
	case n < 60:
		return get("layout", "/layouts/"+m.layout)
	case n < 90 || len(m.holds) == 0:
		q := get("seat map", show+"/seatmap")
		if m.tag != "" && m.rng.IntN(4) > 0 { // one in four comes for the first time
			q.Header = map[string]string{"If-None-Match": m.tag}
		}
		return q
	}
	k := m.holds[m.rng.IntN(len(m.holds))]
	q := get("hold look-up", "/holds/"+k.id)
	q.Token = k.token
	return q
}

func (m *Mix) take() kept {
	k := m.holds[0]
	m.holds = m.holds[1:]
	return k
}

// hold asks for a seat that the mix has not asked for lately.
func (m *Mix) hold(token string) Request {
	at := m.house.Layout.At((m.next * 7) % m.house.Layout.Len())
	return Request{
		Kind: "hold", Method: "POST", Path: "/shows/" + string(m.house.Show) + "/holds", Token: token, Key: fmt.Sprint("h", m.next),
		Body: fmt.Sprintf(`{"seats":[%q]}`, at.ID), Keep: true,
	}
}

func (m *Mix) seen(q Request, r Reply) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case q.Kind == "seat map" && r.Status == 200:
		m.tag = r.Header.Get("ETag")
	case q.Kind == "hold" && r.Status == 201:
		var doc struct{ ID string }
		if json.Unmarshal(r.Body, &doc) == nil {
			m.holds = append(m.holds, kept{doc.ID, q.Token})
		}
	}
}

// Run sends rate requests a second for so long, come what may of them.
func (m *Mix) Run(ctx context.Context, rate int, length time.Duration) (replies []Reply, late time.Duration, err error) {
	return poisson(ctx, m.rng, rate, length, func(due time.Time) Reply {
		q := m.one()
		r := m.stack.Send(ctx, due, q)
		m.seen(q, r)
		return r
	})
}

// Expected reports an answer that the mix may get: a seat may be held already.
func Expected(r Reply) bool {
	return r.Err == nil && (r.Status < 400 || r.Status == 409) || r.Status == 503 && strings.Contains(string(r.Body), `"busy"`)
}

// Code is an answer in a word: its status, and the problem's code if there is one.
func Code(r Reply) string {
	if r.Err != nil {
		return "no answer"
	}
	var doc struct{ Code string }
	if r.Status >= 400 && json.Unmarshal(r.Body, &doc) == nil && doc.Code != "" {
		return fmt.Sprint(r.Status, " ", doc.Code)
	}
	return fmt.Sprint(r.Status)
}
