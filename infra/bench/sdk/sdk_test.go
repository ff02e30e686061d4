package sdk

import (
	"errors"
	"net/http"
	"strings"
	"testing"
)

// TestShare: a sample belongs to the frame nearest to its leaf that has a part,
// and allocation to whoever allocates.
func TestShare(t *testing.T) {
	text := `File: bench
Type: cpu
-----------+-------------------------------------------------------
   10000us   runtime.mallocgc
             crypto/sha256.New
             github.com/aws/aws-sdk-go-v2/aws/signer/v4.(*Signer).SignHTTP
             github.com/fairseat/fairseat/pkg/store/ddb.(*Store).Transact
-----------+-------------------------------------------------------
   20000us   runtime.(*mspan).nextFreeIndex
             github.com/fairseat/fairseat/pkg/store/ddb.render
-----------+-------------------------------------------------------
    5000us   runtime.scanobject
             runtime.gcBgMarkWorker
-----------+-------------------------------------------------------
    1000us   runtime.futex
`
	got := share([]byte(text))
	want := map[string]float64{
		"signing (SigV4, SHA-256, HMAC)": 10000, "our adapter, store and items": 20000, "garbage collector": 5000, restOfRuntime: 1000,
	}
	for name, us := range want {
		if got[name] != us {
			t.Errorf("%s: %v us, want %v; all: %v", name, got[name], us, got)
		}
	}
}

type ok struct{}

func (ok) RoundTrip(req *http.Request) (*http.Response, error) {
	return answer{body: []byte(req.Header.Get(actionHeader)), header: http.Header{}}.response(http.StatusOK, req), nil
}

func ask(t *testing.T, rt http.RoundTripper, action, body string) (string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://tables.invalid", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set(actionHeader, action)
	resp, err := rt.RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text := make([]byte, resp.ContentLength)
	_, err = resp.Body.Read(text)
	return string(text), err
}

// TestStubAnswersAsRecorded, and has no answer for what was never asked.
func TestStubAnswersAsRecorded(t *testing.T) {
	rec := &recorder{next: ok{}}
	for _, r := range [][2]string{{"Transact", "x"}, {"Get", `"SHOW#1"`}, {"Get", `"MAP#1"`}} {
		if _, err := ask(t, rec, r[0], r[1]); err != nil {
			t.Fatal(err)
		}
	}
	s := stub(rec.kept)
	for _, r := range [][2]string{{"Transact", "anything"}, {"Get", `"MAP#2"`}} {
		if got, err := ask(t, s, r[0], r[1]); got != r[0] || err != nil {
			t.Errorf("%v: %q, %v", r, got, err)
		}
	}
	for _, r := range [][2]string{{"Query", "x"}, {"Get", `"HOLD#1"`}} {
		if got, err := ask(t, s, r[0], r[1]); err == nil {
			t.Errorf("%v was answered %q", r, got)
		}
	}
}

// TestGauge: allocations are counted by the call, an error ends the run.
func TestGauge(t *testing.T) {
	var kept [][]byte
	got, err := gauge(100, func(int) error { kept = append(kept, make([]byte, 1024)); return nil })
	if err != nil || got.bytes < 1024 || got.allocs < 1 {
		t.Errorf("%+v of %d, %v", got, len(kept), err)
	}
	no := errors.New("no")
	if _, err := gauge(3, func(i int) error { return no }); !errors.Is(err, no) {
		t.Errorf("error %v", err)
	}
}
