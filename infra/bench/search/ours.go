package search

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/fairseat/fairseat/infra/bench/venue"
	"github.com/fairseat/fairseat/localstack/emulators"
	"github.com/fairseat/fairseat/localstack/process"
	"github.com/fairseat/fairseat/localstack/runtime"
	"github.com/fairseat/fairseat/localstack/template"
	"github.com/fairseat/fairseat/pkg/blob/s3blob"
	"github.com/fairseat/fairseat/pkg/boot"
	product "github.com/fairseat/fairseat/pkg/search"
	"github.com/fairseat/fairseat/pkg/search/shelf"
	"github.com/fairseat/fairseat/pkg/store"
)

const (
	region  = "eu-west-1"
	secret  = "0123456789abcdef0123456789abcdef"
	program = "search-movies"
)

// batch is how many shows the index is told of at once, as a stream's batch.
const batch = 1000

// ours is the deployed function, alone with what it reads.
type ours struct {
	tables  *venue.Emulator
	group   process.Group
	objects *emulators.Set
	counted []*counter
	dir     string
	path    string // of the program
	pool    *runtime.Pool
	writer  *shelf.Writer
	fn      template.Function

	indexed  time.Duration // until every row was in the index
	segments int
	pid      int // 0 until it is known
	mu       sync.Mutex
	said     strings.Builder // what the function wrote, for an error's sake
}

func openOurs(ctx context.Context, o Options, rows product.Rows) (*ours, error) {
	u := &ours{}
	err := u.open(ctx, o)
	if err == nil {
		err = u.index(ctx, rows)
	}
	if err != nil {
		u.close()
		return nil, fmt.Errorf("search: ours: %w", err)
	}
	return u, nil
}

func (u *ours) open(ctx context.Context, o Options) (err error) {
	if u.tables, err = o.Place.Emulate(ctx, emulators.Dynoxide); err != nil {
		return err
	}
	u.objects, err = emulators.StartObjects(ctx, &u.group, emulators.Options{Tools: o.Place.Tools, Region: region, Account: "000000000000", Progress: os.Stderr})
	if err != nil {
		return err
	}
	tables, err := u.count(*u.tables.Client.Options().BaseEndpoint)
	if err != nil {
		return err
	}
	objects, err := u.count(u.objects.Objects.URL)
	if err != nil {
		return err
	}
	stack, err := template.Load(o.Place.Template, map[string]string{
		"DeveloperKey": "local-dev-key-0123456789", "PublicUrl": "http://127.0.0.1/v1", "SandboxUrl": "http://127.0.0.1", "SandboxSecret": secret,
	}, template.Facts{Secrets: map[string]string{"SessionSecret": secret, "TicketSecret": secret}})
	if err != nil {
		return err
	}
	env := []string{
		"AWS_REGION=" + region, "AWS_ACCESS_KEY_ID=" + emulators.ObjectKey, "AWS_SECRET_ACCESS_KEY=" + emulators.ObjectSecret,
		"AWS_ENDPOINT_URL_DYNAMODB=" + tables, "AWS_ENDPOINT_URL_S3=" + objects,
	}
	for _, f := range stack.Functions {
		if filepath.Base(f.Code) == program {
			u.fn = f
		}
	}
	if err := u.place(o.Binaries); err != nil {
		return err
	}
	u.fn.Timeout = time.Minute // a slow start is to be measured, not cut short
	u.pool = runtime.NewPool(u.fn, env, runtime.Options{Concurrency: 1, Log: u.hear})
	return u.shelf(ctx, env)
}

// place puts the program where a function's folder is looked for.
func (u *ours) place(binaries string) (err error) {
	if u.path, err = filepath.Abs(filepath.Join(binaries, program)); err != nil {
		return err
	}
	if u.dir, err = os.MkdirTemp("", "fairseat-function-"); err != nil {
		return err
	}
	u.fn.Code = u.dir
	return os.Symlink(u.path, filepath.Join(u.dir, "bootstrap"))
}

