// Command plants shows that the simulation can fail: it plants one defect after the
// other in a copy of the code, by the go command's overlay, and runs seeds until an
// invariant breaks. One that survives fails the command.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

func main() {
	seeds := flag.Int("seeds", 5000, "after how many seeds a defect has survived")
	only := flag.String("only", "", "plant the defects whose name or file contains this")
	flag.Parse()
	dir, err := os.MkdirTemp("", "plants")
	if err == nil {
		defer os.RemoveAll(dir)
		err = run(dir, *seeds, *only)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "plants:", err)
		os.Exit(1)
	}
}

func run(dir string, seeds int, only string) error {
	survivors := 0
	for _, p := range plants {
		if !p.of(only) {
			continue
		}
		f, err := grow(dir, p, seeds)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		if len(f.Broken) == 0 {
			survivors++
			fmt.Printf("SURVIVED %5d seeds  %s\n", f.Seeds, p.name)
			continue
		}
		for _, text := range f.Broken {
			invariant, _, _ := strings.Cut(text, ":")
			fmt.Printf("found by %5d seeds  %-58s %s\n", f.Seeds, p.name, invariant)
		}
	}
	if survivors > 0 {
		return fmt.Errorf("%d defects survived", survivors)
	}
	return nil
}

// found is what a part of the simulation writes.
type found struct {
	Seeds  int
	Broken map[uint64]string
}

func grow(dir string, p plant, seeds int) (f found, err error) {
	replace := map[string]string{}
	for i, e := range p.edits {
		path, err := filepath.Abs(e.file)
		if err != nil {
			return f, err
		}
		from := path
		if earlier, ok := replace[path]; ok {
			from = earlier
		}
		src, err := os.ReadFile(from)
		if err != nil {
			return f, err
		}
		if n := strings.Count(string(src), e.old); n != 1 {
			return f, fmt.Errorf("%s has the text to spoil %d times: %q", e.file, n, e.old)
		}
		replace[path] = filepath.Join(dir, strconv.Itoa(i)+filepath.Base(path))
		if err := os.WriteFile(replace[path], []byte(strings.Replace(string(src), e.old, e.spoilt, 1)), 0o600); err != nil {
			return f, err
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return f, err
	}
	list, sim := filepath.Join(dir, "overlay.json"), filepath.Join(dir, "sim")
	if err := os.WriteFile(list, overlay, 0o600); err != nil {
		return f, err
	}
	if out, err := exec.Command("go", "build", "-overlay", list, "-o", sim, "./infra/proof/sim").CombinedOutput(); err != nil {
		return f, fmt.Errorf("%w: %s", err, out)
	}
	cmd := exec.Command(sim, "-part", "0/1", "-stop", "1", "-seeds", strconv.Itoa(seeds))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return f, err
	}
	return f, json.Unmarshal(out, &f)
}

// plant is a defect: texts of files and what stands there instead.
type plant struct {
	name  string
	edits []edit
}

func (p plant) of(text string) bool {
	return strings.Contains(p.name, text) || slices.ContainsFunc(p.edits, func(e edit) bool { return strings.Contains(e.file, text) })
}

type edit struct{ file, old, spoilt string }

const (
	holds    = "pkg/store/holds.go"
	payments = "pkg/store/payments.go"
	settle   = "pkg/boxoffice/settle.go"
	take     = "pkg/boxoffice/take.go"
	handlers = "pkg/work/handlers.go"
)

// Names of the defects are those of the protocol's tables where it has one.
var plants = slices.Concat(seatPlants, timePlants, moneyPlants, linePlants, ownerPlants)

var seatPlants = []plant{
	{"claims are taken without asking whether they are free", []edit{
		{holds, "Put: claim, Where: Absent{}}", "Put: claim}"},
	}},
	{"relNoGate: a release does not check the gate", []edit{{holds, "if len(e.Free) > 0 {", "if false {"}}},
	{"capLeak: a release forgets the allowance", []edit{{holds, "Update: []Change{{Attr: aCount, Op: Add, To: -n}, noMore(was)}", "Update: []Change{{Attr: aCount, Op: Add, To: int64(0)}, noMore(was)}"}}},
	{"capNoCond: the allowance is added to without its limit", []edit{
		{holds, "Where: Any{NoAttr{aCount}, AtMost{aCount, int64(s.policy.MaxSeats) - n}},", ""},
	}},
	{"a hold is written over its own receipt", []edit{
		{holds, "Write{Key: holdKey(h.ID), Put: holdItem(h), Where: Absent{}},\n\t\ts.allow(h, keepUntil),", "Write{Key: holdKey(h.ID), Put: holdItem(h)},\n\t\ts.allow(h, keepUntil),"},
	}},
	{"a release goes by the state and not by the revision", []edit{
		{holds, "return All{Equal{aState, h.State.String()}, Equal{aRev, h.Rev}}", "return All{Equal{aState, h.State.String()}}"},
	}},
	{"the map is saved whatever was saved before", []edit{
		{"pkg/store/snapshots.go", "where = Equal{aVersion, was}", "where = Exists{}"},
	}},
	{"a record is acknowledged while its transaction is landing", []edit{
		{"pkg/boxoffice/project.go", "err = o.landed(ctx, s, ks, v)", "_ = o.landed(ctx, s, ks, v)"},
	}},
	{"after an unknown outcome another transaction is sent", []edit{
		{take, "\t\tdoubt = true // who", "\t\ts.req.ID += \"again\" // who"},
	}},
}

