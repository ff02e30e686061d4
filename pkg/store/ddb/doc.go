// Package ddb decides how the tables port is spoken to DynamoDB: how a condition
// becomes an expression, how a value becomes an attribute, and what each answer
// of the service means to the caller.
//
//   - OneRequest: Transact sends exactly one TransactWriteItems, never retried,
//     neither here nor by the SDK: its writes carry a clock that must not age.
//   - Unknown only when it may be so: an error before the request was written is
//     not [store.ErrUnknown]; any error after that without an answer of the
//     service is.
//   - Refused is Canceled: whatever the service would refuse as malformed comes
//     back as a [*store.Canceled] with ReasonFault for each write, whether it was
//     found here or there.
//   - Reads retry three times with jitter. A batch asks again for unprocessed
//     keys, six rounds at most.
//
// Start with [Client] and [New].
//
// Where DynamoDB Local differs from the service is listed in package storetest.
// Two rules of the service cost a line here each: it refuses redundant
// parentheses, and has no condition on a sort key that is open at one end.
package ddb
