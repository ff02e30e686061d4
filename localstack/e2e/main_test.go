package e2e_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/fairseat/fairseat/localstack/cloud"
	"github.com/fairseat/fairseat/localstack/emulators"
	"github.com/fairseat/fairseat/localstack/gateway"
	"github.com/fairseat/fairseat/localstack/process"
	"github.com/fairseat/fairseat/localstack/rights"
	"github.com/fairseat/fairseat/localstack/runtime"
)

// The policy under test. Twelve seconds are as short as a hold can be if an
// ordinary purchase, about one second on a machine that does nothing else, must
// never run into its end on one that is overcommitted several times; two seconds
// of grace leave room to pay within it. Who waits does so for longer than the TTL may
// be late.
const (
	holdTime  = 12 * time.Second
	graceTime = 2 * time.Second
	maxSeats  = 10

	offerTime, waitTime  = 4 * time.Second, 2 * time.Minute
	coolDown, lineCloses = 8 * time.Second, time.Minute

	developerKey  = "end-to-end-developer-key-0123456789"
	sandboxSecret = "end-to-end-sandbox-secret-0123456789"
)

// together is how many tests run at once: they wait for clocks more than they work.
const together = "8"

var (
	stack    *cloud.Cloud
	shop     *world
	provider simulator
	heard    = &journal{}
)

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", together); err != nil {
		panic(err)
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if err := begin(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		heard.dump(os.Stderr)
		return 1
	}
	defer os.RemoveAll(bankKeys)
	defer stack.Close()
	code := m.Run()
	if err := errors.Join(heard.faults(), heard.contradictions(), undelivered(), shop.auditAll(), inexact(), exposed()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	if code != 0 {
		heard.dump(os.Stderr)
	}
	return code
}

// begin builds everything, starts the cloud and loads the catalogue of the two
// largest cities, which have the theatre and the arena.
func begin() error {
	root, err := filepath.Abs("../..")
	if err != nil {
		return err
	}
	if out, err := exec.Command("make", "-C", root, "build").CombinedOutput(); err != nil {
		return fmt.Errorf("make build: %w\n%s", err, out)
	}
	ctx, stop := context.WithTimeout(context.Background(), 2*time.Minute)
	defer stop()
	if stack, err = start(ctx, root); err != nil {
		return err
	}
	seed := cloud.Command{Name: "seed", Args: []string{"sh", "-c",
		`CATALOG_TABLE="$TABLE_Catalog" exec "$0" --cities 2 --catalogue "$1" --plan "$2" --plan-type Parkett=regular`,
		filepath.Join(root, ".build/bin/seed"), filepath.Join(root, "infra/catalogue"), filepath.Join(root, "infra/seatplan/testdata/theatre.json")}}
	if err = stack.Run(ctx, seed, heard, heard); err == nil {
		shop, err = newWorld(root, stack)
	}
	if err != nil {
		stack.Close()
		return err
	}
	provider = simulator{url: variable("PARAMETER_SandboxUrl")}
	return nil
}

func start(ctx context.Context, root string) (*cloud.Cloud, error) {
	port, err := process.FreePort(0)
	if err != nil {
		return nil, err
	}
	talk, err := process.FreePort(0) // the next one may be taken
	if err != nil {
		return nil, err
	}
	if err := os.Setenv("FAIRSEAT_SANDBOX_SECRET", sandboxSecret); err != nil {
		return nil, err
	}
	if bankKeys, err = os.MkdirTemp("", "banks"); err != nil {
		return nil, err
	}
	alipayKeys, err := shopKeys(root, "alipay")
	if err != nil {
		return nil, err
	}
	unionpayKeys, err := shopKeys(root, "unionpay.ours")
	if err != nil {
		return nil, err
	}
	unionpayAuthorities, err := shopKeys(root, "unionpay.authorities")
	if err != nil {
		return nil, err
	}
	wechatKeys, err := shopKeys(root, "wechat")
	if err != nil {
		return nil, err
	}
	seconds := func(d time.Duration) string { return strconv.Itoa(int(d.Seconds())) }
	return cloud.Start(ctx, cloud.Options{
		Template: filepath.Join(root, "template.yaml"), Store: emulators.DynamoDBLocal, Port: port, SocketPort: talk,
		Parameters: map[string]string{
			"HoldSeconds": seconds(holdTime), "GraceSeconds": seconds(graceTime), "MaxSeats": strconv.Itoa(maxSeats),
			"OfferSeconds": seconds(offerTime), "WaitSeconds": seconds(waitTime), "CooldownSeconds": seconds(coolDown), "LineClosesSeconds": seconds(lineCloses),
			"DeveloperKey": developerKey, "PublicUrl": fmt.Sprintf("http://127.0.0.1:%d/v1", port),
			"SandboxUrl": "http://127.0.0.1:{port:sandbox}", "SandboxSecret": sandboxSecret,
			"AlipayUrl": "http://127.0.0.1:{port:sandbox}/alipay/gateway.do", "AlipayAppId": "2021000000000001", "AlipaySellerId": "2088000000000001", "AlipayKeys": alipayKeys,
			"UnionPayUrl": "http://127.0.0.1:{port:sandbox}/unionpay", "UnionPayMerchant": "777290058110048", "UnionPayKeys": unionpayKeys, "UnionPayAuthorities": unionpayAuthorities,
			"WechatUrl": "http://127.0.0.1:{port:sandbox}/wechat", "WechatMerchantId": "1900000001", "WechatAppId": "wx0000000000000001", "WechatKeys": wechatKeys,
			"Attempts": "999999", "FreeDrops": "0", // all tests come from one address, and let go as they like
			"SmtpHost": "127.0.0.1", "SmtpPort": "{port:smtp}", "SmtpSecurity": "none", "MailFrom": "no-reply@fairseat.example",
		},
		Companions: []cloud.Command{{Name: "mailbox", Args: []string{
			filepath.Join(root, ".build/bin/mailbox"), "-smtp", "127.0.0.1:{listen:smtp}", "-http", "127.0.0.1:{listen:mailbox}"}}, {Name: "sandbox", Args: []string{
			filepath.Join(root, ".build/bin/sandbox"), "-addr", "127.0.0.1:{listen:sandbox}", "-keys", bankKeys, "-grace", seconds(graceTime)}}},
		Rights:   rights.Enforce,
		Progress: heard, Line: heard.line, Access: heard.access,
		Note:   func(text string) { fmt.Fprintln(heard, "note:", text) },
		Output: func(string) io.Writer { return heard },
	})
}

