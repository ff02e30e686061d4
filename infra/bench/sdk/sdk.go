// Package sdk measures what the product adds to the AWS SDK: a hold, from the
// event of API Gateway to the JSON answer, against the bare TransactWriteItems
// with the same items.
//
// On a stub transport, which answers at once with what DynamoDB Local answered
// before, processor time and allocations are compared; on the emulators,
// throughput. The bare side's inputs are those that the handler's adapter made
// for other holds, taken down by a middleware, so they hold the same items under
// fresh ids; they are built before the clock runs.
//
// Start with [Run].
package sdk

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/fairseat/fairseat/infra/bench/report"
	"github.com/fairseat/fairseat/infra/bench/venue"
	"github.com/fairseat/fairseat/localstack/emulators"
	"github.com/fairseat/fairseat/pkg/api"
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/ddb"
)

// Options of a run.
type Options struct {
	Place venue.Place
	Out   string // folder for profiles; it exists
	Pairs int    // of samples
	Calls int    // in a sample on the stub
	Sent  int    // in a sample on an emulator
}

// goals of the project.
const (
	mostOfBare     = 1.25
	leastOfThrough = 0.95
)

const show = catalog.ShowID("metropolis-bern-ch-01-2030-05-01-2000")

// hall has a seat of its own for each call of a sample.
var hall = venue.Hall{Rows: 80, Width: 50}

// bench is what the sections share.
type bench struct {
	Options
	ctx   context.Context
	rep   *report.Report
	names map[store.Table]string
	real  clients
	stub  stub
	next  int // number of the next buyer
}

// Run measures and reports.
func Run(ctx context.Context, o Options) (*report.Report, error) {
	b := &bench{Options: o, ctx: ctx, rep: report.New("sdk", "A hold beside the bare SDK call")}
	for _, kind := range []emulators.Store{emulators.DynamoDBLocal, emulators.Dynoxide} {
		if !o.Place.Built(kind) {
			b.rep.Note("%s is not built here, so nothing was measured on it", kind)
			continue
		}
		if err := b.on(kind); err != nil {
			return nil, fmt.Errorf("sdk: %s: %w", kind, err)
		}
	}
	return b.rep, nil
}

func (b *bench) on(kind emulators.Store) error {
	e, err := b.Place.Emulate(b.ctx, kind)
	if err != nil {
		return err
	}
	defer e.Close()
	b.names, b.real = e.Names, clients{e.Client, e.Queues}
	if kind == emulators.DynamoDBLocal {
		if err := b.onStub(e); err != nil {
			return err
		}
	}
	return b.throughput(kind, e)
}

// onStub records answers of the emulator and measures on them.
func (b *bench) onStub(e *venue.Emulator) error {
	rec := &recorder{next: http.DefaultTransport}
	held, err := b.rehearse(rec, e)
	if err != nil {
		return err
	}
	b.stub = rec.kept
	for _, seats := range []int{2, 10} {
		if err := b.holds(seats); err != nil {
			return err
		}
	}
	if err := b.lambda(); err != nil {
		return err
	}
	if err := b.records(held, e.URLs["TimersQueue"], e.URLs["TellQueue"]); err != nil {
		return err
	}
	return b.parts()
}

// venueOver is the box office over clients.
func (b *bench) venueOver(c clients) (*venue.Venue, error) {
	return venue.Open(ddb.New(c.tables, b.names, boot.Jitter), nil)
}

// renewed is a venue that has met nobody, with the catalogue that v has read: an
// office that remembers a buyer on a seat looks before it tries, which on the stub
// shows the rehearsal's hold.
func (b *bench) renewed(v *venue.Venue, c clients) (*venue.Venue, error) {
	other, err := b.venueOver(c)
	if err == nil {
		other.Office.Catalog = v.Office.Catalog
	}
	return other, err
}

// requests are events of n holds of some seats each, by n new buyers.
func (b *bench) requests(v *venue.Venue, on catalog.ShowID, n, seats int) ([]events.APIGatewayProxyRequest, error) {
	evs := make([]events.APIGatewayProxyRequest, n)
	for i := range evs {
		token, err := v.Guest()
		if err != nil {
			return nil, err
		}
		names := seatsFrom(i*seats, seats)
		b.next++
		if evs[i], err = venue.HoldEvent(on, token, fmt.Sprintf("key-%d", b.next), names...); err != nil {
			return nil, err
		}
	}
	return evs, nil
}

