package seatmap

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Source is one hall as its file has it: the compact JSON text of the hall
// object, at most [MaxSourceBytes], from which Expand builds the layout again.
// It is what a catalogue stores. Expand needs the Text alone.
type Source struct {
	ID    string
	Name  string
	Kind  Kind
	Seats int
	Text  []byte
}

// SourceError says where a hall file is wrong and why. Line is counted from 1
// in the text that was given.
type SourceError struct {
	Path   string
	Line   int
	Reason string
}

func (e *SourceError) Error() string {
	return fmt.Sprintf("seatmap: line %d: %s: %s", e.Line, e.Path, e.Reason)
}

// maxFileBytes bounds a hall file as a whole.
const maxFileBytes = 8 << 20

type hallDoc struct {
	ID        string         `json:"id"`
	Name      string         `json:"name"`
	Kind      Kind           `json:"kind"`
	Format    string         `json:"format"`
	Note      string         `json:"note"`
	Numbering numbering      `json:"numbering"`
	Seats     int            `json:"seats"`
	ByType    map[string]int `json:"by_type"`
	Rows      []string       `json:"rows"`
	Sections  []sectionDoc   `json:"sections"`
	Seated    []seatedDoc    `json:"seated"`
	Standing  []standingDoc  `json:"standing"`
	Blocks    []blockDoc     `json:"blocks"`
}

type sectionDoc struct {
	Section   string         `json:"section"`
	Numbering numbering      `json:"numbering"`
	Seats     int            `json:"seats"`
	ByType    map[string]int `json:"by_type"`
	Rows      []string       `json:"rows"`
}

type standingDoc struct {
	Block    string `json:"block"`
	Level    string `json:"level"`
	Type     string `json:"type"`
	Capacity int    `json:"capacity"`
}

type blockDoc struct {
	Block       string `json:"block"`
	Level       string `json:"level"`
	Rows        string `json:"rows"`
	SeatsPerRow int    `json:"seats_per_row"`
	Type        string `json:"type"`
	Wheelchair  int    `json:"wheelchair"`
	Companion   int    `json:"companion"`
	Seats       int    `json:"seats"`
}

type fileDoc struct {
	Legend         map[string]string `json:"legend"`
	NumberingRules map[string]string `json:"numbering_rules"`
	Front          string            `json:"front"`
	Halls          []json.RawMessage `json:"halls"`
}

// ParseHalls reads a whole hall file and checks every hall to the last seat.
// It refuses, with a *SourceError, unknown and repeated members, counts that
// differ from the drawing, half loveseats, repeated halls, sections, rows and
// seats, and halls over [MaxSeats] or [MaxSourceBytes].
func ParseHalls(data []byte) ([]Source, error) {
	sources, err := parseHalls(data)
	return sources, locate(data, err)
}

func parseHalls(data []byte) ([]Source, error) {
	if len(data) > maxFileBytes {
		return nil, fault("", "the file is larger than %d bytes", maxFileBytes)
	}
	var file fileDoc
	if err := strict(data, &file); err != nil {
		return nil, err
	}
	if err := checkLegend(file); err != nil {
		return nil, err
	}
	sources := make([]Source, 0, len(file.Halls))
	seen := make(map[string]bool, len(file.Halls))
	for i, raw := range file.Halls {
		path := fmt.Sprintf("halls[%d]", i)
		src, err := parseHall(raw)
		if err != nil {
			return nil, under(path, err)
		}
		if seen[src.ID] {
			return nil, fault(path+".id", "hall %q is there twice", src.ID)
		}
		seen[src.ID] = true
		sources = append(sources, src)
	}
	return sources, nil
}

func parseHall(raw []byte) (Source, error) {
	var text bytes.Buffer
	if err := json.Compact(&text, raw); err != nil {
		return Source{}, fault("", "%v", err)
	}
	l, err := expand(text.Bytes())
	if err != nil {
		return Source{}, err
	}
	return Source{l.id, l.name, l.kind, l.Len(), text.Bytes()}, nil
}

// Expand builds the layout of a stored hall. It refuses, with a *SourceError,
// what [ParseHalls] refuses; a text that came from there it takes.
func Expand(src Source) (*Layout, error) {
	l, err := expand(src.Text)
	if err != nil {
		return nil, locate(src.Text, err)
	}
	if src.ID != "" && src.ID != l.id {
		return nil, &SourceError{"id", 1, fmt.Sprintf("the text is of hall %q, not %q", l.id, src.ID)}
	}
	return l, nil
}

func expand(text []byte) (*Layout, error) {
	if len(text) > MaxSourceBytes {
		return nil, fault("", "the hall is larger than %d bytes", MaxSourceBytes)
	}
	var doc hallDoc
	if err := strict(text, &doc); err != nil {
		return nil, err
	}
	return build(doc)
}

func checkLegend(file fileDoc) error {
	for letter := range file.Legend {
		if letter == "_" || letter == standingLetter {
			continue
		}
		if len(letter) != 1 || letters[letter[0]] == "" {
			return fault("legend."+letter, "unknown letter")
		}
	}
	for rule := range file.NumberingRules {
		if !numbering(rule).valid() {
			return fault("numbering_rules."+rule, "unknown rule")
		}
	}
	if len(file.Halls) == 0 {
		return fault("halls", "there are none")
	}
	return nil
}

// strict decodes one JSON value into v. encoding/json alone takes repeated
// members and members in another case, so names are checked first.
func strict(data []byte, v any) error {
	if !utf8.Valid(data) {
		return fault("", "not UTF-8")
	}
	if err := walk(data, checkMember); err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	err := dec.Decode(v)
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fault(wrong.Field, "a %s cannot stand here", wrong.Value)
	}
	if err != nil {
		return fault("", "%s", strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := dec.Token(); err != io.EOF {
		return fault("", "more than one value")
	}
	return nil
}
