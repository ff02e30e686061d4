// Package gateway serves a REST API as Amazon API Gateway (v1, AWS_PROXY) does, and
// a WebSocket API with its management API.
//
// Of a REST request it decides, in this order: which resource and method it means,
// whether an authorizer and an API key let it in, whether the usage plan still has
// room, what event the function sees, and what its answer looks like on the wire.
//
// Where AWS refuses a configuration, [New] refuses it, and names it. Known
// differences: header names reach the function in canonical form (HTTP/1.1
// clients' own spelling on AWS), the scheme is http, and nothing limits the
// account or the stage as a whole.
//
// Of a WebSocket it decides whether $connect lets it in, which function a message
// means, what events functions see, when it ends and what $disconnect is told. A
// connection is ended once, by the first reason; from then on it is unknown to the
// management API; what was accepted for it before is still sent; and $disconnect
// runs once for each that $connect let in. Known differences: route responses, API
// keys and IAM on $connect are not served, and nothing is compressed. Where AWS
// documents nothing this is a guess: how many messages of one connection run at once
// and how many wait for a slow reader ([SocketLimits]), that a ping keeps an idle
// connection, the reasons beside codes 1003, 1007 and 1009.
//
// Start with [New], [Gateway.ServeHTTP] and the table of responses in responses.go;
// for WebSockets with [NewSockets] and connection.go.
package gateway
