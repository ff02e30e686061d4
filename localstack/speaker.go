package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/fairseat/fairseat/localstack/cloud"
	"github.com/fairseat/fairseat/localstack/console"
)

// speaker writes what the stack has to say to standard error; standard output
// belongs to the commands and to the banner.
type speaker struct{ *console.Console }

func newSpeaker(format string) (speaker, error) {
	f, err := console.ParseFormat(format)
	if err != nil {
		return speaker{}, err
	}
	return speaker{console.New(os.Stderr, f, time.Now)}, nil
}

func (s speaker) wire(o *cloud.Options) {
	o.Progress = s.Output("setup")
	o.Output = s.Output
	o.Line, o.Access, o.Note = s.Line, s.Access, s.Note
}

func (s speaker) ready(c *cloud.Cloud, took time.Duration) {
	if len(c.Stack.NotHere) > 0 {
		s.Note("not here: " + strings.Join(c.Stack.NotHere, ", "))
	}
	vars := variables(c)
	s.Note("DynamoDB at " + vars["AWS_ENDPOINT_URL_DYNAMODB"])
	s.Note("SQS at " + vars["AWS_ENDPOINT_URL_SQS"])
	if c.URL != "" {
		s.Note("REST API at " + c.URL)
	}
	if c.SocketURL != "" {
		s.Note("WebSocket API at " + c.SocketURL)
	}
	s.Note(fmt.Sprintf("ready after %s", took.Round(10*time.Millisecond)))
}

// banner prints a text file with the stack's variables filled in.
func (s speaker) banner(path string, c *cloud.Cloud) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("banner: %w", err)
	}
	vars := variables(c)
	_, err = fmt.Print(os.Expand(string(text), func(name string) string { return vars[name] }))
	return err
}
