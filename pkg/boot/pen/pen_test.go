package pen_test

import (
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/boot/front"
	"github.com/fairseat/fairseat/pkg/boot/pen"
	"github.com/fairseat/fairseat/pkg/ticket"
)

const (
	before = "the-first-secret-0123456789"
	after  = "the-second-secret-0123456789"
)

func parts(secret string) *boot.Parts {
	return &boot.Parts{Env: func(string) string { return secret }}
}

// phases of a rotation; any two that follow one another run side by side while
// a deployment shifts.
var phases = []string{before, before + "," + after, after + "," + before, after}

// TestTicketsOutliveARotation: what one phase signs verifies with the keys that
// the phases beside it publish.
func TestTicketsOutliveARotation(t *testing.T) {
	for i, signs := range phases {
		_, code, err := pen.Tickets(parts(signs)).Issue("show", "order", "A-1")
		if err != nil {
			t.Fatal(err)
		}
		for j, publishes := range phases {
			_, err := ticket.Verify(pen.Keys(parts(publishes))(), code)
			if near := j >= i-1 && j <= i+1; near && err != nil {
				t.Errorf("signed in phase %d, verified in phase %d: %v", i, j, err)
			}
		}
	}
	if _, code, _ := pen.Tickets(parts(before)).Issue("show", "order", "A-1"); code == "" {
		t.Error("no ticket")
	} else if _, err := ticket.Verify(pen.Keys(parts(after))(), code); err == nil {
		t.Error("a secret that is gone still verifies")
	}
}

// TestSessionsOutliveARotation: nobody is logged out between two phases.
func TestSessionsOutliveARotation(t *testing.T) {
	now := time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC)
	for i, signs := range phases {
		s, err := front.Sessions(parts(signs)).Issue(now)
		if err != nil {
			t.Fatal(err)
		}
		for j, verifies := range phases {
			buyer, err := front.Sessions(parts(verifies)).Verify(s.Token, now)
			if near := j >= i-1 && j <= i+1; near && (err != nil || buyer != s.Buyer) {
				t.Errorf("issued in phase %d, verified in phase %d: %q, %v", i, j, buyer, err)
			}
		}
	}
	s, err := front.Sessions(parts(before)).Issue(now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := front.Sessions(parts(after)).Verify(s.Token, now); err == nil {
		t.Error("a secret that is gone still verifies")
	}
}
