package gateway

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
)

// frameGauge watches the sizes of a client's frames as they pass: the library
// tells messages only, and API Gateway limits both.
type frameGauge struct {
	net.Conn
	early []byte // what came with the handshake
	limit int64
	head  []byte // of the frame that begins
	skip  uint64 // bytes of its payload still to come
	over  atomic.Bool
}

func (g *frameGauge) Read(p []byte) (n int, err error) {
	if len(g.early) > 0 {
		n = copy(p, g.early)
		g.early = g.early[n:]
	} else {
		n, err = g.Conn.Read(p)
	}
	g.feed(p[:n])
	return n, err
}

// feed follows RFC 6455, 5.2: two bytes, a longer length if they say so, a mask.
func (g *frameGauge) feed(p []byte) {
	for len(p) > 0 {
		if g.skip > 0 {
			n := min(g.skip, uint64(len(p)))
			g.skip, p = g.skip-n, p[n:]
			continue
		}
		g.head, p = append(g.head, p[0]), p[1:]
		if size, whole := frameSize(g.head); whole {
			if size > uint64(g.limit) {
				g.over.Store(true)
			}
			g.skip, g.head = size, g.head[:0]
		}
	}
}

func frameSize(head []byte) (size uint64, whole bool) {
	if len(head) < 2 {
		return 0, false
	}
	length, mask := 2, 0
	switch size = uint64(head[1] & 0x7f); size {
	case 126:
		length = 4
	case 127:
		length = 10
	}
	if head[1]&0x80 != 0 {
		mask = 4
	}
	if len(head) < length+mask {
		return 0, false
	}
	switch length {
	case 4:
		size = uint64(binary.BigEndian.Uint16(head[2:]))
	case 10:
		size = binary.BigEndian.Uint64(head[2:])
	}
	return size, true
}

// gauging puts the gauge between the server's connection and the library.
type gauging struct {
	http.ResponseWriter
	limit int64
	gauge *frameGauge
}

func (w *gauging) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	h, ok := w.ResponseWriter.(http.Hijacker)
	if !ok {
		return nil, nil, errors.New("gateway: the server cannot hand over its connection")
	}
	conn, rw, err := h.Hijack()
	if err != nil {
		return nil, nil, err
	}
	early, _ := rw.Reader.Peek(rw.Reader.Buffered())
	w.gauge = &frameGauge{Conn: conn, early: bytes.Clone(early), limit: w.limit}
	return w.gauge, bufio.NewReadWriter(bufio.NewReader(w.gauge), rw.Writer), nil
}
