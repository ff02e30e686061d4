package api

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDepth is more than any call nests.
const maxDepth = 8

// value is JSON as it was sent: nil, bool, text, json.Number, []value or
// map[string]value. Decoding into structs was rejected: it takes members whatever
// their case, repeated ones, and null for anything.
type value struct {
	in string // the path of what it is in, or its own
	at int    // 1 and more: which element of the list at in; 0: in is its own path
	is any
	as string // of a text: beside is, not in it, where each would be an allocation
}

// text says that a value is one, which is in as.
type text struct{}

// path is where the value is, for people: best.count, seats[3]. Only a refusal
// asks for it.
func (v value) path() string {
	if v.at == 0 {
		return v.in
	}
	return v.in + "[" + strconv.Itoa(v.at-1) + "]"
}

// parse reads one JSON value and refuses repeated members at any depth.
func parse(body string) (value, error) {
	if len(body) == 0 {
		return value{}, bad("body: missing")
	}
	if !utf8.ValidString(body) {
		return value{}, bad("body: not UTF-8")
	}
	if !json.Valid([]byte(body)) {
		return value{}, bad("body: not JSON, or something follows it")
	}
	r := reader{rest: body}
	return r.value(value{}, 0)
}

// reader walks JSON that json.Valid has taken, which leaves it nothing to refuse
// but depth and repetition. The tokens of json.Decoder were rejected: each makes an
// error value to find its end, which was most of what the edge allocated.
type reader struct{ rest string }

// next skips to what is not space and shows it.
func (r *reader) next() byte {
	r.rest = strings.TrimLeft(r.rest, " \t\r\n")
	return r.rest[0]
}

// take cuts n bytes off.
func (r *reader) take(n int) string {
	part := r.rest[:n]
	r.rest = r.rest[n:]
	return part
}

// value reads into v, which knows where it is.
func (r *reader) value(v value, depth int) (value, error) {
	if depth > maxDepth {
		return value{}, bad(at(v.path()) + "nested too deeply")
	}
	var err error
	switch r.next() {
	case '{':
		v.is, err = r.object(v, depth)
	case '[':
		v.is, err = r.list(v, depth)
	case '"':
		v.is = text{}
		v.as, err = r.text()
	case 't', 'f':
		v.is = r.rest[0] == 't'
		r.word()
	case 'n':
		r.word()
	default:
		v.is = json.Number(r.word())
	}
	if err != nil {
		return value{}, err
	}
	return v, nil
}

// word is a literal or a number: up to what ends a value.
func (r *reader) word() string {
	n := strings.IndexAny(r.rest, ",]} \t\r\n")
	if n < 0 {
		n = len(r.rest)
	}
	return r.take(n)
}

func (r *reader) text() (string, error) {
	end := 1
	for r.rest[end] != '"' {
		if r.rest[end] == '\\' {
			end++
		}
		end++
	}
	quoted := r.take(end + 1)
	if strings.IndexByte(quoted, '\\') < 0 {
		return quoted[1:end], nil
	}
	var s string
	if err := json.Unmarshal([]byte(quoted), &s); err != nil {
		return "", bad("body: not JSON")
	}
	return s, nil
}

func (r *reader) object(v value, depth int) (map[string]value, error) {
	members := map[string]value{}
	path := v.path()
	r.take(1)
	for r.next() != '}' {
		name, err := r.text()
		if err != nil {
			return nil, err
		}
		inner := value{in: member(path, name)}
		if _, twice := members[name]; twice {
			return nil, bad(at(inner.in) + "member is there twice")
		}
		r.next()
		r.take(1) // the colon
		if members[name], err = r.value(inner, depth+1); err != nil {
			return nil, err
		}
		if r.next() == ',' {
			r.take(1)
			r.next()
		}
	}
	r.take(1)
	return members, nil
}

func (r *reader) list(v value, depth int) ([]value, error) {
	path := v.path()
	r.take(1)
	var list []value
	for r.next() != ']' {
		inner, err := r.value(value{in: path, at: len(list) + 1}, depth+1)
		if err != nil {
			return nil, err
		}
		if list == nil {
			list = make([]value, 0, 10) // a buyer's seats
		}
		list = append(list, inner)
		if r.next() == ',' {
			r.take(1)
		}
	}
	r.take(1)
	return list, nil
}

// member is the path of a member. A strange name is quoted, a long one cut.
func member(path, name string) string {
	if len(name) > 40 || !isID(name) {
		name = quote(name)
	}
	if path == "" {
		return name
	}
	return path + "." + name
}

func at(path string) string {
	if path == "" {
		path = "body"
	}
	return path + ": "
}

// object takes an object with no other members than the known ones.
func (v value) object(known ...string) (map[string]value, error) {
	members, ok := v.is.(map[string]value)
	if !ok {
		return nil, bad(at(v.path()) + "must be an object")
	}
	strange, is := "", false
	for name := range members {
		if !slices.Contains(known, name) && (!is || name < strange) {
			strange, is = name, true
		}
	}
	if is {
		return nil, bad(at(members[strange].path()) + "unknown member")
	}
	return members, nil
}

func (v value) text() (string, error) {
	if v.is != (text{}) {
		return "", bad(at(v.path()) + "must be a string")
	}
	return v.as, nil
}

func (v value) texts() ([]string, error) {
	list, ok := v.is.([]value)
	if !ok {
		return nil, bad(at(v.path()) + "must be a list of strings")
	}
	out := make([]string, 0, len(list))
	for _, inner := range list {
		s, err := inner.text()
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// number takes a whole number written without fraction and exponent.
func (v value) number() (int, error) {
	n, ok := v.is.(json.Number)
	i, err := strconv.Atoi(n.String())
	if !ok || err != nil {
		return 0, bad(at(v.path()) + "must be a whole number")
	}
	return i, nil
}

// canonical writes a decoded body in one way.
func canonical(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // only our own structs of texts and numbers come here
	}
	return b
}
