package api

import (
	"encoding/base64"
	"mime"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/session"
)

const (
	maxBody  = 64 << 10
	maxID    = 128
	maxKey   = 128
	maxQuery = 200 // characters of q

	defaultLimit = 50
)

// call is one request, as far as it has been read.
type call struct {
	edge  Edge
	event *events.APIGatewayProxyRequest
	route Route
	now   time.Time

	ids   [2]named // of the path
	body  string
	buyer booking.Buyer
	// who bears the token, where a route asks for an account
	person session.Person
	key    string
	query  map[string]string
}

// named is a path's parameter. No route has more than two: a map was two
// allocations for one id.
type named struct{ name, id string }

func (c *call) id(name string) string {
	for _, p := range c.ids {
		if p.name == name {
			return p.id
		}
	}
	return ""
}

// header gives all values of a header, whatever the case of its name.
func header(ev *events.APIGatewayProxyRequest, name string) []string {
	var values []string
	for k, v := range ev.MultiValueHeaders {
		switch {
		case !strings.EqualFold(k, name):
		case len(values) == 0 && len(v) > 0:
			values = v
		default:
			values = append(slices.Clip(values), v...)
		}
	}
	if values != nil {
		return values
	}
	for k, v := range ev.Headers {
		if strings.EqualFold(k, name) {
			values = append(values, v)
		}
	}
	return values
}

// readIDs takes the path's parameters; what cannot be an id names nothing.
func (c *call) readIDs() error {
	n := 0
	for segment := range strings.SplitSeq(c.route.Path, "/") {
		name, ok := strings.CutPrefix(segment, "{")
		if !ok {
			continue
		}
		name = strings.TrimSuffix(name, "}")
		id, ok := idOf(c.event.PathParameters[name])
		if !ok {
			return errNotFound
		}
		c.ids[n] = named{name, id}
		n++
	}
	return nil
}

// idOf reads a segment of a path, which a REST API passes as it was sent,
// percent-encoded.
func idOf(segment string) (string, bool) {
	id, err := url.PathUnescape(segment)
	return id, err == nil && isID(id)
}

func isID(s string) bool {
	if s == "" || len(s) > maxID {
		return false
	}
	for _, b := range []byte(s) {
		if b <= ' ' || b > '~' || b == '#' || b == '/' || b == '%' {
			return false
		}
	}
	return true
}

func (c *call) readBody() error {
	if c.route.Body == NoBody {
		return nil
	}
	body := c.event.Body
	if c.event.IsBase64Encoded {
		if base64.StdEncoding.DecodedLen(len(body)) > maxBody+3 {
			return errTooLarge
		}
		raw, err := base64.StdEncoding.DecodeString(c.event.Body)
		if err != nil {
			return bad("body: not base64")
		}
		body = string(raw)
	}
	c.body = body
	switch {
	case len(body) > maxBody:
		return errTooLarge
	case c.route.Body == RawBody, c.route.Body == MayJSON && len(body) == 0:
		return nil
	case !isJSON(header(c.event, "Content-Type")):
		return errMediaType
	}
	return nil
}

// emptyBody takes what MayJSON allows.
func (c *call) emptyBody() error {
	if len(c.body) == 0 {
		return nil
	}
	v, err := parse(c.body)
	if err == nil {
		_, err = v.object()
	}
	return err
}

func isJSON(types []string) bool {
	if len(types) != 1 {
		return false
	}
	if types[0] == typeJSON {
		return true // as nearly everybody writes it
	}
	typ, params, err := mime.ParseMediaType(types[0])
	charset, given := params["charset"]
	return err == nil && typ == "application/json" && (!given || strings.EqualFold(charset, "utf-8"))
}

// readBuyer reads Authorization (RFC 6750).
func (c *call) readBuyer() error {
	if !c.route.Buyer {
		return nil
	}
	values := header(c.event, "Authorization")
	if len(values) != 1 {
		return &refusal{code: "unauthorized", detail: "The Authorization header must be there once."}
	}
	token, ok := bearer(values[0])
	if !ok {
		return &refusal{code: "unauthorized", detail: "The Authorization header must be Bearer and a session token."}
	}
	if c.route.Account {
		return c.readPerson(token)
	}
	b, err := c.edge.Buyer(token, c.now)
	if err != nil || b == "" {
		return &refusal{code: "unauthorized", detail: "The session token is unknown or expired."}
	}
	c.buyer = b
	return nil
}

