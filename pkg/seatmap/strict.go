package seatmap

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// maxDepth is more nesting than any hall file has.
const maxDepth = 12

// members are the names that occur in hall files; objects with free names are
// in freeNames.
var (
	members = nameSet("legend numbering_rules front halls id name kind format note numbering " +
		"seats by_type rows sections section standing blocks block level type capacity " +
		"seats_per_row wheelchair companion seated row cells numbers line at")
	freeNames = nameSet("legend numbering_rules by_type")
)

func nameSet(words string) map[string]bool {
	set := make(map[string]bool)
	for word := range strings.FieldsSeq(words) {
		set[word] = true
	}
	return set
}

func fault(path, format string, args ...any) error {
	return &SourceError{Path: path, Reason: fmt.Sprintf(format, args...)}
}

// under puts a path in front of the path of err.
func under(path string, err error) error {
	e, ok := errors.AsType[*SourceError](err)
	if !ok {
		return err
	}
	switch {
	case e.Path == "":
		e.Path = path
	case strings.HasPrefix(e.Path, "["):
		e.Path = path + e.Path
	default:
		e.Path = path + "." + e.Path
	}
	return e
}

// locate adds the line to a SourceError: that of its path, or of the nearest
// thing around it that the text holds.
func locate(data []byte, err error) error {
	e, ok := errors.AsType[*SourceError](err)
	if !ok {
		return err
	}
	if e.Path == "" {
		e.Path = "file"
	}
	best, at := -1, 0
	_ = walk(data, func(_, path string, offset int) error {
		if len(path) > best && covers(path, e.Path) {
			best, at = len(path), offset
		}
		return nil
	})
	e.Line = 1 + bytes.Count(data[:at], []byte("\n"))
	return e
}

// covers reports whether the thing at path is, or holds, the thing at inner.
func covers(path, inner string) bool {
	rest, ok := strings.CutPrefix(inner, path)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// visit is told each value: the name of the object's member that holds the
// object around it, its own path, and where it starts.
type visit func(holder, path string, offset int) error

func checkMember(holder, path string, _ int) error {
	name := path[strings.LastIndexByte(path, '.')+1:]
	if strings.HasSuffix(path, "]") || freeNames[holder] || members[name] {
		return nil
	}
	return fault(path, "unknown member")
}

// walk visits every member and element of one JSON text in order, and refuses
// a member that an object has twice.
func walk(data []byte, v visit) error {
	w := walker{json.NewDecoder(bytes.NewReader(data)), data, v}
	w.dec.UseNumber()
	return w.value("", "", 0)
}

type walker struct {
	dec  *json.Decoder
	data []byte
	v    visit
}

func (w walker) value(holder, path string, depth int) error {
	if depth > maxDepth {
		return fault(path, "nested too deeply")
	}
	t, err := w.dec.Token()
	if err != nil {
		return fault(path, "not JSON: %v", err)
	}
	switch t {
	case json.Delim('{'):
		return w.object(holder, path, depth)
	case json.Delim('['):
		return w.array(holder, path, depth)
	}
	return nil
}

func (w walker) object(holder, path string, depth int) error {
	seen := make(map[string]bool)
	for w.dec.More() {
		t, err := w.dec.Token()
		if err != nil {
			return fault(path, "not JSON: %v", err)
		}
		name, _ := t.(string)
		inner := name
		if path != "" {
			inner = path + "." + name
		}
		if seen[name] {
			return fault(inner, "the member is there twice")
		}
		seen[name] = true
		if err := w.v(holder, inner, w.next()); err != nil {
			return err
		}
		if err := w.value(name, inner, depth+1); err != nil {
			return err
		}
	}
	return w.end(path)
}

func (w walker) array(holder, path string, depth int) error {
	for i := 0; w.dec.More(); i++ {
		inner := fmt.Sprintf("%s[%d]", path, i)
		if err := w.v(holder, inner, w.next()); err != nil {
			return err
		}
		if err := w.value("", inner, depth+1); err != nil {
			return err
		}
	}
	return w.end(path)
}

func (w walker) end(path string) error {
	if _, err := w.dec.Token(); err != nil {
		return fault(path, "not JSON: %v", err)
	}
	return nil
}

// next is the offset of the value that comes.
func (w walker) next() int {
	at := int(w.dec.InputOffset())
	for at < len(w.data) && strings.IndexByte(" \t\r\n,:", w.data[at]) >= 0 {
		at++
	}
	return at
}
