// Package stage puts the whole stack on this machine for a proof: real
// emulators, real function processes, HTTP through the gateway. It decides what
// a proof may do to them: open shows made to measure, kill functions, look into
// the tables.
//
// What holds: a stage that could not be started leaves nothing behind, and
// [Stage.Close] ends every process.
//
// Start with [Start], [Config] and [Stage].
package stage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/fairseat/fairseat/infra/proof/audit"
	"github.com/fairseat/fairseat/localstack/cloud"
	"github.com/fairseat/fairseat/localstack/emulators"
	"github.com/fairseat/fairseat/localstack/process"
	"github.com/fairseat/fairseat/localstack/rights"
	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/ddb"
)

// DeveloperKey is what a client on the stage sends.
const DeveloperKey = "proof-developer-key-0123456789"

// StartLimit guards a start against a hang only: a machine with thirty times the work
// that it can do needs a minute for it.
const StartLimit = 5 * time.Minute

const sandboxSecret = "proof-sandbox-secret-0123456789"

// Config of a stage. Root and Policy are required.
type Config struct {
	Root     string // of the project, built
	Template string // "" = template.yaml in Root; another one has functions of its own beside it
	Store    string // dynamodb-local or dynoxide; "" = FAIRSEAT_STORE, or dynamodb-local
	Policy   booking.Policy
	Line     Line
	Port     int       // 0 = any free one
	Data     string    // folder that keeps the state; "" = it is thrown away
	Letters  bool      // with a mail server, see Mailbox
	Provider string    // address of a payment provider that runs already; "" = one of the stage's own
	Log      io.Writer `json:"-"`
}

// Line is the numbers of the waiting line; what is zero is as the template has it.
type Line struct{ Offer, Wait, CoolDown time.Duration }

func (l Line) parameters(into map[string]string) {
	for name, d := range map[string]time.Duration{"OfferSeconds": l.Offer, "WaitSeconds": l.Wait, "CooldownSeconds": l.CoolDown} {
		if d > 0 {
			into[name] = seconds(d)
		}
	}
}

// Stage is a running stack and what a proof needs of it.
type Stage struct {
	*cloud.Cloud
	World
}

// Start brings the stack up; ctx bounds the start only.
func Start(ctx context.Context, c Config) (*Stage, error) {
	kind, err := emulators.ParseStore(StoreName(c.Store))
	if err != nil {
		return nil, err
	}
	if c.Port == 0 {
		if c.Port, err = FreePort(); err != nil {
			return nil, err
		}
	}
	talk, err := process.FreePort(0) // the next one may be taken
	if err != nil {
		return nil, err
	}
	provider := cmp.Or(c.Provider, "http://127.0.0.1:{port:sandbox}")
	opts := cloud.Options{
		Template: cmp.Or(c.Template, filepath.Join(c.Root, "template.yaml")), Tools: filepath.Join(c.Root, ".tools"),
		Store: kind, Port: c.Port, SocketPort: talk, Data: c.Data,
		Rights: rights.Off, // the end-to-end tests prove them; here a proxy would only take time
		Parameters: map[string]string{
			"FreeDrops":   "0", // whoever proves something takes and drops as he likes
			"HoldSeconds": seconds(c.Policy.Hold), "GraceSeconds": seconds(c.Policy.Grace),
			"MaxSeats": strconv.Itoa(c.Policy.MaxSeats), "DeveloperKey": DeveloperKey,
			"PublicUrl":  fmt.Sprintf("http://127.0.0.1:%d/v1", c.Port),
			"SandboxUrl": provider, "SandboxSecret": sandboxSecret,
			"RateLimit": "100000", "BurstLimit": "100000", "MonthlyQuota": "2000000000",
		},
		Progress: c.Log,
	}
	c.Line.parameters(opts.Parameters)
	if c.Letters {
		for name, v := range map[string]string{
			"SmtpHost": "127.0.0.1", "SmtpPort": "{port:smtp}", "SmtpSecurity": "none", "MailFrom": "no-reply@fairseat.example",
			"Attempts": "999999", // everybody comes from one address
		} {
			opts.Parameters[name] = v
		}
		opts.Companions = append(opts.Companions, cloud.Command{Name: "mailbox", Args: []string{
			filepath.Join(c.Root, ".build/bin/mailbox"), "-smtp", "127.0.0.1:{listen:smtp}", "-http", "127.0.0.1:{listen:mailbox}",
		}})
	}
	if c.Log != nil {
		opts.Note = func(text string) { fmt.Fprintln(c.Log, text) }
	}
	if c.Provider == "" {
		opts.Companions = append(opts.Companions, cloud.Command{Name: "sandbox", Args: sandboxArgs(c.Root, "{listen:sandbox}", "", c.Policy)})
		if err := os.Setenv("FAIRSEAT_SANDBOX_SECRET", sandboxSecret); err != nil {
			return nil, err
		}
	}
	running, err := cloud.Start(ctx, opts)
	if err != nil {
		return nil, err
	}
	w, err := NewWorld(running.Env, c.Policy)
	if err != nil {
		running.Close()
		return nil, err
	}
	return &Stage{running, w}, nil
}