func handle(ctx context.Context, h api.Handler, ev events.APIGatewayProxyRequest) error {
	got, err := h(ctx, ev)
	if err == nil && got.StatusCode != http.StatusCreated {
		err = fmt.Errorf("sdk: a hold was answered %d %s", got.StatusCode, got.Body)
	}
	return err
}

// inputs are what the adapter sends for such requests.
func (b *bench) inputs(on catalog.ShowID, n, seats int) ([]any, error) {
	var t tape
	v, err := b.venueOver(b.real.over(b.stub, &t))
	if err != nil {
		return nil, err
	}
	evs, err := b.requests(v, on, n, seats)
	if err != nil {
		return nil, err
	}
	h := v.Reserve()
	var all []any
	for _, ev := range evs {
		t.take()
		if err := handle(b.ctx, h, ev); err != nil {
			return nil, err
		}
		got := t.take()
		all = append(all, got[len(got)-1]) // the first has read the catalogue before
	}
	return all, nil
}

func (b *bench) holds(seats int) error {
	bare := b.real.over(b.stub, nil)
	v, err := b.venueOver(bare)
	if err != nil {
		return err
	}
	var ours, theirs costs
	for range b.Pairs {
		if v, err = b.renewed(v, bare); err != nil {
			return err
		}
		h := v.Reserve()
		evs, err := b.requests(v, show, b.Calls, seats)
		if err != nil {
			return err
		}
		ins, err := b.inputs(show, b.Calls, seats)
		if err != nil {
			return err
		}
		if err := b.pair(&ours, &theirs,
			func(i int) error { return handle(b.ctx, h, evs[i]) },
			func(i int) error { return bare.call(b.ctx, ins[i]) }); err != nil {
			return err
		}
	}
	b.ratios(fmt.Sprintf("hold of %d seats", seats), "bare TransactWriteItems, same items", mostOfBare, ours, theirs)
	return nil
}

// pair takes one sample of each side, by turns first.
func (b *bench) pair(ours, theirs *costs, us, them func(i int) error) error {
	return b.pairOf(b.Calls, ours, theirs, us, them)
}

func (b *bench) pairOf(n int, ours, theirs *costs, us, them func(i int) error) error {
	first, second, x, y := ours, theirs, us, them
	if len(ours.micros)%2 == 1 {
		first, second, x, y = theirs, ours, them, us
	}
	for _, side := range []struct {
		to *costs
		f  func(int) error
	}{{first, x}, {second, y}} {
		c, err := gauge(n, side.f)
		if err != nil {
			return err
		}
		side.to.add(c)
	}
	return nil
}

func (b *bench) ratios(what, floor string, goal float64, ours, theirs costs) {
	for _, r := range []report.Ratio{
		{Name: what + ": processor", Unit: "us", Ours: ours.micros, Theirs: theirs.micros},
		{Name: what + ": allocations", Unit: "objects", Ours: ours.allocs, Theirs: theirs.allocs},
		{Name: what + ": allocated", Unit: "bytes", Ours: ours.bytes, Theirs: theirs.bytes},
	} {
		r.Floor, r.Better, r.Goal = floor, report.Lower, goal
		b.rep.Ratio(r)
	}
}

func (b *bench) parts() error {
	bare := b.real.over(b.stub, nil)
	v, err := b.venueOver(bare)
	if err != nil {
		return err
	}
	const n = 500
	evs, err := b.requests(v, show, n, 2)
	if err != nil {
		return err
	}
	ins, err := b.inputs(show, n, 2)
	if err != nil {
		return err
	}
	var h api.Handler
	hold := func(i int) error {
		if i%n == 0 {
			if v, err = b.renewed(v, bare); err != nil {
				return err
			}
			h = v.Reserve()
		}
		return handle(b.ctx, h, evs[i%n])
	}
	for _, side := range []struct {
		title, file string
		f           func(i int) error
	}{
		{"What the bare call is made of (2 seats)", "sdk-bare.pprof", func(i int) error { return bare.call(b.ctx, ins[i%n]) }},
		{"What the handler is made of (2 seats)", "sdk-handler.pprof", hold},
	} {
		t, err := profile(side.title, filepath.Join(b.Out, side.file), 4*time.Second, side.f)
		if err != nil {
			return err
		}
		b.rep.Table(t)
	}
	return nil
}
