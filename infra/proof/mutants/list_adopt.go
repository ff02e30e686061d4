package main

// adopting are mistakes in how a guest's things become his account's.
func adopting() []Defect {
	const adoptions = "pkg/store/adoptions.go"
	meets := by("pkg/boxoffice", "TestAdoptMeets")
	return []Defect{
		{"T10: the account's allowance does not grow", edit(adoptions, "{Attr: aCount, Op: Add, To: n},", "{Attr: aCount, Op: Add, To: n - n},"), by("pkg/boxoffice", "TestAdopt")},
		{"T10: the guest keeps his allowance", edit(adoptions, "Change{Attr: aCount, Op: Add, To: -n}", "Change{Attr: aCount, Op: Add, To: n - n}"), by("pkg/boxoffice", "TestAdopt")},
		{"T10: the account may have more than ten", edit(adoptions, "AtMost{aCount, limit - n}", "AtMost{aCount, limit + n}"), meets},
		{"T10: a hold is the account's whatever has become of it", edit(adoptions, "\t\tWhere:  asRead(h),\n", ""), meets},
		{"T10: the guest keeps his place, too", edit(adoptions, "Update: []Change{{Attr: aLive, Op: Unset}, {Attr: aLapses", "Update: []Change{{Attr: aLapses"), by("pkg/boxoffice", "TestAdoptTwoPlaces")},
		{"T10: a guest is whoever's asks for him", edit(adoptions, "\t\tWhere:  Any{NoAttr{aGiven}, Equal{aGiven, string(account)}},\n", ""), by("pkg/boxoffice", "TestAdoptOnce")},
		{"T10: an order moves without the hold that has just been made for it", edit(adoptions, ", Check: true, Where: NoAttr{aState}})", ", Check: true, Where: Any{NoAttr{aState}, Equal{aBuyer, o.Buyer}}})"), by("pkg/boxoffice", "TestAdoptMeetsLateMoney")},
		{"T10: logging in forgets who refused", edit("pkg/adoption/adoption.go", "had.Place.Lapses + has.Place.Lapses", "has.Place.Lapses"), by("pkg/boxoffice", "TestAdoptForgetsNoRefusal")},
		{"a history goes by the order of coming", edit("pkg/history/history.go", "was == nil || was.Rev < next.Rev", "true"), by("pkg/history", "TestFollow")},
		{"an entry of another buyer's is forgotten", edit("pkg/history/history.go", "gone.Gone = true", "gone.Gone = false"), by("pkg/history", "TestOvertaken")},
	}
}
