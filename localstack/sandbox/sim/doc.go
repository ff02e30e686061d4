// Package sim is a payment provider that moves no money, for one machine and for tests.
//
// It decides when a payment is captured or fails, and how its callbacks misbehave:
// doubled, late, out of order, dropped. The books, the schedule, the journal, the
// controls and the buyer's page are the same whoever is played; a [Wire] is what one
// provider says and how. It shares no code with the shop's side but the type of an
// amount, so that a mistake in the wire form shows on one side.
//
// Start with [New], [Sim.Handler] and [Sim.Run]. Without another wire it is the other
// end of pkg/payment/sandbox. What is signed there, by HMAC-SHA256
// in lower-case hex under X-Sandbox-Signature, with Unix seconds under
// X-Sandbox-Timestamp:
//
//	request   <timestamp>.request.<METHOD>.<path and query>.<body>
//	answer    <timestamp>.answer.<status>.<signature of the request>.<body>
//	callback  <timestamp>.<body>
//
// Calls under /v1/ must be signed; /pay/ is the buyer's page and carries a token;
// /control/ is for tests, unsigned, and the reason to listen on loopback only.
package sim
