package start

import (
	"os"
	"strings"
	"testing"
)

// TestStart: a program that asks for work is timed, one that ends is an error
// with its last words.
func TestStart(t *testing.T) {
	api, err := listen()
	if err != nil {
		t.Fatal(err)
	}
	defer api.close()
	path := t.TempDir() + "/asks"
	script(t, path, `exec bash -c 'exec 3<>/dev/tcp/${AWS_LAMBDA_RUNTIME_API/://}; printf "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n" >&3; exec cat <&3'`)
	for range 2 {
		ms, err := api.start(t.Context(), program{name: "asks", path: path})
		if err != nil || ms <= 0 {
			t.Errorf("%v ms, %v", ms, err)
		}
	}
	path = t.TempDir() + "/ends"
	script(t, path, "echo 'SESSION_SECRET is not set' >&2; exit 1")
	if _, err := api.start(t.Context(), program{name: "ends", path: path}); err == nil || !strings.Contains(err.Error(), "SESSION_SECRET") {
		t.Errorf("error %v", err)
	}
}

func script(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte("#!/bin/bash\n"+text+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}
