// Package gateway serves a REST API as Amazon API Gateway (v1, AWS_PROXY) does.
// It decides, in this order: which resource and method a request means, whether
// an authorizer and an API key let it in, whether the usage plan still has room,
// what event the function sees, and what its answer looks like on the wire.
//
// Where AWS refuses a configuration, [New] refuses it, and names it. Known
// differences: header names reach the function in canonical form (HTTP/1.1
// clients' own spelling on AWS), the scheme is http, and nothing limits the
// account or the stage as a whole.
//
// Start with [New], [Gateway.ServeHTTP] and the table of responses in responses.go.
package gateway
