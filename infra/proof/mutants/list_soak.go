package main

// soaked are mistakes that show over days, found by three of them.
func soaked() []Defect {
	caught := by("infra/proof/soak", "TestShort")
	return []Defect{
		{"soak: the receipt of a place in line has no end", edit("pkg/store/waiters.go", "\t\tit[aTTL] = w.EndedAt.Add(booking.Receipt).Unix()\n", ""), caught},
		{"soak: the receipt of a hold has no end", edit("pkg/store/rows.go", "\t\tit[aTTL] = h.EndedAt.Add(booking.Receipt).Unix()\n", ""), caught},
		{"soak: allowances have no end", edit("pkg/store/holds.go", "\t\t\t{Attr: aTTL, Op: SetTo, To: keepUntil.Unix()},\n", ""), caught},
		{"soak: entries of those who have ended stay", edit(inLine, "case w.State.Ended() && w.Number > 0 && len(gone) < MaxTidy:", "case false:"), caught},
		{"soak: the last in line comes first", edit(inLine, "cmp.Compare(a.Number, b.Number)", "cmp.Compare(b.Number, a.Number)"), caught},
		{"soak: a released seat is free, whoever waits", edit(inBooking, "if wanted.Has(s.Type) {", "if false {"), caught},
		{"soak: nothing of a buyer's allowance comes back", edit("pkg/store/holds.go", "{Attr: aCount, Op: Add, To: -n}", "{Attr: aCount, Op: Add, To: -n + n}"), caught},
	}
}