// shelf makes the bucket and what writes the index into it.
func (u *ours) shelf(ctx context.Context, env []string) error {
	client, err := s3blob.Client(func(name string) string {
		for _, kv := range env {
			if k, v, _ := strings.Cut(kv, "="); k == name && name != "AWS_ENDPOINT_URL_S3" {
				return v
			}
		}
		if name == "AWS_ENDPOINT_URL_S3" {
			return u.objects.Objects.URL // what is not counted
		}
		return ""
	})
	if err != nil {
		return err
	}
	name := u.fn.Environment["SEARCH_BUCKET"]
	if _, err := client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &name}); err != nil {
		return err
	}
	u.writer = &shelf.Writer{Lists: store.NewSegments(u.tables.Tables), Blobs: s3blob.New(client, name), Clock: boot.Clock}
	return nil
}

func (u *ours) hear(l runtime.Line) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.said.WriteString(l.Text + "\n")
}

// index appends all rows in batches, as the stream does while a catalogue is loaded.
func (u *ours) index(ctx context.Context, rows product.Rows) error {
	began := time.Now()
	part := product.Rows{}
	for k, r := range rows {
		if part[k] = r; len(part) == batch {
			if err := u.writer.Append(ctx, part); err != nil {
				return err
			}
			part = product.Rows{}
		}
	}
	if err := u.writer.Append(ctx, part); err != nil {
		return err
	}
	u.indexed = time.Since(began)
	list, err := u.writer.Lists.List(ctx, true)
	u.segments = len(list.Segments)
	return err
}

func (u *ours) close() {
	if u.pool != nil {
		u.pool.Close()
	}
	for _, c := range u.counted {
		c.close()
	}
	if u.objects != nil {
		u.objects.Close()
	}
	u.group.Close()
	if u.tables != nil {
		u.tables.Close()
	}
	os.RemoveAll(u.dir)
}

func (u *ours) count(target string) (string, error) {
	c, err := newCounter(target)
	if err != nil {
		return "", err
	}
	u.counted = append(u.counted, c)
	return c.url, nil
}

func (u *ours) requests() (n int64) {
	for _, c := range u.counted {
		n += c.n.Load()
	}
	return n
}

// found is as much of an answer as is compared.
type found struct {
	Items []struct{ ShowID string } `json:"items"`
	Next  *string                   `json:"next_cursor"`
}

// page asks for w; only the page that is wanted is timed and counted.
func (u *ours) page(ctx context.Context, w wish) (p page, err error) {
	query := w.query()
	for n := range w.page {
		if n > 0 && query["cursor"] == "" { // there are no more
			return page{ms: p.ms}, nil
		}
		before := processor(u.pid)
		a, took, requests, err := u.ask(ctx, query)
		if err != nil {
			return p, err
		}
		p = page{ms: milliseconds(took), busy: processor(u.pid) - before, requests: requests}
		for _, i := range a.Items {
			p.shows = append(p.shows, i.ShowID)
		}
		if query["cursor"] = ""; a.Next != nil {
			query["cursor"] = *a.Next
		}
	}
	return p, nil
}

// ask is one invocation, from the event to the answer.
func (u *ours) ask(ctx context.Context, query map[string]string) (a found, took time.Duration, requests int64, err error) {
	event, err := json.Marshal(venue.ReadEvent("/search/movies", "", "", query))
	if err != nil {
		return a, 0, 0, err
	}
	before, began := u.requests(), time.Now()
	r, err := u.pool.Invoke(ctx, event)
	took, requests = time.Since(began), u.requests()-before
	if err != nil {
		return a, took, requests, err
	}
	var answer events.APIGatewayProxyResponse
	if err := json.Unmarshal(r.Payload, &answer); err != nil {
		return a, took, requests, err
	}
	if r.Err != nil || answer.StatusCode != 200 {
		u.mu.Lock()
		defer u.mu.Unlock()
		return a, took, requests, fmt.Errorf("status %d: %s; it said %s", answer.StatusCode, r.Payload, u.said.String())
	}
	return a, took, requests, json.Unmarshal([]byte(answer.Body), &a)
}
