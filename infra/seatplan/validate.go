package seatplan

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

//go:embed schema.json
var schemaText string

var schema = sync.OnceValue(func() *jsonschema.Schema {
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(schemaText))
	if err != nil {
		panic(err) // it is part of the program
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("plan.json", doc); err != nil {
		panic(err)
	}
	return c.MustCompile("plan.json")
})

// validate checks size, nesting, repeated members and the schema.
func validate(data []byte) error {
	switch {
	case len(data) > MaxBytes:
		return Problems{{"file", fmt.Sprintf("larger than %d bytes", MaxBytes)}}
	case !utf8.Valid(data):
		return Problems{{"file", "not UTF-8"}}
	}
	w := walker{dec: json.NewDecoder(bytes.NewReader(data))}
	if err := w.value("", 0); err != nil {
		return Problems{{"file", err.Error()}}
	}
	if w.dec.More() || len(bytes.TrimSpace(data[w.dec.InputOffset():])) > 0 {
		return Problems{{"file", "something follows the plan"}}
	}
	if len(w.problems) > 0 {
		return w.problems.first()
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return Problems{{"file", err.Error()}}
	}
	var bad *jsonschema.ValidationError
	if errors.As(schema().Validate(doc), &bad) {
		var ps Problems
		leaves(bad, &ps)
		return ps.first()
	}
	return nil
}

// leaves are the violations themselves, without those that only hold others.
func leaves(e *jsonschema.ValidationError, to *Problems) {
	if len(e.Causes) == 0 {
		*to = append(*to, Problem{pathOf(e.InstanceLocation), e.ErrorKind.LocalizedString(message.NewPrinter(language.English))})
	}
	for _, c := range e.Causes {
		leaves(c, to)
	}
}

// pathOf writes tokens of a JSON pointer as a JSON path.
func pathOf(tokens []string) string {
	if len(tokens) == 0 {
		return "file"
	}
	var b strings.Builder
	for _, t := range tokens {
		if _, err := strconv.Atoi(t); err == nil {
			fmt.Fprintf(&b, "[%s]", t)
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(t)
	}
	return b.String()
}

// walker finds what a schema cannot see: members that are there twice, and
// nesting that is deeper than any plan's.
type walker struct {
	dec      *json.Decoder
	problems Problems
}

func (w *walker) value(path string, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("%s: nested too deeply", path)
	}
	t, err := w.dec.Token()
	if err != nil {
		return fmt.Errorf("not JSON: %w", err)
	}
	opened, ok := t.(json.Delim)
	if !ok {
		return nil
	}
	seen := map[string]bool{}
	for i := 0; w.dec.More(); i++ {
		inner := fmt.Sprintf("%s[%d]", path, i)
		if opened == '{' {
			if inner, err = w.member(path, seen); err != nil {
				return err
			}
		}
		if err := w.value(inner, depth+1); err != nil {
			return err
		}
	}
	if _, err := w.dec.Token(); err != nil {
		return fmt.Errorf("not JSON: %w", err)
	}
	return nil
}

func (w *walker) member(path string, seen map[string]bool) (string, error) {
	t, err := w.dec.Token()
	if err != nil {
		return "", fmt.Errorf("not JSON: %w", err)
	}
	name, _ := t.(string)
	inner := strings.TrimPrefix(path+"."+name, ".")
	if seen[name] && len(w.problems) <= maxProblems {
		w.problems = append(w.problems, Problem{inner, "the member is there twice"})
	}
	seen[name] = true
	return inner, nil
}
