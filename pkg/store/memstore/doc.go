// Package memstore decides what DynamoDB would answer, in memory: the twin of
// package ddb for tests, simulations and the rules that no emulator shows.
//
// It keeps the service's rules by name:
//
//   - Atomic: all conditions of a transaction are judged against one state, and
//     its writes are applied all or not at all. They land one after another, so a
//     plain read may see some of them before the others; TransactGet may not.
//   - Held: while a transaction is in flight it holds its items, those it only
//     checks too. Another transaction, or a TransactGet, that meets a held item is
//     canceled with ReasonConflict. That two condition checks of one item collide
//     is not documented by the service; the twin takes the stricter reading.
//   - Token: the same writes under the same token within ten minutes of a success
//     change nothing. A canceled attempt leaves no token behind.
//   - Unknown: a request or its answer may be lost, and a lost request may still
//     arrive later ([LoseRequest], [LoseReply], [DelayRequest]).
//   - Limits: 100 writes, 4 MB a transaction, 400 KB an item, 1 MB a page.
//   - Stream: one ordered list of records a table; a write that changes nothing
//     makes none; an expiry carries the service's identity.
//
// Start with [New], [Options] and [Fault]. Two seams serve a simulation in one
// goroutine: Options.Window runs while a transaction is in flight, and [DB.Hold]
// stands for a foreign transaction.
//
// What it does not have: indexes, scans, filters, adaptive capacity, burst
// capacity beyond one second, read throttling.
package memstore
