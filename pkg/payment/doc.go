// Package payment decides what a provider's word about money means for a hold.
//
// It is the authority on MoneyIsTickets: every captured payment ends in exactly
// one of ticketed or refunded. Start with [Settle], the whole table of what has
// happened against what is heard; [NextAsk], which says when to ask a provider
// that keeps silent; and [Provider], the port that the providers implement.
//
// A report is worth the same whether it came by callback or by asking, and its
// order of arrival decides nothing: the payment's state does.
package payment
