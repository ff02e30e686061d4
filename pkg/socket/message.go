package socket

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/fairseat/fairseat/pkg/catalog"
)

// Action is what a client asks for. The zero value is invalid.
type Action string

// The actions.
const (
	Watch     Action = "watch"
	Unwatch   Action = "unwatch"
	Ping      Action = "ping"
	Authorize Action = "authorize"
)

// Request is a client's message.
type Request struct {
	Action Action
	Show   catalog.ShowID
	Ticket TicketHash // of authorize
}

// Code is a stable word for what was wrong with a message.
type Code string

// The codes.
const (
	CodeBad          Code = "bad_request"
	CodeTooLarge     Code = "payload_too_large"
	CodeTooMany      Code = "too_many_shows"
	CodeUnauthorized Code = "unauthorized"
	CodeRate         Code = "quota_exceeded"
)

// members are what each action has beside its own name.
var members = map[Action]string{Watch: "show_id", Unwatch: "show_id", Ping: "", Authorize: "ticket"}

// Parse reads a message: one JSON object of strings, without members that its
// action does not have or that come twice. The code is "" when it is well formed.
func Parse(body string) (Request, Code) {
	if len(body) > MaxMessage {
		return Request{}, CodeTooLarge
	}
	m, ok := object(body)
	if !ok {
		return Request{}, CodeBad
	}
	r := Request{Action: Action(m["action"])}
	member, known := members[r.Action]
	value, given := m[member]
	if !known || member == "" && len(m) != 1 || member != "" && (len(m) != 2 || !given) {
		return Request{}, CodeBad
	}
	switch member {
	case "show_id":
		r.Show = catalog.ShowID(value)
		ok = isID(value)
	case "ticket":
		if r.Ticket, ok = HashOf(value); !ok {
			return Request{}, CodeUnauthorized
		}
	}
	if !ok {
		return Request{}, CodeBad
	}
	return r, ""
}

// object reads an object whose members are strings, each once.
func object(body string) (map[string]string, bool) {
	if !utf8.ValidString(body) {
		return nil, false
	}
	d := json.NewDecoder(bytes.NewReader([]byte(body)))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, false
	}
	m := map[string]string{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, false
		}
		value, err := d.Token()
		text, isText := value.(string)
		key, _ := name.(string)
		if _, twice := m[key]; err != nil || !isText || twice {
			return nil, false
		}
		m[key] = text
	}
	if _, err := d.Token(); err != nil {
		return nil, false
	}
	_, err := d.Token()
	return m, err == io.EOF
}

// isID is what the paths of the API take for one.
func isID(s string) bool {
	if s == "" || len(s) > 128 {
		return false
	}
	for _, b := range []byte(s) {
		if b <= ' ' || b > '~' || b == '#' || b == '/' || b == '%' {
			return false
		}
	}
	return true
}

// Outcome is what follows from a message. Watch and Unwatch are the list that
// changes; Extend tells that the time of all of them does.
type Outcome struct {
	Next    Conn
	Reply   Word
	Watch   catalog.ShowID
	Unwatch catalog.ShowID
	Extend  bool
	Close   bool // after the reply
}

// Take decides about a message. fresh is the ticket of an authorize, nil when there
// is none under its hash.
func (c Conn) Take(r Request, wrong Code, fresh *Ticket, now time.Time) Outcome {
	o := Outcome{Next: c}
	o.Next.Rev++
	if c.Over(now) {
		return o.fail(CodeUnauthorized, true)
	}
	if !o.Next.pay(now) {
		return o.fail(CodeRate, true)
	}
	if wrong != "" {
		return o.fail(wrong, false)
	}
	switch r.Action {
	case Ping:
		o.Reply = Pong(now)
	case Watch:
		return o.watch(r.Show)
	case Unwatch:
		if i, there := slices.BinarySearch(c.Shows, r.Show); there {
			o.Next.Shows = slices.Delete(slices.Clone(c.Shows), i, i+1)
			o.Unwatch = r.Show
		}
	case Authorize:
		if fresh == nil || fresh.Buyer != c.Buyer || fresh.Good(now) != nil {
			return o.fail(CodeUnauthorized, false)
		}
		o.Next.Until, o.Extend = c.limit(fresh.Ends), true
		o.Reply = Authorized(o.Next.Until, now)
	default:
		return o.fail(CodeBad, false)
	}
	return o
}

// watch counts a show that is watched already as watched anew: its line in the
// list may have been lost.
func (o Outcome) watch(show catalog.ShowID) Outcome {
	i, there := slices.BinarySearch(o.Next.Shows, show)
	if !there {
		if len(o.Next.Shows) >= MaxWatched {
			return o.fail(CodeTooMany, false)
		}
		o.Next.Shows = slices.Insert(slices.Clone(o.Next.Shows), i, show)
	}
	o.Watch = show
	return o
}

// fail tells what was wrong, and counts it.
func (o Outcome) fail(code Code, end bool) Outcome {
	o.Next.Errors++
	o.Reply = Wrong(code)
	o.Close = end || o.Next.Errors >= MaxErrors
	return o
}

// pay takes one message off the allowance: a bucket of Burst that fills by one in
// Every, kept as the time at which it is full (GCRA).
func (c *Conn) pay(now time.Time) bool {
	at := c.Spent
	if at.Before(now) {
		at = now
	}
	if at = at.Add(Every); at.Sub(now) > Burst*Every {
		return false
	}
	c.Spent = at
	return true
}
