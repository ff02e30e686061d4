package cloud

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fairseat/fairseat/localstack/emulators"
	"github.com/fairseat/fairseat/localstack/process"
	"github.com/fairseat/fairseat/localstack/runtime"
)

const role = "CLOUD_TEST_ROLE"

// home holds the test template with its built function.
var home string

func TestMain(m *testing.M) {
	if os.Getenv(role) == "companion" {
		beCompanion(os.Args[1])
	}
	var err error
	if home, err = os.MkdirTemp("", "cloud-test-"); err != nil {
		panic(err)
	}
	code := func() int {
		defer os.RemoveAll(home)
		if err := build(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	}()
	os.Exit(code)
}

func build() error {
	for _, name := range []string{"template.yaml", "talk.yaml"} {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(home, name), text, 0o644); err != nil {
			return err
		}
	}
	for _, name := range []string{"notes", "talk"} {
		cmd := exec.Command("go", "build", "-o", filepath.Join(home, ".build", name, "bootstrap"), "./testdata/"+name)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w\n%s", name, err, out)
		}
	}
	return nil
}

// beCompanion answers with its environment until it is told to end.
func beCompanion(port string) {
	http.HandleFunc("/end", func(http.ResponseWriter, *http.Request) { os.Exit(5) })
	http.HandleFunc("/env", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, strings.Join(os.Environ(), "\n"))
	})
	http.ListenAndServe("127.0.0.1:"+port, nil)
	os.Exit(1)
}

// journal collects what a cloud says and shows it when the test fails.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(s string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, s)
}

func options(t *testing.T, change ...func(*Options)) Options {
	j := &journal{}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(strings.Join(j.lines, "\n"))
		}
	})
	o := Options{
		Template: filepath.Join(home, "template.yaml"), Tools: "../../.tools", Store: stores[len(stores)-1], Progress: os.Stderr,
		Line: func(l runtime.Line) { j.add(l.Function + ": " + l.Text) }, Note: j.add,
	}
	for _, f := range change {
		f(&o)
	}
	return o
}

