// Package cloud puts a whole stack on this machine: it reads a SAM template,
// starts the stand-ins for DynamoDB, SQS, S3 and KMS, makes what the template names, and
// runs its functions behind a REST API, a WebSocket API and event sources.
//
// What holds: nothing runs before everything is ready; a [Cloud] that could not
// be started leaves nothing behind; [Close] ends every process; and whatever in
// the template cannot be expressed is an error of [Start], never a difference.
//
// Start with [Start], [Options] and [Cloud].
package cloud

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fairseat/fairseat/localstack/emulators"
	"github.com/fairseat/fairseat/localstack/gateway"
	"github.com/fairseat/fairseat/localstack/process"
	"github.com/fairseat/fairseat/localstack/provision"
	"github.com/fairseat/fairseat/localstack/runtime"
	"github.com/fairseat/fairseat/localstack/sources"
	"github.com/fairseat/fairseat/localstack/template"
)

const account = "000000000000"

// Cloud is a running stack.
type Cloud struct {
	URL string // of the REST API with its stage; "" when the template has none
	// SocketURL is where clients of the WebSocket API dial, with its stage, or "".
	SocketURL string
	Env       []string // what companions and commands get, see [EnvironmentHelp]
	Stack     *template.Stack

	opts       Options
	params     map[string]string
	ports      ports
	group      *process.Group
	set        *emulators.Set
	clients    provision.Clients
	listener   net.Listener
	server     *http.Server
	talk       net.Listener // of the WebSocket API
	guard      *guard       // nil: nobody asks for rights
	keysURL    string       // of the stand-in of KMS; "" where the template has no key
	secretsURL string
	pools      map[string]*runtime.Pool
	sources    *sources.Set
	failed     chan error
	undo       []func()
}

// Start brings a stack up. ctx bounds the start only; end the stack with Close.
func Start(ctx context.Context, o Options) (*Cloud, error) {
	c := &Cloud{
		opts: o.filled(), ports: ports{}, group: &process.Group{},
		pools: map[string]*runtime.Pool{}, failed: make(chan error, 8),
	}
	c.onClose(c.group.Close)
	for _, step := range []func(context.Context) error{
		c.prepare, c.startEmulators, c.provision, c.startCompanions, c.runBefore, c.startGuard, c.startFunctions, c.startSources, c.serve, c.serveSockets,
	} {
		if err := step(ctx); err != nil {
			c.Close()
			return nil, err
		}
	}
	return c, nil
}

// onClose registers what Close undoes, in reverse order.
func (c *Cloud) onClose(f func()) { c.undo = append(c.undo, f) }

// Close ends every process of the stack and waits for them. A second call does nothing.
func (c *Cloud) Close() {
	for len(c.undo) > 0 {
		f := c.undo[len(c.undo)-1]
		c.undo = c.undo[:len(c.undo)-1]
		f()
	}
}

// Failed reports that something which must live has ended: a stand-in or a companion.
func (c *Cloud) Failed() <-chan error { return c.failed }

// prepare finds what is wrong before anything is started or fetched.
func (c *Cloud) prepare(context.Context) error {
	unlock, err := lockFolder(c.opts.Data)
	if err != nil {
		return err
	}
	c.onClose(unlock)
	if err := sameStore(c.opts.Data, c.opts.Store.String()); err != nil {
		return err
	}
	c.params = map[string]string{}
	for k, v := range c.opts.Parameters {
		if c.params[k], _, err = c.ports.fill(v); err != nil {
			return fmt.Errorf("cloud: %w", err)
		}
	}
	for _, cmd := range c.opts.Companions {
		if _, _, err := c.ports.fillAll(cmd.Args); err != nil {
			return err // now, so that every port is known to all
		}
	}
	if c.Stack, err = template.Load(c.opts.Template, c.params, c.facts()); err != nil {
		return err
	}
	if missing := unbuilt(c.Stack); missing != "" {
		return fmt.Errorf("cloud: %s: build the functions first", missing)
	}
	if c.Stack.API != nil {
		if c.listener, err = c.listen("REST API", c.opts.Port); err != nil {
			return err
		}
	}
	if c.Stack.Sockets != nil {
		c.talk, err = c.listen("WebSocket API", c.opts.SocketPort)
	}
	return err
}

