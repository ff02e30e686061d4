package api

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// How long others may keep an answer (RFC 9111), browsers and the edge alike: what
// the edge has kept for a second counts in the browser too, by its Age. No answer
// that may be kept differs by who the buyer is, so Vary names the developer's key
// alone: who has none is refused at an edge too, and how another's quotas stand is
// nobody's business. What a change of a show
// alters is kept for at most two seconds and never served stale, so that with the
// two of [catalog.Reader] a change is seen within five; the list of films may be
// older only where the origin fails (RFC 5861).
const (
	keepNot     = "no-store"
	keepForever = "public, max-age=31536000, immutable"
	keepMinute  = "public, max-age=60"
	keepCities  = "public, max-age=60, stale-while-revalidate=600, stale-if-error=86400"
	keepMovies  = "public, max-age=2, stale-if-error=600"
	keepShow    = "public, max-age=2, must-revalidate"
	keepStock   = "public, max-age=1, must-revalidate"
)

const (
	typeJSON    = "application/json"
	typeProblem = "application/problem+json"
)

// reply is an answer before it is dressed for the gateway.
type reply struct {
	status   int
	doc      any    // marshalled, unless raw
	raw      []byte // sent as it is
	typ      string // "" for application/json
	keep     string // Cache-Control; "" is no-store
	tag      string // ETag without quotes; "" none, or the hash of the body where anybody may keep it
	location string
	keyed    bool // a developer's key was asked for
	header   map[string]string
}

func ok(doc any) reply { return reply{status: 200, doc: doc} }

// refused makes the problem document of an error.
func refused(err error, now time.Time) reply {
	d := docOf(err, now)
	r := reply{status: d.Status, doc: d, typ: typeProblem, header: map[string]string{}}
	var own *refusal
	if errors.As(err, &own) && len(own.allow) > 0 {
		r.header["Allow"] = strings.Join(own.allow, ", ")
	}
	switch d.Status {
	case 401:
		r.header["WWW-Authenticate"] = `Bearer realm="fairseat"`
	case 503:
		r.header["Retry-After"] = "1"
	case 429:
		r.header["Retry-After"] = retryAfter(err)
	}
	return r
}

// retryAfter is in whole seconds, rounded up: who comes then is not too early.
func retryAfter(err error) string {
	var w interface{ RetryAfter() time.Duration }
	wait := time.Second
	if errors.As(err, &w) {
		wait = w.RetryAfter()
	}
	return strconv.FormatInt(max(int64((wait+time.Second-1)/time.Second), 1), 10)
}

const dateLayout = "Mon, 02 Jan 2006 15:04:05 GMT" // RFC 9110, 5.6.7

func (e Edge) respond(ev *events.APIGatewayProxyRequest, r reply) events.APIGatewayProxyResponse {
	body := string(r.raw)
	if r.doc != nil {
		body = marshal(r.doc)
	}
	h := map[string]string{
		"Access-Control-Allow-Origin":   "*",
		"Access-Control-Expose-Headers": "Date, ETag, Location, RateLimit, RateLimit-Policy, Retry-After",
		"Cache-Control":                 keepNot,
		"Date":                          e.Clock().UTC().Format(dateLayout),
		"X-Content-Type-Options":        "nosniff",
	}
	standing(ev, h)
	for k, v := range r.header {
		h[k] = v
	}
	if r.location != "" {
		h["Location"] = r.location
	}
	if r.keep != "" {
		h["Cache-Control"] = r.keep
		if r.keyed {
			h["Vary"] = "X-Api-Key"
		}
		tag := r.tag
		if tag == "" {
			tag = hashOf(body)
		}
		h["ETag"] = `"` + tag + `"`
		if r.status == 200 && known(header(ev, "If-None-Match"), tag) {
			return events.APIGatewayProxyResponse{StatusCode: 304, Headers: h}
		}
	}
	if len(body) > 0 {
		h["Content-Type"] = typeJSON
		if r.typ != "" {
			h["Content-Type"] = r.typ
		}
	}
	return events.APIGatewayProxyResponse{StatusCode: r.status, Headers: h, Body: body}
}

func marshal(doc any) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(doc); err != nil {
		panic(err) // only our own structs come here
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func hashOf(body string) string {
	sum := sha256.Sum256([]byte(body))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// known tells whether If-None-Match has the tag, by weak comparison (RFC 9110,
// 13.1.2): *, or a list of tags with or without W/.
func known(values []string, tag string) bool {
	for _, v := range values {
		if strings.TrimSpace(v) == "*" || listed(v, tag) {
			return true
		}
	}
	return false
}

// listed reads tags up to the first thing that is none. A comma may be part of a tag.
func listed(list, tag string) bool {
	for {
		list = strings.TrimLeft(list, " \t,")
		list = strings.TrimPrefix(list, "W/")
		rest, ok := strings.CutPrefix(list, `"`)
		if !ok {
			return false
		}
		found, after, ok := strings.Cut(rest, `"`)
		if !ok {
			return false
		}
		if found == tag {
			return true
		}
		list = after
	}
}

// wireTime is RFC 3339 in UTC with milliseconds; "" for no time.
func wireTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}
