package socket

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/line"
)

// Kind is the type of a message to clients. The zero value is invalid.
type Kind string

// What clients are told (api.md, "WebSocket").
const (
	LinePosition   Kind = "line.position"
	LineOffer      Kind = "line.offer"
	LineEnded      Kind = "line.ended"
	HoldExpiring   Kind = "hold.expiring"
	HoldExpired    Kind = "hold.expired"
	HoldSold       Kind = "hold.sold"
	SeatmapChanged Kind = "seatmap.changed"
)

// paces of the kinds that all who watch a show hear; the others are a buyer's own.
var paces = map[Kind]time.Duration{LinePosition: 2 * time.Second, SeatmapChanged: time.Second}

// own are the kinds that one buyer hears.
var own = map[Kind]bool{LineOffer: true, LineEnded: true, HoldExpiring: true, HoldExpired: true, HoldSold: true, LinePosition: true}

// Expiring is how long before its end the buyer of a hold is warned.
const Expiring = time.Minute

// Hint is what somebody is to be told: the buyer, on all his sockets, or without
// one everybody who watches the show.
type Hint struct {
	Kind    Kind           `json:"type"`
	Show    catalog.ShowID `json:"show"`
	Buyer   booking.Buyer  `json:"buyer,omitempty"`
	Version int64          `json:"version,omitempty"` // 0 for a seat map's, which is read when it is told
	Hold    booking.HoldID `json:"hold,omitempty"`
	Waiter  line.WaiterID  `json:"waiter,omitempty"`
	Due     int64          `json:"due,omitempty"`  // of the one that was put off, in milliseconds: for which moment
	Only    []ConnID       `json:"only,omitempty"` // the sockets where it failed before
	Failed  int            `json:"failed,omitempty"`
}

// Valid reports whether the hint has an audience that may hear it.
func (h Hint) Valid() bool {
	_, all := paces[h.Kind]
	return h.Show != "" && h.Version >= 0 && (h.Buyer != "" && own[h.Kind] || h.Buyer == "" && all)
}

// Every is the pace in which a show's watchers are told of the kind.
func (h Hint) Every() time.Duration { return paces[h.Kind] }

// Word is one message to a client, as it is sent; empty for none.
type Word string

// Word is what the client hears.
func (h Hint) Word(now time.Time) Word {
	return wordOf(struct {
		Type    Kind           `json:"type"`
		Show    catalog.ShowID `json:"show_id"`
		Version string         `json:"version"`
		Hold    booking.HoldID `json:"hold_id,omitempty"`
		Waiter  line.WaiterID  `json:"waiter_id,omitempty"`
		At      string         `json:"server_time"`
	}{h.Kind, h.Show, strconv.FormatInt(h.Version, 10), h.Hold, h.Waiter, wireTime(now)})
}

// Pong answers a ping.
func Pong(now time.Time) Word {
	return wordOf(struct {
		Type string `json:"type"`
		At   string `json:"server_time"`
	}{"pong", wireTime(now)})
}

// Authorized tells until when the socket lives now.
func Authorized(until, now time.Time) Word {
	return wordOf(struct {
		Type  string `json:"type"`
		Until string `json:"expires_at"`
		At    string `json:"server_time"`
	}{"authorized", wireTime(until), wireTime(now)})
}

// Wrong tells what was wrong with a message, without repeating any of it.
func Wrong(c Code) Word {
	return wordOf(struct {
		Type string `json:"type"`
		Code Code   `json:"code"`
	}{"error", c})
}

func wordOf(doc any) Word {
	b, err := json.Marshal(doc)
	if err != nil {
		panic(err) // only our own structs of strings come here
	}
	return Word(b)
}

func wireTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
