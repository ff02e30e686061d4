package socket_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/socket"
)

const buyer = booking.Buyer("g_buyer")

var noon = time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC)

func TestTicket(t *testing.T) {
	day := noon.Add(24 * time.Hour)
	for _, tt := range []struct {
		name  string
		ends  time.Time
		used  bool
		after time.Duration
		good  bool
	}{
		{"at once", day, false, 0, true},
		{"in its last moment", day, false, time.Minute - time.Millisecond, true},
		{"a minute later", day, false, time.Minute, false},
		{"used", day, true, 0, false},
		{"before its session ends", noon.Add(5 * time.Second), false, 5*time.Second - time.Millisecond, true},
		{"when its session ends", noon.Add(5 * time.Second), false, 5 * time.Second, false},
	} {
		k := socket.NewTicket("h", buyer, tt.ends, noon)
		k.Used = tt.used
		c, err := socket.Open(k, "c", noon.Add(tt.after))
		if (err == nil) != tt.good || err != nil && !errors.Is(err, socket.ErrTicket) {
			t.Errorf("%s: %v", tt.name, err)
		}
		if err == nil && (c.Buyer != buyer || c.ID != "c" || c.Rev == 0) {
			t.Errorf("%s: %+v", tt.name, c)
		}
	}
}

func TestUntil(t *testing.T) {
	for _, tt := range []struct{ session, want time.Duration }{
		{24 * time.Hour, socket.Longest}, {socket.Longest, socket.Longest}, {time.Hour, time.Hour},
	} {
		c, err := socket.Open(socket.NewTicket("h", buyer, noon.Add(tt.session), noon), "c", noon)
		if err != nil || !c.Until.Equal(noon.Add(tt.want)) {
			t.Errorf("a session of %v: until %v, %v", tt.session, c.Until, err)
		}
		if c.Over(c.Until.Add(-time.Millisecond)) || !c.Over(c.Until) {
			t.Errorf("a session of %v: over at another time than %v", tt.session, c.Until)
		}
	}
}

func TestMakeRoom(t *testing.T) {
	at := func(minutes ...int) (all []socket.Entry) {
		for _, m := range minutes {
			all = append(all, socket.Entry{ID: socket.ConnID(fmt.Sprint(m)), OpenedAt: noon.Add(time.Duration(m) * time.Minute), Until: noon.Add(2*time.Hour + time.Duration(m)*time.Minute)})
		}
		return all
	}
	for _, tt := range []struct {
		open []socket.Entry
		now  time.Duration
		want string
	}{
		{nil, 0, "[]"},
		{at(1, 2, 3, 4, 5, 6, 7), time.Hour, "[]"},
		{at(5, 2, 3, 8, 4, 6, 7, 1), time.Hour, "[1]"},
		{at(9, 8, 7, 6, 5, 4, 3, 2, 1), time.Hour, "[1 2]"},
		{at(1, 2, 3), 2*time.Hour + 2*time.Minute, "[1 2]"},
	} {
		var ids []string
		for _, e := range socket.MakeRoom(tt.open, noon.Add(tt.now)) {
			ids = append(ids, string(e.ID))
		}
		if fmt.Sprint(ids) != tt.want {
			t.Errorf("of %d at %v: %v, want %s", len(tt.open), tt.now, ids, tt.want)
		}
	}
}

