package relay_test

import (
	"strings"
	"testing"

	"github.com/fairseat/fairseat/pkg/relay"
	"github.com/fairseat/fairseat/pkg/store"
)

// TestOfLineTold: who is acknowledged, offered or at an end hears of it himself, and
// who watches the show of places that moved.
func TestOfLineTold(t *testing.T) {
	waiter := func(state string) store.Item {
		return store.Item{
			"pk": "WAITER#w_1", "sk": "WAITER", "state": state, "show": "s", "buyer": "b", "party": int64(2), "types": store.Set{"regular"},
			"asked": int64(1), "exp": int64(2), "no": int64(3),
		}
	}
	state := func(v int64, bits ...byte) store.Item {
		return store.Item{"pk": "LINE#s", "sk": "STATE", "v": v, "bits": bits, "base": int64(0)}
	}
	for _, tt := range []struct {
		name string
		r    relay.Record
		want string // the kind and whom; "" for nothing
	}{
		{"asked", relay.Record{New: waiter("asked")}, ""},
		{"entering", relay.Record{Old: waiter("asked"), New: waiter("entering")}, ""},
		{"waiting", relay.Record{Old: waiter("asked"), New: waiter("waiting")}, `"line.position","show":"s","buyer":"b"`},
		{"waiting, passed by", relay.Record{Old: waiter("waiting"), New: waiter("waiting")}, ""},
		{"offered", relay.Record{Old: waiter("waiting"), New: waiter("offered")}, `"line.offer","show":"s","buyer":"b"`},
		{"lapsed", relay.Record{Old: waiter("offered"), New: waiter("lapsed")}, `"line.ended","show":"s","buyer":"b"`},
		{"left", relay.Record{Old: waiter("waiting"), New: waiter("left")}, `"line.ended","show":"s","buyer":"b"`},
		{"gone", relay.Record{Old: waiter("left")}, ""},
		{"places moved", relay.Record{Old: state(1, 6), New: state(2, 2)}, `"line.position","show":"s","version":2`},
		{"the first place", relay.Record{New: state(1, 2)}, `"line.position","show":"s","version":1`},
		{"places as they were", relay.Record{Old: state(1, 6), New: state(2, 6)}, ""},
		{"another item", relay.Record{New: store.Item{"pk": "LINE#s", "sk": "S#A-1", "type": "regular"}}, ""},
	} {
		ms, err := relay.OfLineTold(tt.r)
		switch {
		case err != nil, tt.want == "" && len(ms) > 0, tt.want != "" && (len(ms) != 1 || ms[0].Queue != relay.Hints || !strings.Contains(ms[0].Body, tt.want)):
			t.Errorf("%s: %+v, %v; want %s", tt.name, ms, err, tt.want)
		}
	}
}
