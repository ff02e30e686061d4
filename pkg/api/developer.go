package api

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/fairseat/fairseat/pkg/developer"
	"github.com/fairseat/fairseat/pkg/developer/keyring"
)

// KeepKeys answers the calls of developers about themselves (A13): who they are,
// their keys, and how often these were used.
func KeepKeys(e Edge, r *keyring.Keyring) Handler {
	k := keeper{r}
	return e.handle(map[string]operation{
		opReadDeveloper: k.developer, opListKeys: k.list, opMakeKey: k.create,
		opRotateKey: k.rotate, opRevokeKey: k.revoke, opReadUsage: k.usage,
	})
}

type keeper struct{ ring *keyring.Keyring }

type developerDoc struct {
	ID     string    `json:"id"`
	Name   string    `json:"name"`
	Plan   string    `json:"plan"`
	Limits limitsDoc `json:"limits"`
	MadeAt string    `json:"made_at"`
}

type limitsDoc struct {
	Minute int64 `json:"calls_per_minute"`
	Month  int64 `json:"calls_per_month"`
}

func (k keeper) developer(ctx context.Context, c *call) (reply, error) {
	b, err := k.ring.Book(ctx, developer.ID(c.buyer))
	if err != nil {
		return reply{}, err
	}
	d := b.Developer
	l, _ := d.Plan.Limits()
	return ok(developerDoc{string(d.ID), d.Name, string(d.Plan), limitsDoc{l.Minute, l.Month}, wireTime(d.MadeAt)}), nil
}

type keyDoc struct {
	ID       string  `json:"id"`
	Name     string  `json:"name"`
	Prefix   string  `json:"prefix"`
	State    string  `json:"state"`
	MadeAt   string  `json:"made_at"`
	EndsAt   *string `json:"ends_at"`
	Replaces *string `json:"replaces"`

	Text       string `json:"key,omitempty"` // once
	Plan       string `json:"plan,omitempty"`
	ServerTime string `json:"server_time,omitempty"`
}

func keyDocOf(k developer.Key, now time.Time) keyDoc {
	d := keyDoc{
		ID: string(k.ID), Name: k.Name, Prefix: k.Prefix, State: "active", MadeAt: wireTime(k.MadeAt),
		EndsAt: optional(wireTime(k.EndsAt)), Replaces: optional(string(k.Replaces)),
	}
	switch {
	case k.Revoked:
		d.State = "revoked"
	case k.Ended(now):
		d.State = "ended"
	case !k.EndsAt.IsZero():
		d.State = "ending"
	}
	return d
}

// list pages in memory: a developer has at most fifty keys.
func (k keeper) list(ctx context.Context, c *call) (reply, error) {
	p, err := c.page()
	if err != nil {
		return reply{}, err
	}
	b, err := k.ring.Book(ctx, developer.ID(c.buyer))
	if err != nil {
		return reply{}, err
	}
	all := b.Listed(c.now)
	if p.Cursor != "" {
		at := -1
		for i, key := range all {
			if string(key.ID) == p.Cursor {
				at = i
			}
		}
		if at < 0 {
			return reply{}, bad("cursor: not a cursor of this list")
		}
		all = all[at+1:]
	}
	d := keysDoc{Items: []keyDoc{}, ServerTime: wireTime(c.now)}
	for i, key := range all {
		if i == p.Limit {
			d.Next = &d.Items[i-1].ID
			break
		}
		d.Items = append(d.Items, keyDocOf(key, c.now))
	}
	return ok(d), nil
}

type keysDoc struct {
	Items      []keyDoc `json:"items"`
	Next       *string  `json:"next_cursor"`
	ServerTime string   `json:"server_time"`
}

// keyWish is the body of a request for a key.
type keyWish struct {
	Name    string `json:"name"`
	Accepts bool   `json:"accept_terms"`
}

func decodeKey(body string) (w keyWish, err error) {
	v, err := parse(body)
	if err != nil {
		return w, err
	}
	m, err := v.object("name", "accept_terms")
	if err != nil {
		return w, err
	}
	name, given := m["name"]
	if !given {
		return w, bad("name: missing")
	}
	if w.Name, err = name.text(); err != nil {
		return w, err
	}
	n := utf8.RuneCountInString(w.Name)
	control := strings.ContainsFunc(w.Name, func(r rune) bool { return r < ' ' || r == 0x7f })
	if n < 1 || n > developer.MaxName || control || strings.TrimSpace(w.Name) != w.Name {
		return w, bad("name: must have 1 to 100 characters, no control characters, no space at either end")
	}
	if accept, given := m["accept_terms"]; given {
		yes, isBool := accept.is.(bool)
		if !isBool {
			return w, bad("accept_terms: must be true or false")
		}
		w.Accepts = yes
	}
	return w, nil
}