var timePlants = []plant{
	{"noGrace: a hold is ended at its end", []edit{
		{"pkg/booking/booking.go", "return h.State == Held && !now.Before(h.ExpiresAt.Add(p.Grace))", "return h.State == Held && !now.Before(h.ExpiresAt)"},
		{holds, "e.Hold.EndedAt.Add(-s.policy.Grace).UnixMilli()", "e.Hold.EndedAt.UnixMilli()"},
	}},
	{"confirmLate: an overdue hold is sold in place", []edit{
		{settle, "case c.hold.Overdue(p, now):\n\t\treturn payment.HoldOverdue\n", ""},
		{"pkg/booking/booking.go", "func Confirm(h Hold, p Policy, payment string, now time.Time) (Hold, error) {\n\tif err := h.Payable(p, now); err != nil {", "func Confirm(h Hold, p Policy, payment string, now time.Time) (Hold, error) {\n\tif err := h.Payable(p, now); err != nil && err != ErrHoldExpired {"},
		{payments, "return All{asRead(h), AtLeast{aExpires, now.Add(-s.policy.Grace).UnixMilli() + 1}}", "return asRead(h)"},
	}},
	{"the clock is read once a request", []edit{
		{"pkg/boxoffice/boxoffice.go", "\tvar err error\n\tfor n := range attempts {", "\tvar err error\n\tonce := o.Clock()\n\tfor n := range attempts {"},
		{"pkg/boxoffice/boxoffice.go", "if err = f(o.Clock()); err == nil {", "if err = f(once); err == nil {"},
	}},
	{"dropEarly: an early timer is acknowledged", []edit{{handlers, "if !errors.Is(err, booking.ErrNotOverdue) {\n\t\t\treturn err\n\t\t}", "if !errors.Is(err, booking.ErrNotOverdue) {\n\t\t\treturn err\n\t\t}\n\t\tif err != nil {\n\t\t\treturn nil\n\t\t}"}}},
	{"what TTL deletes is not listened to", []edit{{handlers, "if !r.Service && o.Clock()", "if r.Service || o.Clock()"}}},
	{"an early appointment is acknowledged", []edit{{settle, "return o.putBack(ctx, p)", "return nil"}}},
}

var moneyPlants = []plant{
	{"regrantAlways: late money takes seats that another has", []edit{
		{payments, "\tws := claimWrites(h)\n\tws = append(ws,", "\tws := claimWrites(h)\n\tfor i := range ws {\n\t\tws[i].Where = nil\n\t}\n\tws = append(ws,"},
	}},
	{"a callback is acknowledged before its commit", []edit{{"pkg/api/callback.go", "ack := p.Acknowledge(err)", "ack := p.Acknowledge(nil)"}}},
	{"the relay drops what it could not send", []edit{{handlers, "err = errors.Join(err, s.Send(ctx, m))", "_ = s.Send(ctx, m)"}}},
	{"a refund gets a new number at each attempt", []edit{
		{settle, "id := payment.RefundFor(p.ID, 1)\n\tr, err := provider.Refund", "id := payment.RefundFor(p.ID, p.Attempt+1)\n\tr, err := provider.Refund"},
	}},
	{"two tries of a request to pay may have two answers", []edit{
		{payments, "\t\tanswerWrite(p.ID, p.ID, p.BodyHash, now.Add(booking.Receipt)),\n", ""},
		{payments, "\tif fresh {", "\t_ = booking.Receipt\n\tif fresh {"},
	}},
	{"a declined payment is asked about no more", []edit{{"pkg/payment/ask.go", "case Pending, Failed:", "case Pending:"}}},
	{"an order is cancelled after its hold and not with it", []edit{{holds, "\tif o != nil {\n\t\tws = append(ws, orderWrite(*o))\n\t}\n", ""}}},
	{"money is captured without a look at how the payment stands", []edit{
		{payments, "where := All{Equal{aState, string(c.Was.State)}}", "where := All{Exists{}}"},
	}},
}