// Mailbox is where letters are read, of a stage with Letters.
func (s *Stage) Mailbox() string { return "http://127.0.0.1:" + variable(s.Env, "PORT_mailbox") }

// laneSource feeds the lane's messages to its function.
const laneSource = "AdvanceLineLane"

// LoseLane loses what comes into the lane's queue for so long.
func (s *Stage) LoseLane(ctx context.Context, long time.Duration) error {
	if err := s.Pause(ctx, laneSource); err != nil {
		return err
	}
	select {
	case <-time.After(long):
	case <-ctx.Done():
	}
	_, err := s.Clients().Queues.PurgeQueue(ctx, &sqs.PurgeQueueInput{QueueUrl: aws.String(variable(s.Env, "QUEUE_LaneQueue"))})
	return errors.Join(err, s.Resume(laneSource))
}

// variable of an environment.
func variable(env []string, name string) string {
	for _, kv := range env {
		if v, ok := strings.CutPrefix(kv, name+"="); ok {
			return v
		}
	}
	return ""
}

// FreePort is a port that is free and has a free neighbour, which the WebSocket API takes.
func FreePort() (int, error) {
	for {
		port, err := process.FreePort(0)
		if err != nil {
			return 0, err
		}
		if _, err := process.FreePort(port + 1); err == nil {
			return port, nil
		}
	}
}

// StoreName is the name, or FAIRSEAT_STORE, or the default.
func StoreName(name string) string {
	return cmp.Or(name, os.Getenv("FAIRSEAT_STORE"), emulators.DynamoDBLocal.String())
}

func seconds(d time.Duration) string { return strconv.Itoa(int(d.Seconds())) }

func sandboxArgs(root, port, data string, p booking.Policy) []string {
	return []string{
		filepath.Join(root, ".build/bin/sandbox"), "-addr", "127.0.0.1:" + port, "-grace", seconds(p.Grace), "-data", data,
	}
}

// World looks at a stack from behind: its tables, and its provider's books.
type World struct {
	Books   audit.Books
	catalog store.Catalog
}

// NewWorld finds its way by a cloud's environment.
func NewWorld(env []string, p booking.Policy) (World, error) {
	get := func(name string) string { return variable(env, name) }
	client, err := ddb.Client(get)
	if err != nil {
		return World{}, err
	}
	names := map[store.Table]string{}
	for _, t := range append([]store.Table{store.TableCatalog}, store.Names...) {
		names[t] = get("TABLE_" + strings.ToUpper(string(t[:1])) + string(t[1:]))
	}
	tables := ddb.New(client, names, func(d time.Duration) time.Duration { return rand.N(max(d, 1)) })
	return World{
		Books: audit.Books{
			Store: store.New(tables, p), Client: client, HoldsTable: get("TABLE_Holds"), Policy: p,
			Provider: Provider{URL: get("PARAMETER_SandboxUrl")},
		},
		catalog: store.NewCatalog(tables),
	}, nil
}
