package main

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/fairseat/fairseat/infra/proof/agenda"
	"github.com/fairseat/fairseat/pkg/api"
	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/history"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/payment/sandbox"
	"github.com/fairseat/fairseat/pkg/relay"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/session"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
	"github.com/fairseat/fairseat/pkg/ticket"
	"github.com/fairseat/fairseat/pkg/work"
)

// A hall of two blocks, with a loveseat.
const hallText = `{"halls":[{"id":"little","name":"Little","kind":"cinema","numbering":"ltr","seats":20,"by_type":{"R":14,"P":4,"L":2},` +
	`"sections":[{"section":"stalls","seats":12,"by_type":{"R":8,"P":4},"rows":["A: RRRRPP","B: RRRRPP"]},` +
	`{"section":"balcony","seats":8,"by_type":{"R":6,"L":2},"rows":["A: RRRRRR","B: LL____"]}]}]}`

const (
	evening = catalog.ShowID("evening")
	tidy    = catalog.ShowID("tidy")    // its house refuses to strand a single seat, and lets two pass in line
	closing = catalog.ShowID("closing") // its line closes while people wait
	unlined = catalog.ShowID("unlined") // its house wants no line
	buyers  = 9                         // the last one comes when all is over
	passes  = 2                         // in the line of tidy
	secret  = "a secret of the simulated provider"
	grace   = 5 * time.Second
	budget  = 2400 * time.Millisecond // no clock is farther from the true time; two differ by less than the grace
)

var (
	noon  = time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC)
	hall  = mustHall()
	all   = []catalog.ShowID{evening, tidy, closing, unlined}
	shows = map[catalog.ShowID]catalog.Show{evening: show(evening), tidy: show(tidy), closing: show(closing), unlined: show(unlined)}
	pen   = must(ticket.NewSigner("a secret of the simulated tickets"))
	quiet = slog.New(slog.DiscardHandler)
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err) // only constants of this file come here
	}
	return v
}

func mustHall() *seatmap.Layout {
	return must(seatmap.Expand(must(seatmap.ParseHalls([]byte(hallText)))[0]))
}

func show(id catalog.ShowID) catalog.Show {
	usd := func(n int64) money.Amount { return money.Amount{Minor: n, Currency: "USD"} }
	s := catalog.Show{
		ID: id, MovieID: "solaris", City: "town", LayoutID: "little", Status: catalog.OnSale,
		SaleOpensAt: noon.Add(-time.Hour), SaleClosesAt: noon.Add(96 * time.Hour), StartsAt: noon.Add(96 * time.Hour), EndsAt: noon.Add(98 * time.Hour),
		Prices: []catalog.Price{{Type: seatmap.Regular, Amount: usd(1499)}, {Type: seatmap.Premium, Amount: usd(1999)}, {Type: seatmap.Loveseat, Amount: usd(2501)}},
	}
	switch id {
	case tidy:
		s.SingleGap, s.LinePasses = true, passes
	case closing:
		s.StartsAt = noon.Add(lineOpen + lineCloses)
		s.SaleClosesAt, s.EndsAt = s.StartsAt, s.StartsAt.Add(2*time.Hour)
	case unlined:
		s.NoLine = true
	}
	return s
}

const (
	lineCloses = 15 * time.Minute // before a show
	lineOpen   = 8 * time.Minute  // from the beginning on, in the show that closes
)

// guests and who verifies them are the same in every world: a token is good for a day.
var guests, keeper = func() ([]session.Session, *session.Keeper) {
	k := must(session.New(strings.NewReader(strings.Repeat("0123456789abcdefghijklmnop", buyers)), "a secret of the simulated sessions"))
	var all []session.Session
	for range buyers {
		all = append(all, must(k.Issue(noon)))
	}
	return all, k
}()

// cell is one box of the table of faults.
type cell struct {
	handler, call string
	fault         fault
}

