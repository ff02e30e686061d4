package e2e_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fairseat/fairseat/localstack/apiclient"
	"github.com/fairseat/fairseat/pkg/store"
)

// TestAnOldOrderIsFound: its row goes, as by TTL, and its buyer still reads it whole,
// while to others it is as it was: not there.
func TestAnOldOrderIsFound(t *testing.T) {
	parallel(t)
	s, b := shop.open(t, "standard-90"), guest(t)
	was := b.buy(s, s.regular(t, 2, 0)...)
	key := store.Key{Table: store.Orders, PK: "ORDER#" + was.ID, SK: "ORDER"}
	row, err := shop.tables.Get(t.Context(), key, true)
	must(t, err)
	must(t, shop.tables.Transact(t.Context(), []store.Write{{Key: key, Delete: true}}, "")) // TTL's own record differs in who did it
	defer func() {                                                                          // the audit of all shows wants the order of each sold hold
		must(t, shop.tables.Transact(t.Context(), []store.Write{{Key: key, Put: row}}, ""))
	}()
	var now apiclient.Order
	eventually(t, 15*time.Second, func() error { return b.get("/orders/"+was.ID, &now) })
	if d := cmp.Diff(was, now); d != "" {
		t.Errorf("the order came back otherwise: %s", d)
	}
	it, err := shop.tables.Get(t.Context(), store.Key{Table: store.Orders, PK: "AGED#" + was.ID, SK: "AGED"}, true)
	if err != nil || it == nil {
		t.Errorf("no place in the archive: %v", err)
	}
	refused(t, guest(t).get("/orders/"+was.ID, nil), 404, "not_found")
}