func start(t *testing.T, change ...func(*Options)) *Cloud {
	t.Helper()
	c, err := Start(t.Context(), options(t, change...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

type note struct {
	Found, Marked, Kept               bool
	Greeting, Token, Self, Peer, Name string
}

func call(t *testing.T, c *Cloud, method, id string) note {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, c.URL+"/notes/"+id, strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("x-api-key", variable(c, "API_KEY_Key"))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode > 299 {
		t.Fatalf("%s %s: %s %s %v", method, id, res.Status, body, err)
	}
	var n note
	if method == http.MethodGet {
		if err := json.Unmarshal(body, &n); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
	}
	return n
}

func variable(c *Cloud, name string) string {
	for _, kv := range c.Env {
		if v, ok := strings.CutPrefix(kv, name+"="); ok {
			return v
		}
	}
	return ""
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); <-time.After(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("in vain: %s", what)
		}
	}
}

func TestAStackServesFromRequestToQueue(t *testing.T) {
	for _, store := range stores {
		t.Run(store.String(), func(t *testing.T) {
			c := start(t, func(o *Options) {
				o.Store = store
				o.Parameters = map[string]string{"Greeting": "moin"}
			})
			call(t, c, "PUT", "1")
			until(t, "the note is marked", func() bool { return call(t, c, "GET", "1").Marked })
			got := call(t, c, "GET", "1")
			want := note{
				Found: true, Marked: true, Kept: true, Greeting: "moin", Token: variable(c, "SECRET_Token"), Self: c.URL, Name: "local-Write",
			}
			if got != want || len(got.Token) != 24 {
				t.Errorf("got %+v, want %+v", got, want)
			}
			if a := c.Stack.Outputs["Address"]; a != c.URL {
				t.Errorf("the output says %s, the API is at %s", a, c.URL)
			}
			res, err := http.Get(c.URL + "/notes/1")
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != http.StatusForbidden {
				t.Errorf("without a key: %s", res.Status)
			}
		})
	}
}

func TestPauseHoldsOneSourceBack(t *testing.T) {
	c := start(t)
	if want := []string{"RelayStream", "MarkInbox"}; !slices.Equal(c.Sources(), want) {
		t.Fatalf("sources %v, want %v", c.Sources(), want)
	}
	if err := c.Pause(t.Context(), "MarkInbox"); err != nil {
		t.Fatal(err)
	}
	call(t, c, "PUT", "2")
	queue := variable(c, "QUEUE_Inbox")
	until(t, "the message waits in its queue", func() bool { return depth(t, c, queue) == "1" })
	if call(t, c, "GET", "2").Marked {
		t.Error("a paused source delivered")
	}
	if err := c.Resume("MarkInbox"); err != nil {
		t.Fatal(err)
	}
	until(t, "the note is marked", func() bool { return call(t, c, "GET", "2").Marked })
	if c.Pause(t.Context(), "Nobody") == nil || c.Resume("Nobody") == nil {
		t.Error("an unknown source was paused or resumed")
	}
}

func TestKillIsHealedByTheNextInvocation(t *testing.T) {
	c := start(t)
	call(t, c, "PUT", "3")
	if err := c.Kill("Write"); err != nil {
		t.Fatal(err)
	}
	if !call(t, c, "GET", "3").Found {
		t.Error("the note is gone")
	}
	if c.Kill("Nobody") == nil {
		t.Error("an unknown function was killed")
	}
	if _, err := c.Invoke(t.Context(), "Nobody", nil); err == nil {
		t.Error("an unknown function ran")
	}
}

func TestCloseLeavesNothingBehind(t *testing.T) {
	c := start(t)
	call(t, c, "PUT", "4")
	pids, port := c.PIDs(), c.listener.Addr().(*net.TCPAddr).Port
	if len(pids) != 3 {
		t.Errorf("children %v", pids)
	}
	children := descendants(t)
	if len(children) < 4 { // three stand-ins and a function at least
		t.Errorf("descendants %v", children)
	}
	c.Close()
	c.Close()
	for name, pid := range pids {
		if process.Alive(pid) {
			t.Errorf("%s lives after Close", name)
		}
	}
	if left := descendants(t); len(left) > 1 { // the guard stays with this process
		t.Errorf("left behind: %v", left)
	}
	if _, err := process.FreePort(port); err != nil {
		t.Error(err)
	}
}

func TestDataAndSecretsOutliveTheStack(t *testing.T) {
	data := t.TempDir()
	keep := func(o *Options) { o.Data = data }
	c := start(t, keep)
	call(t, c, "PUT", "5")
	until(t, "the note is marked", func() bool { return call(t, c, "GET", "5").Marked })
	before := call(t, c, "GET", "5")

	_, err := Start(t.Context(), options(t, keep))
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("in use by process %d", os.Getpid())) {
		t.Errorf("a second stack on the folder: %v", err)
	}

	c.Close()
	made, other := emulators.DynamoDBLocal, emulators.Dynoxide
	if stores[len(stores)-1] == other {
		made, other = other, made
	}
	_, err = Start(t.Context(), options(t, keep, func(o *Options) { o.Store = other }))
	if err == nil || !strings.Contains(err.Error(), "was made with "+made.String()) {
		t.Errorf("another store on the folder: %v", err)
	}
	c = start(t, keep)
	after := call(t, c, "GET", "5")
	before.Self, after.Self = "", "" // the port is another
	if after != before {
		t.Errorf("%+v became %+v", before, after)
	}
}

