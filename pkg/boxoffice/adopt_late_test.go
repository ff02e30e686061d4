package boxoffice_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/order"
)

// TestAdoptLateMoney: the order of a hold that has ended moves, and money that still
// comes buys for the account, within the account's ten.
func TestAdoptLateMoney(t *testing.T) {
	for name, full := range map[string]bool{"bought": false, "given back": true} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			h := d.hold(stranger, "k", "C-1", "C-2")
			p := d.pay(h, "pay")
			d.overdue(h)
			if _, err := d.End(d.ctx(), h.ID, booking.ByExpiry); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if diff := cmp.Diff(allMoved, d.adopt(stranger, member)); diff != "" {
					t.Fatal(diff)
				}
			}
			want, n := order.Paid, 2
			if full {
				d.hold(member, "nine", "A-1", "A-2", "A-3", "A-4", "A-5", "A-6", "B-1", "B-2", "B-3")
				want, n = order.Cancelled, 9 // and the money is promised back
			}
			d.settle(d.bank.capture(p.ID))
			d.wantOrder(p.OrderID, want)
			d.wantAllowance(member, n)
			d.wantAllowance(stranger, 0)
			d.sound()
		})
	}
}

// TestAdoptMeetsLateMoney: money buys the seats anew under another hold, and its items
// land in any order while somebody looks at what he adopts; his transaction comes when
// they all have. Order and hold are one buyer's.
func TestAdoptMeetsLateMoney(t *testing.T) {
	met := 0
	for seed := range uint64(100) {
		d := newDesk(t)
		h := d.hold(stranger, "k", "C-1", "C-2")
		p := d.pay(h, "pay")
		d.giveBack(h)
		report := d.bank.capture(p.ID)
		slow := &landed{AdoptionStore: d.store, reached: make(chan bool), all: make(chan bool)}
		d.Adoptions = slow
		end := make(chan error, 1)
		rng := rand.New(rand.NewPCG(seed, 1))
		windows, at := 0, rng.IntN(8)
		d.landing(rng, func() {
			if windows++; windows-1 != at {
				return
			}
			go func() { _, err := d.Adopt(d.ctx(), stranger, member); end <- err }()
			select {
			case err := <-end:
				end <- err
			case <-slow.reached:
				met++
			}
		})
		d.settle(report)
		d.window, d.swaps = nil, nil
		close(slow.all)
		if windows <= at {
			continue
		}
		if err := <-end; err != nil && !fault.Is(err, fault.Busy) {
			t.Fatal(explain(err))
		}
		o := d.wantOrder(p.OrderID, order.Paid)
		if now := d.holdNow(booking.HoldID(o.HoldID)); o.Buyer != string(now.Buyer) {
			t.Fatalf("seed %d: the order is %s's, its hold %s's", seed, o.Buyer, now.Buyer)
		}
		d.Adoptions = d.store
		d.adopt(stranger, member)
		d.wantAllowance(member, 2)
		d.sound()
	}
	if met == 0 {
		t.Error("nobody ever logged in while the money was landing")
	}
}

// landed keeps the first transaction of past orders until all else has landed.
type landed struct {
	boxoffice.AdoptionStore
	reached, all chan bool
	once         sync.Once
}

func (l *landed) AdoptPast(ctx context.Context, h booking.Hold, o order.Order, account booking.Buyer) error {
	l.once.Do(func() {
		select {
		case l.reached <- true:
			<-l.all
		case <-l.all:
		}
	})
	return l.AdoptionStore.AdoptPast(ctx, h, o, account)
}
