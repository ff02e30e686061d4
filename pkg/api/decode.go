package api

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"unicode/utf8"
)

// maxDepth is more than any call nests.
const maxDepth = 8

// value is JSON as it was sent: nil, bool, string, json.Number, []value or
// map[string]value. Decoding into structs was rejected: it takes members whatever
// their case, repeated ones, and null for anything.
type value struct {
	path string // where it is, for people: best.count, seats[3]
	is   any
}

// parse reads one JSON value and refuses repeated members at any depth.
func parse(body []byte) (value, error) {
	if len(body) == 0 {
		return value{}, bad("body: missing")
	}
	if !utf8.Valid(body) {
		return value{}, bad("body: not UTF-8")
	}
	if !json.Valid(body) {
		return value{}, bad("body: not JSON, or something follows it")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	return parseValue(d, "", 0)
}

func parseValue(d *json.Decoder, path string, depth int) (value, error) {
	if depth > maxDepth {
		return value{}, bad(at(path) + "nested too deeply")
	}
	t, err := d.Token()
	if err != nil {
		return value{}, bad("body: not JSON")
	}
	switch t {
	case json.Delim('{'):
		return parseObject(d, path, depth)
	case json.Delim('['):
		return parseList(d, path, depth)
	}
	return value{path, t}, nil
}

func parseObject(d *json.Decoder, path string, depth int) (value, error) {
	members := map[string]value{}
	for d.More() {
		t, err := d.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			return value{}, bad("body: not JSON")
		}
		inner := member(path, name)
		if _, twice := members[name]; twice {
			return value{}, bad(at(inner) + "member is there twice")
		}
		if members[name], err = parseValue(d, inner, depth+1); err != nil {
			return value{}, err
		}
	}
	_, err := d.Token()
	return value{path, members}, err
}

func parseList(d *json.Decoder, path string, depth int) (value, error) {
	var list []value
	for d.More() {
		v, err := parseValue(d, path+"["+strconv.Itoa(len(list))+"]", depth+1)
		if err != nil {
			return value{}, err
		}
		list = append(list, v)
	}
	_, err := d.Token()
	return value{path, list}, err
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
		return nil, bad(at(v.path) + "must be an object")
	}
	for _, name := range sortedKeys(members) {
		if !slices.Contains(known, name) {
			return nil, bad(at(members[name].path) + "unknown member")
		}
	}
	return members, nil
}

func (v value) text() (string, error) {
	s, ok := v.is.(string)
	if !ok {
		return "", bad(at(v.path) + "must be a string")
	}
	return s, nil
}

func (v value) texts() ([]string, error) {
	list, ok := v.is.([]value)
	if !ok {
		return nil, bad(at(v.path) + "must be a list of strings")
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
		return 0, bad(at(v.path) + "must be a whole number")
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
