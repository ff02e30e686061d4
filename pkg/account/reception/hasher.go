package reception

import (
	"fmt"
	"io"

	"github.com/fairseat/fairseat/pkg/account/password"
)

// Argon2id hashes by its parameters, each time with a salt of its own.
type Argon2id struct {
	password.Parameters
	Random io.Reader
}

// Hash implements Hasher.
func (a Argon2id) Hash(p password.Password) (string, error) {
	var salt [password.SaltSize]byte
	if _, err := io.ReadFull(a.Random, salt[:]); err != nil {
		return "", fmt.Errorf("reception: salt: %w", err)
	}
	return a.Parameters.Hash(p, salt), nil
}
