// The mailbox is the mail system of this machine: see
// [github.com/fairseat/fairseat/localstack/mailbox/inbox].
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/fairseat/fairseat/localstack/mailbox/inbox"
)

func main() {
	if err := run(os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "mailbox:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	f := flag.NewFlagSet("mailbox", flag.ContinueOnError)
	mail := f.String("smtp", "127.0.0.1:3025", "loopback `address` that takes letters")
	pages := f.String("http", "127.0.0.1:3080", "loopback `address` where they are read")
	data := f.String("data", "", "`folder` to keep them in; without it memory")
	if err := f.Parse(args); err != nil {
		return err
	}
	box, err := inbox.Open(*data, time.Now)
	if err != nil {
		return err
	}
	in, err := listen(*mail)
	if err != nil {
		return err
	}
	out, err := listen(*pages)
	if err != nil {
		return errors.Join(err, in.Close())
	}
	fmt.Println("letters are read at http://" + out.Addr().String() + "/")
	return serve(in, out, box)
}

// listen refuses other addresses: everybody's letters are here.
func listen(addr string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("address %q is not a loopback one", addr)
	}
	return net.Listen("tcp", addr)
}

func serve(in, out net.Listener, box *inbox.Box) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	mail, pages := box.SMTP(), &http.Server{Handler: box.Handler(), ReadHeaderTimeout: 5 * time.Second}
	failed := make(chan error, 2)
	go func() { failed <- mail.Serve(in) }()
	go func() { failed <- pages.Serve(out) }()
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	err = errors.Join(err, mail.Close(), pages.Close())
	if errors.Is(err, smtp.ErrServerClosed) {
		return nil
	}
	return err
}
