package main

// granting is the proxy that asks each call for the function's right to it. Were it
// to let pass what is not granted, least privilege would be a claim.
func granting() []Defect {
	const proxy = "localstack/rights"
	needs := func(calls ...string) []Test {
		names := make([]string, len(calls))
		for i, c := range calls {
			names[i] = "TestWhatEachCallNeeds/" + c
		}
		return by(proxy, names...)
	}
	return []Defect{
		{"rights: an action that is not granted passes", edit(proxy+"/proxy.go", "denied != nil && p.mode == Enforce", "denied != nil && p.mode == Off"),
			needs("get", "transaction", "send")},
		{"rights: what is refused is not remembered", edit(proxy, "\t\t\tdenied = append(denied, n)\n", "\t\t\tp.journal.note(who.fn.ID, needs, nil)\n\t\t\treturn &n\n"),
			needs("get")},
		{"rights: a right to one table is a right to all", edit(proxy, "return slices.IndexFunc(x.resources, matches(n.Resource))", "return len(x.resources) - 1"),
			by(proxy, "TestAllows")},
		{"rights: a Deny is passed over", edit(proxy, " && !slices.ContainsFunc(r.deny, covers)", ""),
			by(proxy, "TestAllows")},
		{"rights: a transaction needs the right to its first part", edit(proxy, "range in.TransactItems {", "range in.TransactItems[:min(1, len(in.TransactItems))] {"),
			needs("transaction")},
		{"rights: a table that the template does not have is everybody's", edit(proxy, "\treturn name\n}\n\nvar errUnread", "\tfor _, arn := range n.tables {\n\t\treturn arn\n\t}\n\treturn name\n}\n\nvar errUnread"),
			by(proxy, "TestTheUnknownIsRefused")},
		{"rights: a key of nobody is anybody's", edit(proxy+"/proxy.go", "who := p.roles[accessKey(r.Header)]\n", "who := p.roles[accessKey(r.Header)]\n\tfor _, some := range p.roles {\n\t\twho = some\n\t}\n"),
			by(proxy, "TestTheUnknownIsRefused")},
		{"rights: a condition is passed over", edit(proxy, "if len(s.Condition) > 0 {", "if false {"),
			by(proxy, "TestStatementsThatCannotBeJudged")},
	}
}
