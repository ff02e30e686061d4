package process

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
)

type request struct {
	cmd  *exec.Cmd
	done chan error
}

// spawner starts every child from one thread that never ends: the kernel's
// death signal follows the thread that forked, not the process.
var spawner = sync.OnceValue(func() chan<- request {
	c := make(chan request)
	go func() {
		runtime.LockOSThread()
		for r := range c {
			r.done <- r.cmd.Start()
		}
	}()
	return c
})

func spawn(cmd *exec.Cmd) error {
	if err := guard(); err != nil {
		return err
	}
	r := request{cmd, make(chan error)}
	spawner() <- r
	if err := <-r.done; err != nil {
		return err
	}
	theGuard.tell('+', cmd.Process.Pid)
	return nil
}

// script outlives this process by a moment: at the end of its input it kills
// the groups that are still listed.
const script = `live=" "
while read -r op id; do
  case $op in
  +) live="$live$id " ;;
  -) live="${live%% "$id" *} ${live#* "$id" }" ;;
  esac
done
for id in $live; do kill -s KILL -- "-$id" 2>/dev/null; done
exit 0`

type guardian struct {
	once  sync.Once
	mu    sync.Mutex
	input *os.File
	err   error
}

var theGuard guardian

func guard() error {
	theGuard.once.Do(func() { theGuard.err = theGuard.start() })
	return theGuard.err
}

func (g *guardian) start() error {
	r, w, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("guard: %w", err)
	}
	defer r.Close()
	cmd := exec.Command("/bin/sh", "-c", script)
	cmd.Stdin = r
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		w.Close()
		return fmt.Errorf("guard: %w", err)
	}
	g.input = w
	go cmd.Wait()
	return nil
}

func (g *guardian) tell(op byte, pid int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.input != nil {
		fmt.Fprintf(g.input, "%c %d\n", op, pid)
	}
}

func unguard(pid int) { theGuard.tell('-', pid) }
