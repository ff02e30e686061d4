package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// drop is a condition of pkg/store taken away, as a change of its text.
type drop struct{ what, file, old, new string }

// drops are all conditions of T1 to T8 and L1 to L8.
var drops = []drop{
	{"T1, T4, T8: each claim absent", "holds.go", "Put: claim, Where: Absent{}}", "Put: claim}"},
	{"T1: the hold absent", "holds.go", "{Key: holdKey(h.ID), Put: holdItem(h), Where: Absent{}},\n\t\ts.allow(h, keepUntil),\n\t\tWrite{Key: timerKey", "{Key: holdKey(h.ID), Put: holdItem(h)},\n\t\ts.allow(h, keepUntil),\n\t\tWrite{Key: timerKey"},
	{"T1, T4: the allowance permits it", "holds.go", "Where: Any{NoAttr{aCount}, AtMost{aCount, int64(s.policy.MaxSeats) - n}},", ""},
	{"T8: the hold absent", "holds.go", "append(claimWrites(h), Write{Key: holdKey(h.ID), Put: holdItem(h), Where: Absent{}})", "append(claimWrites(h), Write{Key: holdKey(h.ID), Put: holdItem(h)})"},
	{"T2, T3, T4: the hold's state as read", "holds.go", "All{Equal{aState, h.State.String()}, Equal{aRev, h.Rev}}", "All{Equal{aRev, h.Rev}}"},
	{"T2, T3, T4: the hold's revision as read", "holds.go", "All{Equal{aState, h.State.String()}, Equal{aRev, h.Rev}}", "All{Equal{aState, h.State.String()}}"},
	{"T3: an expiry is overdue", "holds.go", "if e.Hold.State == booking.Expired {", "if false {"},
	{"T3: the grace of an expiry", "holds.go", "AtMost{aExpires, e.Hold.EndedAt.Add(-s.policy.Grace).UnixMilli()}", "AtMost{aExpires, e.Hold.EndedAt.UnixMilli()}"},
	{"T3: a freed claim is the hold's own", "holds.go", "Delete: true, Where: Equal{aOwner, claimOwner(was)}}", "Delete: true}"},
	{"T3: a claim set aside is the hold's own", "holds.go", "Put: Item{aOwner: lineOwner}, Where: Equal{aOwner, claimOwner(was)}}", "Put: Item{aOwner: lineOwner}}"},
	{"T3: the allowance is not below", "holds.go", "Update: []Change{{Attr: aCount, Op: Add, To: -n}, noMore(was)}, Where: AtLeast{aCount, n}}", "Update: []Change{{Attr: aCount, Op: Add, To: -n}, noMore(was)}}"},
	{"T3: the gate wants none of the freed", "holds.go", "if len(e.Free) > 0 {", "if false {"},
	{"T3: all freed types, not the first alone", "holds.go", "range e.FreedTypes() {", "range e.FreedTypes()[:1] {"},
	{"T3: the allowance returned", "holds.go", "if was.State != booking.Blocked {", "if was.State != booking.Blocked && e.Hold.State != booking.Expired {"},
	{"T2: not past its grace", "payments.go", "All{asRead(h), AtLeast{aExpires, now.Add(-s.policy.Grace).UnixMilli() + 1}}", "asRead(h)"},
	{"T2: the hold as read", "payments.go", "All{asRead(h), AtLeast{aExpires, now.Add(-s.policy.Grace).UnixMilli() + 1}}", "AtLeast{aExpires, now.Add(-s.policy.Grace).UnixMilli() + 1}"},
	{"T2, T4: the payment's state as read", "payments.go", "where := All{Equal{aState, string(c.Was.State)}}", "where := All{Exists{}}"},
	{"T2, T3, T4: the order's status as read", "payments.go", "Put: orderItem(o.Next), Where: stands(o)}", "Put: orderItem(o.Next)}"},
	{"T4: the new hold absent", "payments.go", "Put: holdItem(h), Where: Absent{}},", "Put: holdItem(h)},"},
	{"T4: the old hold as read", "payments.go", "Write{Key: holdKey(old.ID), Check: true, Where: asRead(old)},", "Write{Key: holdKey(old.ID), Check: true, Where: Exists{}},"},
	{"T7: the waiter absent", "waiters.go", "{Key: waiterKey(w.ID), Put: waiterItem(w), Where: Absent{}},", "{Key: waiterKey(w.ID), Put: waiterItem(w)},"},
	{"T7: the place has nobody", "waiters.go", "All{NoAttr{aLive}, Any{", "All{Any{"},
	{"T7: the place has cooled down", "waiters.go", ", Any{NoAttr{aCool}, AtMost{aCool, w.AskedAt.UnixMilli()}}}", "}"},
	{"T5: the hold absent", "waiters.go", "Put: holdItem(a.Hold), Where: Absent{}}", "Put: holdItem(a.Hold)}"},
	{"T5: the waiter is offered", "waiters.go", "inState(a.Was), AtLeast{aOffered", "AtLeast{aOffered"},
	{"T5: not past its grace", "waiters.go", ", AtLeast{aOffered, a.Waiter.EndedAt.Add(-s.policy.Grace).UnixMilli() + 1},", ","},
	{"T5: the grace to its last moment", "waiters.go", "EndedAt.Add(-s.policy.Grace).UnixMilli() + 1}", "EndedAt.Add(-s.policy.Grace).UnixMilli()}"},
	{"T5: the claim says LINE", "waiters.go", "Put: claim, Where: Equal{aOwner, lineOwner}}", "Put: claim}"},
	{"T5: a proposed seat is proposed to him", "waiters.go", "take(a.Mine, Equal{aFor, string(me)})", "take(a.Mine, Exists{})"},
	{"T5: an open seat is there", "waiters.go", "take(a.Open, All{Exists{}, NoAttr{aFor}})", "take(a.Open, NoAttr{aFor})"},
	{"T5: an open seat is for nobody", "waiters.go", "take(a.Open, All{Exists{}, NoAttr{aFor}})", "take(a.Open, Exists{})"},
	{"T5: what he does not take is nobody's again", "waiters.go", "\tws = append(ws, backWrites(show, me, a.Back)...)\n", ""},
	{"T5, T6, L2: what goes back was proposed to him", "waiters.go", "Op: Unset}}, Where: Equal{aFor, string(me)}}", "Op: Unset}}}"},
	{"T5, T6, L2-L4: the place is his", "waiters.go", "Update: ch, Where: Equal{aLive, string(w.ID)}}", "Update: ch}"},
	{"T5: the place is closed", "waiters.go", "\t\tcloseWrite(a.Was, nil),\n", ""},
	{"T6: the waiter's state as read", "waiters.go", "Put: waiterItem(l.Waiter), Where: inState(l.Was)}", "Put: waiterItem(l.Waiter)}"},
	{"L1-L8: the version as read", "lane.go", "Where:  Equal{aVersion, was.Version},", ""},
	{"L1-L8: no version, as read", "lane.go", "w.Where = NoAttr{aVersion}", "w.Where = nil"},
	{"L1: each claim absent", "lane.go", "Put: claim, Where: Absent{}},", "Put: claim},"},
	{"L1: the waiter is entering", "lane.go", "c.waiter(a.Waiter, inState(a.Was))", "c.waiter(a.Waiter, nil)"},
	{"L2-L4: the waiter's state as read", "lane.go", "where := inState(e.Was)\n", "var where Cond = Exists{}\n"},
	{"L2: the offer is over", "lane.go", "where = All{where, AtMost{aOffered, e.Waiter.EndedAt.Add(-c.s.policy.Grace).UnixMilli()}}", "where = All{where}"},
	{"L2: the grace of an offer", "lane.go", "AtMost{aOffered, e.Waiter.EndedAt.Add(-c.s.policy.Grace).UnixMilli()}", "AtMost{aOffered, e.Waiter.EndedAt.UnixMilli()}"},
	{"L2-L4: the entry goes", "lane.go", "if e.Was.Number > 0 {", "if e.Was.Number > 1 {"},
	{"L5: the pool item exists", "lane.go", "\t\t\tWhere: All{Exists{}, NoAttr{aFor}},\n", "\t\t\tWhere: NoAttr{aFor},\n"},
	{"L5: the pool item is for nobody", "lane.go", "\t\t\tWhere: All{Exists{}, NoAttr{aFor}},\n", "\t\t\tWhere: Exists{},\n"},
	{"L5: the waiter waits", "lane.go", "c.waiter(o.Waiter, inState(o.Was))", "c.waiter(o.Waiter, nil)"},
	{"L5: who is passed waits", "lane.go", "c.waiter(v, inState(v))", "c.waiter(v, nil)"},
	{"L6: all eight gates", "lane.go", "for k := range boxoffice.Shards {", "for k := range boxoffice.Shards - 1 {"},
	{"L7: the pool item exists", "lane.go", "Where: All{Exists{}, NoAttr{aFor}}}", "Where: NoAttr{aFor}}"},
	{"L7: the pool item is for nobody", "lane.go", "Where: All{Exists{}, NoAttr{aFor}}}", "Where: Exists{}}"},
	{"L7: the claim says LINE", "lane.go", "Delete: true, Where: Equal{aOwner, lineOwner}}", "Delete: true}"},
	{"L8: the waiter is asked", "lane.go", "c.waiter(w, All{Equal{aState, line.Asked.String()}, Equal{aBuyer, string(w.Buyer)}})", "c.waiter(w, nil)"},
	{"L8: no entry has the number", "lane.go", "Put: entry, Where: Absent{}})", "Put: entry})"},
}

