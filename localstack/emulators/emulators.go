// Package emulators fetches and runs the programs that stand in for DynamoDB,
// SQS and S3, and decides when one of them counts as running.
//
//   - Own: an address is handed out only when the process that answers there is
//     the one that was started. A foreign program on the port is an error.
//   - Pinned: versions and flags are fixed here and in the pom files; programs
//     come through Maven, cargo and go into a cache folder and are never vendored
//     (the licence of DynamoDB Local forbids handing it on).
//   - Kept: with a data folder what was acknowledged survives kill -9; without
//     one nothing is written outside the cache.
//
// Start with [Start] and [Options].
package emulators

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fairseat/fairseat/localstack/process"
)

// Store names the program that stands in for DynamoDB. The zero value is invalid.
type Store uint8

const (
	_ Store = iota
	DynamoDBLocal
	Dynoxide
)

var storeNames = map[Store]string{DynamoDBLocal: "dynamodb-local", Dynoxide: "dynoxide"}

func (s Store) String() string { return storeNames[s] }

// ParseStore reads dynamodb-local or dynoxide.
func ParseStore(name string) (Store, error) {
	for s, n := range storeNames {
		if n == name {
			return s, nil
		}
	}
	return 0, fmt.Errorf("emulators: there is no store %q, only dynamodb-local and dynoxide", name)
}

// Options of one set of emulators.
type Options struct {
	Store      Store
	Objects    bool   // S3 too
	Tools      string // cache folder for programs, made when missing
	Data       string // folder of this stack's data; "" = it is thrown away
	TablePort  int    // 0 = any free one
	QueuePort  int    // 0 = any free one
	ObjectPort int    // 0 = any free one
	Region     string
	Account    string
	Progress   io.Writer // a line for each thing that takes long; required
}

// Set is a running set. Objects has no address where none were wanted.
type Set struct {
	Tables, Queues, Objects Endpoint
	scratch                 string
}

// Endpoint is where one emulator answers.
type Endpoint struct {
	URL   string
	Child *process.Child
}

// startLimit only guards against a hang: on a machine with thirty times the work it
// can do, the start of a JVM was seen to take longer than 30 s.
const startLimit = 2 * time.Minute

// Start installs what is missing, then starts all. The children belong to g.
func Start(ctx context.Context, g *process.Group, o Options) (*Set, error) {
	if err := Install(ctx, g, o); err != nil {
		return nil, err
	}
	scratch, err := makeScratch(o.Tools)
	if err != nil {
		return nil, fmt.Errorf("emulators: scratch folder: %w", err)
	}
	s := &Set{scratch: scratch}
	var all errgroup.Group
	all.Go(func() (err error) {
		s.Tables, err = startTables(ctx, g, o, scratch)
		return err
	})
	all.Go(func() (err error) {
		s.Queues, err = attempt(ctx, g, o.QueuePort, func(port int) (process.Spec, string, error) {
			return elasticMQ(o, scratch, port)
		})
		return err
	})
	all.Go(func() (err error) {
		if o.Objects {
			s.Objects, err = startObjects(ctx, g, o, scratch)
		}
		return err
	})
	if err := all.Wait(); err != nil {
		s.Close()
		return nil, fmt.Errorf("emulators: %w", err)
	}
	return s, nil
}

// makeScratch makes a folder that lives as long as the set, and removes those of
// processes that were killed before they could.
func makeScratch(tools string) (string, error) {
	root, err := filepath.Abs(filepath.Join(tools, "scratch"))
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(root, 0o700); err != nil {
		return "", err
	}
	old, err := os.ReadDir(root)
	if err != nil {
		return "", err
	}
	for _, d := range old {
		owner, _, _ := strings.Cut(d.Name(), "-")
		if pid, err := strconv.Atoi(owner); err == nil && !process.Alive(pid) {
			os.RemoveAll(filepath.Join(root, d.Name()))
		}
	}
	return os.MkdirTemp(root, strconv.Itoa(os.Getpid())+"-")
}

func startTables(ctx context.Context, g *process.Group, o Options, scratch string) (Endpoint, error) {
	if o.Store == DynamoDBLocal {
		return attempt(ctx, g, o.TablePort, func(port int) (process.Spec, string, error) { return dynamoDBLocal(o, port) })
	}
	// Dynoxide is faster on an indexed file than in memory, so it always has a file.
	dir := scratch
	if o.Data != "" {
		dir = filepath.Join(o.Data, "dynoxide")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return Endpoint{}, err
		}
	}
	db := filepath.Join(dir, "data.db")
	run := func(port int) (process.Spec, string, error) {
		bin := filepath.Join(o.Tools, dynoxideBin)
		return process.Spec{Name: "dynoxide", Path: bin, Args: []string{"--port", strconv.Itoa(port), "--db-path", db}}, "/", nil
	}
	if _, err := os.Stat(db); err != nil {
		first, err := attempt(ctx, g, 0, run)
		if err != nil {
			return Endpoint{}, err
		}
		first.Child.Stop()
		if err := addIndex(g, o, db); err != nil {
			return Endpoint{}, err
		}
	}
	return attempt(ctx, g, o.TablePort, run)
}

