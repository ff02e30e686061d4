package sim

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestJournalOutlivesACrash(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sandbox.jsonl")
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, file)
		b.shop.statuses = []int{500}
		b.create("p0000001", `,"outcome":"success"`)
		b.create("p0000002", `,"outcome":"late"`)
		b.refund("p0000001", "r0000001", 1000)
		b.control("PUT", "defaults", `{"outcome":"decline"}`)
		b.pass(60 * time.Millisecond)
		before := b.control("GET", "payments", "") + b.control("GET", "refunds", "") + b.control("GET", "callbacks", "") + b.control("GET", "defaults", "")
		b.stop() // whatever was acknowledged is in the file; nothing is written at the end
		tear(t, file)

		again := newBench(t, file)
		defer again.stop()
		again.t0 = b.t0
		after := again.control("GET", "payments", "") + again.control("GET", "refunds", "") + again.control("GET", "callbacks", "") + again.control("GET", "defaults", "")
		if after != before {
			t.Errorf("before %s\nafter  %s", before, after)
		}
		if status, _ := again.refund("p0000001", "r0000002", 500); status != 409 {
			t.Error("the sum refunded was forgotten")
		}
		again.pass(10 * time.Minute)
		if got := again.shop.states(); !slices.Equal(got, []string{"p0000001 captured", "p0000002 captured"}) {
			t.Errorf("%v", got)
		}
		again.stop()
		newBench(t, file).stop() // the torn line is gone, what was written after it is whole
	})
}

// tear leaves half a line, as a kill in the middle of a write may.
func tear(t *testing.T, file string) {
	t.Helper()
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(`{"payment":{"id":"p0000003","sta`); err != nil {
		t.Fatal(err)
	}
}

func TestJournalRefusesWhatItDidNotWrite(t *testing.T) {
	for name, text := range map[string]string{
		"not JSON":       "{}\nhello\n{}\n",
		"callback ahead": `{"callback":{"n":2}}` + "\n",
		"no number":      `{"payment":{"state":"pending","due_at":"2026-01-02T03:04:05Z"}}` + "\n",
		"orphan refund":  `{"refund":{"id":"r1","payment_id":"p1"}}` + "\n",
	} {
		file := filepath.Join(t.TempDir(), "sandbox.jsonl")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		opt := Options{Secret: "s", Now: time.Now, Random: func(int64) int64 { return 0 }, Log: discard(), Data: file}
		if _, err := New(opt); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func FuzzJournal(f *testing.F) {
	f.Add([]byte(`{"payment":{"id":"p1","state":"pending","due_at":"2026-01-02T03:04:05Z"}}` + "\n" + `{"callback":{"n":1}}` + "\n"))
	f.Add([]byte(`{"settings":{"ahead":1}}` + "\n{"))
	file := filepath.Join(f.TempDir(), "sandbox.jsonl")
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := New(Options{Secret: "s", Now: time.Now, Random: func(int64) int64 { return 0 }, Log: discard(), Data: file})
		if err != nil {
			return
		}
		s.step()
		s.Close()
	})
}
