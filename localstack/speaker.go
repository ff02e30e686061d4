package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/fairseat/fairseat/localstack/cloud"
)

// speaker writes what the stack has to say.
type speaker struct{}

func newSpeaker(format string) (*speaker, error) {
	switch format {
	case "auto", "text", "json":
		return &speaker{}, nil
	}
	return nil, fmt.Errorf("localstack: there is no log format %q, only auto, text and json", format)
}

func (s *speaker) wire(o *cloud.Options) {
	o.Progress = os.Stderr
	o.Output = func(string) io.Writer { return os.Stdout }
}

func (s *speaker) note(text string) { fmt.Fprintln(os.Stderr, text) }

func (s *speaker) ready(c *cloud.Cloud, took time.Duration) {
	fmt.Fprintf(os.Stderr, "ready after %s\n", took.Round(10*time.Millisecond))
	vars := variables(c)
	fmt.Fprintf(os.Stderr, "  REST API  %s\n", c.URL)
	fmt.Fprintf(os.Stderr, "  DynamoDB  %s\n", vars["AWS_ENDPOINT_URL_DYNAMODB"])
	fmt.Fprintf(os.Stderr, "  SQS       %s\n", vars["AWS_ENDPOINT_URL_SQS"])
	for _, what := range c.Stack.NotHere {
		fmt.Fprintf(os.Stderr, "  not here: %s\n", what)
	}
}

// banner prints a text file with the stack's variables filled in.
func (s *speaker) banner(path string, c *cloud.Cloud) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("banner: %w", err)
	}
	vars := variables(c)
	_, err = fmt.Print(os.Expand(string(text), func(name string) string { return vars[name] }))
	return err
}
