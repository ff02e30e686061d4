package gateway

import (
	"context"
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/coder/websocket"
)

// connect runs $connect, answers the handshake accordingly and, if it is let in,
// serves the connection to its end.
func (s *Sockets) connect(w http.ResponseWriter, r *http.Request, v *visit) {
	bad := badHandshake(r.Header)
	if bad == nil && v.badQuery {
		bad = &fault{http.StatusBadRequest, "BadRequestException", "Bad Request Exception"}
	}
	if bad == nil && !s.enter() {
		bad = &fault{http.StatusServiceUnavailable, "ServiceUnavailableException", "Service Unavailable"}
	}
	if bad != nil {
		s.refuse(w, v, bad)
		return
	}
	defer s.lives.Done()
	protocol, bad := s.admitVisit(v)
	if bad != nil {
		s.refuse(w, v, bad)
		return
	}
	g := &gauging{ResponseWriter: w, limit: s.limits.Frame}
	c := newConnection(s, v)
	w.Header().Set("X-Amzn-Requestid", v.request)
	ws, err := websocket.Accept(g, r, &websocket.AcceptOptions{
		InsecureSkipVerify: true, // API Gateway leaves the origin to $connect
		Subprotocols:       protocol,
		OnPingReceived:     func(context.Context, []byte) bool { c.touch(); return true },
	})
	if err != nil {
		s.opts.Log("/" + s.api.Stage + " $connect: " + err.Error())
		s.note("CONNECT", "$connect", v.request, http.StatusInternalServerError, v.at)
		s.disconnect(c, ending{code: websocket.StatusAbnormalClosure})
		return
	}
	s.note("CONNECT", "$connect", v.request, http.StatusSwitchingProtocols, v.at)
	c.run(ws, g.gauge)
}

// admitVisit asks throttle, authorizer and $connect, in this order, and gives the
// subprotocol that the function chose.
func (s *Sockets) admitVisit(v *visit) ([]string, *fault) {
	route := s.routes["$connect"]
	if route == nil {
		return nil, nil
	}
	if !route.bucket.AllowN(v.at, 1) {
		return nil, tooMany
	}
	if bad := s.authorizeVisit(v); bad != nil {
		return nil, bad
	}
	out := s.call(route, encode(s.connectEvent(v)))
	switch {
	case out.fault != nil:
		return nil, out.fault
	case out.answer.status > 299:
		// Only the status gets through: AWS documents no way for a body.
		return nil, &fault{status: out.answer.status}
	}
	return out.answer.header.Values("Sec-Websocket-Protocol"), nil
}

// badHandshake finds what is no handshake before any function runs.
func badHandshake(h http.Header) *fault {
	has := func(name, token string) bool {
		return slices.ContainsFunc(strings.Split(strings.Join(h.Values(name), ","), ","), func(s string) bool {
			return strings.EqualFold(strings.TrimSpace(s), token)
		})
	}
	if !has("Connection", "upgrade") || !has("Upgrade", "websocket") {
		return &fault{http.StatusUpgradeRequired, "", "Upgrade Required"}
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(h.Get("Sec-WebSocket-Key")))
	if err != nil || len(key) != 16 || h.Get("Sec-WebSocket-Version") != "13" {
		return &fault{http.StatusBadRequest, "BadRequestException", "Bad Request"}
	}
	return nil
}

// authorizeVisit asks the Lambda authorizer of $connect. Its answers are not kept:
// a WebSocket API's cannot be.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html
func (s *Sockets) authorizeVisit(v *visit) *fault {
	auth := s.api.Authorizer
	if auth == nil {
		return nil
	}
	for _, name := range auth.Headers {
		if v.header.Get(name) == "" && len(v.header[name]) == 0 {
			return unauthorizedVisit
		}
	}
	for _, name := range auth.Queries {
		if last(v.query)[name] == "" {
			return unauthorizedVisit
		}
	}
	e := s.connectEvent(v)
	e.Type, e.MethodARN = "REQUEST", s.api.ARN+"/$connect"
	ctx, cancel := context.WithTimeout(context.Background(), defaultTimeout)
	defer cancel()
	res, err := s.invoke(ctx, auth.Function, encode(e))
	switch {
	case err == nil && res.Err != nil && res.Err.Message == "Unauthorized":
		return unauthorizedVisit
	case err == nil && res.Err != nil:
		err = res.Err
	}
	var p *policy
	if err == nil {
		p, err = decodePolicy(res.Payload)
	}
	if err != nil {
		s.opts.Log("/" + s.api.Stage + " $connect: authorizer: " + err.Error())
		return notRun
	}
	v.authorizer = p.context
	switch p.judge(e.MethodARN) {
	case allow:
		return nil
	case explicit:
		return &fault{http.StatusForbidden, "AccessDeniedException", "User is not authorized to access this resource with an explicit deny"}
	}
	return &fault{http.StatusForbidden, "AccessDeniedException", "User is not authorized to access this resource"}
}

var unauthorizedVisit = &fault{http.StatusUnauthorized, "UnauthorizedException", "Unauthorized"}

// words of a fault as a client reads them, over HTTP and in a message alike.
func (f *fault) words(connection, request string) []byte {
	return encode(struct {
		Message    string `json:"message"`
		Connection string `json:"connectionId"`
		Request    string `json:"requestId"`
	}{f.message, connection, request})
}

func (s *Sockets) refuse(w http.ResponseWriter, v *visit, f *fault) {
	h := w.Header()
	h.Set("X-Amzn-Requestid", v.request)
	if f.status == http.StatusUpgradeRequired {
		h.Set("Upgrade", "websocket")
	}
	if f.name != "" {
		h.Set("X-Amzn-Errortype", f.name)
	}
	var body []byte
	if f.message != "" {
		h.Set("Content-Type", "application/json")
		body = f.words(v.connection, v.request)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(f.status)
	_, _ = w.Write(body)
	s.note("CONNECT", "$connect", v.request, f.status, v.at)
}
