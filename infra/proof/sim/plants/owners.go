package main

const (
	adoptions = "pkg/store/adoptions.go"
	adopted   = "pkg/adoption/adoption.go"
	adopting  = "pkg/boxoffice/adopt.go"
)

var ownerPlants = []plant{
	{"a log-in leaves the allowance with the guest", []edit{{adoptions, "Change{Attr: aCount, Op: Add, To: -n}, Change{Attr: aHolds, Op: SetDelete, To: ids})", "Change{Attr: aHolds, Op: SetDelete, To: ids})"}}},
	{"a log-in exceeds ten", []edit{
		{adopted, "had.Holding > 0 && had.Holding+has.Holding > p.MaxSeats", "false"},
		{adoptions, "\t\t\tWhere: Any{NoAttr{aCount}, AtMost{aCount, limit - n}},\n", ""},
		{adoptions, "n, limit := int64(m.Had.Holding), int64(s.policy.MaxSeats)", "n := int64(m.Had.Holding)"},
	}},
	{"a guest is whose he was last", []edit{{adoptions, "\t\tWhere:  Any{NoAttr{aGiven}, Equal{aGiven, string(account)}},\n\t}}, \"\")", "\t}}, \"\")"}}},
	{"an order stays with the guest", []edit{{adoptions, "\t\tws = append(ws, renameOrder(o, m.Account))\n", "\t\t_ = o\n"}}},
	{"a place in line is the guest's, too", []edit{{adoptions, "{{Attr: aLive, Op: Unset}, {Attr: aLapses", "{{Attr: aLapses"}}},
	{"a hold is given back by whose it was", []edit{{"pkg/boxoffice/ending.go", "if err == nil && owner != \"\" && h.Buyer != owner {", "if err == nil && false {"}}},
	{"a place in line is written with the buyer of before", []edit{{waiterRows, "return All{Equal{aState, w.State.String()}, Equal{aBuyer, string(w.Buyer)}}", "return Equal{aState, w.State.String()}"}}},
	{"orders whose holds have ended stay behind", []edit{{adopting, "if err := o.adoptPast(ctx, guest, account, &a); err != nil {\n\t\treturn Adopted{}, err\n\t}\n", ""}}},
	{"a list keeps what moved away", []edit{{"pkg/history/history.go", "from != \"\" && from != buyer && newer(next, there)", "false"}}},
}
