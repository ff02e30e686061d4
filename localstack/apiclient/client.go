// Package apiclient speaks the public API as any client would: over HTTP, with
// nothing but its documents. The demonstration and the end-to-end tests use it.
package apiclient

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Client is one buyer with one developer key.
type Client struct {
	Base  string // with the stage, e.g. http://127.0.0.1:3000/v1
	Key   string // developer key
	Token string // session, see Session

	Solution string // sent with every request, see Solve; none where empty

	HTTP *http.Client
}

// Problem is a refusal (RFC 9457) with api.md's members.
type Problem struct {
	Type      string     `json:"type"`
	Title     string     `json:"title"`
	Status    int        `json:"status"`
	Detail    string     `json:"detail"`
	Code      string     `json:"code"`
	Conflicts []Conflict `json:"conflicts"`
	Next      string     `json:"next"`
	Stranded  []string   `json:"stranded"`
	Seats     []string   `json:"seats"`
	Holding   int        `json:"holding"`
	Limit     int        `json:"limit"`
	OpensAt   string     `json:"opens_at"`
	Until     time.Time  `json:"until,omitzero"`

	RetryAfter string `json:"-"`
}

// Conflict is a wanted seat that is not free.
type Conflict struct {
	Seat   string `json:"seat"`
	Reason string `json:"reason"`
	Until  string `json:"until"`
	Hold   string `json:"hold"` // the asker's own
}

func (p *Problem) Error() string {
	return fmt.Sprintf("%d %s: %s", p.Status, p.Code, p.Detail)
}

// Reply is an answer as it came.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do sends a request as it is given and returns whatever comes.
func (c *Client) Do(ctx context.Context, method, path string, header http.Header, body []byte) (Reply, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.Base+path, bytes.NewReader(body))
	if err != nil {
		return Reply{}, err
	}
	if c.Key != "" {
		req.Header.Set("X-Api-Key", c.Key)
	}
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	if c.Solution != "" {
		req.Header.Set("Challenge-Solution", c.Solution)
	}
	for name, vs := range header {
		req.Header[name] = vs
	}
	res, err := c.http().Do(req)
	if err != nil {
		return Reply{}, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 16<<20))
	return Reply{res.StatusCode, res.Header, b}, err
}

func (c *Client) http() *http.Client {
	if c.HTTP != nil {
		return c.HTTP
	}
	return http.DefaultClient
}

// Call sends and reads JSON. A refusal is a *Problem. POST gets a fresh
// Idempotency-Key unless key is given.
func (c *Client) Call(ctx context.Context, method, path, key string, in, out any) error {
	h := http.Header{}
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return err
		}
		h.Set("Content-Type", "application/json")
	}
	if method == http.MethodPost {
		if key == "" {
			key = rand.Text()
		}
		h.Set("Idempotency-Key", key)
	}
	r, err := c.Do(ctx, method, path, h, body)
	if err != nil {
		return err
	}
	return r.into(out)
}

func (r Reply) into(out any) error {
	if r.Status >= 300 {
		return r.Problem()
	}
	if out == nil || len(r.Body) == 0 {
		return nil
	}
	return json.Unmarshal(r.Body, out)
}

// Problem reads a refusal; what is none is told as it came.
func (r Reply) Problem() error {
	p := &Problem{RetryAfter: r.Header.Get("Retry-After")}
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/problem+json") || json.Unmarshal(r.Body, p) != nil {
		return fmt.Errorf("status %d, %s: %.200s", r.Status, r.Header.Get("Content-Type"), r.Body)
	}
	if p.Status != r.Status {
		return fmt.Errorf("status %d, but the problem says %d", r.Status, p.Status)
	}
	return p
}

// Session makes the client a guest.
func (c *Client) Session(ctx context.Context) error {
	var s struct {
		Token string `json:"session_token"`
	}
	err := c.Call(ctx, http.MethodPost, "/sessions", "", struct{}{}, &s)
	c.Token = s.Token
	return err
}

// Money is minor units.
type Money struct {
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
}

// List is a page.
type List[T any] struct {
	Items []T     `json:"items"`
	Next  *string `json:"next_cursor"`
}

// City is a place with cinemas.
type City struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Movie is a film that shows.
type Movie struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

