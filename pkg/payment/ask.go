package payment

import "time"

// Step is what to do at a provider that keeps silent. The zero value is invalid.
type Step uint8

// The steps of [NextAsk].
const (
	_            Step = iota
	AskNothing        // the payment needs nothing more
	AskQuery          // Provider.Query, then [Settle]
	AskClose          // Provider.Close, then [Settle]
	RepeatRefund      // Provider.Refund under the same number, then [SettleRefund]
)

// Ask is an appointment with a provider.
type Ask struct {
	Step Step
	At   time.Time // after the now it was made from; zero for AskNothing
}

const (
	firstAsk    = 2 * time.Second  // doubled until the hold's end
	afterEnd    = 6 * time.Second  // past expiry + grace: late money has arrived by then
	firstAfter  = 15 * time.Second // doubled until giveUp
	giveUp      = 24 * time.Hour   // after creation: WeChat Pay's and Alipay's last callback is as late
	closeAgain  = time.Hour
	firstRefund = 30 * time.Second // doubled up to longRefund; a refund is never given up
	longRefund  = 6 * time.Hour
)

// NextAsk says when to turn to the provider next and what for, given the time of
// the hold's end. It needs no memory of the asks that were missed: a payment
// found late is asked once, not once for each.
//
// A pending payment is queried 2, 4, 8 … seconds after its creation, at
// holdExpiry + grace + 6 s, then 15, 30, 60 … seconds after that, and closed 24
// hours after its creation, hourly until the provider agrees. So is one that was
// declined, for the provider may let the buyer try again and the news of his money be
// lost; whoever learns that it is closed makes no more appointments. A refund under way
// is repeated with growing gaps by its Attempt.
func NextAsk(p Payment, now, holdExpiry time.Time, grace time.Duration) Ask {
	switch p.State {
	case Pending, Failed:
		return nextQuery(p.CreatedAt, now, holdExpiry.Add(grace+afterEnd))
	case Refunding:
		return Ask{RepeatRefund, now.Add(refundGap(p.Attempt))}
	}
	return Ask{Step: AskNothing}
}

func nextQuery(created, now, end time.Time) Ask {
	last := created.Add(giveUp)
	for gap := firstAsk; ; gap *= 2 {
		at := created.Add(gap)
		if !at.Before(end) || !at.Before(last) {
			break
		}
		if at.After(now) {
			return Ask{AskQuery, at}
		}
	}
	if end.After(now) && end.Before(last) {
		return Ask{AskQuery, end}
	}
	for gap := firstAfter; ; gap *= 2 {
		at := end.Add(gap)
		if !at.Before(last) {
			break
		}
		if at.After(now) {
			return Ask{AskQuery, at}
		}
	}
	if last.After(now) {
		return Ask{AskClose, last}
	}
	return Ask{AskClose, now.Add(closeAgain)}
}

func refundGap(attempt int) time.Duration {
	gap := firstRefund
	for range attempt {
		if gap *= 2; gap >= longRefund {
			return longRefund
		}
	}
	return gap
}