func (c *Cloud) listen(what string, port int) (net.Listener, error) {
	l, err := process.Listen(port)
	if err != nil {
		return nil, fmt.Errorf("cloud: %s: %w", what, err)
	}
	c.onClose(func() { l.Close() })
	return l, nil
}

// unbuilt names the first function without a program.
func unbuilt(s *template.Stack) string {
	for _, f := range s.Functions {
		info, err := os.Stat(filepath.Join(f.Code, "bootstrap"))
		if err != nil || info.Mode()&0o111 == 0 {
			return fmt.Sprintf("function %s has no program %s", f.ID, filepath.Join(f.Code, "bootstrap"))
		}
	}
	return ""
}

func (c *Cloud) facts() template.Facts {
	f := template.Facts{Region: c.opts.Region, Account: account}
	if c.listener != nil {
		f.APIURL = "http://" + c.listener.Addr().String()
	}
	if c.talk != nil {
		f.SocketHost = c.talk.Addr().String()
	}
	if c.set != nil {
		f.QueueURL = c.set.Queues.URL
	}
	return f
}

func (c *Cloud) startEmulators(ctx context.Context) (err error) {
	c.set, err = emulators.Start(ctx, c.group, emulators.Options{
		Store: c.opts.Store, Tools: c.opts.Tools, Data: c.opts.Data,
		Objects: len(c.Stack.Buckets) > 0, TablePort: c.opts.TablePort, QueuePort: c.opts.QueuePort,
		Region: c.opts.Region, Account: account, Progress: c.opts.Progress,
	})
	if err != nil {
		return err
	}
	c.onClose(c.set.Close)
	c.watch(c.set.Tables.Child)
	c.watch(c.set.Queues.Child)
	c.clients = provision.NewClients(c.opts.Region, c.set.Tables.URL, c.set.Queues.URL)
	if c.set.Objects.URL != "" {
		c.watch(c.set.Objects.Child)
		c.clients.Objects = provision.Objects(c.opts.Region, c.set.Objects.URL)
	}
	return nil
}

func (c *Cloud) watch(child *process.Child) {
	go func() {
		<-child.Done()
		select {
		case c.failed <- fmt.Errorf("cloud: %s: %w", child.Name, child.Ended()):
		default:
		}
	}()
}

// provision makes what the template names, then reads the template again with
// what only now is known.
func (c *Cloud) provision(ctx context.Context) error {
	streams, urls, err := provision.Apply(ctx, c.clients, c.Stack)
	if err != nil {
		return err
	}
	secrets, err := provision.Secrets(c.Stack, c.opts.Data)
	if err != nil {
		return err
	}
	if err := c.startKeys(secrets); err != nil {
		return err
	}
	if err := c.startSecrets(secrets); err != nil {
		return err
	}
	facts := c.facts()
	facts.Streams, facts.Secrets = streams, secrets
	if c.Stack, err = template.Load(c.opts.Template, c.params, facts); err != nil {
		return err
	}
	for _, q := range c.Stack.Queues {
		if q.URL != urls[q.ID] {
			return fmt.Errorf("cloud: queue %s is at %s, not at %s as its references say", q.ID, urls[q.ID], q.URL)
		}
	}
	if a := c.Stack.API; a != nil {
		c.URL = facts.APIURL + "/" + a.Stage
		for i := range a.Keys {
			a.Keys[i].Value = secrets[a.Keys[i].ID]
		}
	}
	if a := c.Stack.Sockets; a != nil {
		c.SocketURL = "ws://" + facts.SocketHost + "/" + a.Stage
	}
	c.Env = c.environment()
	return nil
}

func (c *Cloud) startFunctions(context.Context) error {
	for _, f := range c.Stack.Functions {
		c.pools[f.ID] = runtime.NewPool(f, c.endpointsOf(f.ID), runtime.Options{Log: c.opts.Line})
	}
	c.onClose(func() {
		for _, p := range c.pools {
			p.Close()
		}
	})
	return nil
}

