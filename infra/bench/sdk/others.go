package sdk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/fairseat/fairseat/infra/bench/report"
	"github.com/fairseat/fairseat/infra/bench/venue"
	"github.com/fairseat/fairseat/localstack/emulators"
	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/queue"
	"github.com/fairseat/fairseat/pkg/relay"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/work"
)

func seatsFrom(i, n int) []seatmap.SeatID {
	ids := make([]seatmap.SeatID, n)
	for j := range ids {
		ids[j] = hall.Seat((i + j) % hall.Seats())
	}
	return ids
}

// rehearse does each kind of work once against the emulator, so that every answer
// is recorded. It returns the hold's item.
func (b *bench) rehearse(rec *recorder, e *venue.Emulator) (store.Item, error) {
	v, err := b.venueOver(b.real.over(rec, nil))
	if err != nil {
		return nil, err
	}
	if err := v.Announce(b.ctx, hall, show); err != nil {
		return nil, err
	}
	if err := v.Office.Project(b.ctx, show, seatsFrom(0, 2)); err != nil { // the map before the hold
		return nil, err
	}
	evs, err := b.requests(v, show, 1, 2)
	if err != nil {
		return nil, err
	}
	got, err := v.Reserve()(b.ctx, evs[0])
	if err != nil || got.StatusCode != http.StatusCreated {
		return nil, fmt.Errorf("the rehearsal's hold: %d %s: %w", got.StatusCode, got.Body, err)
	}
	var doc struct{ ID booking.HoldID }
	if err := json.Unmarshal([]byte(got.Body), &doc); err != nil {
		return nil, err
	}
	item, err := v.Tables.Get(b.ctx, venue.HoldKey(doc.ID), true)
	if err != nil {
		return nil, err
	}
	if err := v.Office.Project(b.ctx, show, seatsFrom(0, 2)); err != nil {
		return nil, err
	}
	sender := queue.New(b.real.over(rec, nil).queues, map[relay.Queue]string{relay.Timers: e.URLs["TimersQueue"], relay.Hints: e.URLs["TellQueue"]})
	ev, err := venue.Inserted(item)
	if err != nil {
		return nil, err
	}
	return item, failed(work.RelayHolds(sender, v.Office.Store, venue.Policy, boot.Clock)(b.ctx, ev))
}

func failed(got events.DynamoDBEventResponse, err error) error {
	if err == nil && len(got.BatchItemFailures) > 0 {
		err = errors.New("sdk: a record failed")
	}
	return err
}

// lambda compares whole invocations: both sides decode the event of API Gateway
// and encode the response, as Lambda's library does it.
func (b *bench) lambda() error {
	bare := b.real.over(b.stub, nil)
	v, err := b.venueOver(bare)
	if err != nil {
		return err
	}
	var in any // of the bare side's current call
	them := lambda.NewHandler(func(ctx context.Context, ev events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
		return events.APIGatewayProxyResponse{StatusCode: http.StatusCreated, Body: ev.Body}, bare.call(ctx, in)
	})
	var ours, theirs costs
	for range b.Pairs {
		if v, err = b.renewed(v, bare); err != nil {
			return err
		}
		us := lambda.NewHandler(v.Reserve())
		evs, err := b.requests(v, show, b.Calls, 2)
		if err != nil {
			return err
		}
		payloads := make([][]byte, len(evs))
		for i, ev := range evs {
			if payloads[i], err = json.Marshal(ev); err != nil {
				return err
			}
		}
		ins, err := b.inputs(show, b.Calls, 2)
		if err != nil {
			return err
		}
		invoke := func(h lambda.Handler, i int) error {
			_, err := h.Invoke(b.ctx, payloads[i])
			return err
		}
		if err := b.pair(&ours, &theirs, func(i int) error { return invoke(us, i) }, func(i int) error {
			in = ins[i]
			return invoke(them, i)
		}); err != nil {
			return err
		}
	}
	b.ratios("invocation of a hold, 2 seats", "a function of one bare call", 0, ours, theirs)
	return nil
}

// records compares relay and projector, a batch of one record and of a hundred,
// with the bare calls that they come down to.
func (b *bench) records(held store.Item, timers, hints string) error {
	for _, n := range []int{1, 100} {
		items := make([]store.Item, n)
		for i := range items {
			items[i] = held
		}
		ev, err := venue.Inserted(items...)
		if err != nil {
			return err
		}
		for _, h := range []struct {
			name string
			of   func(clients) (work.StreamHandler, error)
		}{
			{"relay-holds", func(c clients) (work.StreamHandler, error) {
				s := queue.New(c.queues, map[relay.Queue]string{relay.Timers: timers, relay.Hints: hints})
				v, err := b.venueOver(c)
				if err != nil {
					return nil, err
				}
				return work.RelayHolds(s, v.Office.Store, venue.Policy, boot.Clock), nil
			}},
			{"project-seatmap", func(c clients) (work.StreamHandler, error) {
				v, err := b.venueOver(c)
				if err != nil {
					return nil, err
				}
				s := queue.New(c.queues, map[relay.Queue]string{relay.Hints: hints})
				return work.ProjectSeatmap(v.Office, s), nil
			}},
		} {
			if err := b.batch(fmt.Sprintf("%s, batch of %d", h.name, n), ev, h.of); err != nil {
				return fmt.Errorf("%s: %w", h.name, err)
			}
		}
	}
	return nil
}

