// Command explore walks every interleaving of small shows: walk-ups, waiters, the
// lane and its zombie, crashes, late messages, skewed clocks and late money; and it
// compares the conditions that it explores with those that pkg/store ships.
//
// What decides is the project's own: booking.Take, Confirm, Release, Regrant and
// Overdue, line.Step, Accept, Decline, Leave and Unsold, seatmap.Best behind them. A
// state is small and comparable; world translates it to the domain values that
// these functions take, and keeps what they answered. The conditions of the
// transactions are those of the protocol, written once (transact.go,
// transact_line.go), and held against the store itself: the rows of explored states,
// and rows one change away from them, are loaded into the database in memory, the
// real method is run with what was read, and it must be applied or refused alike and
// leave the same rows (conform.go, conform_line.go). T9 and T10 are not built.
//
// Covered, in every order:
//
//   - In flight: every transaction that reads something outside itself is a read and
//     a commit with anything in between: each release with the gate as read, each
//     lane run with the plan made, the scan for free seats in two halves. Hold,
//     Confirm, Accept, Decline, Leave and Re-grant carry all they rely on as
//     conditions and are one step. A conflict is a commit that did not happen.
//   - How much of the line a run reads: all, or in the configurations pages its first
//     entry, who was numbered last, who is offered and whom a message names, and then
//     all at any later time. Several who end together; who is acknowledged with his
//     number.
//   - Crashes before any commit; after it is the same as a lost reply. Zombies: two
//     lane runs at once, without limit. A request that comes again at any time, also
//     after its hold's end. Joins in any order, one by one or several in a message.
//   - Clocks: whoever ends something, and each lane run with all it decides, has the
//     right time or is one unit (the grace) ahead.
//   - Money that comes late, granted anew or paid back; refunds; the house; the
//     closing of the line; waits that end; the bounded rule; a party of three; a
//     buyer who joins again, and the cool-down; which messages wake the lane.
//
// At every state: NoDoubleSell, AllOrNothing, NoLostSeat, NoGap, TenAtMost, an offer
// has its party's seats. At every step: FirstComeFirstServed, HoldLifetime,
// WaiterNeverLost, OneEffect. From every state: if all that is in flight dies, all
// buyers stop, timers, TTL and streams are dead, but somebody looks, then every wait
// ends without its hour, every hold ends, nothing stays set aside and the gates
// close; in the configuration money also with TTL alone and nobody looking, and in
// wakes also when the lane runs only as messages and timers wake it.
//
// Not covered: several shows; starvation by conflicts (the eight gates are one row
// here); reads of the line while a transaction lands; which run looks who waits in vain
// (here every run that reads all does); a second revision of a live hold, but for the comparison with the store,
// which has it; exchange, login merge; entries of ended waiters, which are deleted
// at once here; the order of messages and their de-duplication (in other
// configurations than wakes the lane may look at any time, or never); the seat map. Which seats of a type suit a party
// beyond their number is not tried: all lie in one row. 64-bit hashes stand for
// states.
//
// Start with config, world and moves.
package main
