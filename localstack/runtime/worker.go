package runtime

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/fairseat/fairseat/localstack/process"
	"github.com/fairseat/fairseat/localstack/template"
)

type end uint8

const (
	_           end = iota
	endFree         // answered, and asked for the next
	endExited       // the process is gone, by itself or by us
	endNotTaken     // it was gone before it had the invocation
)

type invocation struct {
	id, trace string
	payload   []byte
	cold      bool
	deadline  time.Time
	started   time.Time
	once      sync.Once
	result    Result
	done      chan Result
}

// finish is the one place where an invocation's result is made; the first counts.
// Its caller learns of it when the process is ready for more, or gone: an
// invocation that follows at once finds a warm process.
func (inv *invocation) finish(payload []byte, fe *FunctionError) {
	inv.once.Do(func() {
		r := Result{RequestID: inv.id, Payload: payload, Err: fe, Cold: inv.cold}
		if !inv.started.IsZero() {
			r.Duration = time.Since(inv.started)
		}
		inv.result = r
	})
}

func (inv *invocation) fail(fe *FunctionError) { inv.finish(fe.document(), fe) }

// worker is one process with a Runtime API of its own: the address tells it apart.
type worker struct {
	fn     template.Function
	child  *process.Child
	server *http.Server
	logs   *lineReader
	jobs   chan *invocation
	free   chan struct{}
	exited chan struct{}
	state  string // how it ended; read after exited

	mu       sync.Mutex
	started  bool
	current  *invocation
	answered bool
	initErr  *FunctionError
}

func newWorker(group *process.Group, fn template.Function, env []string, log func(Line)) (*worker, error) {
	bin := filepath.Join(fn.Code, "bootstrap")
	if _, err := os.Stat(bin); err != nil {
		return nil, fmt.Errorf("no bootstrap: %w", err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for %s: %w", fn.Name, err)
	}
	w := &worker{
		fn: fn, jobs: make(chan *invocation), free: make(chan struct{}, 1), exited: make(chan struct{}),
	}
	logs, out, err := newLineReader(func(text string) {
		if log != nil {
			log(Line{Function: fn.ID, RequestID: w.requestID(), Text: text})
		}
	})
	if err != nil {
		ln.Close()
		return nil, fmt.Errorf("pipe for %s: %w", fn.Name, err)
	}
	w.logs = logs
	w.server = &http.Server{Handler: w.api()}
	w.child, err = group.Start(process.Spec{
		Name: fn.Name, Path: bin, Dir: fn.Code, Env: environment(fn, env, ln.Addr().String()),
		Stdout: out, Stderr: out,
	})
	out.Close()
	if err != nil {
		ln.Close()
		logs.close()
		return nil, fmt.Errorf("start bootstrap: %w", err)
	}
	go w.server.Serve(ln)
	go w.reap()
	return w, nil
}

func environment(fn template.Function, env []string, api string) []string {
	list := []string{"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=en_US.UTF-8", "TZ=:UTC"}
	for k, v := range fn.Environment {
		list = append(list, k+"="+v)
	}
	list = append(list, env...)
	return append(list,
		"AWS_LAMBDA_RUNTIME_API="+api,
		"AWS_LAMBDA_FUNCTION_NAME="+fn.Name,
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE="+strconv.Itoa(fn.MemoryMB),
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/"+fn.Name,
		"AWS_LAMBDA_LOG_STREAM_NAME=local",
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_EXECUTION_ENV=AWS_Lambda_provided.al2023",
		"LAMBDA_TASK_ROOT="+fn.Code,
		"LAMBDA_RUNTIME_DIR="+fn.Code,
		"_HANDLER=bootstrap",
	)
}

func (w *worker) requestID() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.current == nil {
		return ""
	}
	return w.current.id
}

// awaitInit waits for the first call of next.
func (w *worker) awaitInit(id string, limit time.Duration) *FunctionError {
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case <-w.free:
		return nil
	case <-w.exited:
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.initErr != nil {
			return w.initErr
		}
		return exitError(id, w.state)
	case <-t.C:
		w.kill()
		<-w.exited
		return timeoutError(id, limit)
	}
}

// run hands the invocation over and sees it through. The function's time ends
// only when it asks for the next one: a process that answers and then hangs must
// not keep its slot for ever.
func (w *worker) run(inv *invocation, limit time.Duration) end {
	inv.started = time.Now()
	inv.deadline = inv.started.Add(limit)
	select {
	case w.jobs <- inv:
	case <-w.exited:
		return endNotTaken
	}
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case <-w.free:
		return endFree
	case <-w.exited:
		return endExited
	case <-t.C:
		w.kill()
		<-w.exited
		inv.fail(timeoutError(inv.id, limit))
		return endExited
	}
}

func (w *worker) gone() bool {
	select {
	case <-w.exited:
		return true
	default:
		return false
	}
}

// busy reports whether the process has an invocation that it has not answered.
func (w *worker) busy() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.current != nil && !w.answered && !w.gone()
}

// kill does not wait; w.exited tells when it is done.
func (w *worker) kill() { go w.child.Kill() }

// reap reads the last lines before anybody learns of the end.
func (w *worker) reap() {
	<-w.child.Done()
	if err := w.child.Err(); err != nil {
		w.state = err.Error()
	}
	w.logs.close()
	close(w.exited)
	w.server.Close()
}