func (b *bench) batch(what string, ev events.DynamoDBEvent, of func(clients) (work.StreamHandler, error)) error {
	var t tape
	taped, err := of(b.real.over(b.stub, &t))
	if err != nil {
		return err
	}
	for range 2 { // the first reads the catalogue too
		t.take()
		if err := failed(taped(b.ctx, ev)); err != nil {
			return err
		}
	}
	ins := t.take()
	bare := b.real.over(b.stub, nil)
	h, err := of(bare)
	if err != nil {
		return err
	}
	var ours, theirs costs
	n := max(b.Calls/max(len(ins), 1)/2, 5)
	for range max(b.Pairs/2, 3) {
		if err := b.pairOf(n, &ours, &theirs,
			func(int) error { return failed(h(b.ctx, ev)) },
			func(int) error {
				for _, in := range ins {
					if err := bare.call(b.ctx, in); err != nil {
						return err
					}
				}
				return nil
			}); err != nil {
			return err
		}
	}
	perRecord(&ours, len(ev.Records))
	perRecord(&theirs, len(ev.Records))
	b.ratios(what+", a record", fmt.Sprintf("its %d bare calls", len(ins)), 0, ours, theirs)
	return nil
}

func perRecord(c *costs, n int) {
	for _, list := range [][]float64{c.micros, c.allocs, c.bytes} {
		for i := range list {
			list[i] /= float64(n)
		}
	}
}

// clientsAtOnce is how many callers the emulator has.
const clientsAtOnce = 8

// throughput compares holds a second on an emulator, each pair on fresh shows.
func (b *bench) throughput(kind emulators.Store, e *venue.Emulator) error {
	v, err := b.venueOver(b.real)
	if err != nil {
		return err
	}
	h := v.Reserve()
	bare := clients{e.Client, e.Queues}
	var ours, theirs []float64
	for i := range b.Pairs/3 + 1 {
		a, z := catalog.ShowID(fmt.Sprintf("ours-%d", i)), catalog.ShowID(fmt.Sprintf("theirs-%d", i))
		if err := v.Announce(b.ctx, hall, a); err != nil {
			return err
		}
		evs, err := b.requests(v, a, b.Sent, 2)
		if err != nil {
			return err
		}
		ins, err := b.inputsFor(v, z)
		if err != nil {
			return err
		}
		sides := []func() error{
			func() error {
				return rate(&ours, len(evs), func(i int) error { return handle(b.ctx, h, evs[i]) })
			},
			func() error {
				return rate(&theirs, len(ins), func(i int) error { return bare.call(b.ctx, ins[i]) })
			},
		}
		if i%2 == 1 {
			sides[0], sides[1] = sides[1], sides[0]
		}
		for _, run := range sides {
			if err := run(); err != nil {
				return err
			}
		}
	}
	b.rep.Ratio(report.Ratio{
		Name: fmt.Sprintf("holds a second on %s, %d clients", kind, clientsAtOnce), Unit: "1/s", Floor: "bare TransactWriteItems, same items",
		Ours: ours[1:], Theirs: theirs[1:], Better: report.Higher, Goal: leastOfThrough, // the first pair warms the emulator
	})
	return nil
}

// inputsFor the holds of another show, whose catalogue the stub does not know.
func (b *bench) inputsFor(v *venue.Venue, on catalog.ShowID) ([]any, error) {
	if err := v.Announce(b.ctx, hall, on); err != nil {
		return nil, err
	}
	var t tape
	real := b.real
	dry, err := b.venueOver(real.over(dryRun{}, &t))
	if err != nil {
		return nil, err
	}
	dry.Office.Catalog = v.Office.Catalog
	evs, err := b.requests(dry, on, b.Sent, 2)
	if err != nil {
		return nil, err
	}
	h := dry.Reserve()
	for _, ev := range evs {
		if err := handle(b.ctx, h, ev); err != nil {
			return nil, err
		}
	}
	return t.take(), nil
}

// dryRun says yes to every transaction.
type dryRun struct{}

func (dryRun) RoundTrip(req *http.Request) (*http.Response, error) {
	return answer{body: []byte("{}"), header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}}}.response(http.StatusOK, req), nil
}

// rate runs n calls by several callers and adds how many went through in a second.
func rate(to *[]float64, n int, f func(i int) error) error {
	var wg sync.WaitGroup
	errs := make([]error, clientsAtOnce)
	start := time.Now()
	for c := range clientsAtOnce {
		wg.Go(func() {
			for i := c; i < n && errs[c] == nil; i += clientsAtOnce {
				errs[c] = f(i)
			}
		})
	}
	wg.Wait()
	*to = append(*to, float64(n)/time.Since(start).Seconds())
	return errors.Join(errs...)
}
