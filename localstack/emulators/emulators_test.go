package emulators

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/localstack/process"
)

func options(store Store) Options {
	return Options{
		Store: store, Tools: "../../.tools", Region: "eu-west-1", Account: "000000000000", Progress: os.Stderr,
	}
}

// A machine on which nothing can be installed fails here: nothing is skipped.
func TestMain(m *testing.M) {
	var g process.Group
	for _, store := range stores {
		if err := Install(context.Background(), &g, options(store)); err != nil {
			panic(err)
		}
	}
	code := m.Run()
	g.Close()
	os.Exit(code)
}

func TestSecondStartTakesAtMostTenSeconds(t *testing.T) {
	for _, store := range stores {
		t.Run(store.String(), func(t *testing.T) {
			var g process.Group
			defer g.Close()
			began := time.Now()
			s, err := Start(t.Context(), &g, options(store))
			if err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("it took %s", took)
			}
			pids := []int{s.Tables.Child.PID, s.Queues.Child.PID}
			scratch := s.scratch
			s.Close()
			for _, pid := range pids {
				if process.Alive(pid) {
					t.Errorf("process %d lives after Close", pid)
				}
			}
			if _, err := os.Stat(scratch); err == nil {
				t.Errorf("%s is left behind", scratch)
			}
		})
	}
}

func TestATakenPortIsAnError(t *testing.T) {
	l, err := process.Listen(0)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	for _, spoil := range []func(*Options){
		func(o *Options) { o.TablePort = port },
		func(o *Options) { o.QueuePort = port },
	} {
		var g process.Group
		o := options(DynamoDBLocal)
		spoil(&o)
		_, err := Start(t.Context(), &g, o)
		var taken process.TakenError
		if !errors.As(err, &taken) || taken.Port != port || taken.PID != os.Getpid() {
			t.Errorf("got %v", err)
		}
		g.Close()
	}
}

// A port that is lost between choosing and binding costs another try, not the start.
func TestALostPortIsTriedAgain(t *testing.T) {
	var g process.Group
	defer g.Close()
	var thief net.Listener
	tries := 0
	e, err := attempt(t.Context(), &g, 0, func(port int) (process.Spec, string, error) {
		if tries++; tries == 1 {
			var err error
			if thief, err = process.Listen(port); err != nil {
				t.Fatal(err)
			}
		}
		o := options(DynamoDBLocal)
		return dynamoDBLocal(o, port)
	})
	if err != nil {
		t.Fatal(err)
	}
	defer thief.Close()
	if tries != 2 || strings.HasSuffix(e.URL, thief.Addr().String()) {
		t.Errorf("after %d tries it is at %s", tries, e.URL)
	}
}

func TestInstallFetchesFromNothing(t *testing.T) {
	var g process.Group
	defer g.Close()
	var said bytes.Buffer
	o := options(DynamoDBLocal)
	o.Tools, o.Progress = t.TempDir(), &said
	// What an interrupted fetch leaves must not count as installed.
	if err := os.MkdirAll(filepath.Join(o.Tools, filepath.Dir(dynamoLib), "lib.part"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := Install(t.Context(), &g, o); err != nil {
		t.Fatal(err)
	}
	for _, lib := range []string{dynamoLib, elasticLib} {
		if jars, _ := filepath.Glob(filepath.Join(o.Tools, lib, "*.jar")); len(jars) < 10 {
			t.Errorf("%s holds %d jars", lib, len(jars))
		}
	}
	if text := said.String(); strings.Count(text, " …\n") != 2 || strings.Count(text, ": done in ") != 2 {
		t.Errorf("want a line before and after each of two, got\n%s", said.String())
	}
	said.Reset()
	if err := Install(t.Context(), &g, o); err != nil || said.Len() > 0 {
		t.Errorf("a second install: %v, said %q", err, said.String())
	}
}

func TestWhatIsMissingIsTold(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	var g process.Group
	defer g.Close()
	o := options(DynamoDBLocal)
	o.Tools = t.TempDir()
	err := Install(t.Context(), &g, o)
	if err == nil || !strings.Contains(err.Error(), "java is missing; install it with: sudo apt-get install -y "+packages) {
		t.Errorf("got %v", err)
	}
}

func TestTwoInstallersTakeTurns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	unlock, err := lock(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 250*time.Millisecond)
	defer cancel()
	if _, err := lock(ctx, path); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a second one got %v", err)
	}
	unlock()
	unlock, err = lock(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	unlock()
}

func TestParseStore(t *testing.T) {
	for _, s := range []Store{DynamoDBLocal, Dynoxide} {
		if got, err := ParseStore(s.String()); got != s || err != nil {
			t.Errorf("%s = %v, %v", s, got, err)
		}
	}
	for _, name := range []string{"", "mysql"} {
		if got, err := ParseStore(name); err == nil || got != 0 {
			t.Errorf("%q = %v", name, got)
		}
	}
	var none Options
	none.Tools, none.Progress = "../../.tools", os.Stderr
	if err := Install(t.Context(), &process.Group{}, none); err == nil {
		t.Error("no store was accepted")
	}
}

func TestScratchOfTheDeadIsRemoved(t *testing.T) {
	tools := t.TempDir()
	mine, err := makeScratch(tools)
	if err != nil {
		t.Fatal(err)
	}
	const nobody = "99999999-1" // above every process id
	dead := filepath.Join(filepath.Dir(mine), nobody)
	if err := os.Mkdir(dead, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := makeScratch(tools); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dead); err == nil {
		t.Error("the folder of a dead process stays")
	}
	if _, err := os.Stat(mine); err != nil {
		t.Error("the folder of a living process went")
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	var l tail
	for range 100 {
		l.Write([]byte(strings.Repeat("x", 100)))
	}
	l.Write([]byte("the end"))
	if len(l.text) > 2000 || !strings.HasSuffix(l.quote(), "the end") {
		t.Errorf("%d bytes, %q", len(l.text), l.quote()[len(l.quote())-20:])
	}
}
