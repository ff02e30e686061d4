package sim

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestOutcomes(t *testing.T) {
	end := 5*time.Minute + 5*time.Second
	for _, c := range []struct {
		outcome       Outcome
		at            time.Duration // when it is decided
		before, after State
		callbacks     int
	}{
		{Success, 0, Captured, Captured, 1},
		{Decline, 0, Failed, Failed, 1},
		{Never, 0, Captured, Captured, 0},
		{Late, end + 2500*time.Millisecond, Pending, Captured, 1},
		{Person, end, Pending, Closed, 0},
	} {
		t.Run(string(c.outcome), func(t *testing.T) {
			inBubble(t, func(b *bench) {
				b.create("p0000001", `,"outcome":"`+string(c.outcome)+`"`)
				if c.at > 0 {
					b.pass(c.at - time.Millisecond)
				}
				if got := b.state("p0000001"); got != c.before {
					t.Errorf("before: %s", got)
				}
				b.pass(time.Millisecond)
				if got := b.state("p0000001"); got != c.after {
					t.Errorf("after: %s", got)
				}
				b.pass(time.Hour)
				got := b.shop.arrivals()
				if len(got) != c.callbacks {
					t.Fatalf("%d callbacks", len(got))
				}
				if c.callbacks == 1 && got[0].at.Sub(b.t0).Round(time.Millisecond) != c.at+callbackDelay {
					t.Errorf("callback after %v", got[0].at.Sub(b.t0))
				}
			})
		})
	}
}

func TestCreateTellsOfRefusalsButNotOfMoney(t *testing.T) {
	inBubble(t, func(b *bench) {
		for outcome, want := range map[Outcome]State{Success: Pending, Never: Pending, Late: Pending, Person: Pending, Decline: Failed} {
			id := "p000" + string(outcome)
			for range 2 {
				v := b.create(id, `,"outcome":"`+string(outcome)+`"`)
				if v.Payment.State != want || v.Action.Kind != "url" || !strings.HasPrefix(v.Action.Value, "http://sandbox.test/pay/"+id+"/") {
					t.Errorf("%s: %+v %+v", outcome, v.Action, v.Payment)
				}
			}
		}
		b.pass(time.Second)
		if got := len(b.shop.arrivals()); got != 2 {
			t.Errorf("%d callbacks of 2 payments made twice", got)
		}
	})
}

func TestCreateRefuses(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.create("p0000001", "")
		good := b.order("p0000002", "")
		for name, c := range map[string]struct {
			body   string
			status int
		}{
			"other amount":   {strings.Replace(b.order("p0000001", ""), "1499", "1500", 1), 409},
			"other currency": {strings.Replace(b.order("p0000001", ""), "USD", "EUR", 1), 409},
			"other order":    {strings.Replace(b.order("p0000001", ""), "o1", "o2", 1), 409},
			"not JSON":       {"{", 400},
			"unknown member": {b.order("p0000002", `,"x":1`), 400},
			"more follows":   {good + "{}", 400},
			"no amount":      {strings.Replace(good, "1499", "0", 1), 400},
			"float":          {strings.Replace(good, "1499", "14.99", 1), 400},
			"id":             {b.order("../p", ""), 400},
			"outcome":        {b.order("p0000002", `,"outcome":"maybe"`), 400},
			"copies":         {b.order("p0000002", `,"callback":{"copies":11}`), 400},
			"notify_url":     {strings.Replace(good, "http://shop.test", "ftp://shop.test", 1), 400},
			"no expiry":      {strings.Replace(good, b.t0.Add(5*time.Minute).UTC().Format(time.RFC3339), "0001-01-01T00:00:00Z", 1), 400},
		} {
			if status, body := b.call("POST", "/v1/payments", c.body); status != c.status {
				t.Errorf("%s: %d %s", name, status, body)
			}
		}
		if status, _ := b.call("GET", "/v1/payments/p0000002", ""); status != 404 {
			t.Errorf("a refused payment is there: %d", status)
		}
	})
}

func TestCallsMustBeSigned(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.create("p0000001", "")
		if w := b.send("GET", "/v1/payments/p0000001", "", false); w.Code != 401 || w.Header().Get(signatureHeader) != "" {
			t.Errorf("unsigned: %d", w.Code)
		}
		for name, change := range map[string]func(r *http.Request){
			"path":      func(r *http.Request) { r.URL.Path += "/close" },
			"query":     func(r *http.Request) { r.URL.RawQuery = "a=1" },
			"method":    func(r *http.Request) { r.Method = "POST"; r.URL.Path += "/close" },
			"signature": func(r *http.Request) { r.Header.Set(signatureHeader, strings.Repeat("0", 64)) },
			"timestamp": func(r *http.Request) { r.Header.Set(timestampHeader, "1") },
		} {
			if w := b.tampered(change, 0); w.Code != 401 && w.Code != 405 {
				t.Errorf("%s: %d", name, w.Code)
			}
		}
		none := func(*http.Request) {}
		for age, want := range map[time.Duration]int{0: 200, 5 * time.Minute: 200, -5 * time.Minute: 200, 301 * time.Second: 401, -301 * time.Second: 401} {
			if w := b.tampered(none, age); w.Code != want {
				t.Errorf("%v old: %d", age, w.Code)
			}
		}
	})
}