// CinemaShows is a cinema with its shows of a film.
type CinemaShows struct {
	Cinema struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"cinema"`
	Shows []ListedShow `json:"shows"`
}

// ListedShow is a show in a listing.
type ListedShow struct {
	ID       string    `json:"id"`
	Hall     string    `json:"hall"`
	StartsAt time.Time `json:"starts_at"`
	Seats    []struct {
		Type   string `json:"type"`
		Price  Money  `json:"price"`
		Status string `json:"status"`
	} `json:"seats"`
}

// Show is a show.
type Show struct {
	ID           string    `json:"id"`
	MovieID      string    `json:"movie_id"`
	LayoutID     string    `json:"layout_id"`
	StartsAt     time.Time `json:"starts_at"`
	Hall         string    `json:"hall"`
	SaleOpensAt  time.Time `json:"sale_opens_at"`
	SaleClosesAt time.Time `json:"sale_closes_at"`
	Status       string    `json:"status"`
	Prices       []struct {
		Type  string `json:"type"`
		Price Money  `json:"price"`
	} `json:"prices"`
}

// Layout is a hall; document order is the order of a seat map's states.
type Layout struct {
	ID       string `json:"id"`
	Sections []struct {
		ID   string `json:"id"`
		Rows []struct {
			ID    string `json:"id"`
			Seats []struct {
				ID   string  `json:"id"`
				Type string  `json:"type"`
				X    float64 `json:"x"`
				Y    float64 `json:"y"`
			} `json:"seats"`
		} `json:"rows"`
	} `json:"sections"`
}

// Seatmap is the state of a hall.
type Seatmap struct {
	Version  string `json:"version"`
	Capacity int    `json:"capacity"`
	Free     int    `json:"free"`
	Held     int    `json:"held"`
	Line     int    `json:"line"`
	Sold     int    `json:"sold"`
	Blocked  int    `json:"blocked"`
	States   []byte `json:"states"`
	Seats    []struct {
		ID    string `json:"id"`
		Type  string `json:"type"`
		State string `json:"state"`
	} `json:"seats"`
}

// Hold is seats held.
type Hold struct {
	ID     string `json:"id"`
	ShowID string `json:"show_id"`
	Seats  []struct {
		ID    string `json:"id"`
		Type  string `json:"type"`
		Price Money  `json:"price"`
	} `json:"seats"`
	Total        Money     `json:"total"`
	State        string    `json:"state"`
	ExpiresAt    time.Time `json:"expires_at"`
	ServerTime   time.Time `json:"server_time"`
	GraceSeconds int       `json:"grace_seconds"`
}

// Place is a place in line.
type Place struct {
	ID         string    `json:"id"`
	ShowID     string    `json:"show_id"`
	State      string    `json:"state"`
	Seats      int       `json:"seats"`
	Types      []string  `json:"types"`
	Number     int       `json:"number"`
	Ahead      int       `json:"ahead"`
	Rule       string    `json:"rule"`
	RuleText   string    `json:"rule_text"`
	HoldID     string    `json:"hold_id"`
	ExpiresAt  time.Time `json:"expires_at"`
	ServerTime time.Time `json:"server_time"`
	Version    string    `json:"version"`
	WaitingFor *struct {
		Number   int `json:"number"`
		Needs    int `json:"needs"`
		SetAside int `json:"set_aside"`
	} `json:"waiting_for"`
	Offer *struct {
		Proposed  []string  `json:"seats_proposed"`
		Free      []string  `json:"seats_free_for_you"`
		ExpiresAt time.Time `json:"expires_at"`
	} `json:"offer"`
}

// Payment is a payment begun.
type Payment struct {
	ID      string          `json:"id"`
	OrderID string          `json:"order_id"`
	State   string          `json:"state"`
	Action  json.RawMessage `json:"action"`
}

// Order is an order.
type Order struct {
	ID      string   `json:"id"`
	Status  string   `json:"status"`
	Total   Money    `json:"total"`
	Seats   []string `json:"seats"`
	Tickets []struct {
		ID   string `json:"id"`
		Seat string `json:"seat"`
		Code string `json:"code"`
	} `json:"tickets"`
}
