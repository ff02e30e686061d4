// Package console writes what the functions, the gateway and the cloud itself
// have to say, one line each, and decides how: coloured and aligned for a
// terminal, a JSON object a line for everything else.
//
// A line is written whole or not at all, whoever else writes. Request paths come
// without their queries, which may carry keys. Start with [New].
package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/fatih/color"
	"github.com/mattn/go-isatty"

	"github.com/fairseat/fairseat/localstack/gateway"
	"github.com/fairseat/fairseat/localstack/runtime"
)

// Format is how lines look. The zero value is invalid.
type Format uint8

const (
	_    Format = iota
	Auto        // Text on a terminal, JSON otherwise
	Text
	JSON
)

// ParseFormat reads "auto", "text" or "json".
func ParseFormat(s string) (Format, error) {
	for f, name := range map[Format]string{Auto: "auto", Text: "text", JSON: "json"} {
		if s == name {
			return f, nil
		}
	}
	return 0, fmt.Errorf("console: there is no log format %q, only auto, text and json", s)
}

// Console writes lines. Its methods may be called from any goroutine.
type Console struct {
	json  bool
	paint bool
	now   func() time.Time

	mu     sync.Mutex
	w      io.Writer
	width  int // of the longest name so far
	colour map[string]*color.Color
}

// New makes a console on w. Colours need a terminal, and NO_COLOR unset (https://no-color.org).
func New(w io.Writer, format Format, now func() time.Time) *Console {
	f, isFile := w.(*os.File)
	terminal := isFile && isatty.IsTerminal(f.Fd())
	_, plain := os.LookupEnv("NO_COLOR")
	return &Console{
		json:  format == JSON || format == Auto && !terminal,
		paint: terminal && !plain,
		now:   now, w: w, width: 4, colour: map[string]*color.Color{},
	}
}

// line is one line in either form.
type line struct {
	Time     string          `json:"time"`
	From     string          `json:"from"` // function, api, cloud or output
	Name     string          `json:"name,omitempty"`
	Request  string          `json:"request_id,omitempty"`
	Text     string          `json:"text,omitempty"`
	Record   json.RawMessage `json:"record,omitempty"` // instead of a text that is a JSON object
	Method   string          `json:"method,omitempty"`
	Path     string          `json:"path,omitempty"`
	Status   int             `json:"status,omitempty"`
	Duration *float64        `json:"ms,omitempty"`
}

// Line writes what a function has written.
func (c *Console) Line(l runtime.Line) {
	c.write(line{From: "function", Name: l.Function, Request: l.RequestID, Text: l.Text})
}

// Access writes a request that the gateway has served.
func (c *Console) Access(a gateway.Access) {
	ms := float64(a.Duration.Microseconds()) / 1000
	c.write(line{From: "api", Request: a.RequestID, Method: a.Method, Path: a.Path, Status: a.Status, Duration: &ms})
}

// Note writes what the cloud itself has to say.
func (c *Console) Note(text string) { c.write(line{From: "cloud", Text: text}) }

// Output is a writer for another program's output; it is cut into lines.
func (c *Console) Output(name string) io.Writer {
	return &cutter{emit: func(text string) { c.write(line{From: "output", Name: name, Text: text}) }}
}

func (c *Console) write(l line) {
	now := c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.json {
		_, _ = io.WriteString(c.w, c.text(l, now)+"\n")
		return
	}
	l.Time = now.UTC().Format("2006-01-02T15:04:05.000Z")
	if t := strings.TrimSpace(l.Text); strings.HasPrefix(t, "{") && json.Valid([]byte(t)) {
		l.Record, l.Text = json.RawMessage(t), ""
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(l)
	_, _ = c.w.Write(b.Bytes())
}

func (c *Console) text(l line, now time.Time) string {
	name := l.Name
	if name == "" {
		name = l.From
	}
	c.width = max(c.width, len(name))
	body := printable(l.Text)
	if l.From == "api" {
		body = fmt.Sprintf("%s %s %s %.0f ms", l.Method, printable(l.Path), c.status(l.Status), *l.Duration)
	}
	request := l.Request
	if len(request) > 8 {
		request = request[:8]
	}
	label := c.dye(name).Sprintf("%-*s", c.width, name)
	return fmt.Sprintf("%s %s %-8s %s", now.Format("15:04:05.000"), label, request, body)
}

var palette = []color.Attribute{
	color.FgCyan, color.FgGreen, color.FgMagenta, color.FgYellow, color.FgBlue,
	color.FgHiCyan, color.FgHiGreen, color.FgHiMagenta, color.FgHiYellow, color.FgHiBlue,
}

// dye gives each name a colour of its own, in order of appearance.
func (c *Console) dye(name string) *color.Color {
	d := c.colour[name]
	if d == nil {
		d = c.ink(palette[len(c.colour)%len(palette)])
		c.colour[name] = d
	}
	return d
}

func (c *Console) status(n int) string {
	a := color.FgGreen
	switch {
	case n >= 500:
		a = color.FgRed
	case n >= 400:
		a = color.FgYellow
	}
	return c.ink(a).Sprint(n)
}

func (c *Console) ink(a color.Attribute) *color.Color {
	d := color.New(a)
	if c.paint {
		d.EnableColor()
	} else {
		d.DisableColor()
	}
	return d
}

// printable keeps a log from driving the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\t' && !unicode.IsPrint(r) {
			return '\ufffd'
		}
		return r
	}, s)
}

// cutter hands on whole lines.
type cutter struct {
	emit func(string)
	mu   sync.Mutex
	rest []byte
}

func (t *cutter) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rest = append(t.rest, b...)
	for {
		i := bytes.IndexByte(t.rest, '\n')
		if i < 0 {
			return len(b), nil
		}
		if text := string(bytes.TrimSuffix(t.rest[:i], []byte("\r"))); text != "" {
			t.emit(text)
		}
		t.rest = t.rest[i+1:]
	}
}
