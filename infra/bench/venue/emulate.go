package venue

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/fairseat/fairseat/localstack/emulators"
	"github.com/fairseat/fairseat/localstack/process"
	"github.com/fairseat/fairseat/localstack/provision"
	"github.com/fairseat/fairseat/localstack/template"
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/ddb"
)

// Place is where the programs and the template are found, from the working folder.
type Place struct{ Template, Tools string }

// Emulator is an emulator with the tables and streams of the template.
type Emulator struct {
	Client *dynamodb.Client
	Tables *ddb.Store
	Names  map[store.Table]string
	Queues *sqs.Client
	URLs   map[string]string // of the queues, by logical id

	group process.Group
	set   *emulators.Set
}

// parameters that the template asks for; nothing here depends on them.
var parameters = map[string]string{"DeveloperKey": "local-dev-key-0123456789"}

// Built tells whether the emulator can be started without being built first.
// Building Dynoxide takes minutes, which no measurement should.
func (p Place) Built(kind emulators.Store) bool {
	if kind != emulators.Dynoxide {
		return true
	}
	_, err := os.Stat(p.Tools + "/dynoxide-3.2.0/bin/dynoxide")
	return err == nil
}

// Emulate starts an emulator and makes the template's tables in it.
func (p Place) Emulate(ctx context.Context, kind emulators.Store) (*Emulator, error) {
	e := &Emulator{}
	var err error
	e.set, err = emulators.Start(ctx, &e.group, emulators.Options{
		Store: kind, Tools: p.Tools, Region: "eu-west-1", Account: "000000000000", Progress: os.Stderr,
	})
	if err != nil {
		e.group.Close()
		return nil, err
	}
	if err := e.provision(ctx, p.Template); err != nil {
		e.Close()
		return nil, err
	}
	return e, nil
}

func (e *Emulator) provision(ctx context.Context, path string) error {
	stack, err := template.Load(path, parameters, template.Facts{})
	if err != nil {
		return err
	}
	stack.Buckets = nil // there is no store of objects here
	clients := provision.NewClients("eu-west-1", e.set.Tables.URL, e.set.Queues.URL)
	e.Queues = clients.Queues
	if _, e.URLs, err = provision.Apply(ctx, clients, stack); err != nil {
		return err
	}
	e.Names = map[store.Table]string{}
	for _, t := range stack.Tables {
		e.Names[store.Table(strings.ToLower(t.ID))] = t.Name
	}
	for _, t := range append([]store.Table{store.TableCatalog}, store.Names...) {
		if e.Names[t] == "" {
			return fmt.Errorf("venue: the template has no table for %q", t)
		}
	}
	env := map[string]string{
		"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": provision.AccessKey, "AWS_SECRET_ACCESS_KEY": provision.SecretKey,
		"AWS_ENDPOINT_URL_DYNAMODB": e.set.Tables.URL,
	}
	if e.Client, err = ddb.Client(func(name string) string { return env[name] }); err != nil {
		return err
	}
	e.Tables = ddb.New(e.Client, e.Names, boot.Jitter)
	return nil
}

// Close ends the emulator.
func (e *Emulator) Close() {
	e.set.Close()
	e.group.Close()
}
