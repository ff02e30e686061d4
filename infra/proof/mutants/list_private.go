package main

// private is what keeps what people told us: fields, letters, objects.
func private() []Defect {
	const (
		rights = "localstack/rights"
		vault  = "pkg/vault"
		mail   = "pkg/mail"
		smtp   = "pkg/mail/smtp"
	)
	return []Defect{
		{"rights: an object that is not granted passes", edit(rights+"/objects.go", "\tif denied != nil && p.mode == Enforce {", "\tif denied != nil && p.mode == Off {"),
			by(rights, "TestWhatEachCallNeeds/get an object", "TestTheUnknownOfObjectsIsRefused")},
		{"rights: who may not list is told what is missing", edit(rights, "r.StatusCode != http.StatusNotFound ||", "r.StatusCode == http.StatusNotFound ||"),
			by(rights, "TestAMissingObjectIsSecret")},
		{"vault: a field opens in another item", edit(vault, "[]string{p.Table, p.Item, p.Field}", "[]string{p.Table, p.Field}"),
			by(vault, "TestBoundToItsPlace")},
		{"vault: a field of one length runs into the next", edit(vault, "b = binary.BigEndian.AppendUint32(b, uint32(len(part)))", "b = binary.BigEndian.AppendUint32(b, 0)[:len(b)]"),
			by(vault, "TestBoundToItsPlace")},
		{"vault: the key service is called for each field", edit(vault, "\tif p.sealer != nil {", "\tif false {"),
			by(vault, "TestOneCallAnInstanceAndPeriod")},
		{"vault: two who make a key go on with two", edit("pkg/store", "Where: Absent{}, Put: Item{aWrapped: wrapped}", "Put: Item{aWrapped: wrapped}"),
			by("pkg/store", "TestOutboxAndKeys/memory/keys")},
		{"mail: what was sent stays", edit(mail, "\treturn o.Outbox.Done(ctx, id)\n}\n\nfunc (o *Office) carry", "\treturn nil\n}\n\nfunc (o *Office) carry"),
			by("pkg/work", "TestSampleInvocations/send-mail")},
		{"mail: two send one letter", edit("pkg/store", "Any{NoAttr{aUntil}, AtMost{aUntil, now.UnixMilli()}}", "Any{Exists{}}"),
			by("pkg/store", "TestOutboxAndKeys/memory/letters")},
		{"mail: an error names who it was for", edit(smtp, "return fmt.Errorf(\"smtp: the server says %d\", s.ErrorCode())", "return err"),
			by(smtp, "TestRefusals")},
		{"mail: another server is spoken to in clear", edit(smtp, "gomail.WithTLSPolicy(gomail.TLSMandatory)", "gomail.WithTLSPolicy(gomail.NoTLS)"),
			by(smtp, "TestTLSIsAsked")},
	}
}
