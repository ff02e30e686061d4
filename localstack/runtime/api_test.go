package runtime

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func call(h http.Handler, method, path, body string) *httptest.ResponseRecorder {
	rw := httptest.NewRecorder()
	h.ServeHTTP(rw, httptest.NewRequest(method, "/2018-06-01/runtime/"+path, strings.NewReader(body)))
	return rw
}

// TestOrderOfCalls walks a runtime that does not keep to the rules.
func TestOrderOfCalls(t *testing.T) {
	logs, out, err := newLineReader(func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	defer logs.close()
	defer out.Close()
	w := &worker{logs: logs, jobs: make(chan *invocation, 1), free: make(chan struct{}, 1), exited: make(chan struct{})}
	api := w.api()
	inv := &invocation{id: "one", trace: "t", payload: []byte(`{"a":1}`)}
	w.jobs <- inv
	steps := []struct {
		method, path, body string
		status             int
		answer             string
	}{
		{"POST", "invocation/one/response", "{}", 400, "InvalidRequestID"}, // before it has it
		{"GET", "invocation/next", "", 200, `{"a":1}`},
		{"GET", "invocation/next", "", 403, "InvalidStateTransition"},
		{"POST", "invocation/two/response", "{}", 400, "InvalidRequestID"},
		{"POST", "invocation/one/response", `"done"`, 202, "OK"},
		{"POST", "invocation/one/response", `"again"`, 400, "InvalidRequestID"},
		{"POST", "invocation/one/error", `{}`, 400, "InvalidRequestID"},
		{"GET", "invocation/other", "", 404, ""},
		{"PUT", "invocation/next", "", 405, ""},
	}
	for _, s := range steps {
		rw := call(api, s.method, s.path, s.body)
		if rw.Code != s.status || !strings.Contains(rw.Body.String(), s.answer) {
			t.Fatalf("%s %s: %d %s", s.method, s.path, rw.Code, rw.Body)
		}
	}
	if r := inv.result; string(r.Payload) != `"done"` || r.Err != nil {
		t.Errorf("got %+v", r)
	}
}

func TestHeadersOfNext(t *testing.T) {
	logs, out, err := newLineReader(func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	defer logs.close()
	defer out.Close()
	w := &worker{logs: logs, jobs: make(chan *invocation, 1), free: make(chan struct{}, 1), exited: make(chan struct{})}
	w.fn.ARN = "arn:fn"
	w.jobs <- &invocation{id: "one", trace: "Root=1-2-3"}
	h := call(w.api(), "GET", "invocation/next", "").Header()
	for name, want := range map[string]string{
		"Lambda-Runtime-Aws-Request-Id": "one", "Lambda-Runtime-Trace-Id": "Root=1-2-3",
		"Lambda-Runtime-Invoked-Function-Arn": "arn:fn", "Lambda-Runtime-Deadline-Ms": "-62135596800000",
	} {
		if h.Get(name) != want {
			t.Errorf("%s: %q", name, h.Get(name))
		}
	}
}

func TestErrorBodies(t *testing.T) {
	tests := []struct{ body, header, kind, message string }{
		{`{"errorMessage":"m","errorType":"T"}`, "H", "T", "m"},
		{`{"errorMessage":"m"}`, "H", "H", "m"},
		{`plain`, "H", "H", "plain"},
		{`{}`, "", "", "{}"},
		{``, "H", "H", ""},
	}
	for _, tt := range tests {
		e := decodeError([]byte(tt.body), tt.header)
		if e.Kind != Handled || e.Type != tt.kind || e.Message != tt.message {
			t.Errorf("%q: %+v", tt.body, e)
		}
	}
}

func FuzzErrorBody(f *testing.F) {
	f.Add(`{"errorMessage":"m","errorType":"T","stackTrace":[]}`, "")
	f.Add("\x00", "T")
	f.Fuzz(func(t *testing.T, body, header string) {
		if e := decodeError([]byte(body), header); e.Kind != Handled || len(e.document()) == 0 {
			t.Errorf("%+v", e)
		}
	})
}