// bankKeys is the folder of the keys of the providers that the sandbox plays.
var bankKeys string

// shopKeys is what the shop's secret holds of a provider that the sandbox plays.
func shopKeys(root, bank string) (string, error) {
	out, err := exec.Command(filepath.Join(root, ".build/bin/sandbox"), "-keys", bankKeys, "-show", bank).Output()
	return string(out), err
}

// variable is one of the cloud's own, or empty.
func variable(name string) string {
	for _, kv := range stack.Env {
		if v, ok := strings.CutPrefix(kv, name+"="); ok {
			return v
		}
	}
	return ""
}

// journal keeps the end of what the cloud said, and every fault that it answered.
type journal struct {
	mu         sync.Mutex
	lines      [][]byte
	faulty     []string
	objections []string // answers that are not as documented
	tolerant   int      // how many are killing processes now
}

const journalLines = 300

func (j *journal) Write(b []byte) (int, error) {
	canaries.heard("a log", b)
	j.mu.Lock()
	defer j.mu.Unlock()
	for l := range bytes.Lines(b) {
		j.lines = append(j.lines, bytes.Clone(bytes.TrimRight(l, "\n")))
	}
	j.lines = j.lines[max(0, len(j.lines)-journalLines):]
	return len(b), nil
}

func (j *journal) line(l runtime.Line) { fmt.Fprintln(j, l.Function, l.Text) }

// access remembers what no client can cause: any server error but 503.
func (j *journal) access(a gateway.Access) {
	fault := a.Status >= 500 && a.Status != 503
	if a.Status >= 400 {
		fmt.Fprintf(j, "%s %s: %d after %s\n", a.Method, a.Path, a.Status, a.Duration)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if fault && j.tolerant == 0 {
		j.faulty = append(j.faulty, fmt.Sprintf("%s %s: %d", a.Method, a.Path, a.Status))
	}
}

// forgive lets faults pass until the answer is called: processes are being killed.
func (j *journal) forgive() (stop func()) {
	add := func(n int) {
		j.mu.Lock()
		defer j.mu.Unlock()
		j.tolerant += n
	}
	add(1)
	return sync.OnceFunc(func() { add(-1) })
}

// object remembers what is wrong with an answer, once.
func (j *journal) object(text string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !slices.Contains(j.objections, text) {
		j.objections = append(j.objections, text)
	}
}

func (j *journal) contradictions() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.objections) == 0 {
		return nil
	}
	return fmt.Errorf("answers are not as the document says:\n  %s", strings.Join(j.objections, "\n  "))
}

func (j *journal) faults() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.faulty) == 0 {
		return nil
	}
	return fmt.Errorf("%d faults were answered:\n  %s", len(j.faulty), strings.Join(j.faulty, "\n  "))
}

func (j *journal) dump(w io.Writer) {
	j.mu.Lock()
	defer j.mu.Unlock()
	fmt.Fprintf(w, "the last of what the cloud said:\n%s\n", bytes.Join(j.lines, []byte("\n")))
}

// undelivered finds messages and records that no retry helped.
func undelivered() error {
	ctx, stop := context.WithTimeout(context.Background(), 10*time.Second)
	defer stop()
	var errs []error
	for _, q := range stack.Stack.Queues {
		if !strings.HasPrefix(q.ID, "Dead") {
			continue
		}
		out, err := stack.Clients().Queues.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
			QueueUrl: &q.URL, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameApproximateNumberOfMessages},
		})
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if n := out.Attributes[string(types.QueueAttributeNameApproximateNumberOfMessages)]; n != "0" {
			errs = append(errs, fmt.Errorf("queue %s holds %s undelivered messages", q.ID, n))
		}
	}
	return errors.Join(errs...)
}
