package search

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"time"
)

// counter stands before a store and counts what is asked of it.
type counter struct {
	n      atomic.Int64
	url    string
	server *http.Server
}

func newCounter(target string) (*counter, error) {
	to, err := url.Parse(target)
	if err != nil {
		return nil, fmt.Errorf("search: store: %w", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c := &counter{url: "http://" + l.Addr().String()}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host // it is signed
	}}
	c.server = &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.n.Add(1)
		proxy.ServeHTTP(w, r)
	})}
	go func() { _ = c.server.Serve(l) }() // it ends by close
	return c, nil
}

func (c *counter) close() { _ = c.server.Close() }
