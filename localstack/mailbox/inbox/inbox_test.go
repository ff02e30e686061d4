package inbox

import (
	"encoding/json"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

func now() time.Time { return time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC) }

const raw = "From: <no-reply@fairseat.example>\r\nTo: <ada@example.com>\r\nSubject: =?UTF-8?q?=E6=82=A8?= <b>\r\nMessage-ID: <m_1@x>\r\nContent-Transfer-Encoding: base64\r\n\r\n5oKoCg==\r\n"

// TestKept: what was taken is there after a restart, in order.
func TestKept(t *testing.T) {
	folder := t.TempDir()
	b, err := Open(folder, now)
	if err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{"ada@example.com", "bob@example.com"} {
		s := &session{box: b}
		if err := s.Rcpt(to, nil); err != nil {
			t.Fatal(err)
		}
		if err := s.Data(strings.NewReader(raw)); err != nil {
			t.Fatal(err)
		}
	}
	again, err := Open(folder, now)
	if err != nil {
		t.Fatal(err)
	}
	for _, box := range []*Box{b, again} {
		all := box.Messages("")
		got := slices.Collect(func(yield func(string) bool) {
			for _, m := range all {
				if !yield(m.To + " " + m.Subject + " " + m.Text + m.Raw[:4]) {
					return
				}
			}
		})
		if want := []string{"ada@example.com 您 <b> 您\nFrom", "bob@example.com 您 <b> 您\nFrom"}; !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestPages(t *testing.T) {
	b, err := Open("", now)
	if err != nil {
		t.Fatal(err)
	}
	b.take("ada@example.com", []byte(raw))
	b.take("bob@example.com", []byte("not a letter"))
	w := httptest.NewRecorder()
	b.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/messages?to=ADA@example.com", nil))
	var out struct{ Items []Message }
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || len(out.Items) != 1 || out.Items[0].Text != "您\n" {
		t.Errorf("%s: %v", w.Body, err)
	}
	w = httptest.NewRecorder()
	b.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if s := w.Body.String(); !strings.Contains(s, "您 &lt;b&gt;") || !strings.Contains(s, "bob@example.com") {
		t.Errorf("%s", s)
	}
}

func TestTheMailboxIsThisMachinesOwn(t *testing.T) {
	s := &session{box: &Box{now: now}}
	for _, to := range []string{"x@refused.invalid", "x@later.invalid"} {
		if s.Rcpt(to, nil) == nil {
			t.Errorf("%s was taken", to)
		}
	}
}
