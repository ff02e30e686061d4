package gateway

import (
	"crypto/rand"
	"encoding/base64"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// visit is what is known of a connection from its handshake on.
type visit struct {
	connection string // id
	request    string // id of the handshake
	at         time.Time
	header     http.Header
	query      url.Values
	badQuery   bool
	ip, agent  string
	domain     string
	authorizer map[string]any
}

func (s *Sockets) newVisit(r *http.Request) *visit {
	v := &visit{
		connection: newConnectionID(), request: newExtendedID(), at: s.opts.Now(),
		ip: sourceIP(r), agent: r.UserAgent(), domain: r.Host,
	}
	if host, _, err := net.SplitHostPort(r.Host); err == nil {
		v.domain = host
	}
	v.header = spelt(eventHeader(r, v.ip))
	v.query, v.badQuery = parseQuery(r.URL.RawQuery)
	return v
}

// spelt gives the handshake's headers their RFC's spelling again, which Go's
// canonical form is not and clients and API Gateway use.
func spelt(h http.Header) http.Header {
	out := http.Header{}
	for name, values := range h {
		out[strings.Replace(name, "Sec-Websocket-", "Sec-WebSocket-", 1)] = values
	}
	return out
}

// newConnectionID looks like API Gateway's: eleven bytes, so that it ends in "=",
// in the alphabet that needs no further care in a path.
func newConnectionID() string {
	var b [11]byte
	rand.Read(b[:])
	return base64.URLEncoding.EncodeToString(b[:])
}

// socketEvent is what functions get: events.APIGatewayWebsocketProxyRequest. What
// a kind of event does not have is not there at all, as on AWS.
type socketEvent struct {
	Type       string              `json:"type,omitempty"`
	MethodARN  string              `json:"methodArn,omitempty"`
	Headers    map[string]string   `json:"headers,omitempty"`
	MultiValue map[string][]string `json:"multiValueHeaders,omitempty"`
	Query      map[string]string   `json:"queryStringParameters,omitempty"`
	MultiQuery map[string][]string `json:"multiValueQueryStringParameters,omitempty"`
	Context    socketContext       `json:"requestContext"`
	Body       *string             `json:"body,omitempty"`
	Base64     bool                `json:"isBase64Encoded"`
}

type socketContext struct {
	RouteKey         string         `json:"routeKey"`
	Authorizer       map[string]any `json:"authorizer,omitempty"`
	MessageID        string         `json:"messageId,omitempty"`
	DisconnectStatus *int           `json:"disconnectStatusCode,omitempty"`
	DisconnectReason *string        `json:"disconnectReason,omitempty"`
	EventType        string         `json:"eventType"`
	ExtendedID       string         `json:"extendedRequestId"`
	RequestTime      string         `json:"requestTime"`
	Direction        string         `json:"messageDirection"`
	Stage            string         `json:"stage"`
	ConnectedAt      int64          `json:"connectedAt"`
	RequestEpoch     int64          `json:"requestTimeEpoch"`
	Identity         socketIdentity `json:"identity"`
	RequestID        string         `json:"requestId"`
	DomainName       string         `json:"domainName"`
	ConnectionID     string         `json:"connectionId"`
	APIID            string         `json:"apiId"`
}

type socketIdentity struct {
	UserAgent string `json:"userAgent,omitempty"`
	SourceIP  string `json:"sourceIp"`
}

func (s *Sockets) context(v *visit, kind, route, request string, now time.Time) socketContext {
	return socketContext{
		RouteKey: route, EventType: kind, RequestID: request, ExtendedID: request, Direction: "IN",
		RequestTime: now.UTC().Format(requestTimeLayout), RequestEpoch: now.UnixMilli(),
		ConnectedAt: v.at.UnixMilli(), Stage: s.api.Stage, APIID: s.opts.APIID,
		ConnectionID: v.connection, DomainName: v.domain, Authorizer: v.authorizer,
		Identity: socketIdentity{v.agent, v.ip},
	}
}

func (s *Sockets) connectEvent(v *visit) socketEvent {
	return socketEvent{
		Headers: last(v.header), MultiValue: v.header,
		Query: last(v.query), MultiQuery: orNull(v.query),
		Context: s.context(v, "CONNECT", "$connect", v.request, v.at),
	}
}

func (s *Sockets) messageEvent(v *visit, route, request string, now time.Time, body []byte) socketEvent {
	text := string(body)
	e := socketEvent{Context: s.context(v, "MESSAGE", route, request, now), Body: &text}
	e.Context.MessageID = newExtendedID()
	return e
}

// disconnectEvent has the four headers that API Gateway sends with it, three of them empty.
func (s *Sockets) disconnectEvent(v *visit, request string, now time.Time, why ending) socketEvent {
	e := socketEvent{Headers: map[string]string{}, MultiValue: map[string][]string{}}
	for name, value := range map[string]string{"Host": v.domain, "x-api-key": "", "X-Forwarded-For": "", "x-restapi": ""} {
		e.Headers[name], e.MultiValue[name] = value, []string{value}
	}
	e.Context = s.context(v, "DISCONNECT", "$disconnect", request, now)
	code := int(why.code)
	e.Context.DisconnectStatus, e.Context.DisconnectReason = &code, &why.reason
	return e
}
