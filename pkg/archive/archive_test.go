package archive_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/archive"
	"github.com/fairseat/fairseat/pkg/blob"
	"github.com/fairseat/fairseat/pkg/blob/memblob"
	"github.com/fairseat/fairseat/pkg/order"
)

// index is in a map, and may fail.
type index struct {
	at   map[order.ID]string
	fail error
}

func (x *index) Place(_ context.Context, object string, ids []order.ID) error {
	if x.fail != nil {
		return x.fail
	}
	for _, id := range ids {
		x.at[id] = object
	}
	return nil
}

func (x *index) Object(_ context.Context, id order.ID) (string, error) { return x.at[id], nil }

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func line(id order.ID, made time.Time) archive.Line {
	return archive.Line{Order: id, Made: made, Text: fmt.Appendf(nil, `{"seq":"1","order":%q,"item":{}}`, id)}
}

func objects(t *testing.T, b blob.Bucket) string {
	t.Helper()
	var all []string
	for key, err := range b.Keys(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, key)
	}
	return strings.Join(all, " ")
}

// TestABatchIsPartedByDay, and a repeat, or a repeat of its half, loses nothing.
func TestABatchIsPartedByDay(t *testing.T) {
	k := archive.Keeper{Bucket: memblob.New(), Index: &index{at: map[order.ID]string{}}}
	payment := archive.Line{Made: noon, Text: []byte(`{"seq":"2","item":{"pk":"PAY#p"}}`)}
	batch := []archive.Line{line("o_1", noon), payment, line("o_2", noon.Add(12*time.Hour)), line("o_3", noon)}
	for _, again := range []struct {
		sequence string
		lines    []archive.Line
		want     string
	}{
		{"7", batch, "orders/made=2026-11-21/7.jsonl orders/made=2026-11-22/7.jsonl"},
		{"7", batch, "orders/made=2026-11-21/7.jsonl orders/made=2026-11-22/7.jsonl"},
		{"9", batch[2:], "orders/made=2026-11-21/7.jsonl orders/made=2026-11-21/9.jsonl orders/made=2026-11-22/7.jsonl orders/made=2026-11-22/9.jsonl"},
	} {
		if err := k.Keep(t.Context(), again.sequence, again.lines); err != nil {
			t.Fatal(err)
		}
		if got := objects(t, k.Bucket); got != again.want {
			t.Errorf("objects %s, want %s", got, again.want)
		}
		for _, l := range batch {
			if l.Order == "" {
				continue
			}
			if got, err := k.Order(t.Context(), l.Order); err != nil || string(got) != string(l.Text) {
				t.Errorf("%s: %s, %v", l.Order, got, err)
			}
		}
	}
}

// TestWhatIsNotThere: never archived is one thing, lost another.
func TestWhatIsNotThere(t *testing.T) {
	x := &index{at: map[order.ID]string{"o_lost": "orders/made=2026-11-21/1.jsonl", "o_other": "orders/made=2026-11-21/2.jsonl"}}
	k := archive.Keeper{Bucket: memblob.New(), Index: x}
	if err := k.Bucket.Put(t.Context(), "orders/made=2026-11-21/2.jsonl", []byte("no json\n{}\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Order(t.Context(), "o_none"); !errors.Is(err, archive.ErrMissing) {
		t.Errorf("never archived: %v", err)
	}
	for _, id := range []order.ID{"o_lost", "o_other"} {
		if _, err := k.Order(t.Context(), id); err == nil || errors.Is(err, archive.ErrMissing) {
			t.Errorf("%s: %v", id, err)
		}
	}
	x.fail = errors.New("down")
	if err := k.Keep(t.Context(), "1", []archive.Line{line("o_1", noon)}); !errors.Is(err, x.fail) {
		t.Errorf("an index that is down: %v", err)
	}
}