// tampered changes a signed query after it was signed.
func (b *bench) tampered(change func(*http.Request), age time.Duration) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", "/v1/payments/p0000001", nil)
	ts := fmt.Sprint(time.Now().Add(-age).Unix())
	r.Header.Set(timestampHeader, ts)
	r.Header.Set(signatureHeader, testWire.sign(ts, "request.GET./v1/payments/p0000001.", nil))
	change(r)
	w := httptest.NewRecorder()
	b.sim.Handler().ServeHTTP(w, r)
	return w
}

// The digests were made with another tool.
func TestSignature(t *testing.T) {
	inBubble(t, func(b *bench) {
		if got := testWire.sign("1750000000", "", []byte(`{"a":1}`)); got != "4f96e314a56e9ed80cb7fffd6836c6bfbd46964dc4fd86e4c32a7994acdd2b06" {
			t.Error(got)
		}
		if got := testWire.sign("1750000000", "request.GET./v1/payments/abcdefgh.", nil); got != "845bfec5e7e028ef837356ec2fef67c0dad5cef883689012b5b33584038994b1" {
			t.Error(got)
		}
	})
}

func TestCallbacksAreRepeatedUntilTaken(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.shop.statuses = []int{500, 302, 0, 404, 204}
		b.create("p0000001", `,"outcome":"success"`)
		b.pass(time.Hour)
		got := b.shop.arrivals()
		if len(got) != 5 {
			t.Fatalf("%d tries", len(got))
		}
		for i, want := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second} {
			if gap := got[i+1].at.Sub(got[i].at).Round(time.Millisecond); gap != want {
				t.Errorf("gap %d is %v", i, gap)
			}
			if got[i].body != got[0].body || got[i+1].header.Get(timestampHeader) == got[i].header.Get(timestampHeader) {
				t.Errorf("try %d: another body, or not signed anew", i)
			}
		}
	})
}

func TestCallbacksAreGivenUp(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.shop.statuses = []int{500}
		b.create("p0000001", `,"outcome":"success"`)
		b.pass(48 * time.Hour)
		if got := len(b.shop.arrivals()); got != maxTries || !strings.Contains(b.control("GET", "callbacks", ""), string(GivenUp)) {
			t.Errorf("%d tries", got)
		}
	})
}

func TestCallbacksMisbehaveOnDemand(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.create("p0000001", `,"outcome":"success","callback":{"copies":3,"delay_ms":2000}`)
		b.create("p0000002", `,"outcome":"success","callback":{"drop":true}`)
		b.pass(2 * time.Second)
		if got := b.shop.states(); len(got) != 0 {
			t.Errorf("too early: %v", got)
		}
		b.pass(time.Second)
		if got := b.shop.states(); !slices.Equal(got, slices.Repeat([]string{"p0000001 captured"}, 3)) {
			t.Errorf("%v", got)
		}
		b.control("POST", "deliver", `{"payment":"p0000002","copies":2,"age_seconds":600}`)
		b.pass(time.Second)
		got := b.shop.arrivals()
		if len(got) != 5 || got[4].header.Get(timestampHeader) != fmt.Sprint(got[4].at.Add(-10*time.Minute).Unix()) {
			t.Errorf("%v", b.shop.states())
		}
	})
}

func TestCallbacksAreHeldAndReordered(t *testing.T) {
	for order, want := range map[string]string{"sent": "123", "reverse": "321", "shuffle": "132"} {
		inBubble(t, func(b *bench) {
			b.control("POST", "hold", "")
			for i := range 3 {
				b.create(fmt.Sprintf("p000000%d", i+1), `,"outcome":"success"`)
				b.pass(10 * time.Millisecond)
			}
			b.pass(time.Hour)
			if got := b.shop.states(); len(got) != 0 {
				t.Fatalf("held, and sent: %v", got)
			}
			b.control("POST", "release", `{"order":"`+order+`"}`)
			b.pass(time.Second)
			got := ""
			for _, s := range b.shop.states() {
				got += s[7:8]
			}
			if got != want {
				t.Errorf("%s: %s", order, got)
			}
		})
	}
}

