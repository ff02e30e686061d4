package sim

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestControls(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.control("PUT", "defaults", `{"outcome":"success","callback":{"copies":2}}`)
		b.create("p0000002", "")
		b.create("p0000003", `,"outcome":"person"`)
		b.control("POST", "decide", `{"payment":"p0000003","decision":"decline"}`)
		b.pass(time.Second)
		want := []string{"p0000002 captured", "p0000002 captured", "p0000003 failed", "p0000003 failed"}
		got := b.shop.states()
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%v", got)
		}
		var l list[Payment]
		if err := json.Unmarshal([]byte(b.control("GET", "payments?order=o1", "")), &l); err != nil || len(l.Items) != 2 {
			t.Errorf("%v %v", l, err)
		}
		if got := b.control("GET", "payments?order=o2", ""); got != `{"items":[]}` {
			t.Error(got)
		}
		b.refund("p0000002", "r0000001", 1)
		if got := b.control("GET", "refunds?payment=p0000002", ""); !strings.Contains(got, "r0000001") {
			t.Error(got)
		}
	})
}

func TestAdvance(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.create("p0000001", `,"outcome":"late"`)
		b.control("POST", "advance", `{"seconds":400}`)
		b.pass(time.Second)
		if got := b.state("p0000001"); got != Captured {
			t.Errorf("400 s ahead: %s", got)
		}
		if ts := b.shop.arrivals()[0].header.Get(timestampHeader); ts != fmt.Sprint(b.t0.Unix()) {
			t.Errorf("signed at %s, which is not the true time", ts)
		}
	})
}

func TestControlsRefuse(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.create("p0000001", `,"outcome":"success"`)
		for _, c := range []struct {
			method, path, body string
			status             int
		}{
			{"PUT", "defaults", `{"outcome":"maybe"}`, 400},
			{"PUT", "defaults", `{"fault":"fire"}`, 400},
			{"PUT", "defaults", `{"refund_delay_ms":-1}`, 400},
			{"POST", "deliver", `{"payment":"p0000009"}`, 404},
			{"POST", "deliver", `{"payment":"p0000001","copies":99}`, 400},
			{"POST", "release", `{"order":"up"}`, 400},
			{"POST", "advance", `{"seconds":0}`, 400},
			{"POST", "decide", `{"payment":"p0000001","decision":"approve"}`, 409},
			{"POST", "decide", `{"payment":"p0000009","decision":"approve"}`, 404},
		} {
			if w := b.send(c.method, "/control/"+c.path, c.body, false); w.Code != c.status {
				t.Errorf("%s %s: %d %s", c.path, c.body, w.Code, w.Body)
			}
		}
		r := httptest.NewRequest("POST", "/control/hold", nil)
		r.Header.Set("Origin", "https://elsewhere.test")
		w := httptest.NewRecorder()
		if b.sim.Handler().ServeHTTP(w, r); w.Code != 400 {
			t.Errorf("from a page elsewhere: %d", w.Code)
		}
	})
}

func TestFaults(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.control("PUT", "defaults", `{"fault":"unavailable"}`)
		if w := b.send("POST", "/v1/payments", b.order("p0000001", ""), true); w.Code != 503 || w.Header().Get(signatureHeader) == "" {
			t.Error(w.Code)
		}
		b.control("PUT", "defaults", `{"fault":"lost"}`)
		if w := b.send("POST", "/v1/payments", b.order("p0000002", ""), true); w.Code != 500 || w.Header().Get(signatureHeader) != "" {
			t.Error(w.Code)
		}
		b.control("PUT", "defaults", `{"fault":""}`)
		if status, _ := b.call("GET", "/v1/payments/p0000001", ""); status != 404 {
			t.Error("unavailable, and done")
		}
		if got := b.state("p0000002"); got != Pending {
			t.Error("lost, and not done")
		}
	})
}

// TestMoneyAfterTheClose: what no provider should do, and some have done.
func TestMoneyAfterTheClose(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.create("p0000001", "")
		b.call("POST", "/v1/payments/p0000001/close", "")
		b.create("p0000002", `,"outcome":"decline"`)
		for _, id := range []string{"p0000001", "p0000002"} {
			b.control("POST", "pay", `{"payment":"`+id+`"}`)
			if got := b.state(id); got != Captured {
				t.Errorf("%s: %s", id, got)
			}
			if w := b.send("POST", "/control/pay", `{"payment":"`+id+`"}`, false); w.Code != 409 {
				t.Errorf("twice: %d", w.Code)
			}
		}
		b.pass(time.Second)
		got := b.shop.states()
		slices.Sort(got)
		if !slices.Equal(got, []string{"p0000001 captured", "p0000002 captured", "p0000002 failed"}) {
			t.Errorf("%v", got)
		}
	})
}

// TestRefundsThatFail move nothing, and leave their part to be given back.
func TestRefundsThatFail(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.create("p0000001", `,"outcome":"success"`)
		b.control("PUT", "defaults", `{"refund_fails":true}`)
		if _, body := b.refund("p0000001", "r0000001", 1499); !strings.Contains(body, `"state":"failed"`) {
			t.Error(body)
		}
		b.control("PUT", "defaults", `{"refund_fails":true,"refund_delay_ms":1000}`)
		if _, body := b.refund("p0000001", "r0000002", 1499); !strings.Contains(body, `"state":"pending"`) {
			t.Error(body)
		}
		b.pass(2 * time.Second)
		b.control("PUT", "defaults", `{"refund_fails":false,"refund_delay_ms":0}`)
		for id, want := range map[string]string{"r0000002": "failed", "r0000003": "done"} {
			if _, body := b.refund("p0000001", id, 1499); !strings.Contains(body, `"state":"`+want+`"`) {
				t.Errorf("%s: %s", id, body)
			}
		}
		if got := b.shop.states(); !slices.Equal(got, []string{"p0000001 captured", "r0000002 failed"}) {
			t.Errorf("%v", got)
		}
	})
}

// TestMoved: the bill of a day has what moved money in it.
func TestMoved(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.create("p0000001", `,"outcome":"success"`)
		b.create("p0000002", `,"outcome":"decline"`)
		b.pass(time.Hour)
		b.create("p0000003", `,"outcome":"success"`)
		b.refund("p0000001", "r0000001", 5)
		for _, c := range []struct {
			from, to   time.Duration
			paid, back int
		}{{0, time.Hour, 1, 0}, {time.Hour, 2 * time.Hour, 1, 1}, {0, 2 * time.Hour, 2, 1}, {2 * time.Hour, 3 * time.Hour, 0, 0}} {
			if paid, back := b.sim.Moved(b.t0.Add(c.from), b.t0.Add(c.to)); len(paid) != c.paid || len(back) != c.back {
				t.Errorf("%v: %v %v", c, paid, back)
			}
		}
	})
}