// TestBeforeComesFirst: what fills tables has run when the first request is
// answered, and its failure is the start's.
func TestBeforeComesFirst(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "filled")
	c := start(t, func(o *Options) {
		o.Before = []Command{{"fill", []string{"sh", "-c", `test -n "$TABLE_Notes" && echo "$TABLE_Notes" > ` + mark}}}
	})
	if b, err := os.ReadFile(mark); err != nil || strings.TrimSpace(string(b)) != variable(c, "TABLE_Notes") {
		t.Errorf("%q, %v", b, err)
	}
	c.Close()
	_, err := Start(t.Context(), options(t, func(o *Options) { o.Before = []Command{{"broken", []string{"false"}}} }))
	if err == nil || !strings.Contains(err.Error(), "broken") {
		t.Errorf("got %v", err)
	}
}

func TestStartRefuses(t *testing.T) {
	l, err := process.Listen(0)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	unbuilt := filepath.Join(t.TempDir(), "template.yaml")
	text, err := os.ReadFile("testdata/template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(unbuilt, text, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		want  string
		spoil func(*Options)
	}{
		{fmt.Sprintf("port %d is taken by process %d", port, os.Getpid()), func(o *Options) { o.Port = port }},
		{"build the functions first", func(o *Options) { o.Template = unbuilt }},
		{"declares no such parameter", func(o *Options) { o.Parameters = map[string]string{"Colour": "red"} }},
		{"no such file", func(o *Options) { o.Template = "nowhere.yaml" }},
		{"no store", func(o *Options) { o.Store = 0 }},
		{"companion ender while it was starting: it ended: exit status 4", func(o *Options) {
			o.Companions = []Command{{"ender", []string{"sh", "-c", "exit 4 # {listen:x}"}}}
		}},
		{"companion: process: start none", func(o *Options) { o.Companions = []Command{{"none", []string{"/nowhere/at/all"}}} }},
	} {
		before := len(descendants(t))
		c, err := Start(t.Context(), options(t, tt.spoil))
		if err == nil {
			c.Close()
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("want %q, got %v", tt.want, err)
		}
		if left := descendants(t); len(left) > max(before, 1) {
			t.Errorf("%s: left behind: %v", tt.want, left)
		}
	}
}

func TestACompanionComesAndGoesWithTheStack(t *testing.T) {
	t.Setenv(role, "companion")
	t.Setenv("AWS_CA_BUNDLE", "/must/not/be/inherited")
	c := start(t, func(o *Options) {
		o.Companions = []Command{{"peer", []string{os.Args[0], "{listen:peer}"}}}
		o.Parameters = map[string]string{"PeerURL": "http://127.0.0.1:{port:peer}"}
	})
	peer := call(t, c, "GET", "6").Peer
	res, err := http.Get(peer + "/env")
	if err != nil {
		t.Fatalf("the companion is not where the function believes: %v", err)
	}
	env, _ := io.ReadAll(res.Body)
	res.Body.Close()
	for _, want := range []string{"API_URL=" + c.URL, "TABLE_Notes=local-Notes", "AWS_REGION=eu-west-1", "OUTPUT_NotesTable=local-Notes"} {
		if !strings.Contains("\n"+string(env)+"\n", "\n"+want+"\n") {
			t.Errorf("the companion lacks %s", want)
		}
	}
	if strings.Contains(string(env), "AWS_CA_BUNDLE") {
		t.Error("the companion inherited a variable that breaks SDK clients")
	}
	http.Get(peer + "/end")
	select {
	case err := <-c.Failed():
		if !strings.Contains(err.Error(), "peer: it ended: exit status 5") {
			t.Errorf("got %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("nobody told that the companion ended")
	}
}

func TestRunGivesTheStatus(t *testing.T) {
	c := start(t)
	var out bytes.Buffer
	cmd := Command{"teller", []string{"sh", "-c", "echo $TABLE_Notes; exit 9"}}
	err := c.Run(t.Context(), cmd, &out, &out)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 9 || out.String() != "local-Notes\n" {
		t.Errorf("got %v, said %q", err, out.String())
	}
}
