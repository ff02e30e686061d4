package work_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/relay"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
	"github.com/fairseat/fairseat/pkg/ticket"
)

const (
	parlour = `{"halls":[{"id":"parlour","name":"Parlour","kind":"cinema","numbering":"ltr","seats":8,"by_type":{"P":2,"R":6},"rows":["A: RRRR","B: RRPP"]}]}`
	evening = catalog.ShowID("solaris-parlour-2030-05-01-2000")
	guest   = booking.Buyer("g_guest")
)

var (
	noon   = time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC)
	policy = booking.Policy{Hold: 5 * time.Minute, Grace: 5 * time.Second, MaxSeats: 10}
)

// scene is a box office whose streams and queues are in the test's hands.
type scene struct {
	*boxoffice.Office
	t      *testing.T
	now    time.Time
	db     *memstore.DB
	store  *store.Store
	layout *seatmap.Layout
	sent   []relay.Message
	lost   error // what sending ends with
	paid   bool  // what the provider answers

	lastHold booking.Hold // of the seats that somebody waits for
}

func newScene(t *testing.T) *scene {
	t.Helper()
	halls, err := seatmap.ParseHalls([]byte(parlour))
	if err != nil {
		t.Fatal(err)
	}
	s := &scene{t: t, now: noon}
	if s.layout, err = seatmap.Expand(halls[0]); err != nil {
		t.Fatal(err)
	}
	pen, err := ticket.NewSigner("a secret of the test's tickets")
	if err != nil {
		t.Fatal(err)
	}
	s.db = memstore.New(memstore.Options{Clock: s.clock, Window: func(memstore.Op, int) {}})
	s.store = store.New(s.db, policy)
	s.Office = &boxoffice.Office{
		Store: s.store, Lane: s.store, Catalog: s, Policy: policy, Line: line.Standard, Clock: s.clock, Tickets: pen,
		Pause: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }, Rand: func() uint64 { return 1 },
		Provider:  func(payment.Name) (payment.Provider, bool) { return s, true },
		NotifyURL: func(payment.Name) string { return "https://shop.example/callbacks/sandbox" },
	}
	return s
}

func (s *scene) clock() time.Time { return s.now }

func (s *scene) Show(_ context.Context, id catalog.ShowID) (catalog.Show, error) {
	if id != evening {
		return catalog.Show{}, catalog.ErrNoShow
	}
	usd := func(n int64) money.Amount { return money.Amount{Minor: n, Currency: "USD"} }
	return catalog.Show{
		ID: evening, MovieID: "solaris", City: "town", LayoutID: "parlour", Status: catalog.OnSale, SaleOpensAt: noon, SaleClosesAt: noon.Add(8 * time.Hour),
		StartsAt: noon.Add(8 * time.Hour), EndsAt: noon.Add(10 * time.Hour),
		Prices: []catalog.Price{{Type: seatmap.Regular, Amount: usd(1499)}, {Type: seatmap.Premium, Amount: usd(1999)}},
	}, nil
}

func (s *scene) Layout(context.Context, catalog.LayoutID) (*seatmap.Layout, error) {
	return s.layout, nil
}

// Send collects what is sent, or fails.
func (s *scene) Send(_ context.Context, m relay.Message) error {
	if s.lost != nil {
		return s.lost
	}
	s.sent = append(s.sent, m)
	return nil
}

// The provider: a payment is pending until the test says that it was paid.

func (s *scene) Name() payment.Name { return payment.Sandbox }

func (s *scene) Create(_ context.Context, in payment.Intent) (payment.Created, error) {
	r := payment.Report{Payment: in.ID, Order: in.OrderID, ProviderRef: "ref", State: payment.ReportPending}
	return payment.Created{Action: payment.Action{Kind: payment.ActionURL, Value: "https://bank.example/pay"}, Report: r}, nil
}

func (s *scene) Query(_ context.Context, ref payment.Ref) (payment.Report, error) {
	r := payment.Report{Payment: ref.ID, Order: ref.OrderID, ProviderRef: "ref", State: payment.ReportPending, Amount: ref.Amount}
	if s.paid {
		r.State = payment.ReportCaptured
	}
	return r, nil
}

func (s *scene) Close(ctx context.Context, ref payment.Ref) (payment.Report, error) {
	return s.Query(ctx, ref)
}

func (s *scene) Refund(context.Context, payment.RefundRequest) (payment.RefundReport, error) {
	return payment.RefundReport{}, payment.ErrRefused
}

func (s *scene) ParseCallback(http.Header, []byte, time.Time) (payment.Notice, error) {
	return payment.Notice{}, errors.New("not asked for")
}

func (s *scene) Acknowledge(error) payment.Ack { return payment.Ack{} }

func (s *scene) hold(key string, seats ...seatmap.SeatID) booking.Hold {
	s.t.Helper()
	h, err := s.Reserve(s.t.Context(), boxoffice.Wish{Buyer: guest, Key: key, BodyHash: fmt.Sprint(seats), Show: evening, Seats: seats})
	if err != nil {
		s.t.Fatal(err)
	}
	return h
}

