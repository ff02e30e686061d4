package main

// deciding is the pure rules: of holds, of money, of orders, of tickets.
func deciding() []Defect {
	const (
		settle = "pkg/payment/settle.go"
		ord    = "pkg/order/order.go"
		code   = "pkg/ticket/ticket.go"
	)
	return []Defect{
		{"no grace", edit(inBooking, "!now.Before(h.ExpiresAt.Add(p.Grace))", "!now.Before(h.ExpiresAt)"),
			append(by("pkg/booking", "TestHoldLifetime/in the grace"), by("pkg/boxoffice", "TestPaidInGrace")...)},
		{"the last moment of the grace is everybody's", edit(inBooking, "!now.Before(h.ExpiresAt.Add(p.Grace))", "now.After(h.ExpiresAt.Add(p.Grace))"),
			by("pkg/booking", "TestHoldLifetime/at the end of the grace")},
		{"a payment renews its hold", edit(inBooking, "h.OrderID, h.PaymentID = order, payment\n", "h.OrderID, h.PaymentID = order, payment\n\th.ExpiresAt = now.Add(p.Hold)\n"),
			replay("pretix-1575")},
		{"what was begun to be paid keeps its revision", edit(inBooking, "h.OrderID, h.PaymentID = order, payment\n\th.Rev++", "h.OrderID, h.PaymentID = order, payment"),
			by("pkg/booking", "TestConfirmAndStartPayment")},
		{"a hold is ended before its time", edit(inBooking, "if !h.Overdue(p, now) {", "if false {"),
			by("pkg/booking", "TestHoldLifetime/in the grace")},
		{"an abandoned hold's seats go to the public past those who wait", edit(inBooking, "if wanted.Has(s.Type) {", "if cause != ByExpiry && wanted.Has(s.Type) {"),
			replay("hi-events-abandoned-carts")},
		{"seats go to the public past those who wait", edit(inBooking, "if wanted.Has(s.Type) {", "if false {"),
			by("pkg/booking", "TestNoGap")},
		{"the lane does not hear of seats set aside", edit(inBooking, "\te.Hold.Aside = len(e.Line)\n", ""),
			by("pkg/booking", "TestNoGap")},
		{"a sold hold is ended for being late", edit(inBooking, "case cause == ByExpiry && h.State == Held:", "case cause == ByExpiry && h.State == Sold:\n\t\treturn Expired, nil\n\tcase cause == ByExpiry && h.State == Held:"),
			by("pkg/booking", "TestRelease")},
		{"late money buys for another payment's hold", edit(inBooking, " || old.PaymentID != payment {", " {"),
			by("pkg/booking", "TestRegrant")},
		{"an Idempotency-Key is accepted with another body", edit(inBooking, "if h.BodyHash != req.BodyHash {", "if false {"),
			append(by("pkg/booking", "TestOwns"), by("pkg/boxoffice", "TestIdempotencyKeys")...)},
		{"two buyers' keys make one hold", edit(inBooking, "d := digest(string(b), key)", "d := digest(key)"),
			append(by("pkg/booking", "TestIDs"), by("pkg/boxoffice", "TestIdempotencyKeys")...)},
		{"sales do not close", edit(inBooking, "if s.Status != catalog.OnSale || !now.Before(s.SaleClosesAt) {", "if s.Status != catalog.OnSale {"),
			append(by("pkg/booking", "TestOnSale"), by("pkg/boxoffice", "TestSaleWindow")...)},
		{"a seat may be named twice", edit(inBooking, "if slices.Contains(ids[:i], id) {", "if slices.Contains(ids[i:i], id) {"),
			by("pkg/booking", "TestChoose")},

		{"a sum of money goes through a float", edit("pkg/money/money.go", "Amount{a.Minor + b.Minor, a.Currency}", "Amount{int64(float32(a.Minor) + float32(b.Minor)), a.Currency}"),
			by("pkg/money", "TestAdd")},
		{"the last seat costs nothing", edit(inBooking, "for _, s := range h.Seats[1:] {", "for _, s := range h.Seats[1:max(1, len(h.Seats)-1)] {"),
			by("pkg/booking", "TestTotal")},
		{"a price loses its cents in the table", edit(inStore, "strconv.AppendInt(text, s.Price.Minor, 10)", "strconv.AppendInt(text, s.Price.Minor/100*100, 10)"),
			protocol("hold")},
		{"another amount is good enough", edit(settle, "case said != p.Amount || o.Total != p.Amount:", "case said.Currency != p.Amount.Currency || o.Total != p.Amount:"),
			append(by("pkg/payment", "TestSettleRefusesWhatDoesNotFit"), by("pkg/boxoffice", "TestReportsThatDiffer")...)},
		{"an unknown outcome is a failure", edit(settle, "case ReportPending, ReportUnknown:\n\t\treturn rule.quiet, nil", "case ReportUnknown:\n\t\treturn rule.failure, nil\n\tcase ReportPending:\n\t\treturn rule.quiet, nil"),
			by("pkg/payment", "TestSettleEveryCell")},
		{"a second report of the same money gives it back", edit(settle, "HoldSoldByThis: Nothing, HoldSoldByOther: Refund,", "HoldSoldByThis: Refund, HoldSoldByOther: Refund,").
			and(settle, "if h == HoldSoldByThis && known(r.State) {\n\t\treturn Nothing, nil\n\t}\n", ""),
			append(by("pkg/payment", "TestSettleEveryCell"), replay("hi-events-1311")...)},
		{"money that goes back buys seats as well", edit(settle, "Refunding: {Nothing, Nothing, spent},", "Refunding: {Nothing, Nothing, claimed},"),
			append(by("pkg/payment", "TestSettleEveryCell"), replay("pretix-4911")...)},
		{"an order is paid twice", edit(ord, "Paid:      {Refunded},", "Paid:      {Paid, Refunded},").and(ord, "if o.Status == Paid {\n\t\treturn Order{}, fmt.Errorf(\"order %s by payment %s: %w\", o.ID, o.PaidBy, ErrPaid)\n\t}\n", ""),
			by("pkg/order", "TestEveryMove")},
		{"the refund of one payment voids the order that another paid", edit(ord, "if o.Status == Paid && o.PaidBy != of {", "if false {").
			and(inOffice, "if ord.Status == order.Cancelled {", "if ord.Status != order.Refunded {"),
			append(by("pkg/order", "TestRefundOfAnotherPaymentLeavesThePaidOrder"), replay("pretix-343")...)},
		{"a cancelled order keeps its tickets", edit(ord, "o.Status, o.PaidBy, o.Tickets = Refunded, of, nil", "o.Status, o.PaidBy = Refunded, of"),
			by("pkg/order", "TestEveryMove")},
		{"a ticket's number does not depend on its order", edit(code, "\th.Write([]byte(order))\n", ""),
			by("pkg/ticket", "TestGolden")},
		{"any signature makes a ticket", edit(code, "if !ed25519.Verify(pub, append([]byte(domain), signed...), sig) {", "if len(sig) != ed25519.SignatureSize || pub == nil {"),
			by("pkg/ticket", "TestVerifyRefuses")},
		{"any signature makes a guest", edit("pkg/session/session.go", "ok = hmac.Equal(key.sign(domain, body), mac) || ok", "ok = len(mac) == len(key.sign(domain, body))"),
			by("pkg/session", "TestEveryCharacterCounts")},
		{"a guest stays one for ever", edit("pkg/session/session.go", "if now.Unix() >= seconds {", "if false {"),
			by("pkg/session", "TestEnd")},
	}
}
