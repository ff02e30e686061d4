package main

import (
	"fmt"
	"testing"
	"time"
)

// a tenth of the sessions, for ten minutes.
var small = evening{seed: 3, people: 100, sessions: 100, contacts: 5, hashes: 50e6, keep: 100 * time.Second, sells: 25, lasts: 10 * time.Minute}

func played(t *testing.T, e evening) *house {
	t.Helper()
	h, err := play(e)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// TestContactDecides: with all defences nearly as many people have their seats as
// without programs; without the contact's ten hardly anybody has.
func TestContactDecides(t *testing.T) {
	e := small.defended()
	with := played(t, e)
	if with.served < 90 {
		t.Errorf("seed %d: %d of 100 people have seats", e.seed, with.served)
	}
	e.contact = false
	if without := played(t, e); without.served > 10 {
		t.Errorf("seed %d: %d of 100 people have seats though nobody counts contacts", e.seed, without.served)
	}
	e.contact = true
	if again := played(t, e); fmt.Sprint(again.tally) != fmt.Sprint(with.tally) {
		t.Errorf("seed %d does not repeat itself", e.seed)
	}
}

// TestAddressesCount: operators with one address each are held off by counting the
// seats that an address asks challenges for, which takes limits and challenge both.
func TestAddressesCount(t *testing.T) {
	e := small
	e.homes, e.limits, e.challenge = true, true, true
	if h := played(t, e); h.served < 80 {
		t.Errorf("seed %d: %d of 100 people have seats", e.seed, h.served)
	}
	for _, alone := range []string{"limits", "challenge"} {
		e.limits, e.challenge = alone == "limits", alone == "challenge"
		if h := played(t, e); h.served > 10 {
			t.Errorf("seed %d: %d of 100 people have seats with %s alone", e.seed, h.served, alone)
		}
	}
}

// TestDropsWait: programs that never buy, and keep turning, keep everybody out unless
// who drops has to wait.
func TestDropsWait(t *testing.T) {
	e := small
	e.sells, e.sessions, e.keep, e.lasts = 0, 40, 10*time.Second, 8*time.Minute
	if h := played(t, e); h.served > 10 {
		t.Errorf("seed %d: %d of 100 people have seats", e.seed, h.served)
	}
	e.drops = true
	if h := played(t, e); h.served < 80 || h.refusals[fewAddresses][slowed] == 0 {
		t.Errorf("seed %d: %d of 100 people have seats while programs wait for their drops", e.seed, h.served)
	}
}
