package main

// guarding is what keeps bots from hoarding.
func guarding() []Defect {
	const inStile = "pkg/throttle/turnstile"
	guard := func(test string) []Test { return by(inStore, "TestGuard/memstore/"+test) }
	return []Defect{
		{"a challenge is used twice", edit(inStore, "Any{NoAttr{aWorked}, Less{aWorked, madeAt.UnixMilli()}}", "Any{NoAttr{aWorked}, AtMost{aWorked, madeAt.UnixMilli()}}"),
			append(guard("a challenge is used once"), by(inOffice, "TestReplayBots/hi-events-1223")...)},
		{"a contact keeps what a hold gave back", edit(inStore, "range was.Contacts {\n\t\t\tws = append(ws, disallow", "range was.Contacts[:0] {\n\t\t\tws = append(ws, disallow"),
			guard("contacts")},
		{"all share one limit", edit(inStile, "d.names.Of(r.kind, subject)", `d.names.Of(r.kind, "")`),
			by(inStile, "TestKeysAreApart")},
		{"who dropped need not wait", edit(inBooking, "if until = d.Last.Add(wait); !now.Before(until) {", "if until = d.Last.Add(wait); true {"),
			append(by(inBooking, "TestResume"), by(inOffice, "TestReplayBots/pretix-1575")...)},
	}
}
