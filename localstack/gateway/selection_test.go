package gateway

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/fairseat/fairseat/localstack/template"
)

func TestSelectKey(t *testing.T) {
	for _, tt := range []struct {
		path, body, want string
		ok               bool
	}{
		{"action", `{"action":"watch"}`, "watch", true},
		{"action", ` {"a":[1],"action":"watch"} `, "watch", true},
		{"action", `{"action":7}`, "7", true},
		{"action", `{"action":1e400}`, "1e400", true},
		{"action", `{"action":true}`, "true", true},
		{"action", `{"action":""}`, "", true},
		{"action", `{"action":"\u0077atch"}`, "watch", true},
		{"action", `{"action":null}`, "", false},
		{"action", `{"action":{"a":1}}`, "", false},
		{"action", `{"action":["watch"]}`, "", false},
		{"action", `{"Action":"watch"}`, "", false},
		{"action", `{"action":"watch"} x`, "", false},
		{"action", `{"action":"watch"`, "", false},
		{"action", `["action"]`, "", false},
		{"action", `"watch"`, "", false},
		{"action", `null`, "", false},
		{"action", ``, "", false},
		{"data.kind", `{"data":{"kind":"watch"}}`, "watch", true},
		{"data.kind", `{"data":"kind"}`, "", false},
	} {
		got, ok := selectKey(strings.Split(tt.path, "."), []byte(tt.body))
		if got != tt.want || ok != tt.ok {
			t.Errorf("%s of %s: %q, %v", tt.path, tt.body, got, ok)
		}
	}
}

// FuzzMessages: a message takes the route that a slower reading finds, and never
// one that only API Gateway itself calls.
func FuzzMessages(f *testing.F) {
	for _, s := range []string{`{"action":"watch"}`, `{"action":"$connect"}`, `{"action":7}`, `{"action":{"action":"watch"}}`, `[]`, "\xff", `{"action":"watch","action":"look"}`} {
		f.Add([]byte(s))
	}
	api := &template.SocketAPI{Stage: "v1", Selector: "$request.body.action"}
	for _, k := range []string{"$connect", "$disconnect", "$default", "watch", "7", "true"} {
		api.Routes = append(api.Routes, template.SocketRoute{Key: k})
	}
	s, err := NewSockets(api, nil, SocketOptions{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		want := "$default"
		var doc any
		dec := json.NewDecoder(strings.NewReader(string(body)))
		dec.UseNumber()
		if json.Valid(body) && dec.Decode(&doc) == nil {
			if m, ok := doc.(map[string]any); ok {
				switch v := m["action"].(type) {
				case string, bool, json.Number:
					if key := fmt.Sprint(v); key == "watch" || key == "7" || key == "true" {
						want = key
					}
				}
			}
		}
		if got := s.routeOf(body); got.Key != want {
			t.Errorf("%q takes %s, not %s", body, got.Key, want)
		}
	})
}

// FuzzFrames: however the bytes are cut, the gauge sees the same frames.
func FuzzFrames(f *testing.F) {
	f.Add([]byte{0x81, 0x85, 1, 2, 3, 4, 'h', 'e', 'l', 'l', 'o', 0x81, 0xfe, 0x80, 0x01}, 3)
	f.Add(append([]byte{0x81, 0x7f}, binary.BigEndian.AppendUint64(nil, 1<<40)...), 1)
	f.Fuzz(func(t *testing.T, b []byte, cut int) {
		whole, parts := &frameGauge{limit: 1 << 15}, &frameGauge{limit: 1 << 15}
		whole.feed(b)
		for rest := b; len(rest) > 0; {
			n := min(len(rest), 1+(cut&0x7fffffff)%7)
			parts.feed(rest[:n])
			rest = rest[n:]
		}
		if whole.over.Load() != parts.over.Load() || whole.skip != parts.skip {
			t.Errorf("whole: %v %d, in parts: %v %d", whole.over.Load(), whole.skip, parts.over.Load(), parts.skip)
		}
	})
}

func TestFrameSizes(t *testing.T) {
	long := func(n uint64) []byte { return binary.BigEndian.AppendUint64([]byte{0x81, 0x7f}, n) }
	for _, tt := range []struct {
		head  []byte
		size  uint64
		whole bool
	}{
		{[]byte{0x81}, 0, false},
		{[]byte{0x81, 5}, 5, true},
		{[]byte{0x81, 0x85}, 5, false},
		{[]byte{0x81, 0x85, 1, 2, 3, 4}, 5, true},
		{[]byte{0x81, 126, 0x80}, 126, false},
		{[]byte{0x81, 126, 0x80, 0x01}, 0x8001, true},
		{long(1 << 40), 1 << 40, true},
		{long(1 << 40)[:9], 127, false},
	} {
		if size, whole := frameSize(tt.head); whole != tt.whole || whole && size != tt.size {
			t.Errorf("%x: %d, %v", tt.head, size, whole)
		}
	}
}
