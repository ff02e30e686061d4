// Package api is the HTTP edge: it turns API Gateway's proxy events into calls of
// the use cases, and what these answer into the words of the wire contract. It
// decides which requests are well formed and how every outcome is told, and
// nothing about seats or money.
//
// There is one constructor for each deployed function, so that the linker leaves
// out of a function what the others need. One table lists the routes ([Routes]),
// one table the problems ([Codes]); openapi.json is the full text of both, and
// tests hold the three together.
//
// A request is checked in this order, and the first refusal is the answer: path,
// method, content type and size, buyer, Idempotency-Key, query, body, use case.
// No request makes a 5xx by what it contains.
//
// Choices where the contract leaves one: what a source does not know of a city or
// a film is null; a refunded hold shows as released, for its seats are free again.
//
// Start with [Edge], [ReserveSeats] and [Routes].
package api