// world is one run: the product over everything that surrounds it.
type world struct {
	tape   *tape
	now    time.Time
	agenda agenda.Agenda[step]
	steps  int
	calls  int
	tasks  int
	live   map[int]*task
	flying map[*task]bool // with a transaction that was accepted and has not landed
	cur    *task
	back   chan struct{}
	calm   bool // nothing goes wrong any more

	policy booking.Policy
	line   line.Policy
	skews  []time.Duration
	rate   int  // faults in 128 calls
	focus  cell // where faults are frequent
	met    bool // the call at which they are was made
	moody  bool // and people do what leads there
	lively bool // many wait in line
	losses losses

	db       *memstore.DB
	store    named
	book     *history.Book
	idle     map[string][]*instance // of each function, the last to become idle at the end
	rest     map[string]func(*boxoffice.Office) api.Handler
	queues   map[relay.Queue]*queue
	mappings []*mapping
	seen     map[store.Table]string // sequence number up to which records were collected
	bank     *provider
	crowd    *crowd
	judge    *judge

	tally   map[cell]int
	lived   map[string]int // what became of those in line: state → how many came there
	adopted map[string]int // what became an account's at a log-in, or stayed → how often
	sum     uint64         // hash of the trace
	story   []string
	tell    bool
	broken  *violation
}

// losses are what a world must do without, for a while or for good.
type losses struct {
	timers       bool          // the queue of deadlines loses everything
	lane         bool          // the lane's queue loses everything
	deaf         bool          // both do, and TTL is dead: the line moves by those who look, also when all is calm
	appointments bool          // nobody is told to ask the provider, until all is calm
	ttl          time.Duration // between two rounds of the service; 0: none before the end
	outage       time.Duration // of all streams, from the start
	duration     time.Duration // of the active part, for the summary
}

// violation is a broken invariant.
type violation struct{ invariant, text string }

func (v *violation) Error() string { return v.invariant + ": " + v.text }

func (w *world) fail(invariant, format string, args ...any) {
	if w.broken == nil {
		v := &violation{invariant, fmt.Sprintf(format, args...)}
		w.note(nil, "BROKEN "+v.Error())
		w.broken = v
	}
}

func newWorld(t *tape, tell bool) *world {
	w := &world{
		tape: t, now: noon, live: map[int]*task{}, flying: map[*task]bool{}, back: make(chan struct{}), tally: map[cell]int{}, lived: map[string]int{}, adopted: map[string]int{}, tell: tell, idle: map[string][]*instance{},
		seen: map[store.Table]string{}, sum: offset,
	}
	w.policy = booking.Policy{Hold: of(t, 60*time.Second, 20*time.Second, 300*time.Second), Grace: grace, MaxSeats: 10}
	w.rate = of(t, 0, 1, 3, 8)
	w.focus = turns[t.turn(len(turns))]
	w.skews = []time.Duration{0, 0, 0, 0}
	if most := of(t, 0, 10, 24); most > 0 {
		for i := range w.skews {
			w.skews[i] = time.Duration(t.pick(2*most+1)-most) * 100 * time.Millisecond
		}
	}
	w.losses = losses{timers: t.oneIn(4), lane: t.oneIn(4), ttl: of(t, 20*time.Second, 0, 3*time.Minute)}
	if t.oneIn(4) {
		w.losses.outage = time.Duration(1+t.pick(10)) * time.Minute
	}
	w.losses.deaf = t.oneIn(6)
	w.lively = t.pick(3) > 0
	w.line = line.Standard
	w.line.Offer, w.line.Wait = of(t, 120*time.Second, 30*time.Second), of(t, time.Hour, 10*time.Minute, 4*time.Minute)
	w.line.CoolDown = of(t, 10*time.Minute, 2*time.Minute)
	w.prepare()
	if w.losses.deaf {
		w.losses.timers, w.losses.lane, w.losses.ttl = true, true, 0
	}
	w.db = memstore.New(memstore.Options{
		Clock: func() time.Time { return w.now }, Window: w.inFlight, Lag: of(t, 0, 800*time.Millisecond),
		Shuffle: func(n int, swap func(i, j int)) {
			for i := n - 1; i > 0; i-- {
				swap(i, i-t.pick(i+1))
			}
		},
	})
	w.wire()
	w.judge = newJudge(w)
	w.crowd = newCrowd(w)
	if w.losses.ttl > 0 {
		w.after(w.losses.ttl, w.expireItems)
	}
	return w
}