// Invoke runs a function by its logical id.
func (c *Cloud) Invoke(ctx context.Context, function string, payload []byte) (runtime.Result, error) {
	p := c.pools[function]
	if p == nil {
		return runtime.Result{}, fmt.Errorf("cloud: there is no function %s", function)
	}
	if c.guard != nil {
		c.guard.proxy.Invoked(function)
	}
	return p.Invoke(ctx, payload)
}

// Kill ends the processes of a function in the middle of whatever they do. The
// next invocation starts a new one.
func (c *Cloud) Kill(function string) error {
	p := c.pools[function]
	if p == nil {
		return fmt.Errorf("cloud: there is no function %s", function)
	}
	p.Kill()
	return nil
}

// KillOne ends one process of a function, rather one in the middle of an
// invocation than an idle one; see [runtime.Pool.KillOne].
func (c *Cloud) KillOne(function string) (killed, busy bool, err error) {
	p := c.pools[function]
	if p == nil {
		return false, false, fmt.Errorf("cloud: there is no function %s", function)
	}
	killed, busy = p.KillOne()
	return killed, busy, nil
}

func (c *Cloud) serve(context.Context) error {
	if c.Stack.API == nil {
		return nil
	}
	g, err := gateway.New(c.Stack.API, c.Invoke, gateway.Options{
		Region: c.opts.Region, Account: account, APIID: strings.ToLower(c.Stack.API.ID),
		Access: c.opts.Access, Log: c.opts.Note,
	})
	if err != nil {
		return err
	}
	c.server = &http.Server{Handler: g, ReadHeaderTimeout: 10 * time.Second}
	go c.server.Serve(c.listener)
	c.onClose(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		if c.server.Shutdown(ctx) != nil {
			c.server.Close()
		}
	})
	return nil
}

// companionLimit is how long a companion may take to listen on its port; it may
// be compiled first.
const companionLimit = 2 * time.Minute

func (c *Cloud) startCompanions(ctx context.Context) error {
	for _, cmd := range c.opts.Companions {
		out := c.opts.Output(cmd.Name)
		spec, ports, err := c.spec(cmd, out, out)
		if err != nil {
			return err
		}
		child, err := c.group.Start(spec)
		if err != nil {
			return fmt.Errorf("cloud: companion: %w", err)
		}
		c.onClose(child.Stop)
		for _, port := range ports {
			if err := child.AwaitPort(ctx, port, companionLimit); err != nil {
				return fmt.Errorf("cloud: companion %w", err)
			}
		}
		c.watch(child)
	}
	return nil
}

// runBefore fills what must be there before the first request: the API's port is
// taken already, and who asks early waits.
func (c *Cloud) runBefore(ctx context.Context) error {
	for _, cmd := range c.opts.Before {
		stdout, stderr := c.opts.Stdout, c.opts.Stderr
		if stdout == nil {
			stdout = c.opts.Output(cmd.Name)
		}
		if stderr == nil {
			stderr = c.opts.Output(cmd.Name)
		}
		if err := c.Run(ctx, cmd, stdout, stderr); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cloud) spec(cmd Command, stdout, stderr io.Writer) (process.Spec, []int, error) {
	args, ports, err := c.ports.fillAll(cmd.Args)
	if err != nil {
		return process.Spec{}, nil, err
	}
	return process.Spec{
		Name: cmd.Name, Path: args[0], Args: args[1:],
		Env: append(inherited(), c.Env...), Stdout: stdout, Stderr: stderr,
	}, ports, nil
}

// Run runs a command with the stack's environment and waits for its end. The
// error of a command that failed holds an *exec.ExitError.
func (c *Cloud) Run(ctx context.Context, cmd Command, stdout, stderr io.Writer) error {
	spec, _, err := c.spec(cmd, stdout, stderr)
	if err != nil {
		return err
	}
	return c.group.Run(ctx, spec)
}

// PIDs are the processes of stand-ins and companions by name.
func (c *Cloud) PIDs() map[string]int { return c.group.PIDs() }

// Clients speak to this cloud's tables and queues.
func (c *Cloud) Clients() provision.Clients { return c.clients }
