package work_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fairseat/fairseat/pkg/archive"
	"github.com/fairseat/fairseat/pkg/blob"
	"github.com/fairseat/fairseat/pkg/blob/memblob"
	"github.com/fairseat/fairseat/pkg/history"
	"github.com/fairseat/fairseat/pkg/order"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
	"github.com/fairseat/fairseat/pkg/work"
)

func attic(db *memstore.DB) archive.Keeper {
	return archive.Keeper{Bucket: memblob.New(), Index: store.NewAged(db)}
}

// aged is a paid order whose row, with its payment's, has left the table; and the
// stream of that.
func aged(t *testing.T) (s *scene, was order.Order, stream []byte) {
	s = newScene(t)
	s.now = s.now.Add(time.Second)
	p := s.pay(s.hold("first", "A-1", "A-2"))
	s.now, s.paid = p.NextAskAt, true
	if err := s.Ask(t.Context(), p.ID, p.NextAskAt); err != nil {
		t.Fatal(err)
	}
	was, err := s.Store.OrderByID(t.Context(), order.ID(p.OrderID))
	if err != nil || was.Status != order.Paid {
		t.Fatalf("%+v, %v", was, err)
	}
	s.now = was.CreatedAt.Add(archive.After + time.Second)
	s.db.Expire(s.now)
	if _, err := s.Store.OrderByID(t.Context(), was.ID); err == nil {
		t.Fatal("the order stays for ever")
	}
	return s, was, s.stream(store.Orders, func(r memstore.Record) bool { return r.New == nil })
}

// TestAgedOrdersAreArchived: the order comes back as it was, its payment is a line
// beside it, and a repeat makes no second object.
func TestAgedOrdersAreArchived(t *testing.T) {
	s, was, stream := aged(t)
	k := attic(s.db)
	b := &history.Book{Store: store.NewHistories(s.db), Shows: s, Clock: s.clock}
	for range 2 {
		s.ok(work.RecordOrder(b, k)(t.Context(), streamEvent(t, stream)))
	}
	line, err := k.Order(t.Context(), was.ID)
	if err != nil {
		t.Fatal(err)
	}
	got, err := store.OrderOfLine(line)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(was, got); d != "" {
		t.Error(d)
	}
	var keys []string
	for key, err := range k.Bucket.Keys(t.Context(), "orders/", "") {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key)
	}
	if len(keys) != 1 || !strings.HasPrefix(keys[0], "orders/made="+was.CreatedAt.Format(time.DateOnly)+"/") {
		t.Fatalf("objects %v", keys)
	}
	body, err := k.Bucket.Get(t.Context(), keys[0])
	if err != nil {
		t.Fatal(err)
	}
	lines := slices.Collect(bytes.Lines(body))
	if len(lines) != 2 || !bytes.Contains(body, []byte(`"pk":"PAY#`)) {
		t.Errorf("%s", body)
	}
	for _, l := range lines {
		if !json.Valid(l) {
			t.Errorf("no JSON: %s", l)
		}
	}
	if _, err := k.Order(t.Context(), "o_none"); !errors.Is(err, archive.ErrMissing) {
		t.Errorf("no order: %v", err)
	}
}

// shut is a bucket that fails.
type shut struct{ blob.Bucket }

func (shut) Put(context.Context, string, []byte) error { return errors.New("down") }

// TestWhatCannotBeArchivedComesAgain: nothing is indexed, and the batch is not done.
func TestWhatCannotBeArchivedComesAgain(t *testing.T) {
	s, was, stream := aged(t)
	k := attic(s.db)
	k.Bucket = shut{k.Bucket}
	b := &history.Book{Store: store.NewHistories(s.db), Shows: s, Clock: s.clock}
	e := streamEvent(t, stream)
	res, err := work.RecordOrder(b, k)(t.Context(), e)
	if err != nil || len(res.BatchItemFailures) != 1 || res.BatchItemFailures[0].ItemIdentifier != e.Records[0].Change.SequenceNumber {
		t.Errorf("%+v, %v", res, err)
	}
	if _, err := k.Order(t.Context(), was.ID); !errors.Is(err, archive.ErrMissing) {
		t.Errorf("indexed before it was written: %v", err)
	}
}
