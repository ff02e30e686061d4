package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/developer"
	"github.com/fairseat/fairseat/pkg/developer/keyring"
	"github.com/fairseat/fairseat/pkg/history"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/session"
	"github.com/fairseat/fairseat/pkg/socket"
	"github.com/fairseat/fairseat/pkg/socket/hub"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
	"github.com/fairseat/fairseat/pkg/ticket"
)

// 16 seats: 10 regular, 2 premium, a wheelchair place with a companion, a loveseat.
const hall = `{"id":"mini-16","name":"Mini","kind":"cinema","numbering":"ltr","seats":16,` +
	`"by_type":{"W":1,"C":1,"R":10,"P":2,"L":2},"rows":["A: WC_RR","B: RR_RR","C: PP_LL","D: RRRR_"]}`

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

var policy = booking.Policy{Hold: 5 * time.Minute, Grace: 5 * time.Second, MaxSeats: 10}

// world is everything behind the edge, in memory, with a clock that stands.
type world struct {
	t        testing.TB
	mu       sync.Mutex
	now      time.Time
	faults   func(memstore.Op) memstore.Fault
	waits    func(d time.Duration) // what happens while somebody pauses
	office   *boxoffice.Office
	db       *memstore.DB
	book     *history.Book
	seen     string // of the stream of orders
	bank     *bank
	handlers map[string]Handler
	keeper   *session.Keeper
	registry *store.Registry
	edge     Edge // with buyers
	log      bytes.Buffer
	keys     int
	letters  *mailbox
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, now: noon}
	db := memstore.New(memstore.Options{Clock: w.clock, Faults: func(op memstore.Op) memstore.Fault {
		if w.faults == nil {
			return memstore.NoFault
		}
		return w.faults(op)
	}})
	cat := store.NewCatalog(db)
	load(t, cat)
	w.db = db
	signer, err := ticket.NewSigner("the tickets' secret")
	must(t, err)
	reader := catalog.NewReader(cat, w.clock)
	w.bank = &bank{}
	s := store.New(db, policy)
	w.book = &history.Book{Store: store.NewHistories(db), Shows: reader, Clock: w.clock}
	w.office = &boxoffice.Office{
		Store: s, Lane: s, Catalog: reader, Policy: policy, Line: line.Standard, LineCloses: 15 * time.Minute, Clock: w.clock,
		Pause: w.pause, Rand: func() uint64 { return 1 },
		Provider:  func(n payment.Name) (payment.Provider, bool) { return w.bank, n == payment.Sandbox },
		Adoptions: s, Past: w.book.Lately,
		Tickets: signer, NotifyURL: func(payment.Name) string { return "http://callbacks.test" },
	}
	keeper, err := session.New(strings.NewReader(strings.Repeat("0123456789abcdefghijklmnop", 400)), "the sessions' secret")
	must(t, err)
	press, err := socket.NewPress("the sessions' secret")
	must(t, err)
	e := Edge{Clock: w.clock, Log: slog.New(slog.NewJSONHandler(&w.log, nil))}
	b := e
	b.Buyer = keeper.Verify
	w.edge = b
	members := e
	members.Person = keeper.Account
	desk := w.desk(db, keeper)
	w.keeper, w.registry = keeper, store.NewRegistry(db)
	keys, err := developer.NewPress("the sessions' secret")
	must(t, err)
	ring := &keyring.Keyring{Store: w.registry, Press: keys, Clock: w.clock, Pause: w.pause}
	w.handlers = map[string]Handler{
		fnOpenSession:     OpenSession(e, keeper.Issue),
		fnOpenSocket:      OpenSocket(b, &hub.Hub{Store: store.NewSwitchboard(db), Press: press}, keeper.End, "ws://sockets.test/v1"),
		fnBrowseCatalog:   BrowseCatalog(e, reader, w.office.Store),
		fnReadSeatmap:     ReadSeatmap(e, w.office),
		fnSearchMovies:    SearchMovies(e, newFinder(t)),
		fnReserveSeats:    ReserveSeats(b, w.office),
		fnPoseChallenge:   PoseChallenge(b, w.office),
		fnReadHold:        ReadHold(b, w.office),
		fnReleaseHold:     ReleaseHold(b, w.office),
		fnPayHold:         PayHold(b, w.office),
		fnReadOrder:       ReadOrder(b, w.office),
		fnReadHistory:     ReadHistory(b, w.book),
		fnAdoptGuest:      AdoptGuest(b, w.office),
		fnJoinLine:        JoinLine(b, w.office),
		fnReadPlace:       ReadPlace(b, w.office),
		fnAnswerOffer:     AnswerOffer(b, w.office),
		fnReceiveCallback: ReceiveCallback(e, w.office),
		fnSignIn:          SignIn(e, desk),
		fnKeepAccount:     KeepAccount(members, desk, ring, w.book),
		fnDescribeAPI:     DescribeAPI(e, signer.Keys),
		fnKeepKeys:        KeepKeys(members, ring),
		"":                RefuseRequest(e),
	}
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pause(_ context.Context, d time.Duration) error {
	if w.waits != nil {
		w.waits(d)
	}
	return nil
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func load(t testing.TB, cat store.Catalog) {
	t.Helper()
	rows := []store.CatalogRow{
		store.LayoutRow("mini-16", []byte(hall)),
	}
	for _, c := range cities() {
		rows = append(rows, store.CityRow(c))
	}
	for _, m := range movies() {
		rows = append(rows, store.MovieRow(m))
		rows = append(rows, store.NowShowingRow("bern", catalog.NowShowing{Movie: m, LastStart: noon.Add(30 * time.Hour)}))
	}
	for _, s := range shows() {
		rows = append(rows, store.ShowRow(s))
	}
	_, err := cat.Load(context.Background(), rows)
	must(t, err)
}

func cities() []catalog.City {
	return []catalog.City{
		{ID: "berlin", Name: "Berlin", Country: "DE", Lat: 52.52, Lon: 13.405},
		{ID: "bern", Name: "Bern", LocalName: "Bärn", Country: "CH", Lat: 46.948, Lon: 7.4474},
		{ID: "tokyo", Name: "Tokyo", LocalName: "東京", Country: "JP", Lat: 35.68, Lon: 139.69},
	}
}

func movies() []catalog.Movie {
	return []catalog.Movie{{
		ID: "metropolis", Title: "Metropolis", Genres: []string{"science fiction"}, Language: "de", RuntimeMinutes: 153,
		ReleaseDate: "1927-01-10", Country: "DE", Description: "A city above, a city below.",
	}, {ID: "unknown-film", Title: "Of which nothing is known"}}
}

func shows() []catalog.Show {
	usd := func(n int64) money.Amount { return money.Amount{Minor: n, Currency: "USD"} }
	show := func(id catalog.ShowID, starts time.Duration) catalog.Show {
		return catalog.Show{
			ID: id, MovieID: "metropolis", City: "bern", Cinema: catalog.Cinema{ID: "rex", Name: "Rex", Lat: 46.95, Lon: 7.44},
			Hall: "1", LayoutID: "mini-16", StartsAt: noon.Add(starts), EndsAt: noon.Add(starts + 3*time.Hour), LocalDate: "2026-03-02",
			Prices: []catalog.Price{
				{Type: seatmap.Regular, Amount: usd(1500)}, {Type: seatmap.Premium, Amount: usd(2000)},
				{Type: seatmap.Wheelchair, Amount: usd(1500)}, {Type: seatmap.Companion, Amount: usd(1500)},
				{Type: seatmap.Loveseat, Amount: usd(1501)},
			},
			SaleOpensAt: noon.Add(-time.Hour), SaleClosesAt: noon.Add(starts), Status: catalog.OnSale,
		}
	}
	open, gap, ahead, over, off, kino := show("open", 24*time.Hour), show("gap", 25*time.Hour), show("ahead", 26*time.Hour),
		show("over", 27*time.Hour), show("off", 28*time.Hour), show("kino", 29*time.Hour)
	gap.SingleGap = true
	ahead.SaleOpensAt = noon.Add(time.Hour)
	over.SaleClosesAt = noon
	off.Status = catalog.Cancelled
	kino.Cinema = catalog.Cinema{ID: "apollo", Name: "Apollo", Lat: 46.9, Lon: 7.4}
	kino.LocalDate = "2026-03-03"
	soon, unlined, bounded := show("over-soon", 75*time.Minute), show("unlined", 30*time.Hour), show("bounded", 31*time.Hour)
	unlined.NoLine, bounded.LinePasses = true, 2
	for _, s := range []*catalog.Show{&soon, &unlined, &bounded} {
		s.MovieID = "another-film"
	}
	return []catalog.Show{open, gap, ahead, over, off, kino, soon, unlined, bounded}
}

// bank is a provider whose buyers do as they are told. Its callbacks are a JSON
// notice under a header that stands for a signature.
type bank struct {
	fail   error // of Create
	refuse bool  // Create answers that the buyer was refused at once
	asked  []payment.Intent
}

const bankMark = "X-Bank-Mark"

func (b *bank) Name() payment.Name { return payment.Sandbox }

func (b *bank) Create(_ context.Context, in payment.Intent) (payment.Created, error) {
	b.asked = append(b.asked, in)
	r := payment.Report{Payment: in.ID, Order: in.OrderID, State: payment.ReportPending, Amount: in.Amount}
	if b.refuse {
		r.State = payment.ReportFailed
	}
	return payment.Created{Action: payment.Action{Kind: payment.ActionURL, Value: "https://bank.test/?a=1&b=<2>"}, Report: r}, b.fail
}

func (b *bank) Query(context.Context, payment.Ref) (payment.Report, error) {
	return payment.Report{}, payment.ErrNotFound
}

func (b *bank) Close(context.Context, payment.Ref) (payment.Report, error) {
	return payment.Report{}, payment.ErrNotFound
}

func (b *bank) Refund(_ context.Context, r payment.RefundRequest) (payment.RefundReport, error) {
	return payment.RefundReport{ID: r.ID, Payment: r.Payment.ID, State: payment.RefundDone, Amount: r.Amount}, nil
}

func (b *bank) ParseCallback(h http.Header, body []byte, _ time.Time) (payment.Notice, error) {
	if h.Get(bankMark) != "genuine" {
		return payment.Notice{}, payment.ErrSignature
	}
	var r payment.Report
	if json.Unmarshal(body, &r) != nil {
		return payment.Notice{}, payment.ErrMalformed
	}
	return payment.Notice{Payment: &r}, nil
}

func (b *bank) Acknowledge(err error) payment.Ack {
	if err != nil {
		return payment.Ack{Status: 418, ContentType: "text/plain", Body: []byte("again")}
	}
	return payment.Ack{Status: 202, ContentType: "text/plain", Body: []byte("thanks")}
}

// want is a request; with builds on it.
type want struct {
	method, path string
	header       map[string][]string
	body         string
	base64       bool
}

func get(path string) want  { return want{method: "GET", path: path} }
func drop(path string) want { return want{method: "DELETE", path: path} }

func post(path, body string) want {
	return want{method: "POST", path: path, body: body}.with("Content-Type", "application/json")
}

func (q want) with(name, value string) want {
	h := map[string][]string{}
	for k, v := range q.header {
		h[k] = v
	}
	h[name] = append(append([]string(nil), h[name]...), value)
	q.header = h
	return q
}

func (q want) without(name string) want {
	h := map[string][]string{}
	for k, v := range q.header {
		if k != name {
			h[k] = v
		}
	}
	q.header = h
	return q
}

func (q want) by(token string) want  { return q.with("Authorization", "Bearer "+token) }
func (q want) keyed(key string) want { return q.with("Idempotency-Key", key) }

// event is what a REST API makes of the request.
func (q want) event() (events.APIGatewayProxyRequest, string) {
	path, query, _ := strings.Cut(q.path, "?")
	ev := events.APIGatewayProxyRequest{
		Resource: "/{proxy+}", Path: path, HTTPMethod: q.method, MultiValueHeaders: q.header, Body: q.body, IsBase64Encoded: q.base64,
		RequestContext: events.APIGatewayProxyRequestContext{RequestID: "req-1", Stage: "v1"},
	}
	for pair := range strings.SplitSeq(query, "&") {
		if k, v, _ := strings.Cut(pair, "="); k != "" {
			if ev.MultiValueQueryStringParameters == nil {
				ev.MultiValueQueryStringParameters = map[string][]string{}
			}
			ev.MultiValueQueryStringParameters[k] = append(ev.MultiValueQueryStringParameters[k], v)
		}
	}
	for _, r := range routes {
		if r.Method == q.method && leads(r.Path, path) {
			ev.Resource, ev.PathParameters = r.Path, paramsOf(r.Path, path)
			return ev, r.Function
		}
	}
	return ev, ""
}

// leads is how the gateway matches: any segment but an empty one for a parameter.
func leads(template, path string) bool {
	t, p := strings.Split(template, "/"), strings.Split(path, "/")
	for i := range t {
		if len(t) != len(p) || t[i] != p[i] && (t[i][0] != '{' || p[i] == "") {
			return false
		}
	}
	return true
}

func paramsOf(template, path string) map[string]string {
	params := map[string]string{}
	p := strings.Split(path, "/")
	for i, s := range strings.Split(template, "/") {
		if strings.HasPrefix(s, "{") {
			params[strings.Trim(s, "{}")] = p[i]
		}
	}
	return params
}

// answer is a response with its body read.
type answer struct {
	events.APIGatewayProxyResponse
	doc map[string]any
}

func (a answer) str(name string) string { s, _ := a.doc[name].(string); return s }

func (w *world) do(q want) answer {
	w.t.Helper()
	ev, fn := q.event()
	resp, err := w.handlers[fn](context.Background(), ev)
	must(w.t, err)
	a := answer{APIGatewayProxyResponse: resp}
	checkAnswer(w.t, ev, resp)
	if strings.Contains(resp.Headers["Content-Type"], "json") {
		if err := json.Unmarshal([]byte(resp.Body), &a.doc); err != nil {
			w.t.Fatalf("%s %s: %v in %s", q.method, q.path, err, resp.Body)
		}
	}
	return a
}

// expect asks and compares status and, of a problem, code.
func (w *world) expect(q want, status int, code string) answer {
	w.t.Helper()
	a := w.do(q)
	if a.StatusCode != status || a.str("code") != code && status >= 400 {
		w.t.Fatalf("%s %s: %d %s, want %d %s: %s", q.method, q.path, a.StatusCode, a.str("code"), status, code, a.Body)
	}
	return a
}

func (w *world) guest() string {
	w.t.Helper()
	return w.expect(want{method: "POST", path: "/sessions"}, 201, "").str("session_token")
}

// account is the access token of an account of its own.
func (w *world) account(n byte) string {
	token, _ := w.keeper.Access(session.AccountID{n}, session.LoginID{n}, w.clock())
	return token
}

func (w *world) nextKey() string {
	w.keys++
	return fmt.Sprintf("key %d", w.keys)
}

func (w *world) hold(token, show string, seats ...string) answer {
	w.t.Helper()
	list, _ := json.Marshal(seats)
	q := post("/shows/"+show+"/holds", fmt.Sprintf(`{"seats":%s}`, list)).by(token).keyed(w.nextKey())
	return w.expect(q, 201, "")
}

func (w *world) pay(token, hold, body string) answer {
	w.t.Helper()
	return w.expect(post("/holds/"+hold+"/payments", body).by(token).keyed(w.nextKey()), 201, "")
}

// report lets the bank call back about the last payment asked for.
func (w *world) report(state payment.ReportState) answer {
	w.t.Helper()
	in := w.bank.asked[len(w.bank.asked)-1]
	body, _ := json.Marshal(payment.Report{Payment: in.ID, Order: in.OrderID, State: state, Amount: in.Amount})
	return w.do(want{method: "POST", path: "/callbacks/sandbox", body: string(body)}.with(bankMark, "genuine"))
}

// record follows the stream of orders as far as it has come.
func (w *world) record() {
	w.t.Helper()
	for _, r := range w.db.Records(store.Orders, w.seen) {
		from, o, is, err := store.OrderRecord(r.Old, r.New)
		must(w.t, err)
		if is {
			must(w.t, w.book.Record(context.Background(), from, o))
		}
		w.seen = r.Sequence
	}
}

var errTest = errors.New("a secret inside")
