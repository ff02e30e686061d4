package archtest

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Packages of pure decisions.
var pure = []string{"pkg/money", "pkg/seatmap", "pkg/booking", "pkg/adoption", "pkg/order", "pkg/ticket", "pkg/line", "pkg/payment", "pkg/fault", "pkg/relay", "pkg/socket", "pkg/throttle", "pkg/account", "pkg/account/password", "pkg/quota", "pkg/developer"}

// rule forbids imports to some packages.
type rule struct {
	name   string
	why    string
	holds  func(pack) bool   // for which packages
	forbid func(string) bool // an import path
	deep   bool              // also what they import in turn
}

func is(paths ...string) func(string) bool {
	return func(path string) bool {
		return slices.ContainsFunc(paths, func(p string) bool { return path == p || strings.HasPrefix(path, p+"/") })
	}
}

func in(folders ...string) func(pack) bool { return func(p pack) bool { return p.under(folders...) } }

func not(f func(pack) bool) func(pack) bool { return func(p pack) bool { return !f(p) } }

func and(f, g func(pack) bool) func(pack) bool { return func(p pack) bool { return f(p) && g(p) } }

func one(folders ...string) func(pack) bool {
	return func(p pack) bool { return slices.Contains(folders, p.path()) }
}

var (
	sdk     = is("github.com/aws/aws-sdk-go-v2", "github.com/aws/smithy-go")
	lambda  = is("github.com/aws/aws-lambda-go")
	product = in("pkg", "functions")
)

var rules = []rule{
	{"pure packages know no cloud", "a rule that needs AWS cannot be tested by a table", one(pure...), is("github.com/aws"), true},
	{
		"pure packages do no I/O", "a decision is a function of state, request and now",
		one(pure...), is("net/url", "net/rpc", "os", "os/exec", "log", "log/slog", "database/sql", "io/fs", "syscall"), false,
	},
	{
		"pure packages take no context", "what can be canceled is I/O; only the provider's port has it, and headers",
		and(one(pure...), not(one("pkg/payment"))), is("context", "net"), false,
	},
	{"use cases know no storage", "the store depends on the use cases, not they on it", one("pkg/boxoffice", "pkg/socket/hub", "pkg/history", "pkg/account/reception", "pkg/developer/gate", "pkg/developer/keyring"), is(module+"pkg/store", "github.com/aws"), true},
	{"use cases know no edge", "HTTP, queues and streams are translated outside", one("pkg/boxoffice", "pkg/socket/hub", "pkg/history", "pkg/account/reception", "pkg/developer/gate", "pkg/developer/keyring"), is(module+"pkg/api", module+"pkg/work", module+"pkg/relay", module+"pkg/boot", "net/http"), false},
	{"the SDK stays in its adapters", "everybody else speaks the ports store.Tables and work.Sender", and(product, not(in("pkg/store/ddb", "pkg/queue", "pkg/socket/post", "pkg/blob/s3blob", "pkg/vault/kmskeys", "pkg/secret"))), sdk, false},
	{"Lambda stays at the edge", "a use case must run without it", and(product, not(in("pkg/api", "pkg/work", "pkg/boot", "functions"))), lambda, false},
	{"nobody imports the rim", "wiring points inward", and(in("pkg"), not(in("pkg/boot"))), is(module+"pkg/boot", module+"functions"), false},
	{"the product does not know its emulators", "what runs on one machine is built from the product, not into it", product, is(module + "localstack"), true},
	{
		"the local cloud knows no seats", "another SAM project could use it",
		and(in("localstack"), not(in("localstack/sandbox", "localstack/demo", "localstack/e2e"))), is(module+"pkg", module+"functions", module+"infra"), false,
	},
	{
		"test modules stay in tests", "they would be deployed with every function",
		in("functions"), is("pgregory.net/rapid", "github.com/google/go-cmp", "github.com/getkin/kin-openapi", "go.uber.org/goleak", "testing", module+"pkg/store/memstore", module+"pkg/store/storetest", module+"pkg/blob/memblob", module+"pkg/blob/blobtest", module+"pkg/vault/vaulttest"), true,
	},
	{"no heavy configuration in a function", "its providers of credentials are megabytes; see ddb.Client", in("functions"), is("github.com/aws/aws-sdk-go-v2/config"), true},
	{
		"only what is wired to a stream sends", "a message beside a write is lost or early when a crash comes between; the stream's record is the event",
		and(product, not(in("pkg/boot", "pkg/queue"))), is(module + "pkg/queue"), false,
	},
	{
		"chance comes from outside", "an injected source can be repeated",
		and(product, not(in("pkg/boot", "pkg/store/storetest"))), is("math/rand", "crypto/rand"), false,
	},
}

