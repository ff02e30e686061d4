package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/archive"
	"github.com/fairseat/fairseat/pkg/order"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
)

// TestTheIndexOfTheArchive takes more orders than one transaction does, and an
// order twice.
func TestTheIndexOfTheArchive(t *testing.T) {
	a := store.NewAged(memstore.New(memstore.Options{Clock: func() time.Time { return noon }}))
	var ids []order.ID
	for i := range 230 {
		ids = append(ids, order.ID(fmt.Sprint("o_", i)))
	}
	for _, object := range []string{"one", "two"} {
		if err := a.Place(t.Context(), object, append(ids, ids[:3]...)); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		id   order.ID
		want string
	}{{"o_0", "two"}, {"o_229", "two"}, {"o_none", ""}} {
		if got, err := a.Object(t.Context(), tt.id); err != nil || got != tt.want {
			t.Errorf("%s: %q, %v", tt.id, got, err)
		}
	}
}

func TestWhatIsNoConcernOfTheArchive(t *testing.T) {
	for pk, want := range map[string]bool{"ORDER#o": true, "PAY#p": true, "ANSWER#p": false, "AGED#o": false} {
		l, ok, err := store.AgedLine(store.Item{"pk": pk, "sk": "x", "made": noon.UnixMilli()}, "1")
		if err != nil || ok != want || ok && !l.Made.Equal(noon) {
			t.Errorf("%s: %+v, %v, %v", pk, l, ok, err)
		}
	}
	if _, _, err := store.AgedLine(store.Item{"pk": "ORDER#o"}, "1"); err == nil {
		t.Error("an order that was never made was taken")
	}
	if archive.After < 366*24*time.Hour {
		t.Error("an order is gone within a year")
	}
}

// FuzzOrderOfLine: what reads is a whole order under the name that the line tells.
func FuzzOrderOfLine(f *testing.F) {
	f.Add(`{"seq":"1","order":"o_1","item":{"pk":"ORDER#o_1","sk":"ORDER","state":"PENDING","hold":"h","show":"s","buyer":"g_1","amount":1000,"cur":"USD","made":1,"seats":[{"id":"A-1","type":"regular","amount":1000}]}}`)
	f.Add(`{"order":"o_1"}`)
	f.Add(`{"item":{"made":1.5e300}}`)
	f.Fuzz(func(t *testing.T, text string) {
		o, err := store.OrderOfLine([]byte(text))
		if err == nil && (o.ID == "" || o.Check() != nil) {
			t.Fatalf("%+v", o)
		}
	})
}
