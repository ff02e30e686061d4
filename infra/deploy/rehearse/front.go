package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/fairseat/fairseat/localstack/sandbox/sim"
)

// sandboxSecret is shared with the functions.
const sandboxSecret = "rehearsal-sandbox-secret-0123456789"

// front is the one address of the API: /v1 leads to wherever it is served, which
// is known only after the deployment that must already be told of this address.
type front struct {
	URL    string // with /v1
	target atomic.Pointer[url.URL]
}

func (f *front) lead(to string) error {
	u, err := url.Parse(to)
	if err != nil {
		return err
	}
	f.target.Store(u)
	return nil
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	to := f.target.Load()
	if to == nil {
		http.Error(w, "not deployed yet", http.StatusServiceUnavailable)
		return
	}
	p := httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.Out.URL.Path = strings.TrimPrefix(p.In.URL.Path, "/v1")
			p.Out.URL.RawPath = strings.TrimPrefix(p.In.URL.RawPath, "/v1")
			p.SetURL(to)
		},
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	p.ServeHTTP(w, r)
}

// listen serves a handler on Docker's bridge, where containers reach it and
// nobody outside this machine, until the context ends.
func (s *stage) listen(ctx context.Context, h http.Handler) (string, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(s.host, "0"))
	if err != nil {
		return "", err
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			fmt.Fprintln(os.Stderr, "rehearse:", err)
		}
	}()
	context.AfterFunc(ctx, func() { srv.Close() })
	return "http://" + l.Addr().String(), nil
}

func (s *stage) front(ctx context.Context) (*front, error) {
	f := &front{}
	at, err := s.listen(ctx, f)
	f.URL = at + "/v1"
	return f, err
}

// sandbox serves the payment provider that moves no money.
func (s *stage) sandbox(ctx context.Context, grace time.Duration) (string, error) {
	mux := http.NewServeMux()
	at, err := s.listen(ctx, mux)
	if err != nil {
		return "", err
	}
	provider, err := sim.New(sim.Options{
		Secret: sandboxSecret, Grace: grace, Now: time.Now, Random: rand.Int64N, URL: at, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return "", err
	}
	mux.Handle("/", provider.Handler())
	go provider.Run(ctx)
	return at, nil
}
