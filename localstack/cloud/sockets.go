package cloud

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/fairseat/fairseat/localstack/gateway"
	"github.com/fairseat/fairseat/localstack/provision"
)

// socketGoodbye is how long the stop waits for clients to answer their close
// frames and for $disconnect to run.
const socketGoodbye = 3 * time.Second

// serveSockets comes last, so that at the end it is closed first: functions still
// run when everybody is disconnected.
func (c *Cloud) serveSockets(context.Context) error {
	a := c.Stack.Sockets
	if a == nil {
		return nil
	}
	s, err := gateway.NewSockets(a, c.Invoke, gateway.SocketOptions{
		Account: account, APIID: strings.ToLower(a.ID), Access: c.opts.Access, Log: c.opts.Note, Gate: gate{c.guard},
	})
	if err != nil {
		return err
	}
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	go server.Serve(c.talk)
	c.onClose(func() {
		ctx, cancel := context.WithTimeout(context.Background(), socketGoodbye)
		defer cancel()
		s.Close(ctx)
		server.Close()
	})
	return nil
}

// gate lets in who has this cloud's own key, and functions by their rights.
type gate struct{ guard *guard }

func (g gate) Secret(key string) (string, bool) {
	switch {
	case key == provision.AccessKey:
		return provision.SecretKey, true
	case g.guard == nil:
		return "", false
	}
	return g.guard.proxy.Secret(key)
}

func (g gate) Admit(key, action, resource string) error {
	if key == provision.AccessKey {
		return nil
	}
	return g.guard.proxy.Admit(key, action, resource)
}
