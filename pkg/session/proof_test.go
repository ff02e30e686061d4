package session

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestProofs(t *testing.T) {
	k := keeper(t, "", secret)
	p := Proof{[16]byte{1}, 2, noon.Truncate(time.Second).Add(time.Hour)}
	all := map[Purpose]string{Confirms: k.Prove(Confirms, p), Resets: k.Prove(Resets, p)}
	for of, token := range all {
		if got, err := k.Proof(of, token, noon); err != nil || got != p {
			t.Errorf("%+v, %v", got, err)
		}
		if _, err := k.Proof(of, token, p.ExpiresAt); !errors.Is(err, ErrExpired) {
			t.Errorf("at its end: %v", err)
		}
		for other := range all {
			if as := other.of.prefix + strings.TrimPrefix(token, of.of.prefix); other != of {
				if _, err := k.Proof(other, as, noon); !errors.Is(err, ErrInvalid) {
					t.Errorf("one purpose for another: %v", err)
				}
			}
		}
		for _, prefix := range []string{access.prefix, renewal.prefix, guest.prefix, of.of.prefix} {
			as := prefix + strings.TrimPrefix(token, of.of.prefix)
			_, turn := k.Turn(as, noon)
			if _, err := k.Verify(as, noon); !errors.Is(err, ErrInvalid) || !errors.Is(turn, ErrInvalid) {
				t.Errorf("a letter gives access: %v, %v", err, turn)
			}
		}
	}
}
