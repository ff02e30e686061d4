package main

import (
	"bufio"
	"context"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/localstack/sandbox/sim"
)

const asProgram = "SANDBOX_TEST_RUNS_MAIN"

// TestMain lets the test's own binary stand in for the program.
func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func env(pairs ...string) func(string) string {
	return func(k string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == k {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func TestConfigure(t *testing.T) {
	at, opt, err := configure([]string{"-grace", "7", "-data", "f"}, env("FAIRSEAT_SANDBOX_SECRET", "s", "FAIRSEAT_GRACE_SECONDS", "9"))
	if err != nil || at.addr != "127.0.0.1:3010" || opt.Grace != 7*time.Second || opt.Data != "f" || opt.Secret != "s" {
		t.Errorf("%+v %+v %v", at, opt, err)
	}
	for name, c := range map[string]struct {
		args []string
		env  func(string) string
	}{
		"no secret":        {nil, env()},
		"every address":    {nil, env("FAIRSEAT_SANDBOX_SECRET", "s", "FAIRSEAT_SANDBOX_ADDR", ":3010")},
		"outside address":  {[]string{"-addr", "192.0.2.1:3010"}, env("FAIRSEAT_SANDBOX_SECRET", "s")},
		"no port":          {[]string{"-addr", "127.0.0.1"}, env("FAIRSEAT_SANDBOX_SECRET", "s")},
		"grace":            {[]string{"-grace", "-1"}, env("FAIRSEAT_SANDBOX_SECRET", "s")},
		"nowhere to show":  {[]string{"-show", "alipay"}, env()},
		"unknown argument": {[]string{"x"}, env("FAIRSEAT_SANDBOX_SECRET", "s")},
	} {
		if _, _, err := configure(c.args, c.env); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

// program starts the simulator and answers its first log line.
func program(t *testing.T, data string) (*exec.Cmd, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, os.Args[0], "-addr", "127.0.0.1:0", "-data", data)
	cmd.Env = append(os.Environ(), asProgram+"=1", "FAIRSEAT_SANDBOX_SECRET=s")
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.Contains(line, "msg=listening") {
		t.Fatalf("%q %v", line, err)
	}
	return cmd, line
}

func TestInterruptEndsItCleanly(t *testing.T) {
	cmd, _ := program(t, filepath.Join(t.TempDir(), "data"))
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

func TestATakenPortIsAClearError(t *testing.T) {
	cmd, line := program(t, filepath.Join(t.TempDir(), "data"))
	defer cmd.Wait()
	defer cmd.Process.Kill()
	_, addr, _ := strings.Cut(strings.Fields(line[strings.Index(line, "url="):])[0], "http://")
	err := run([]string{"-addr", strings.Trim(addr, `"`)}, env("FAIRSEAT_SANDBOX_SECRET", "s"))
	if err == nil || !strings.Contains(err.Error(), addr) {
		t.Errorf("%v", err)
	}
}

// TestBanks: keys are made once, and the shop is told its own part alone.
func TestBanks(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "keys")
	for name, b := range banks {
		first, err := keysOf(folder, name)
		if err != nil {
			t.Fatal(err)
		}
		again, err := keysOf(folder, name)
		if err != nil || string(again) != string(first) {
			t.Errorf("%s: made anew, %v", name, err)
		}
		if f, err := os.Stat(filepath.Join(folder, name+".json")); err != nil || f.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", name, f.Mode(), err)
		}
		secret, err := b.shop(first)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(secret)
		if n := strings.Count(string(text), "PRIVATE KEY-----\\n"); err != nil || n != 2 { // begin and end of one
			t.Errorf("%s: %d of private keys, %v", name, n, err)
		}
	}
	opt := sim.Options{Secret: "s", Now: time.Now, Random: func(int64) int64 { return 0 }, Log: slog.New(slog.DiscardHandler), URL: "http://h", Data: filepath.Join(folder, "sandbox.jsonl")}
	h, err := open(opt, folder)
	if err != nil {
		t.Fatal(err)
	}
	defer h.close()
	for name := range banks {
		w := httptest.NewRecorder()
		h.mux.ServeHTTP(w, httptest.NewRequest("GET", "/"+name+"/control/payments", nil))
		if w.Code != 200 || w.Body.String() != `{"items":[]}` {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		if _, err := os.Stat(filepath.Join(folder, name+".jsonl")); err != nil {
			t.Error(err)
		}
	}
	if err := show(folder, "nobody"); err == nil {
		t.Error("a bank that there is not")
	}
}
