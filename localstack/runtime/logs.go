package runtime

import (
	"bytes"
	"os"
	"sync"
	"syscall"
)

const maxLine = 256 << 10 // CloudWatch's limit of an event, bytes

// lineReader cuts what a process writes into lines. Beside its own goroutine the
// Runtime API drains it: what a process wrote before it called is in the pipe
// already, so a line is never put down to the next request.
type lineReader struct {
	file *os.File
	raw  syscall.RawConn
	emit func(string)

	mu   sync.Mutex
	rest []byte
	buf  []byte
	done chan struct{}
}

// newLineReader returns the reader and the end that the process writes to; the caller closes that.
func newLineReader(emit func(string)) (*lineReader, *os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	raw, err := r.SyscallConn()
	if err == nil {
		err = syscall.SetNonblock(int(w.Fd()), false)
	}
	if err != nil {
		r.Close()
		w.Close()
		return nil, nil, err
	}
	l := &lineReader{file: r, raw: raw, emit: emit, buf: make([]byte, 32<<10), done: make(chan struct{})}
	go func() {
		defer close(l.done)
		_ = raw.Read(func(fd uintptr) bool { return l.read(int(fd)) })
	}()
	return l, w, nil
}

// read takes all there is and reports whether that was the end.
func (l *lineReader) read(fd int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		n, err := syscall.Read(fd, l.buf)
		switch {
		case err == syscall.EINTR:
		case err == syscall.EAGAIN:
			return false
		case err != nil || n == 0:
			return true
		default:
			l.split(l.buf[:n])
		}
	}
}

func (l *lineReader) split(b []byte) {
	for {
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			break
		}
		l.flush(b[:i])
		b = b[i+1:]
	}
	l.rest = append(l.rest, b...)
	if len(l.rest) >= maxLine {
		l.flush(nil)
	}
}

func (l *lineReader) flush(tail []byte) {
	line := bytes.TrimSuffix(append(l.rest, tail...), []byte("\r"))
	l.rest = l.rest[:0]
	if len(line) > 0 {
		l.emit(string(line))
	}
}

func (l *lineReader) drain() {
	_ = l.raw.Control(func(fd uintptr) { l.read(int(fd)) })
}

// close reads what is left, a last line without its end included. A grandchild
// may still hold the pipe open, so it does not wait for the end of file.
func (l *lineReader) close() {
	l.drain()
	l.mu.Lock()
	if len(l.rest) > 0 {
		l.flush(nil)
	}
	l.mu.Unlock()
	l.file.Close()
	<-l.done
}