// dropStates are compared for each, as few as the ordinary tests do.
const dropStates = 6

const module = "github.com/fairseat/fairseat"

// sources is where pkg/store lies.
func sources() (string, error) {
	out, err := exec.Command("go", "list", "-f", "{{.Dir}}", module+"/pkg/store").Output()
	return strings.TrimSpace(string(out)), err
}

// apply gives the file's text without the condition.
func (d drop) apply(dir string) (string, error) {
	text, err := os.ReadFile(filepath.Join(dir, d.file))
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(text), d.old); n != 1 {
		return "", fmt.Errorf("%s: %q stands %d times in %s, want once", d.what, d.old, n, d.file)
	}
	return strings.Replace(string(text), d.old, d.new, 1), nil
}

// dropTable runs the comparison against a store that lacks each condition in turn.
func dropTable(only string) error {
	if err := compareAll(dropStates); err != nil {
		return fmt.Errorf("with every condition in place: %w", err)
	}
	dir, err := sources()
	if err != nil {
		return err
	}
	scratch, err := os.MkdirTemp("", "explore")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	fmt.Println("| condition dropped from the store | found by the comparison as |\n|---|---|")
	missed := 0
	for i, d := range drops {
		if only != "" && !strings.Contains(d.what, only) {
			continue
		}
		said, found, err := d.try(dir, filepath.Join(scratch, fmt.Sprint(i)))
		if err != nil {
			return err
		}
		if !found {
			missed++
			said = "NOT FOUND"
		}
		fmt.Printf("| %s | %s |\n", d.what, said)
	}
	if missed > 0 {
		return fmt.Errorf("%d dropped conditions were not found", missed)
	}
	return nil
}

// try builds the comparison over the changed store and runs it, over as few states
// as the ordinary tests do.
func (d drop) try(dir, scratch string) (said string, found bool, err error) {
	text, err := d.apply(dir)
	if err != nil {
		return "", false, err
	}
	changed := scratch + ".go"
	if err := os.WriteFile(changed, []byte(text), 0o600); err != nil {
		return "", false, err
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(dir, d.file): changed}})
	if err != nil {
		return "", false, err
	}
	if err := os.WriteFile(scratch+".json", overlay, 0o600); err != nil {
		return "", false, err
	}
	build := exec.Command("go", "build", "-overlay", scratch+".json", "-o", scratch, module+"/infra/proof/explore")
	if out, err := build.CombinedOutput(); err != nil {
		return "", false, fmt.Errorf("%s: %w\n%s", d.what, err, out)
	}
	out, err := exec.Command(scratch, "-conform", "-states", fmt.Sprint(dropStates)).CombinedOutput()
	if err == nil {
		return "", false, nil
	}
	said = string(out)
	if i := strings.LastIndex(said, "}: "); i >= 0 {
		said = said[i+3:]
	}
	said, _, _ = strings.Cut(said, "\n")
	return said, true, nil
}
