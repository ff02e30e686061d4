// Package object reads JSON objects of others strictly. encoding/json alone keeps the
// last of two equal names, matches names without case and reads null as nothing: each
// a way to make two readers see two messages. Names that are not asked for may be
// there, since providers add some without notice.
package object

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
)

// Reader reads members of one object and keeps the first error.
type Reader struct {
	in   map[string]json.RawMessage
	path string
	err  *error
}

// Open takes raw apart: one object, no name twice, nothing after it.
func Open(raw []byte) *Reader {
	r := &Reader{err: new(error)}
	r.in, *r.err = members(raw)
	return r
}

// Err is the first thing that was not as it had to be.
func (r *Reader) Err() error { return *r.err }

// Refuse notes what else is wrong.
func (r *Reader) Refuse(name, why string) {
	if *r.err == nil {
		*r.err = fmt.Errorf("member %q %s", r.path+name, why)
	}
}

func members(raw []byte) (map[string]json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("not an object")
	}
	out := map[string]json.RawMessage{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, errors.New("not JSON")
		}
		name, ok := t.(string)
		if _, twice := out[name]; !ok || twice {
			return nil, fmt.Errorf("member %.40q is repeated", name)
		}
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return nil, errors.New("not JSON")
		}
		out[name] = v
	}
	if _, err := d.Token(); err != nil {
		return nil, errors.New("not JSON")
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("something follows the object")
	}
	return out, nil
}

// Has reports whether the member is there and not null.
func (r *Reader) Has(name string) bool {
	v, ok := r.in[name]
	return ok && string(v) != "null"
}

// Raw is a member as it stood in the text, e.g. for what was signed; nil where it is
// missing.
func (r *Reader) Raw(name string) json.RawMessage { return r.in[name] }

// Object is a member that must be an object.
func (r *Reader) Object(name string) *Reader {
	in := &Reader{path: r.path + name + ".", err: r.err}
	if *r.err == nil {
		var err error
		if in.in, err = members(r.in[name]); err != nil {
			r.Refuse(name, "is "+err.Error())
		}
	}
	return in
}

// Objects is a member that must be a list of objects.
func (r *Reader) Objects(name string) []*Reader {
	var raw []json.RawMessage
	if *r.err == nil && (!r.Has(name) || json.Unmarshal(r.in[name], &raw) != nil) {
		r.Refuse(name, "is not a list")
	}
	var out []*Reader
	for i, one := range raw {
		in := &Reader{path: r.path + name + "[" + strconv.Itoa(i) + "].", err: r.err}
		var err error
		if in.in, err = members(one); err != nil {
			r.Refuse(name, "holds what is "+err.Error())
		}
		out = append(out, in)
	}
	return out
}

// Text is a member that must be a string with something in it.
func (r *Reader) Text(name string) string {
	s := r.Maybe(name)
	if s == "" {
		r.Refuse(name, "is missing or empty")
	}
	return s
}

// Maybe is a string that may be missing or empty.
func (r *Reader) Maybe(name string) string {
	if *r.err != nil || !r.Has(name) {
		return ""
	}
	var s string
	if json.Unmarshal(r.in[name], &s) != nil {
		r.Refuse(name, "is not a string")
	}
	return s
}

// Whole is a member that must be digits alone: no sign, fraction, exponent or leading
// zero, and not a string.
func (r *Reader) Whole(name string) int64 {
	if *r.err != nil {
		return 0
	}
	raw := string(r.in[name])
	n, err := strconv.ParseInt(raw, 10, 64)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != raw {
		r.Refuse(name, "is not a whole number")
		return 0
	}
	return n
}

// Time is a member that must be a time as RFC 3339 writes it.
func (r *Reader) Time(name string) time.Time {
	s := r.Text(name)
	if *r.err != nil {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		r.Refuse(name, "is not a time")
	}
	return t.UTC()
}