// Close stops all and removes what they kept outside the data folder.
func (s *Set) Close() {
	for _, e := range []Endpoint{s.Tables, s.Queues, s.Objects} {
		if e.Child != nil {
			e.Child.Stop()
		}
	}
	os.RemoveAll(s.scratch)
}

// attempt starts a program on a port. A port that was chosen here may be lost to
// somebody else before the program binds it; then another one is tried.
func attempt(ctx context.Context, g *process.Group, want int, spec func(port int) (process.Spec, string, error)) (Endpoint, error) {
	for tries := 1; ; tries++ {
		e, err := once(ctx, g, want, spec)
		var taken process.TakenError
		if err == nil || want != 0 || tries == 4 || !errors.As(err, &taken) {
			return e, err
		}
	}
}

func once(ctx context.Context, g *process.Group, want int, spec func(port int) (process.Spec, string, error)) (Endpoint, error) {
	port, err := process.FreePort(want)
	if err != nil {
		return Endpoint{}, err
	}
	s, probe, err := spec(port)
	if err != nil {
		return Endpoint{}, err
	}
	var last tail
	s.Stdout, s.Stderr = &last, &last
	c, err := g.Start(s)
	if err != nil {
		return Endpoint{}, err
	}
	url := "http://127.0.0.1:" + strconv.Itoa(port)
	if err := c.Await(ctx, url+probe, port, startLimit); err != nil {
		c.Kill()
		return Endpoint{}, fmt.Errorf("%w%s", err, last.quote())
	}
	return Endpoint{url, c}, nil
}

func java(o Options, heap, lib string, args ...string) ([]string, error) {
	lib, err := filepath.Abs(filepath.Join(o.Tools, lib))
	if err != nil {
		return nil, fmt.Errorf("tools folder: %w", err)
	}
	// A system property first, then the class path, then the program's own arguments.
	return append([]string{
		"-Xms32m", "-Xmx" + heap, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-Djava.library.path=" + lib, "-cp", filepath.Join(lib, "*"),
	}, args...), nil
}

func dynamoDBLocal(o Options, port int) (process.Spec, string, error) {
	args, err := java(o, "256m", dynamoLib, "com.amazonaws.services.dynamodbv2.local.main.ServerRunner",
		"-sharedDb", "-disableTelemetry", "-port", strconv.Itoa(port))
	if err != nil {
		return process.Spec{}, "", err
	}
	if o.Data == "" {
		args = append(args, "-inMemory")
	} else {
		dir := filepath.Join(o.Data, "dynamodb-local")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return process.Spec{}, "", err
		}
		args = append(args, "-dbPath", dir)
	}
	return process.Spec{Name: "dynamodb-local", Path: "java", Args: args}, "/shell", nil
}

func elasticMQ(o Options, scratch string, port int) (process.Spec, string, error) {
	conf := filepath.Join(scratch, "queues.conf")
	text := fmt.Sprintf(`node-address { protocol = http, host = "127.0.0.1", port = %d, context-path = "" }
rest-sqs { enabled = true, bind-port = %d, bind-hostname = "127.0.0.1", sqs-limits = strict }
rest-stats { enabled = false }
aws { region = %q, accountId = %q }
`, port, port, o.Region, o.Account)
	if o.Data != "" {
		// H2 would keep the last half second in memory, and lose it to a kill -9.
		dir, err := filepath.Abs(filepath.Join(o.Data, "elasticmq"))
		if err != nil {
			return process.Spec{}, "", err
		}
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return process.Spec{}, "", err
		}
		kept := "messages-storage { enabled = true, driver-class = \"org.h2.Driver\", uri = %q, " +
			"username = \"\", password = \"\", prune-data-on-init = false }\n"
		text += fmt.Sprintf(kept, "jdbc:h2:"+filepath.Join(dir, "sqs")+";WRITE_DELAY=0")
	}
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		return process.Spec{}, "", err
	}
	args, err := java(o, "192m", elasticLib, "-Dconfig.file="+conf, "org.elasticmq.server.Main")
	return process.Spec{Name: "elasticmq", Path: "java", Args: args, Dir: scratch}, "/", err
}

// tail keeps the last words of a program, for the message when it fails.
type tail struct{ text []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p...)
	if n := len(t.text); n > 2000 {
		t.text = append(t.text[:0], t.text[n-2000:]...)
	}
	return len(p), nil
}

func (t *tail) quote() string {
	if len(t.text) == 0 {
		return ""
	}
	return "; it said:\n" + string(t.text)
}
