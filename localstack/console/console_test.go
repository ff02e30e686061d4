package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fairseat/fairseat/localstack/gateway"
	"github.com/fairseat/fairseat/localstack/runtime"
)

func clock() time.Time { return time.Date(2026, 3, 1, 12, 30, 5, 7e6, time.UTC) }

func say(c *Console) {
	c.Line(runtime.Line{Function: "Hold", RequestID: "0123456789ab", Text: "took \x1b[31mred"})
	c.Line(runtime.Line{Function: "ReleaseHolds", Text: `{"level":"INFO","msg":"<ok>"}`})
	c.Access(gateway.Access{Method: "GET", Path: "/v1/cities", RequestID: "r", Status: 200, Duration: 12345 * time.Microsecond})
	c.Note("ready")
}

func TestText(t *testing.T) {
	var b bytes.Buffer
	say(New(&b, Text, clock))
	want := "12:30:05.007 Hold 01234567 took \ufffd[31mred\n" +
		"12:30:05.007 ReleaseHolds          {\"level\":\"INFO\",\"msg\":\"<ok>\"}\n" +
		"12:30:05.007 api          r        GET /v1/cities 200 12 ms\n" +
		"12:30:05.007 cloud                 ready\n"
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}

func TestColours(t *testing.T) {
	var b bytes.Buffer
	c := New(&b, Text, clock)
	c.paint = true
	say(c)
	for _, want := range []string{"\x1b[36mHold", "\x1b[32mReleaseHolds", "\x1b[32m200"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in %q", want, b.String())
		}
	}
}

func TestJSONLines(t *testing.T) {
	var b bytes.Buffer
	say(New(&b, Auto, clock)) // no terminal
	want := []string{
		`{"time":"2026-03-01T12:30:05.007Z","from":"function","name":"Hold","request_id":"0123456789ab","text":"took \u001b[31mred"}`,
		`{"time":"2026-03-01T12:30:05.007Z","from":"function","name":"ReleaseHolds","record":{"level":"INFO","msg":"<ok>"}}`,
		`{"time":"2026-03-01T12:30:05.007Z","from":"api","request_id":"r","method":"GET","path":"/v1/cities","status":200,"ms":12.345}`,
		`{"time":"2026-03-01T12:30:05.007Z","from":"cloud","text":"ready"}`,
	}
	got := strings.Split(strings.TrimSpace(b.String()), "\n")
	for i, w := range want {
		if i >= len(got) || got[i] != w {
			t.Fatalf("line %d: got %q, want %s", i, got, w)
		}
	}
}

func TestLinesStayWhole(t *testing.T) {
	var b bytes.Buffer
	c := New(&b, JSON, clock)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() { fmt.Fprintf(c.Output("p"), "a%d\r\nb%d\nrest", i, i) })
	}
	wg.Wait()
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(lines) != 40 {
		t.Fatalf("%d lines, want 40 (an unfinished line is not written)", len(lines))
	}
	for _, l := range lines {
		if !json.Valid([]byte(l)) || strings.Contains(l, `\r`) {
			t.Errorf("broken line %q", l)
		}
	}
}

func TestParseFormat(t *testing.T) {
	for s, want := range map[string]Format{"auto": Auto, "text": Text, "json": JSON, "xml": 0, "": 0} {
		if got, err := ParseFormat(s); got != want || (err == nil) != (want != 0) {
			t.Errorf("%q: %v, %v", s, got, err)
		}
	}
}