func TestPress(t *testing.T) {
	press := func(secret string) *socket.Press {
		p, err := socket.NewPress(secret)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	one := press("the sessions' secret")
	texts := map[string]bool{}
	for _, text := range []string{one.Text("a", "b"), one.Text("c", "b"), one.Text("b", "a"), one.Text("ab", ""), one.Text("", "ab"), press("another secret of sixteen").Text("a", "b")} {
		texts[text] = true
		if h, ok := socket.HashOf(text); !ok || strings.Contains(text, string(h)) || len(h) != 64 {
			t.Errorf("hash %q of %q", h, text)
		}
	}
	if len(texts) != 6 || !texts[press("the sessions' secret").Text("a", "b")] {
		t.Errorf("%v", texts)
	}
	for _, text := range []string{"", "fst1.", "fsg1." + strings.Repeat("A", 43), "fst1." + strings.Repeat("A", 42), "fst1." + strings.Repeat("A", 44)} {
		if _, ok := socket.HashOf(text); ok {
			t.Errorf("%q has a hash", text)
		}
	}
	if _, err := socket.NewPress("fifteen letters"); !errors.Is(err, socket.ErrSecret) {
		t.Errorf("%v", err)
	}
}

const ticket = "fst1.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

func TestParse(t *testing.T) {
	hash, _ := socket.HashOf(ticket)
	for _, tt := range []struct {
		body string
		want socket.Request
		code socket.Code
	}{
		{`{"action":"watch","show_id":"s"}`, socket.Request{Action: socket.Watch, Show: "s"}, ""},
		{` { "show_id" : "s" , "action" : "unwatch" } `, socket.Request{Action: socket.Unwatch, Show: "s"}, ""},
		{`{"action":"ping"}`, socket.Request{Action: socket.Ping}, ""},
		{`{"action":"authorize","ticket":"` + ticket + `"}`, socket.Request{Action: socket.Authorize, Ticket: hash}, ""},
		{`{"action":"authorize","ticket":"x"}`, socket.Request{}, socket.CodeUnauthorized},
		{`{"action":"watch"}`, socket.Request{}, socket.CodeBad},
		{`{"action":"watch","show_id":""}`, socket.Request{}, socket.CodeBad},
		{`{"action":"watch","show_id":"a#b"}`, socket.Request{}, socket.CodeBad},
		{`{"action":"watch","show_id":"` + strings.Repeat("s", 129) + `"}`, socket.Request{}, socket.CodeBad},
		{`{"action":"watch","show_id":7}`, socket.Request{}, socket.CodeBad},
		{`{"action":"watch","show_id":{}}`, socket.Request{}, socket.CodeBad},
		{`{"action":"watch","show_id":null}`, socket.Request{}, socket.CodeBad},
		{`{"action":"watch","show_id":"s","show_id":"s"}`, socket.Request{}, socket.CodeBad},
		{`{"action":"watch","show_id":"s","more":"m"}`, socket.Request{}, socket.CodeBad},
		{`{"action":"watch","Show_ID":"s"}`, socket.Request{}, socket.CodeBad},
		{`{"action":"ping","show_id":"s"}`, socket.Request{}, socket.CodeBad},
		{`{"action":"ping","":""}`, socket.Request{}, socket.CodeBad},
		{`{"action":"ping"} {}`, socket.Request{}, socket.CodeBad},
		{`{"action":"ping"}}`, socket.Request{}, socket.CodeBad},
		{`{"action":"ping"`, socket.Request{}, socket.CodeBad},
		{`{"action":"sell"}`, socket.Request{}, socket.CodeBad},
		{`{"action":""}`, socket.Request{}, socket.CodeBad},
		{`{}`, socket.Request{}, socket.CodeBad},
		{`[]`, socket.Request{}, socket.CodeBad},
		{`"ping"`, socket.Request{}, socket.CodeBad},
		{``, socket.Request{}, socket.CodeBad},
		{"{\"action\":\"ping\xff\"}", socket.Request{}, socket.CodeBad},
		{`{"action":"ping"` + strings.Repeat(" ", socket.MaxMessage) + `}`, socket.Request{}, socket.CodeTooLarge},
	} {
		if r, code := socket.Parse(tt.body); r != tt.want || code != tt.code {
			t.Errorf("%.80s: %+v, %q", tt.body, r, code)
		}
	}
}

// FuzzParse: what is taken is one action with what it needs, and nothing panics.
func FuzzParse(f *testing.F) {
	for _, x := range []string{`{"action":"watch","show_id":"s"}`, `{"action":"ping"}`, `{"action":"authorize","ticket":"` + ticket + `"}`, `{"a":[`, "null"} {
		f.Add(x)
	}
	f.Fuzz(func(t *testing.T, body string) {
		r, code := socket.Parse(body)
		showed := r.Action == socket.Watch || r.Action == socket.Unwatch
		if (code == "") == (r == socket.Request{}) || showed != (r.Show != "") || (r.Action == socket.Authorize) != (r.Ticket != "") {
			t.Errorf("%q: %+v, %q", body, r, code)
		}
	})
}

func open(t *testing.T) socket.Conn {
	t.Helper()
	c, err := socket.Open(socket.NewTicket("h", buyer, noon.Add(time.Hour), noon), "c", noon)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTake(t *testing.T) {
	c := open(t)
	c.Shows = []catalog.ShowID{"b", "d"}
	full := c
	full.Shows = nil
	for i := range socket.MaxWatched {
		full.Shows = append(full.Shows, catalog.ShowID(fmt.Sprintf("s%02d", i)))
	}
	worn := c
	worn.Errors = socket.MaxErrors - 1
	fresh := func(b booking.Buyer, ends time.Duration, used bool) *socket.Ticket {
		k := socket.NewTicket("h2", b, noon.Add(ends), noon)
		k.Used = used
		return &k
	}
	for _, tt := range []struct {
		name  string
		conn  socket.Conn
		r     socket.Request
		wrong socket.Code
		fresh *socket.Ticket
		at    time.Duration
		shows string
		code  socket.Code
		end   bool
		check func(socket.Outcome) bool
	}{
		{name: "watch", conn: c, r: socket.Request{Action: socket.Watch, Show: "c"}, shows: "[b c d]", check: func(o socket.Outcome) bool { return o.Watch == "c" && o.Reply == "" }},
		{name: "watch again", conn: c, r: socket.Request{Action: socket.Watch, Show: "d"}, shows: "[b d]", check: func(o socket.Outcome) bool { return o.Watch == "d" }},
		{name: "watch one too many", conn: full, r: socket.Request{Action: socket.Watch, Show: "x"}, shows: fmt.Sprint(full.Shows), code: socket.CodeTooMany},
		{name: "watch one of many again", conn: full, r: socket.Request{Action: socket.Watch, Show: "s07"}, shows: fmt.Sprint(full.Shows)},
		{name: "unwatch", conn: c, r: socket.Request{Action: socket.Unwatch, Show: "b"}, shows: "[d]", check: func(o socket.Outcome) bool { return o.Unwatch == "b" }},
		{name: "unwatch what is not watched", conn: c, r: socket.Request{Action: socket.Unwatch, Show: "x"}, shows: "[b d]", check: func(o socket.Outcome) bool { return o.Unwatch == "" && o.Next.Errors == 0 }},
		{name: "ping", conn: c, r: socket.Request{Action: socket.Ping}, shows: "[b d]", check: func(o socket.Outcome) bool {
			return o.Reply == `{"type":"pong","server_time":"2030-05-01T12:00:00.000Z"}`
		}},
		{name: "longer", conn: c, r: socket.Request{Action: socket.Authorize}, fresh: fresh(buyer, 90*time.Minute, false), shows: "[b d]", check: func(o socket.Outcome) bool {
			return o.Extend && o.Next.Until.Equal(noon.Add(90*time.Minute)) &&
				o.Reply == `{"type":"authorized","expires_at":"2030-05-01T13:30:00.000Z","server_time":"2030-05-01T12:00:00.000Z"}`
		}},
		{name: "never longer than two hours", conn: c, r: socket.Request{Action: socket.Authorize}, fresh: fresh(buyer, 9*time.Hour, false), shows: "[b d]", check: func(o socket.Outcome) bool { return o.Next.Until.Equal(noon.Add(socket.Longest)) }},
		{name: "another buyer's ticket", conn: c, r: socket.Request{Action: socket.Authorize}, fresh: fresh("g_other", 9*time.Hour, false), shows: "[b d]", code: socket.CodeUnauthorized},
		{name: "a used ticket", conn: c, r: socket.Request{Action: socket.Authorize}, fresh: fresh(buyer, 9*time.Hour, true), shows: "[b d]", code: socket.CodeUnauthorized},
		{name: "no ticket", conn: c, r: socket.Request{Action: socket.Authorize}, shows: "[b d]", code: socket.CodeUnauthorized},
		{name: "a bad message", conn: c, wrong: socket.CodeBad, shows: "[b d]", code: socket.CodeBad},
		{name: "the last bad message", conn: worn, wrong: socket.CodeTooLarge, shows: "[b d]", code: socket.CodeTooLarge, end: true},
		{name: "in its last moment", conn: c, r: socket.Request{Action: socket.Ping}, at: time.Hour - 1, shows: "[b d]"},
		{name: "past its time", conn: c, r: socket.Request{Action: socket.Ping}, at: time.Hour, shows: "[b d]", code: socket.CodeUnauthorized, end: true},
		{name: "past its time, with a ticket", conn: c, r: socket.Request{Action: socket.Authorize}, fresh: fresh(buyer, 9*time.Hour, false), at: time.Hour, shows: "[b d]", code: socket.CodeUnauthorized, end: true},
	} {
		before := slices.Clone(tt.conn.Shows)
		o := tt.conn.Take(tt.r, tt.wrong, tt.fresh, noon.Add(tt.at))
		if fmt.Sprint(o.Next.Shows) != tt.shows || o.Close != tt.end || o.Next.Rev != tt.conn.Rev+1 {
			t.Errorf("%s: %+v", tt.name, o)
		}
		if tt.code != "" && (o.Reply != socket.Word(`{"type":"error","code":"`+string(tt.code)+`"}`) || o.Next.Errors != tt.conn.Errors+1) {
			t.Errorf("%s: %+v", tt.name, o)
		}
		if tt.code == "" && strings.Contains(string(o.Reply), "error") || tt.check != nil && !tt.check(o) {
			t.Errorf("%s: %+v", tt.name, o)
		}
		if !slices.Equal(tt.conn.Shows, before) {
			t.Errorf("%s: changed what it was given", tt.name)
		}
	}
}

// TestRate has a naive twin: what was taken in the last so many milliseconds is
// never more than the burst and what the time allows, and who keeps to it is let be.
func TestRate(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := socket.Conn{Until: noon.Add(time.Hour)}
		now := noon
		var taken []time.Time
		for i := range rapid.IntRange(1, 80).Draw(rt, "messages") {
			now = now.Add(time.Duration(rapid.IntRange(0, 150).Draw(rt, fmt.Sprint("gap", i))) * time.Millisecond)
			o := c.Take(socket.Request{Action: socket.Ping}, "", nil, now)
			// The bucket's level, counted anew from all that was taken.
			level, last := 0.0, noon
			for _, at := range taken {
				level = max(0, level-float64(at.Sub(last))/float64(socket.Every)) + 1
				last = at
			}
			level = max(0, level-float64(now.Sub(last))/float64(socket.Every))
			if want := level+1 <= socket.Burst+1e-6; o.Close == want {
				rt.Fatalf("message %d: level %v, closed %v", i, level, o.Close)
			}
			if !o.Close {
				taken = append(taken, now)
				c = o.Next
			}
		}
	})
}

