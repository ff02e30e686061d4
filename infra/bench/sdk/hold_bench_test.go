package sdk

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/fairseat/fairseat/infra/bench/venue"
	"github.com/fairseat/fairseat/pkg/api"
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/ddb"
	"github.com/fairseat/fairseat/pkg/store/memstore"
)

// BenchmarkHold needs no emulator: to see with -memprofile who allocates.
func BenchmarkHold(b *testing.B) {
	for _, seats := range []int{2, 10} {
		b.Run(fmt.Sprint(seats), func(b *testing.B) { benchmarkHold(b, seats) })
	}
}

func benchmarkHold(b *testing.B, seats int) {
	env := map[string]string{"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
	client, err := ddb.Client(func(name string) string { return env[name] })
	if err != nil {
		b.Fatal(err)
	}
	run := &bench{ctx: context.Background(), names: map[store.Table]string{}}
	for _, t := range store.Names {
		run.names[t] = string(t)
	}
	run.real = clients{tables: client}
	memory, err := venue.Open(memstore.New(memstore.Options{Clock: time.Now}), nil)
	if err != nil {
		b.Fatal(err)
	}
	if err := memory.Announce(run.ctx, hall, show); err != nil {
		b.Fatal(err)
	}
	var t tape
	open := func(c clients) *venue.Venue {
		v, err := venue.Open(ddb.New(c.tables, run.names, boot.Jitter), nil)
		if err != nil {
			b.Fatal(err)
		}
		v.Office.Catalog = memory.Office.Catalog
		return v
	}
	run.real.queues = sqs.New(sqs.Options{Region: env["AWS_REGION"]})
	bare := run.real.over(dryRun{}, nil)
	v := open(bare)
	n := hall.Seats() / seats
	evs, err := run.requests(v, show, n, seats)
	if err != nil {
		b.Fatal(err)
	}
	if err := handle(run.ctx, open(run.real.over(dryRun{}, &t)).Reserve(), evs[0]); err != nil {
		b.Fatal(err)
	}
	in := t.take()[0]
	var h api.Handler
	for _, side := range []struct {
		name string
		f    func(i int) error
	}{
		{"handler", func(i int) error {
			if i%n == 0 { // seats that this office has not sold yet
				h = open(bare).Reserve()
			}
			return handle(run.ctx, h, evs[i%n])
		}},
		{"bare", func(int) error { return bare.call(run.ctx, in) }},
	} {
		b.Run(side.name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if err := side.f(i); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