// wire builds the functions as boot does, on what surrounds them here.
func (w *world) wire() {
	w.store = named{store.New(&tables{w, w.db}, w.policy), w}
	w.book = &history.Book{Store: diary{store.NewHistories(&tables{w, w.db}), w}, Shows: programme{w}, Clock: w.readClock}
	w.bank = newProvider(w)
	open := api.Edge{Clock: w.readClock, Log: quiet}
	guarded := open
	guarded.Buyer = keeper.Verify
	w.rest = map[string]func(*boxoffice.Office) api.Handler{
		"reserve-seats": func(o *boxoffice.Office) api.Handler { return api.ReserveSeats(guarded, o) },
		"read-hold":     func(o *boxoffice.Office) api.Handler { return api.ReadHold(guarded, o) },
		"release-hold":  func(o *boxoffice.Office) api.Handler { return api.ReleaseHold(guarded, o) },
		"pay-hold":      func(o *boxoffice.Office) api.Handler { return api.PayHold(guarded, o) },
		"read-order":    func(o *boxoffice.Office) api.Handler { return api.ReadOrder(guarded, o) },
		"adopt-guest":   func(o *boxoffice.Office) api.Handler { return api.AdoptGuest(guarded, o) },
		"join-line":     func(o *boxoffice.Office) api.Handler { return api.JoinLine(guarded, o) },
		"read-place":    func(o *boxoffice.Office) api.Handler { return api.ReadPlace(guarded, o) },
		"answer-offer":  func(o *boxoffice.Office) api.Handler { return api.AnswerOffer(guarded, o) },
		"read-seatmap":  func(o *boxoffice.Office) api.Handler { return api.ReadSeatmap(open, o) },

		"receive-callback": func(o *boxoffice.Office) api.Handler { return api.ReceiveCallback(open, o) },
	}
	post := sender{w}
	w.queues = map[relay.Queue]*queue{
		relay.Timers:   {name: "timers", handler: "expire-hold", run: func(o *boxoffice.Office) work.QueueHandler { return work.ExpireHold(o, post) }, hidden: time.Minute, loses: w.losses.timers},
		relay.Payments: {name: "payments", handler: "ask-provider", run: work.AskProvider, hidden: 90 * time.Second},
		relay.Lane:     {name: "lane", handler: "advance-line", run: work.AdvanceLine, hidden: time.Minute, fifo: true, loses: w.losses.lane},
	}
	written := func(r memstore.Record) bool { return r.Event != memstore.Remove }
	holds := func(o *boxoffice.Office) work.StreamHandler {
		return work.RelayHolds(post, o.Store, w.policy, w.readClock)
	}
	waiters := func(*boxoffice.Office) work.StreamHandler { return work.RelayLine(post, w.policy, w.readClock) }
	project := func(o *boxoffice.Office) work.StreamHandler { return work.ProjectSeatmap(o, post) }
	payments := func(*boxoffice.Office) work.StreamHandler { return work.RelayPayments(post, w.readClock) }
	shown := func(*boxoffice.Office) work.StreamHandler { return work.RecordOrder(w.book, nil) } // nothing ages here
	shards := 1 + w.tape.pick(3)
	for shard := range shards {
		w.mappings = append(w.mappings,
			&mapping{handler: "relay-holds", table: store.Holds, run: holds, wants: written, shard: shard, of: shards},
			&mapping{handler: "project-seatmap", table: store.Holds, run: project, wants: written, shard: shard, of: shards},
			&mapping{handler: "project-seatmap", table: store.Line, run: project, shard: shard, of: shards, wants: func(r memstore.Record) bool {
				return strings.HasPrefix(r.Key.SK, "S#")
			}},
			&mapping{handler: "relay-line", table: store.Line, run: waiters, shard: shard, of: shards, wants: func(r memstore.Record) bool {
				return r.Event != memstore.Remove && (strings.HasPrefix(r.Key.SK, "S#") || strings.HasPrefix(r.Key.PK, "WAITER#"))
			}},
			&mapping{handler: "expire-timer", table: store.Timers, run: work.ExpireTimer, shard: shard, of: shards, wants: func(r memstore.Record) bool {
				return r.Event == memstore.Remove && r.Service
			}},
			&mapping{handler: "relay-payments", table: store.Orders, run: payments, shard: shard, of: shards, wants: func(r memstore.Record) bool {
				return r.Event != memstore.Remove && strings.HasPrefix(r.Key.PK, "PAY#")
			}},
			&mapping{handler: "record-order", table: store.Orders, run: shown, shard: shard, of: shards, wants: func(r memstore.Record) bool {
				return r.Event != memstore.Remove && strings.HasPrefix(r.Key.PK, "ORDER#")
			}},
		)
	}
}

// instance is one of a function: it serves one request at a time, and what it has
// seen it remembers for the next.
type instance struct {
	office *boxoffice.Office
	skew   time.Duration // of its clock
}

