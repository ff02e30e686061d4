package stage

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"

	"github.com/fairseat/fairseat/localstack/process"
	"github.com/fairseat/fairseat/localstack/sandbox/sim"
	"github.com/fairseat/fairseat/pkg/booking"
)

// Provider reads the books of the sandbox.
type Provider struct{ URL string }

type listed[T any] struct{ Items []T }

// Payments of an order, or of all orders.
func (p Provider) Payments(order string) ([]sim.Payment, error) {
	var l listed[sim.Payment]
	err := p.get("payments?order="+order, &l)
	return l.Items, err
}

// Refunds of a payment, or of all payments.
func (p Provider) Refunds(payment string) ([]sim.Refund, error) {
	var l listed[sim.Refund]
	err := p.get("refunds?payment="+payment, &l)
	return l.Items, err
}

func (p Provider) get(path string, into any) error {
	res, err := http.Get(p.URL + "/control/" + path)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("provider: %s: %s", path, res.Status)
	}
	return json.NewDecoder(res.Body).Decode(into)
}

// StartProvider runs the sandbox by itself: a provider does not die with the shop.
func StartProvider(ctx context.Context, g *process.Group, root, journal string, p booking.Policy, log io.Writer) (Provider, error) {
	port, err := process.FreePort(0)
	if err != nil {
		return Provider{}, err
	}
	args := sandboxArgs(root, strconv.Itoa(port), journal, p)
	child, err := g.Start(process.Spec{
		Name: "sandbox", Path: args[0], Args: args[1:], Stdout: log, Stderr: log,
		Env: append(os.Environ(), "FAIRSEAT_SANDBOX_SECRET="+sandboxSecret),
	})
	if err != nil {
		return Provider{}, err
	}
	if err := child.AwaitPort(ctx, port, StartLimit); err != nil {
		return Provider{}, err
	}
	return Provider{URL: fmt.Sprintf("http://127.0.0.1:%d", port)}, nil
}