// TestImports: the arrow of imports points inward.
func TestImports(t *testing.T) {
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			met := false
			for _, p := range tree(t) {
				if !r.holds(p) {
					continue
				}
				met = true
				imports := p.Imports
				if r.deep {
					imports = p.Deps
				}
				for _, i := range imports {
					if r.forbid(i) {
						t.Errorf("%s imports %s: %s", p.path(), i, r.why)
					}
				}
			}
			if !met {
				t.Error("no package is under this rule any more")
			}
		})
	}
}

// TestRulesCanFail: each rule catches an import that breaks it.
func TestRulesCanFail(t *testing.T) {
	for _, tt := range []struct{ rule, path, imported string }{
		{"pure packages know no cloud", "pkg/money", "github.com/aws/aws-sdk-go-v2/aws"},
		{"pure packages do no I/O", "pkg/line", "os"},
		{"pure packages take no context", "pkg/booking", "context"},
		{"use cases know no storage", "pkg/boxoffice", module + "pkg/store/ddb"},
		{"the SDK stays in its adapters", "pkg/store", "github.com/aws/aws-sdk-go-v2/service/dynamodb"},
		{"Lambda stays at the edge", "pkg/relay", "github.com/aws/aws-lambda-go/events"},
		{"the local cloud knows no seats", "localstack/gateway", module + "pkg/money"},
		{"test modules stay in tests", "functions/x", "pgregory.net/rapid"},
		{"only what is wired to a stream sends", "pkg/api", module + "pkg/queue"},
		{"chance comes from outside", "pkg/store/ddb", "math/rand/v2"},
	} {
		i := slices.IndexFunc(rules, func(r rule) bool { return r.name == tt.rule })
		if i < 0 || !rules[i].holds(pack{ImportPath: module + tt.path}) || !rules[i].forbid(tt.imported) {
			t.Errorf("%q lets %s import %s", tt.rule, tt.path, tt.imported)
		}
	}
}

// TestClock: the time is read at the rim, once per attempt.
func TestClock(t *testing.T) {
	allowed := in("pkg/boot", "pkg/store/storetest")
	for _, p := range tree(t) {
		if !product(p) || allowed(p) {
			continue
		}
		for _, f := range p.GoFiles {
			for _, line := range calls(t, filepath.Join(p.Dir, f), "time", "Now", "Sleep", "Since", "Until") {
				t.Errorf("%s/%s:%d reads the clock or sleeps: take now, or a Pause, from the caller", p.path(), f, line)
			}
		}
	}
}

// TestNoSleepInTests: waiting is done in testing/synctest or for a condition.
func TestNoSleepInTests(t *testing.T) {
	for _, p := range tree(t) {
		for _, f := range slices.Concat(p.TestGoFiles, p.XTestGoFiles) {
			for _, line := range calls(t, filepath.Join(p.Dir, f), "time", "Sleep") {
				t.Errorf("%s/%s:%d sleeps: a test that hopes is slow when right and red when busy", p.path(), f, line)
			}
			for _, name := range []string{"Skip", "Skipf", "SkipNow"} {
				for _, line := range calls2(t, filepath.Join(p.Dir, f), name) {
					t.Errorf("%s/%s:%d skips: what is missing is a failure", p.path(), f, line)
				}
			}
		}
	}
}