func (k keeper) create(ctx context.Context, c *call) (reply, error) {
	body, err := decodeKey(c.body)
	if err != nil {
		return reply{}, err
	}
	id := developer.ID(c.buyer)
	w := developer.Wish{
		ID: developer.IDOf(id, opMakeKey, c.key), Name: body.Name, Accepts: body.Accepts, BodyHash: c.digest(canonical(body)),
	}
	m, err := k.ring.Make(ctx, id, w)
	return made(m, err, c)
}

// made shows a key with its text. A repeated request is answered as the first.
func made(m keyring.Made, err error, c *call) (reply, error) {
	if err != nil {
		return reply{}, err
	}
	m.EndsAt, m.Revoked = time.Time{}, false
	d := keyDocOf(m.Key, c.now)
	d.Text, d.Plan, d.ServerTime = string(m.Text), string(m.Plan), wireTime(c.now)
	return reply{status: 201, doc: d}, nil
}

type rotationWish struct {
	Overlap int `json:"overlap_seconds"`
}

func decodeRotation(body string) (w rotationWish, err error) {
	v, err := parse(body)
	if err != nil {
		return w, err
	}
	m, err := v.object("overlap_seconds")
	if err != nil {
		return w, err
	}
	most := int(developer.Overlap / time.Second)
	w.Overlap = most
	if n, given := m["overlap_seconds"]; given {
		if w.Overlap, err = n.number(); err != nil {
			return w, err
		}
	}
	if w.Overlap < 0 || w.Overlap > most {
		return w, bad("overlap_seconds: must be from 0 to 86400")
	}
	return w, nil
}

func (k keeper) rotate(ctx context.Context, c *call) (reply, error) {
	body, err := decodeRotation(c.body)
	if err != nil {
		return reply{}, err
	}
	id, old := developer.ID(c.buyer), developer.KeyID(c.id("key"))
	w := developer.Wish{ID: developer.IDOf(id, opRotateKey, c.key), BodyHash: c.digest(canonical(body))}
	m, err := k.ring.Rotate(ctx, id, old, w, time.Duration(body.Overlap)*time.Second)
	return made(m, err, c)
}

func (k keeper) revoke(ctx context.Context, c *call) (reply, error) {
	if err := k.ring.Revoke(ctx, developer.ID(c.buyer), developer.KeyID(c.id("key"))); err != nil {
		return reply{}, err
	}
	return reply{status: 204}, nil
}

type usageDoc struct {
	From  string    `json:"from"`
	To    string    `json:"to"`
	Items []dayDoc  `json:"items"`
	Month monthDoc  `json:"month"`
	Plan  limitsDoc `json:"limits"`

	ServerTime string `json:"server_time"`
}

type dayDoc struct {
	Date    string    `json:"date"`
	Total   int64     `json:"total"`
	Refused int64     `json:"refused"`
	Calls   []callDoc `json:"calls"`
}

type callDoc struct {
	Operation string `json:"operation"`
	Count     int64  `json:"count"`
}

type monthDoc struct {
	Limit     int64 `json:"limit"`
	Taken     int64 `json:"taken"`
	Remaining int64 `json:"remaining"`
}

func (k keeper) usage(ctx context.Context, c *call) (reply, error) {
	first, last, good := developer.Days(c.query["from"], c.query["to"], c.now)
	for _, name := range []string{"from", "to"} {
		if text, given := c.query[name]; given && text == "" {
			good = false
		}
	}
	if !good {
		return reply{}, bad("from, to: must be dates, YYYY-MM-DD, in order, of at most 92 days")
	}
	r, err := k.ring.Usage(ctx, developer.ID(c.buyer), first, last, c.now)
	if err != nil {
		return reply{}, err
	}
	d := usageDoc{
		From: first, To: last, Items: []dayDoc{}, ServerTime: wireTime(c.now),
		Month: monthDoc{r.Limits.Month, r.Month, max(0, r.Limits.Month-r.Month)}, Plan: limitsDoc{r.Limits.Minute, r.Limits.Month},
	}
	for _, day := range r.Days {
		d.Items = append(d.Items, dayDocOf(day))
	}
	return ok(d), nil
}

func dayDocOf(day developer.Day) dayDoc {
	d := dayDoc{Date: day.Date, Calls: []callDoc{}}
	for _, op := range sortedKeys(day.Calls) {
		if op == "" {
			d.Refused = day.Calls[op]
			continue
		}
		d.Total += day.Calls[op]
		d.Calls = append(d.Calls, callDoc{op, day.Calls[op]})
	}
	return d
}
