package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
)

// row is one element of an array in a file, with the line it begins on.
type row[T any] struct {
	file string
	line int
	v    T
}

// refusal is what is wrong, and where: "cinemas.json:57: ...".
type refusal struct {
	file   string
	line   int
	reason string
}

func (r *refusal) Error() string { return fmt.Sprintf("%s:%d: %s", r.file, r.line, r.reason) }

func (r row[T]) refuse(format string, args ...any) error {
	return &refusal{r.file, r.line, fmt.Sprintf(format, args...)}
}

// wholeFile is the place of what is wrong with no row of its own.
type wholeFile string

func (w wholeFile) refuse(format string, args ...any) error {
	return fmt.Errorf("%s: "+format, append([]any{string(w)}, args...)...)
}

// readRows decodes the array that is the whole file, or that is the member of the
// file's object when member is not "". A member that is unknown, missing, there
// twice or of another type is refused.
func readRows[T any](file string, data []byte, member string) ([]row[T], error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	at := func(offset int64, err error) error { return &refusal{file, lineAt(data, offset), plainly(err)} }
	if err := enter(dec, member); err != nil {
		return nil, at(dec.InputOffset(), err)
	}
	var rows []row[T]
	line, counted := 1, int64(0)
	for dec.More() {
		start := nextValue(data, dec.InputOffset())
		line, counted = line+bytes.Count(data[counted:start], newline), start
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return nil, at(offsetOf(err, start), err)
		}
		r := row[T]{file: file, line: line}
		if err := strict(raw, &r.v); err != nil {
			return nil, at(start+offsetOf(err, 0), err)
		}
		rows = append(rows, r)
	}
	if _, err := dec.Token(); err != nil {
		return nil, at(dec.InputOffset(), err)
	}
	if _, err := dec.Token(); member == "" && err != io.EOF {
		return nil, at(dec.InputOffset(), errors.New("something follows the array"))
	}
	return rows, nil
}

// enter reads up to the first element of the array.
func enter(dec *json.Decoder, member string) error {
	if member != "" {
		if err := expect(dec, '{'); err != nil {
			return err
		}
		if err := skipTo(dec, member); err != nil {
			return err
		}
	}
	return expect(dec, '[')
}

func expect(dec *json.Decoder, want json.Delim) error {
	t, err := dec.Token()
	if err == nil && t != want {
		return fmt.Errorf("want %v here", want)
	}
	return err
}

func skipTo(dec *json.Decoder, member string) error {
	for dec.More() {
		t, err := dec.Token()
		if err != nil || t == member {
			return err
		}
		var skipped json.RawMessage
		if err := dec.Decode(&skipped); err != nil {
			return err
		}
	}
	return fmt.Errorf("no member %q", member)
}

func nextValue(data []byte, offset int64) int64 {
	rest := data[offset:]
	return offset + int64(len(rest)-len(bytes.TrimLeft(rest, " \t\r\n,")))
}

var newline = []byte("\n")

func lineAt(data []byte, offset int64) int {
	return 1 + bytes.Count(data[:min(offset, int64(len(data)))], newline)
}

// offsetOf is where in the decoded bytes err arose, or other when it does not say.
func offsetOf(err error, other int64) int64 {
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		return e.Offset
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return e.Offset
	}
	return other
}

func plainly(err error) string {
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Sprintf("member %q cannot be a %s", e.Field, e.Value)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "the file ends too early"
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}

// strict decodes an object. encoding/json alone lets members be missing, repeated
// and in another case.
func strict[T any](raw []byte, v *T) error {
	members, err := memberNames(json.NewDecoder(bytes.NewReader(raw)))
	if err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return err
	}
	return exactly(members, reflect.TypeFor[T]())
}

// memberNames are the names in the outermost object; none within it may repeat one.
func memberNames(dec *json.Decoder) (map[string]bool, error) {
	t, err := dec.Token()
	if err != nil {
		return nil, err
	}
	opened, ok := t.(json.Delim)
	if !ok {
		return nil, nil
	}
	names := map[string]bool{}
	for dec.More() {
		if opened == '{' {
			name, err := dec.Token()
			if err != nil {
				return nil, err
			}
			if names[name.(string)] {
				return nil, fmt.Errorf("member %q is there twice", name)
			}
			names[name.(string)] = true
		}
		if _, err := memberNames(dec); err != nil {
			return nil, err
		}
	}
	_, err = dec.Token()
	return names, err
}

func exactly(members map[string]bool, t reflect.Type) error {
	known := map[string]bool{}
	for f := range t.Fields() {
		name, opts, _ := strings.Cut(f.Tag.Get("json"), ",")
		known[name] = true
		if !members[name] && opts != "omitempty" {
			return fmt.Errorf("member %q is missing", name)
		}
	}
	for name := range members {
		if !known[name] {
			return fmt.Errorf("unknown member %q", name)
		}
	}
	return nil
}
