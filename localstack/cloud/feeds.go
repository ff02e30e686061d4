package cloud

import (
	"context"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/fairseat/fairseat/localstack/provision"
	"github.com/fairseat/fairseat/localstack/rights"
	"github.com/fairseat/fairseat/localstack/sources"
)

func (c *Cloud) startSources(context.Context) (err error) {
	o := sources.Options{
		SQS:     c.clients.Queues,
		Streams: dynamodbstreams.NewFromConfig(provision.Config(c.opts.Region, c.set.Tables.URL)),
		Invoke:  c.Invoke,
		Log:     func(source, text string) { c.opts.Note(source + ": " + text) },
	}
	if c.guard != nil {
		o.SQS = sqs.NewFromConfig(provision.Config(c.opts.Region, c.guard.url))
		o.Streams = dynamodbstreams.NewFromConfig(provision.Config(c.opts.Region, c.guard.url))
		o.Credentials = rights.Provider
	}
	if c.opts.Data != "" {
		o.Data = filepath.Join(c.opts.Data, "sources")
	}
	if c.sources, err = sources.New(c.Stack, o); err != nil {
		return err
	}
	// The sources live until Close, not until the start's context ends.
	ctx, stop := context.WithCancel(context.Background())
	c.onClose(func() {
		stop()
		c.sources.Wait()
	})
	return c.sources.Start(ctx)
}

// Sources are the ids of the event sources, each the function's logical id
// followed by the event's name.
func (c *Cloud) Sources() []string { return c.sources.IDs() }

// Pause switches one event source off. When it returns, nothing of the source is
// under way.
func (c *Cloud) Pause(ctx context.Context, source string) error { return c.sources.Pause(ctx, source) }

// Resume switches it on again where it stopped.
func (c *Cloud) Resume(source string) error { return c.sources.Resume(source) }

// Retry changes how often a stream's source repeats a failing batch, see [sources.Set.Retry].
func (c *Cloud) Retry(source string, most int) error { return c.sources.Retry(source, most) }
