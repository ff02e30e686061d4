// Package overtake puts our line beside two rules that others publish, as small
// models under the same schedules of people and of freed seats, and counts whom each
// lets pass whom. The models are test code: make overtake prints the table.
//
// A person is overtaken when somebody who came later is served first although both
// were eligible: the one who was passed was still there, and the seats that the other
// got were seats that he had asked for.
//
//   - Virtual waiting room: the published solution of AWS (retired since). A request
//     for a number goes through a standard queue, which keeps no order; the numbers are
//     those of the batch in which it happens to be handled, and a message that is
//     delivered twice gets its person a new, later number. Whoever has a number up to
//     the one being served is let in, and inside the fastest gets the seats.
//   - Waiting list with a listener: the rule of Hi.Events. A cancelled order fires an
//     event; some time later a listener offers to the oldest entries that fit what is
//     free then. Until it runs the seats are the public's; carts that run out of time
//     fire nothing.
//   - Ours: pkg/line's own Step, which here runs after the queue's delay.
package overtake