// instanceOf a function: one that is idle, or a new one.
func (w *world) instanceOf(handler string) *instance {
	if idle := w.idle[handler]; len(idle) > 0 {
		w.idle[handler] = idle[:len(idle)-1]
		return idle[len(idle)-1]
	}
	o := &boxoffice.Office{
		Store: w.store, Lane: w.store, Catalog: programme{w}, Policy: w.policy, Clock: w.readClock, Pause: w.pause, Rand: w.chance,
		Line: w.line, LineCloses: lineCloses,
		Tickets: pen, NotifyURL: func(payment.Name) string { return "https://shop.example/callbacks/sandbox" },
		Provider: func(n payment.Name) (payment.Provider, bool) { return w.bank, n == payment.Sandbox },
	}
	switch handler {
	case "read-place":
		o.Nudge = w.nudge
	case "adopt-guest":
		o.Adoptions, o.Past = w.store, w.book.Lately
	case "house":
		o.Line = line.Policy{} // its office knows of no line
	}
	return &instance{o, w.skews[w.tape.pick(len(w.skews))]}
}

// newSandbox is the real client of the provider, with the world in place of a network.
func newSandbox(w *world, line http.RoundTripper) *sandbox.Provider {
	return must(sandbox.New(&http.Client{Transport: line}, "http://bank.example", secret, w.readClock))
}

// changed tells the judge and the streams of what a transaction did.
func (w *world) changed(t *task, writes []store.Write) {
	keys := make([]store.Key, 0, len(writes))
	for _, x := range writes {
		if !x.Check {
			keys = append(keys, x.Key)
		}
	}
	if w.tell {
		w.note(t, "commits "+w.told(keys))
	}
	w.collect()
	w.judge.step(t, keys)
}

// told are items in a story: each key with what it says now.
func (w *world) told(keys []store.Key) string {
	var parts []string
	for _, k := range keys {
		it := w.judge.item(k)
		text := k.PK + "/" + k.SK
		for _, attr := range []string{"owner", "state", "rev", "n", "wanted", "v", "due", "no", "buyer", "to", "offer", "for", "w", "live", "next", "dry"} {
			if v, ok := it[attr]; ok {
				text += fmt.Sprintf(" %s=%v", attr, v)
			}
		}
		if it == nil {
			text += " gone"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

// expireItems is one round of the service's TTL.
func (w *world) expireItems() {
	if gone := w.db.Expire(w.now); len(gone) > 0 {
		w.note(nil, fmt.Sprintf("TTL deletes %d items", len(gone)))
		w.collect()
		w.judge.step(nil, gone)
	}
	if !w.calm {
		w.after(w.losses.ttl, w.expireItems)
	}
}

// trace adds to the run's hash; note adds to its story.
func (w *world) trace(t *task, what string, err error) {
	w.mix(t.handler)
	w.mix(t.call)
	w.mix(what)
	if err != nil {
		w.mix(err.Error())
	}
	w.sum = (w.sum ^ uint64(w.now.UnixMilli()) ^ uint64(t.n)<<48) * prime
}

// mix is FNV-1a, with the length so that no two lists of words are alike.
func (w *world) mix(s string) {
	for i := range len(s) {
		w.sum = (w.sum ^ uint64(s[i])) * prime
	}
	w.sum = (w.sum ^ uint64(len(s))) * prime
}

const (
	offset = 14695981039346656037
	prime  = 1099511628211
)

func (w *world) note(t *task, text string) {
	if !w.tell || w.broken != nil {
		return
	}
	who := "world"
	if t != nil {
		who = fmt.Sprintf("#%d %s", t.n, t.handler)
		if t.who != "" {
			who += " for " + nameOf(t.who)
		}
		if t.call != "" {
			who += ", " + t.call
		}
	}
	w.story = append(w.story, fmt.Sprintf("%12s  %-44s %s", clock(w.now), who, text))
}

func clock(t time.Time) string { return "+" + t.Sub(noon).Truncate(time.Millisecond).String() }

func (w *world) print(out io.Writer) {
	for _, l := range w.story {
		fmt.Fprintln(out, l)
	}
}

func (w *world) count(t *task, f fault) {
	if !w.calm || w.patient(t) {
		w.tally[cell{t.handler, t.call, f}]++
	}
}

// nameOf makes a story readable.
func nameOf(buyer string) string {
	if i, ok := personOf(buyer); ok {
		return [buyers + accounts]string{"Ann", "Bob", "Cem", "Dua", "Eva", "Fay", "Gus", "Hao", "the late comer", "account one", "account two"}[i]
	}
	return buyer
}
