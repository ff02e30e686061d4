package main

// stack is what only the whole stack shows, over HTTP.
func stack() []Defect {
	wire := func(names ...string) []Test { return by(stackTests, names...) }
	return []Defect{
		{"wire: who wants any two seats is told of two that he never named", edit(inOffice, "if !errors.As(err, &no) || no.Reason != booking.ErrUnavailable {\n\t\t\t\treturn h, err\n\t\t\t}\n\t\t\tfor", "if err != nil || h.ID != \"\" {\n\t\t\t\treturn h, err\n\t\t\t}\n\t\t\tfor").
			and(inOffice, "m, err := o.mapFor(ctx, s)\n\tif err != nil {\n\t\treturn booking.Hold{}, err\n\t}\n\tfresh, losses", "m := &Map{Seats: seatmap.NewPacked(s.layout.Len()), Line: seatmap.NewLineSeats(s.layout.Len())}\n\tvar err error\n\tfresh, losses"),
			wire("TestReplay/yoyaku-249")},
		{"wire: held seats count as sold out", edit(inBooking, "case t.Held+t.Line > 0:", "case t.Line > 0:"),
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
