// The sandbox is a payment provider on this machine that moves no money: see
// [github.com/fairseat/fairseat/localstack/sandbox/sim] for its calls. With -keys it
// plays real providers, too, each under the path of its name: its keys are made here.
// "-keys FOLDER -show alipay" prints what the shop must know of them, and ends.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/fairseat/fairseat/localstack/sandbox/sim"
)

func main() {
	if err := run(os.Args[1:], os.Getenv); err != nil {
		fmt.Fprintln(os.Stderr, "sandbox:", err)
		os.Exit(1)
	}
}

func run(args []string, env func(string) string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	f, opt, err := configure(args, env)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	if f.show != "" {
		return show(f.keys, f.show)
	}
	addr := f.addr
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("address %s cannot be used, choose another with -addr: %w", addr, err)
	}
	if opt.URL == "" {
		opt.URL = "http://" + l.Addr().String()
	}
	h, err := open(opt, f.keys)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	opt.Log.Info("listening", "url", opt.URL, "data", opt.Data)
	return errors.Join(serve(ctx, l, h), h.close())
}

// places are what is no option of a simulator.
type places struct{ addr, keys, show string }

func configure(args []string, env func(string) string) (at places, opt sim.Options, err error) {
	f := flag.NewFlagSet("sandbox", flag.ContinueOnError)
	f.StringVar(&at.addr, "addr", or(env("FAIRSEAT_SANDBOX_ADDR"), "127.0.0.1:3010"), "loopback `address` to listen on (FAIRSEAT_SANDBOX_ADDR)")
	f.StringVar(&opt.URL, "url", env("FAIRSEAT_SANDBOX_URL"), "`URL` under which buyers reach this address (FAIRSEAT_SANDBOX_URL)")
	f.StringVar(&opt.Data, "data", env("FAIRSEAT_SANDBOX_DATA"), "`file` to keep everything in; without it memory (FAIRSEAT_SANDBOX_DATA)")
	f.StringVar(&at.keys, "keys", env("FAIRSEAT_SANDBOX_KEYS"), "`folder` of the keys of real providers to play; made if they are not there (FAIRSEAT_SANDBOX_KEYS)")
	f.StringVar(&at.show, "show", "", "print the shop's keys of this `provider`, and end")
	grace := f.String("grace", or(env("FAIRSEAT_GRACE_SECONDS"), "5"), "`seconds` that the shop adds to expires_at (FAIRSEAT_GRACE_SECONDS)")
	if err := f.Parse(args); err != nil {
		return at, opt, err
	}
	sec, err := strconv.Atoi(*grace)
	if err != nil || sec < 0 || sec > 3600 {
		return at, opt, fmt.Errorf("grace %q is not whole seconds up to an hour", *grace)
	}
	if f.NArg() > 0 {
		return at, opt, fmt.Errorf("unknown argument %q", f.Arg(0))
	}
	opt.Grace = time.Duration(sec) * time.Second
	if at.show != "" {
		if at.keys == "" {
			err = errors.New("-show needs -keys")
		}
		return at, opt, err
	}
	opt.Secret = env("FAIRSEAT_SANDBOX_SECRET")
	if opt.Secret == "" {
		return at, opt, errors.New("FAIRSEAT_SANDBOX_SECRET is not set; the shop needs the same one")
	}
	opt.Now, opt.Random = time.Now, rand.Int64N
	wire := http.DefaultTransport.(*http.Transport).Clone()
	wire.MaxIdleConnsPerHost = 32 // one shop gets all the callbacks
	opt.Transport = wire
	opt.Log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	return at, opt, loopback(at.addr)
}

// loopback refuses other addresses: the controls are not signed.
func loopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("address %q: %w", addr, err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("address %q is not a loopback one", addr)
	}
	return nil
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func serve(ctx context.Context, l net.Listener, h *house) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var running sync.WaitGroup
	for _, s := range h.sims {
		running.Go(func() { s.Run(ctx) })
	}
	srv := &http.Server{Handler: h.mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(l) }()
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
		end, done := context.WithTimeout(context.Background(), 3*time.Second)
		defer done()
		err = srv.Shutdown(end)
	}
	cancel()
	running.Wait()
	return err
}
