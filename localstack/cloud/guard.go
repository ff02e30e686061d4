package cloud

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/fairseat/fairseat/localstack/emulators"
	"github.com/fairseat/fairseat/localstack/process"
	"github.com/fairseat/fairseat/localstack/rights"
)

// guard stands between functions and the stand-ins.
type guard struct {
	proxy *rights.Proxy
	url   string
}

func (c *Cloud) startGuard(context.Context) error {
	if c.opts.Rights == rights.Off {
		return nil
	}
	p, err := rights.New(c.Stack, c.opts.Rights, account, rights.Behind{
		Tables: c.set.Tables.URL, Queues: c.set.Queues.URL, Objects: c.set.Objects.URL, Keys: c.keysURL, Secrets: c.secretsURL,
		ObjectKey: emulators.ObjectKey, ObjectSecret: emulators.ObjectSecret,
	})
	if err != nil {
		return err
	}
	l, err := process.Listen(0)
	if err != nil {
		return fmt.Errorf("cloud: rights: %w", err)
	}
	s := &http.Server{Handler: p, ReadHeaderTimeout: 10 * time.Second}
	go s.Serve(l)
	c.onClose(func() { s.Close() })
	c.guard = &guard{p, "http://" + l.Addr().String()}
	return nil
}

// endpointsOf are the variables that lead a function to this cloud, in its own name.
func (c *Cloud) endpointsOf(function string) []string {
	if c.guard == nil {
		return c.endpoints()
	}
	k := rights.Credentials(function)
	return c.leads(k.AccessKeyID, k.SecretAccessKey, c.guard.url, c.guard.url, c.guard.url, c.guard.url, c.guard.url)
}

// Rights tells what functions needed so far, and what of it their roles do not
// allow. Nothing is known where rights are off.
func (c *Cloud) Rights() rights.Uses {
	if c.guard == nil {
		return rights.Uses{}
	}
	return c.guard.proxy.Uses()
}
