package main

// stack is what only the whole stack shows, over HTTP.
func stack() []Defect {
	wire := func(names ...string) []Test { return by(stackTests, names...) }
	return []Defect{
		{"wire: who wants any two seats is told of two that he never named", toldOfOthers,
			wire("TestReplay/yoyaku-249")},
		{"wire: held seats count as sold out", heldIsSold,
			wire("TestReplay/hi-events-790")},
		{"wire: a callback is acknowledged and not carried out", edit("pkg/api/callback.go", "\treturn o.Hear(ctx, n)\n", "\t_ = n\n\treturn nil\n"),
			wire("TestReplay/hi-events-598")},
		{"wire: a payment's number is its hold's", edit(inOffice, "id := payment.IDFor(string(w.Buyer), w.Key)", "id := payment.IDFor(string(w.Buyer), string(w.Hold))").
			and(inOffice, "if hash != w.BodyHash {", "if false {"),
			wire("TestReplay/alfio-1254")},
		{"wire: no call needs a key", edit("template.yaml", "        ApiKeyRequired: true\n        AddApi", "        ApiKeyRequired: false\n        AddApi"),
			wire("TestStrangers")},
	}
}