// readPerson reads the token of an account; a guest's is none.
func (c *call) readPerson(token string) (err error) {
	if c.person, err = c.edge.Person(token, c.now); err != nil {
		return &refusal{code: "unauthorized", detail: "The token is not of an account, or is unknown or expired."}
	}
	c.buyer = c.person.Buyer
	return nil
}

func bearer(value string) (token string, ok bool) {
	scheme, token, ok := strings.Cut(value, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	token = strings.TrimLeft(token, " ")
	return token, token != "" && !strings.ContainsAny(token, " ,\t\r\n")
}

func (c *call) readKey() error {
	if !c.route.Receipt {
		return nil
	}
	values := header(c.event, "Idempotency-Key")
	if len(values) == 0 || len(values) == 1 && values[0] == "" {
		return errNoKey
	}
	if len(values) > 1 {
		return bad("Idempotency-Key: must be there once")
	}
	key := values[0]
	if !printable(key, maxKey) {
		return bad("Idempotency-Key: must be 1 to 128 printable ASCII characters")
	}
	c.key = key
	return nil
}

// printable tells 1 to most printable ASCII characters, blanks among them.
func printable(s string, most int) bool {
	return s != "" && len(s) <= most && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

// devKey is the query parameter that API Gateway's authorizer reads.
const devKey = "api_dev_key"

func (c *call) readQuery() error {
	given := c.event.MultiValueQueryStringParameters
	if len(given)+len(c.event.QueryStringParameters) == 0 {
		return nil
	}
	c.query = make(map[string]string, len(given))
	if len(given) == 0 {
		given = map[string][]string{}
		for k, v := range c.event.QueryStringParameters {
			given[k] = []string{v}
		}
	}
	for _, k := range sortedKeys(given) {
		if k != devKey && !slices.Contains(c.route.Query, k) {
			return bad("unknown parameter " + quote(k))
		}
		if len(given[k]) != 1 {
			return bad(k + ": must be there once")
		}
		if !utf8.ValidString(given[k][0]) {
			return bad(k + ": not UTF-8")
		}
		c.query[k] = given[k][0]
	}
	return nil
}

// page reads limit and cursor; whether the cursor is one of the list's, the
// catalogue tells.
func (c *call) page() (catalog.Page, error) {
	p := catalog.Page{Limit: defaultLimit}
	if text, given := c.query["limit"]; given {
		n, ok := whole(text)
		if !ok || n < 1 || n > catalog.MaxLimit {
			return p, bad("limit: must be a whole number from 1 to 100")
		}
		p.Limit = n
	}
	cursor, given := c.query["cursor"]
	if given && cursor == "" {
		return p, bad("cursor: not a cursor of this list")
	}
	p.Cursor = cursor
	return p, nil
}

func whole(s string) (int, bool) {
	if len(s) > 9 || strings.Trim(s, "0123456789") != "" || len(s) > 1 && s[0] == '0' {
		return 0, false
	}
	n, err := strconv.Atoi(s)
	return n, err == nil
}

// date reads YYYY-MM-DD, "" when it is not there.
func (c *call) date() (string, error) {
	text, given := c.query["date"]
	if !given {
		return "", nil
	}
	d, err := time.Parse(time.DateOnly, text)
	// The catalogue sorts times as text of four-digit years.
	if err != nil || d.Year() < 1 || d.Year() > 9998 {
		return "", bad("date: must be a date, YYYY-MM-DD")
	}
	return text, nil
}

// digest is what a repeated request must have in common with the first, whatever
// its white space and order of members: canonical is the body, decoded and
// written anew.
func (c *call) digest(canonical []byte) string {
	parts := append(make([]string, 0, 8), c.route.Method, c.route.Path)
	ids := c.ids
	slices.SortFunc(ids[:], func(a, b named) int { return strings.Compare(a.name, b.name) })
	for _, p := range ids {
		if p.name != "" {
			parts = append(parts, p.name, p.id)
		}
	}
	return booking.Digest(append(parts, string(canonical))...)
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// quote shows a name that a client sent, as much of it as a person needs.
func quote(s string) string {
	if len(s) > 40 {
		s = strings.ToValidUTF8(s[:40], "") + "…"
	}
	return strconv.Quote(s)
}
