// Package store decides how the protocol's items lie in tables: their keys, their
// attributes, and which conditions make each step one transaction. Nothing outside
// of it knows a key format or an attribute name.
//
// Invariants kept here, as conditions: NoDoubleSell (a claim is put if absent),
// AllOrNothing (one transaction a step), HoldLifetime (a hold's own deadline is
// compared in the table), TenAtMost (the allowance moves with its hold), NoGap (a
// seat is freed only under a gate that does not want it), OneEffect (state and
// revision as read).
//
// Access patterns, with their cost in requests and units for n seats; a write unit
// is of a transaction, a read unit strongly consistent but where said otherwise:
//
//	S1   hold (T1)                  1 transaction, 2(n+3) write units
//	S2   release (T3)               1 transaction, 2(n+4): hold, n claims, allowance, timer, gate;
//	                                2 more for each seat that goes to the line, 2 for an order
//	S3   start a payment            1 transaction, 8: hold, payment, its receipt, order
//	S4   confirm (T2)               1 transaction, 8 and more where the tickets pass a kilobyte; no seat
//	S5   grant anew (T4)            1 transaction, 2(n+5)
//	S6   move a payment             1 transaction, 2, or 4 with its order
//	S7   block (T8)                 1 transaction, 2(n+1)
//	S8   lane: gates                1 transaction, 18; drain of k seats: 2(2k+1), k ≤ 49
//	S8b  ask to join (T7)           1 transaction, 6: waiter, place, timer
//	S8c  number k who asked (L8)    1 transaction, 2(2k+1), k ≤ 10; 16 more where gates open
//	S8d  set n aside (L1)           1 transaction, 2(2n+2), and 2 for the timer of an offer
//	S8e  offer n seats (L5)         1 transaction, 2(n+3), and 2 for each party that is passed, at most 80
//	S8f  accept n (T5)              1 transaction, 2(2n+5), and 2 for each proposed seat not taken
//	S8g  decline or leave (T6)      1 transaction, 4, and 2 for each proposed seat
//	S8h  lapse, time out k (L2-L4)  1 transaction, 2(3k+1), k ≤ 30, and 2 for each proposed seat
//	S8i  read a line                4 requests: state, pool, head, waiters; 1 unit each waiter
//	S8j  a poll of somebody waiting 1 BatchGet, 2 units; the state passes a read unit at 23,000 places
//	S8k  adopt one show's things (T10)
//	                                1 BatchGet of 4 units and its holds, orders and waiter; 1 transaction,
//	                                2 for each allowance, hold and order, 6 for a place; all of a buyer's:
//	                                2 Queries
//	S8l  an order's entries        1 Get, 1 transaction of 4 to 8; a page of 50: 1 Query, 2 units, eventually
//	                                consistent
//	S9   one hold, order, payment, gate, allowance
//	                                1 Get, 1 unit
//	S10  claims of some seats and several holds, together or alone
//	                                1 BatchGet for each 100, 1 unit an item
//	S10b claims at one moment       1 TransactGet for each 100, 2 units an item; refused by a
//	                                transaction that has one in hand
//	S11  claims of a block          1 Query, 200 claims are 5 units
//	S12  deadlines of a show        8 Queries, in order of expiry (A14)
//	S13  seat map                   1 Get, 1 unit eventually consistent for 20,000 seats
//	S14  statuses of a movie's shows in a city
//	                                1 Query, eventually consistent
//	S15  open a socket              1 Get, 1 transaction, 6, 1 Query; its ticket: 1 transaction, 2
//	S16  a client's message         1 Get, 1 transaction, 2, and 2 for a show that it watches or leaves
//	S17  sockets of a buyer         1 Query; of a show's watchers: 8 Queries
//	S18  an attempt under a limit   1 transaction, 2; one more where the key is in use
//	S20  a developer's key, and what he has of keys
//	                                1 Get, 1 unit; 1 Query
//	S21  take a portion of a quota  1 Update, 1 write unit, refused or not; usage of a day the same
//	S22  make a key                 1 transaction, 6; replace one: 10; revoke one: 6
//	S30  a key of sealed fields     1 Get, 1 unit, an instance and period; the first of all: 1 transaction, 2
//	S31  put a letter into the outbox
//	                                2 write units in its cause's transaction; to send it: 2 transactions of 2
//	S30  register                   1 Get, 1 transaction, 4 with its letter; confirm: 1 Get, 1 transaction, 6
//	S31  log in                     2 Gets, 1 transaction, 2, and 2 where a code was used or the hash is old
//	S32  renew a log-in             1 BatchGet, 2 units; 1 transaction, 2
//	S33  enter /me                  1 BatchGet, 2 units; change: 1 transaction, 2; erase: 4
//
// Start with [Tables], [Store], [Catalog], [Switchboard] and
// [Limiter].
package store