func (s *scene) pay(h booking.Hold) payment.Payment {
	s.t.Helper()
	p, err := s.Pay(s.t.Context(), boxoffice.PayWish{Buyer: guest, Hold: h.ID, Provider: payment.Sandbox, Key: "pay", BodyHash: "b"})
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

// aside gives the hold back while somebody waits for regular seats.
func (s *scene) aside(h booking.Hold) {
	s.t.Helper()
	s.want(seatmap.Regular)
	s.giveBack(h)
}

func (s *scene) giveBack(h booking.Hold) {
	s.t.Helper()
	if err := s.GiveBack(s.t.Context(), guest, h.ID); err != nil {
		s.t.Fatal(err)
	}
}

// sell pays for the hold and lets the provider say so.
func (s *scene) sell(h booking.Hold) {
	s.t.Helper()
	p := s.pay(h)
	s.now, s.paid = p.NextAskAt, true
	if err := s.Ask(s.t.Context(), p.ID, p.NextAskAt); err != nil {
		s.t.Fatal(err)
	}
	s.wantHold(h.ID, booking.Sold)
}

func (s *scene) wantHold(id booking.HoldID, want booking.State) {
	s.t.Helper()
	h, err := s.store.HoldByID(s.t.Context(), id)
	if err != nil || h.State != want {
		s.t.Errorf("hold %s is %v (%v), want %v", id, h.State, err, want)
	}
}

// wire is a value as DynamoDB's JSON has it.
func wire(v any) any {
	switch v := v.(type) {
	case string:
		return map[string]any{"S": v}
	case int64:
		return map[string]any{"N": strconv.FormatInt(v, 10)}
	case bool:
		return map[string]any{"BOOL": v}
	case []byte:
		return map[string]any{"B": v}
	case store.Set:
		return map[string]any{"SS": []string(v)}
	case []any:
		l := make([]any, len(v))
		for i, x := range v {
			l[i] = wire(x)
		}
		return map[string]any{"L": l}
	case map[string]any:
		return map[string]any{"M": wireItem(v)}
	}
	panic(fmt.Sprintf("%T", v))
}

func wireItem(it map[string]any) map[string]any {
	m := make(map[string]any, len(it))
	for k, v := range it {
		m[k] = wire(v)
	}
	return m
}

// stream is a table's records as Lambda gets them.
func (s *scene) stream(table store.Table, keep func(memstore.Record) bool) []byte {
	s.t.Helper()
	records := []any{}
	for _, r := range s.db.Records(table, "") {
		if !keep(r) {
			continue
		}
		change := map[string]any{
			"ApproximateCreationDateTime": r.At.Unix(), "SequenceNumber": r.Sequence, "SizeBytes": 500, "StreamViewType": "NEW_AND_OLD_IMAGES",
			"Keys": wireItem(map[string]any{"pk": r.Key.PK, "sk": r.Key.SK}),
		}
		if r.Old != nil {
			change["OldImage"] = wireItem(r.Old)
		}
		if r.New != nil {
			change["NewImage"] = wireItem(r.New)
		}
		rec := map[string]any{
			"eventID": "e" + r.Sequence, "eventName": r.Event.String(), "eventVersion": "1.1", "eventSource": "aws:dynamodb", "awsRegion": "eu-west-1",
			"eventSourceARN": "arn:aws:dynamodb:eu-west-1:000000000000:table/" + string(table) + "/stream/2030-05-01T00:00:00.000", "dynamodb": change,
		}
		if r.Service {
			rec["userIdentity"] = map[string]any{"type": "Service", "principalId": "dynamodb.amazonaws.com"}
		}
		records = append(records, rec)
	}
	return s.json(map[string]any{"Records": records})
}

func (s *scene) json(v any) []byte {
	s.t.Helper()
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		s.t.Fatal(err)
	}
	return append(b, '\n')
}

func all(memstore.Record) bool { return true }

// queue is a batch of messages as Lambda gets them.
func (s *scene) queue(name, group string, bodies ...any) []byte {
	s.t.Helper()
	records := []any{}
	for i, body := range bodies {
		text, ok := body.(string)
		if !ok {
			b, err := json.Marshal(body)
			if err != nil {
				s.t.Fatal(err)
			}
			text = string(b)
		}
		attrs := map[string]string{
			"ApproximateReceiveCount": "1", "SentTimestamp": strconv.FormatInt(noon.UnixMilli(), 10),
			"SenderId": "sender", "ApproximateFirstReceiveTimestamp": strconv.FormatInt(noon.UnixMilli(), 10),
		}
		if group != "" {
			attrs["MessageGroupId"], attrs["MessageDeduplicationId"], attrs["SequenceNumber"] = group, fmt.Sprintf("%021d", i+1), fmt.Sprintf("%020d", i+1)
		}
		records = append(records, map[string]any{
			"messageId": fmt.Sprintf("00000000-0000-4000-8000-%012d", i+1), "receiptHandle": "handle", "body": text, "attributes": attrs,
			"messageAttributes": map[string]any{}, "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-west-1:000000000000:" + name, "awsRegion": "eu-west-1",
		})
	}
	return s.json(map[string]any{"Records": records})
}

func decode[T any](t *testing.T, b []byte) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func streamEvent(t *testing.T, b []byte) events.DynamoDBEvent {
	return decode[events.DynamoDBEvent](t, b)
}
func queueEvent(t *testing.T, b []byte) events.SQSEvent { return decode[events.SQSEvent](t, b) }
