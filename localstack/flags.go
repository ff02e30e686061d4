package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/fairseat/fairseat/localstack/cloud"
	"github.com/fairseat/fairseat/localstack/emulators"
	"github.com/fairseat/fairseat/localstack/rights"
)

// settings are the command line, read.
type settings struct {
	options    cloud.Options
	after      []cloud.Command
	once       bool
	install    bool
	withParent bool
	readyFile  string
	banner     string
	say        speaker
}

var errHelp = errors.New("help was asked for")

const intro = `localstack runs a SAM template on this machine: the stand-ins for DynamoDB,
SQS and S3, the functions, their event sources, the REST and the WebSocket API.

  localstack --template template.yaml --port 3000

`

const more = `
Companions and --after commands get these variables:

` + cloud.EnvironmentHelp + `

In their arguments and in --param values {port:NAME} is a free port, the same
wherever NAME occurs; {listen:NAME} too, and the companion that has it counts as
started when it listens there.
`

func parse(args []string) (settings, error) {
	var s settings
	fs := flag.NewFlagSet("localstack", flag.ContinueOnError)
	fs.Usage = func() {
		fmt.Fprint(fs.Output(), intro)
		fs.PrintDefaults()
		fmt.Fprint(fs.Output(), more)
	}
	o := &s.options
	o.Parameters = map[string]string{}
	store := fs.String("store", "dynamodb-local", "what stands in for DynamoDB: dynamodb-local or dynoxide")
	mode := fs.String("rights", "off", "what becomes of a call that the function's role does not allow: enforce refuses it as AWS does, record lets it through and names it, off asks nobody")
	format := fs.String("log", "auto", "auto, text or json; auto is text on a terminal")
	fs.StringVar(&o.Template, "template", "template.yaml", "the SAM template")
	fs.IntVar(&o.Port, "port", 3000, "port of the REST API, the next one is that of the WebSocket API; 0 = any free ones")
	fs.IntVar(&o.TablePort, "tables-port", 0, "port of the DynamoDB stand-in; 0 = any free one")
	fs.IntVar(&o.QueuePort, "queues-port", 0, "port of the SQS stand-in; 0 = any free one")
	fs.StringVar(&o.Data, "data", "", "folder that keeps the state; empty = thrown away")
	fs.StringVar(&o.Tools, "tools", "", "cache folder for the stand-ins; empty = .tools beside the template")
	fs.StringVar(&o.Region, "region", "eu-west-1", "AWS region to imitate")
	fs.Func("param", "template parameter, Name=value; repeatable", func(v string) error {
		name, value, err := pair(v)
		o.Parameters[name] = value
		return err
	})
	fs.Func("param-env", "template parameter from a variable if that is set and not empty, Name=VARIABLE; repeatable", func(v string) error {
		name, variable, err := pair(v)
		if value, set := os.LookupEnv(variable); set && value != "" {
			o.Parameters[name] = value
		}
		return err
	})
	fs.Func("companion", `program that runs as long as the stack, "name=command arguments"; repeatable`, func(v string) error {
		name, line, err := pair(v)
		if err != nil {
			return err
		}
		c, err := cloud.ParseCommand(name, line)
		o.Companions = append(o.Companions, c)
		return err
	})
	fs.Func("before", `command to run when tables and queues exist and before anything is served, "command arguments"; repeatable, in order; a failing one stops the stack`, func(v string) error {
		c, err := cloud.ParseCommand("", v)
		o.Before = append(o.Before, c)
		return err
	})
	fs.Func("after", `command to run when the stack is ready, "command arguments"; repeatable, in order; a failing one stops the stack with its status`, func(v string) error {
		c, err := cloud.ParseCommand("", v)
		s.after = append(s.after, c)
		return err
	})
	fs.BoolVar(&s.once, "once", false, "stop after the --after commands")
	fs.BoolVar(&s.install, "install", false, "only fetch what the chosen store, the queues and S3 need")
	fs.BoolVar(&s.withParent, "with-parent", false, "stop when the process that started this one ends")
	fs.StringVar(&s.readyFile, "ready-file", "", "write addresses, outputs, variables and process ids as JSON to this file when all is ready, --after included")
	fs.StringVar(&s.banner, "banner", "", "text file to print when all is ready; $NAME stands for the variables below")
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return s, errHelp
		}
		return s, fmt.Errorf("localstack: %w", err)
	}
	if fs.NArg() > 0 {
		return s, fmt.Errorf("localstack: unexpected argument %q", fs.Arg(0))
	}
	var err error
	if o.Store, err = emulators.ParseStore(*store); err != nil {
		return s, err
	}
	if o.Rights, err = rights.ParseMode(*mode); err != nil {
		return s, err
	}
	if s.say, err = newSpeaker(*format); err != nil {
		return s, err
	}
	s.say.wire(o)
	o.Stdout, o.Stderr = os.Stdout, os.Stderr
	return s, nil
}

func pair(v string) (name, value string, err error) {
	name, value, ok := strings.Cut(v, "=")
	if !ok || name == "" {
		return "", "", fmt.Errorf("%q is not of the form name=value", v)
	}
	return name, value, nil
}