func TestRefunds(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.create("p0000001", `,"outcome":"success"`)
		b.create("p0000002", `,"outcome":"decline"`)
		for _, c := range []struct {
			name, payment, id string
			amount, status    int
		}{
			{"of nothing", "p0000009", "r0000001", 1, 404},
			{"of a failure", "p0000002", "r0000001", 1, 409},
			{"nothing", "p0000001", "r0000001", 0, 400},
			{"too much", "p0000001", "r0000001", 1500, 409},
			{"a part", "p0000001", "r0000001", 1000, 200},
			{"again", "p0000001", "r0000001", 1000, 200},
			{"again, other amount", "p0000001", "r0000001", 999, 409},
			{"again, other payment", "p0000002", "r0000001", 1000, 409},
			{"more than is left", "p0000001", "r0000002", 500, 409},
			{"the rest", "p0000001", "r0000002", 499, 200},
			{"past the end", "p0000001", "r0000003", 1, 409},
		} {
			if status, body := b.refund(c.payment, c.id, c.amount); status != c.status {
				t.Errorf("%s: %d %s", c.name, status, body)
			}
		}
		if b.state("p0000001") != Captured {
			t.Error("a refunded payment is not captured any more")
		}
		b.pass(time.Hour)
		if got := len(b.shop.arrivals()); got != 2 {
			t.Errorf("%d callbacks", got)
		}
	})
}

func TestRefundsThatTakeTime(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.control("PUT", "defaults", `{"refund_delay_ms":3000}`)
		b.create("p0000001", `,"outcome":"never"`)
		if _, body := b.refund("p0000001", "r0000001", 1499); !strings.Contains(body, `"pending"`) {
			t.Error(body)
		}
		b.pass(4 * time.Second)
		if _, body := b.refund("p0000001", "r0000001", 1499); !strings.Contains(body, `"done"`) {
			t.Error(body)
		}
		if got := b.shop.states(); len(got) != 0 {
			t.Errorf("dropped, and sent: %v", got)
		}
		b.create("p0000002", `,"outcome":"success"`)
		b.refund("p0000002", "r0000002", 1499)
		b.pass(4 * time.Second)
		if got := b.shop.states(); !slices.Equal(got, []string{"p0000002 captured", "r0000002 done"}) {
			t.Errorf("%v", got)
		}
	})
}

func TestClose(t *testing.T) {
	inBubble(t, func(b *bench) {
		for outcome, want := range map[Outcome]State{Success: Captured, Decline: Failed, Late: Closed, Person: Closed} {
			id := "p000" + string(outcome)
			b.create(id, `,"outcome":"`+string(outcome)+`"`)
			for range 2 {
				if _, body := b.call("POST", "/v1/payments/"+id+"/close", ""); !strings.Contains(body, `"state":"`+string(want)+`"`) {
					t.Errorf("%s: %s", outcome, body)
				}
			}
		}
		b.pass(time.Hour)
		if got := b.state("p000late"); got != Closed {
			t.Errorf("late money after a close: %s", got)
		}
		if status, _ := b.call("POST", "/v1/payments/p0000009/close", ""); status != 404 {
			t.Error(status)
		}
	})
}

func TestPage(t *testing.T) {
	inBubble(t, func(b *bench) {
		for decision, want := range map[string]State{"approve": Captured, "decline": Failed} {
			id := "p000" + decision
			page := strings.TrimPrefix(b.create(id, "").Action.Value, "http://sandbox.test")
			if w := b.send("GET", page, "", false); w.Code != 200 || !strings.Contains(w.Body.String(), "14.99 USD") || !strings.Contains(w.Body.String(), "Approve") {
				t.Errorf("page: %d %s", w.Code, w.Body)
			}
			if w := b.press(page, "perhaps"); w.Code != 400 || b.state(id) != Pending {
				t.Errorf("perhaps: %d", w.Code)
			}
			for range 2 {
				if w := b.press(page, decision); w.Code != 303 || b.state(id) != want {
					t.Errorf("%s: %d %s", decision, w.Code, b.state(id))
				}
			}
			if w := b.send("GET", page, "", false); strings.Contains(w.Body.String(), "Approve") {
				t.Error("a decided payment can be approved")
			}
			if w := b.send("GET", page[:len(page)-1], "", false); w.Code != 404 {
				t.Errorf("another token: %d", w.Code)
			}
		}
		b.pass(time.Second)
		if got := len(b.shop.arrivals()); got != 2 {
			t.Errorf("%d callbacks", got)
		}
	})
}

func (b *bench) press(page, decision string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", page, strings.NewReader(url.Values{"decision": {decision}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	b.sim.Handler().ServeHTTP(w, r)
	return w
}
