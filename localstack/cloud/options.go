package cloud

import (
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/fairseat/fairseat/localstack/emulators"
	"github.com/fairseat/fairseat/localstack/gateway"
	"github.com/fairseat/fairseat/localstack/process"
	"github.com/fairseat/fairseat/localstack/rights"
	"github.com/fairseat/fairseat/localstack/runtime"
)

// Options of a local cloud. Template and Store are required.
type Options struct {
	Template   string            // path of template.yaml
	Parameters map[string]string // override the template's defaults; see Command for {port:NAME}
	Store      emulators.Store
	Port       int         // of the REST API on 127.0.0.1; 0 = any free one
	SocketPort int         // of the WebSocket API; 0 = the one after Port, or any free one if Port is 0
	TablePort  int         // of the DynamoDB stand-in; 0 = any free one
	QueuePort  int         // of the SQS stand-in; 0 = any free one
	Data       string      // folder that keeps the state; "" = it is thrown away
	Tools      string      // cache folder for the stand-ins; "" = .tools beside the template
	Region     string      // "" = eu-west-1
	Rights     rights.Mode // what a function may do that its role does not allow; 0 = rights.Enforce
	Companions []Command   // run as long as the cloud does
	Before     []Command   // run to their ends, in order, before anything is served: what fills tables

	Progress io.Writer                   // what takes long; nil = nowhere
	Line     func(runtime.Line)          // what functions write; nil = dropped
	Access   func(gateway.Access)        // requests that were served; nil = dropped
	Note     func(string)                // what the cloud itself has to say; nil = dropped
	Output   func(name string) io.Writer // of companions; nil = Progress

	Stdout, Stderr io.Writer // of the Before commands; nil = Output
}

func (o Options) filled() Options {
	if o.Region == "" {
		o.Region = "eu-west-1"
	}
	if o.Rights == 0 {
		o.Rights = rights.Enforce
	}
	if o.SocketPort == 0 && o.Port != 0 {
		o.SocketPort = o.Port + 1
	}
	o.Tools = o.ToolsFolder()
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	if o.Line == nil {
		o.Line = func(runtime.Line) {}
	}
	if o.Access == nil {
		o.Access = func(gateway.Access) {}
	}
	if o.Note == nil {
		o.Note = func(string) {}
	}
	if o.Output == nil {
		o.Output = func(string) io.Writer { return o.Progress }
	}
	return o
}

// ToolsFolder is Tools, or its default.
func (o Options) ToolsFolder() string {
	if o.Tools != "" {
		return o.Tools
	}
	return filepath.Join(filepath.Dir(o.Template), ".tools")
}

// Command is a program with its arguments. Arguments may hold {port:NAME} and
// {listen:NAME}: a free port, the same wherever NAME occurs, in parameters as
// well. A companion that listens counts as started when it does.
type Command struct {
	Name string
	Args []string // the first is the program
}

// ParseCommand reads words separated by blanks. Single and double quotes and the
// backslash work as in a shell; nothing else is special.
func ParseCommand(name, line string) (Command, error) {
	var args []string
	var word strings.Builder
	var quote rune
	inWord, escaped := false, false
	for _, r := range line {
		switch {
		case escaped:
			word.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			escaped, inWord = true, true
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote, inWord = r, true
		case quote == 0 && strings.ContainsRune(" \t\n", r):
			if inWord {
				args = append(args, word.String())
				word.Reset()
			}
			inWord = false
		default:
			word.WriteRune(r)
			inWord = true
		}
	}
	if quote != 0 || escaped {
		return Command{}, fmt.Errorf("cloud: command %q ends inside a quotation", line)
	}
	if inWord {
		args = append(args, word.String())
	}
	if len(args) == 0 {
		return Command{}, fmt.Errorf("cloud: an empty command")
	}
	if name == "" {
		name = filepath.Base(args[0])
	}
	return Command{name, args}, nil
}

// ports hands out free ports by name.
type ports map[string]int

var portMark = regexp.MustCompile(`\{(port|listen):([A-Za-z0-9_-]+)\}`)

// fill replaces the marks in a text and lists the ports of the listening ones.
func (p ports) fill(s string) (string, []int, error) {
	var named []int
	var failed error
	s = portMark.ReplaceAllStringFunc(s, func(m string) string {
		parts := portMark.FindStringSubmatch(m)
		name := parts[2]
		if p[name] == 0 {
			n, err := process.FreePort(0)
			if err != nil {
				failed = err
			}
			p[name] = n
		}
		if parts[1] == "listen" {
			named = append(named, p[name])
		}
		return fmt.Sprint(p[name])
	})
	return s, named, failed
}

func (p ports) fillAll(args []string) ([]string, []int, error) {
	out := make([]string, len(args))
	var named []int
	for i, a := range args {
		s, n, err := p.fill(a)
		if err != nil {
			return nil, nil, fmt.Errorf("cloud: %w", err)
		}
		out[i], named = s, append(named, n...)
	}
	return out, named, nil
}
