// Package meter decides what calls of the tables port cost: it counts them and
// the capacity units that the service would bill, from the sizes of items.
//
//   - Write: 2 units for each KB begun of each item of a transaction, a checked
//     item too; an item counts with the larger of its sizes before and after.
//   - Read: one unit for each 4 KB begun, a half when eventual, two in a
//     TransactGet. An absent item costs as one of 4 KB. A Query is charged for
//     the sum of its page, a BatchGet for each item.
//   - A canceled transaction costs what it would have cost, and so does one of
//     unknown outcome. One that was throttled or refused as malformed costs nothing.
//   - Units are counted in halves, as integers.
//
// Source: "Read and write operations" and "Amazon DynamoDB transactions: how it
// works", Amazon DynamoDB Developer Guide.
//
// Start with [New] and [Meter.Snapshot].
//
// A decorator does not see what is stored. Unless the tables say it themselves
// ([Sized]), a put counts with its new item alone, and an update, a delete and a
// check as one KB. The repeat of a transaction under its token counts in full,
// where the service charges a read. A BatchGet counts one request for each 100
// different keys; what an adapter sends again is not seen.
package meter
