package main

const (
	laneRows   = "pkg/store/lane.go"
	waiterRows = "pkg/store/waiters.go"
	offers     = "pkg/line/offer.go"
	steps      = "pkg/line/step.go"
	waiters    = "pkg/line/waiter.go"
	answers    = "pkg/line/buyer.go"
	waiting    = "pkg/boxoffice/waiting.go"
	laneRun    = "pkg/boxoffice/lane.go"
)

var linePlants = []plant{
	{"noFence: the lane commits without its version", []edit{{laneRows, "Where:  Equal{aVersion, was.Version},", "Where:  Exists{},"}}},
	{"a walk-up takes what is set aside", []edit{
		{holds, "Put: claim, Where: Absent{}}", "Put: claim, Where: Any{Absent{}, Equal{aOwner, lineOwner}}}"},
	}},
	{"ackEarly: acknowledged before what is free is set aside", []edit{
		{steps, "if len(without(w.Types, s.Wanted)) == 0 && len(without(w.Types, s.Dry)) == 0 {", "if true {"},
	}},
	{"dryKept: what was dry stays so behind closed gates", []edit{
		{steps, "plan.Dry = without(s.Dry, without(s.Dry, wanted))", "plan.Dry = s.Dry"},
	}},
	{"headGate: a number is given and no gate opened", []edit{{steps, "p.Gates = !slices.Equal(p.Wanted, union(s.Wanted))", ""}}},
	{"gateForgets: the gates do not count who is offered", []edit{{steps, "case w.State.Active():", "case w.State == Entering || w.State == Waiting:"}}},
	{"a type that is wanted is drained", []edit{{steps, "a.For == \"\" && !slices.Contains(s.Wanted, a.Type) &&", "a.For == \"\" &&"}}},
	{"firstFit: a party that fits passes one that does not", []edit{{offers, "blocked = append(blocked, w.Types...)\n", ""}}},
	{"who passes a lenient party is not counted", []edit{{offers, "v.Passed++\n", ""}}},
	{"freeChoice: all of his types are open to who is offered", []edit{
		{offers, "without(without(w.Types, blocked), without(passed, proposed)),", "w.Types,"},
		{offers, "without(o.Waiter.Offer.Choice, without(v.Types, proposed))", "slices.Concat(w.Types, v.Types[:0])"},
	}},
	{"an offer lacks a seat of a party of several", []edit{
		{offers, "asides(s.Layout, seats, w.ID),", "asides(s.Layout, seats[:max(len(seats)-1, 1)], w.ID),"},
		{waiters, "w.State == Offered && (len(w.Offer.Seats) != w.Party || ", "w.State == Offered && ("},
	}},
	{"an offer names seats whoever they are for", []edit{
		{laneRows, "[]Change{{Attr: aFor, Op: SetTo, To: string(o.Waiter.ID)}},\n\t\t\tWhere: All{Exists{}, NoAttr{aFor}},", "[]Change{{Attr: aFor, Op: SetTo, To: string(o.Waiter.ID)}},\n\t\t\tWhere: Exists{},"},
		{laneRows, "Where:  Equal{aVersion, was.Version},", "Where:  Exists{},"},
	}},
	{"numbers are given by the length of the line", []edit{{steps, "Next: max(s.Next, 1)}", "Next: int64(s.Places.Count()) + 1}"}}},
	{"noGrace: an offer lapses at its end", []edit{
		{waiters, "!now.Before(w.Offer.ExpiresAt.Add(p.Grace))", "!now.Before(w.Offer.ExpiresAt)"},
		{laneRows, "e.Waiter.EndedAt.Add(-c.s.policy.Grace).UnixMilli()", "e.Waiter.EndedAt.UnixMilli()"},
	}},
	{"acceptLate: an offer is accepted after its time and grace", []edit{
		{answers, "case w.State == Lapsed || w.Overdue(p, now):", "case w.State == Lapsed:"},
		{waiterRows, "inState(a.Was), AtLeast{aOffered, a.Waiter.EndedAt.Add(-s.policy.Grace).UnixMilli() + 1},", "inState(a.Was),"},
	}},
	{"who chooses otherwise keeps what was proposed to him", []edit{{waiterRows, "ws = append(ws, backWrites(show, me, a.Back)...)\n", ""}}},
	{"who leaves takes his seats with him", []edit{{waiterRows, "append(ws, backWrites(l.Was.Show, l.Was.ID, l.Back)...)", "ws"}}},
	{"nobody cools down", []edit{
		{answers, "case now.Before(v.Place.CoolUntil):", "case false:"},
		{waiterRows, "Where: All{NoAttr{aLive}, Any{NoAttr{aCool}, AtMost{aCool, w.AskedAt.UnixMilli()}}},", "Where: NoAttr{aLive},"},
	}},
	{"held seats count as sold to who asks whether he waits in vain", []edit{
		{"pkg/line/unsold.go", "return f.State == booking.Sold || f.State == booking.Blocked", "return f.State == booking.Sold || f.State == booking.Blocked || f.State == booking.Held"},
	}},
	{"a poll repeats no request that the queue has lost", []edit{{waiting, "o.attend(ctx, w.Show, st, w.ID)", "o.attend(ctx, w.Show, st)"}}},
	{"who finds a line unattended leaves it so", []edit{{laneRun, "return o.RunLane(ctx, show, Wake{Named: named, Sweep: true})", "return nil"}}},
	{"early deadlines of the lane are acknowledged", []edit{{"pkg/work/lane.go", "if rest := b.due.Sub(o.Clock()); rest > 0 {", "if rest := b.due.Sub(o.Clock()); rest > 0 {\n\t\treturn nil"}}},
}