func TestHintsHaveTheirAudience(t *testing.T) {
	for _, tt := range []struct {
		kind     socket.Kind
		buyer    booking.Buyer
		show     catalog.ShowID
		possible bool
	}{
		{socket.HoldSold, buyer, "s", true},
		{socket.HoldSold, "", "s", false}, // a buyer's own, to everybody
		{socket.HoldExpiring, "", "s", false},
		{socket.LineOffer, "", "s", false},
		{socket.LineEnded, buyer, "s", true},
		{socket.LinePosition, "", "s", true},
		{socket.LinePosition, buyer, "s", true},
		{socket.SeatmapChanged, "", "s", true},
		{socket.SeatmapChanged, "", "", false},
		{"", buyer, "s", false},
		{"made.up", "", "s", false},
	} {
		if h := (socket.Hint{Kind: tt.kind, Buyer: tt.buyer, Show: tt.show}); h.Valid() != tt.possible {
			t.Errorf("%+v: %v", h, h.Valid())
		}
	}
}

func TestWord(t *testing.T) {
	for _, tt := range []struct {
		h    socket.Hint
		want socket.Word
	}{
		{socket.Hint{Kind: socket.SeatmapChanged, Show: "s", Version: 12}, `{"type":"seatmap.changed","show_id":"s","version":"12","server_time":"2030-05-01T12:00:00.000Z"}`},
		{socket.Hint{Kind: socket.HoldSold, Show: "s", Buyer: buyer, Version: 3, Hold: "h_1"}, `{"type":"hold.sold","show_id":"s","version":"3","hold_id":"h_1","server_time":"2030-05-01T12:00:00.000Z"}`},
		{socket.Hint{Kind: socket.LineOffer, Show: "s", Buyer: buyer, Version: 4, Waiter: "w_1"}, `{"type":"line.offer","show_id":"s","version":"4","waiter_id":"w_1","server_time":"2030-05-01T12:00:00.000Z"}`},
	} {
		if got := tt.h.Word(noon); got != tt.want {
			t.Errorf("%s", got)
		}
	}
}
