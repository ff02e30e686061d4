package gateway

import (
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/google/uuid"
)

// maxManaged is more than any call of the management API may have, bytes.
const maxManaged = 1 << 20

const timestamp = "2006-01-02T15:04:05.000Z"

// The faults that the SDK's model names come without a body, as clients' messages
// show ("GoneException: 410" is what an SDK makes of an empty one); those of the
// gate before it say what is wrong.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html
var (
	gone     = &fault{status: http.StatusGone, name: "GoneException"}
	tooLong  = &fault{status: http.StatusRequestEntityTooLarge, name: "PayloadTooLargeException"}
	behind   = &fault{status: http.StatusTooManyRequests, name: "LimitExceededException"}
	noMethod = &fault{http.StatusForbidden, "MissingAuthenticationTokenException", "Missing Authentication Token"}
)

// manage serves @connections/{id}: the rights first, then what is asked.
func (s *Sockets) manage(w http.ResponseWriter, r *http.Request, rawID string) {
	began, request := s.opts.Now(), uuid.NewString()
	status, body, bad := s.managed(r, rawID)
	h := w.Header()
	h.Set("X-Amzn-Requestid", request)
	if bad != nil {
		status = bad.status
		h.Set("X-Amzn-Errortype", bad.name)
		if bad.message != "" {
			body = encode(map[string]string{"message": bad.message})
		}
	}
	if len(body) > 0 {
		h.Set("Content-Type", "application/json")
	}
	if status != http.StatusNoContent {
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
	s.opts.Access(Access{
		Method: r.Method, Path: "/" + s.api.Stage + "/@connections/" + rawID, RequestID: request,
		Status: status, Duration: s.opts.Now().Sub(began),
	})
}

func (s *Sockets) managed(r *http.Request, rawID string) (int, []byte, *fault) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxManaged+1))
	switch {
	case err != nil:
		return 0, nil, &fault{http.StatusBadRequest, "BadRequestException", "Invalid request body"}
	case len(body) > maxManaged:
		return 0, nil, tooLong
	case r.Method != http.MethodGet && r.Method != http.MethodPost && r.Method != http.MethodDelete:
		return 0, nil, noMethod
	}
	if bad := s.admitManager(r, body); bad != nil {
		return 0, nil, bad
	}
	id, err := url.PathUnescape(rawID)
	if err != nil || !connectionID(id) {
		return 0, nil, &fault{http.StatusBadRequest, "BadRequestException", "Invalid connectionId: " + id}
	}
	c := s.find(id)
	if c == nil {
		return 0, nil, gone
	}
	switch r.Method {
	case http.MethodGet:
		return http.StatusOK, c.describe(), nil
	case http.MethodDelete:
		c.end(deleted)
		return http.StatusNoContent, nil, nil
	}
	if int64(len(body)) > s.limits.Message {
		return 0, nil, tooLong
	}
	switch err := c.post(textOf(body)); {
	case errors.Is(err, errGone):
		return 0, nil, gone
	case err != nil:
		return 0, nil, behind
	}
	return http.StatusOK, nil, nil
}

// connectionID tells whether a text can be one at all, in either alphabet.
func connectionID(id string) bool {
	for _, e := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		if b, err := e.DecodeString(id); err == nil && len(b) > 0 {
			return true
		}
	}
	return false
}

// describe is what GET tells. The times' form is that of the SDK's model.
func (c *connection) describe() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	form := func(t time.Time) string { return t.UTC().Format(timestamp) }
	return encode(map[string]any{
		"connectedAt": form(c.visit.at), "lastActiveAt": form(c.lastActive),
		"identity": socketIdentity{c.visit.agent, c.visit.ip},
	})
}
