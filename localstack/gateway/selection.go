package gateway

import (
	"encoding/json"
	"strings"
)

// selectKey finds what a message asks for: the text at a path of its JSON object.
// No JSON, no object on the way, or a value that is none of text, number and
// boolean ask for nothing.
func selectKey(path []string, body []byte) (string, bool) {
	value := json.RawMessage(body)
	for _, name := range path {
		var fields map[string]json.RawMessage
		if json.Unmarshal(value, &fields) != nil || fields[name] == nil {
			return "", false
		}
		value = fields[name]
	}
	key, err := scalar(value)
	return key, err == nil
}

// routeOf is the route of a message, or nil. The predefined ones cannot be asked
// for by name: $connect and $disconnect are no client's to send.
func (s *Sockets) routeOf(body []byte) *socketRoute {
	if key, ok := selectKey(s.path, body); ok && !strings.HasPrefix(key, "$") && s.routes[key] != nil {
		return s.routes[key]
	}
	return s.routes["$default"]
}
