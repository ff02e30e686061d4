// Package rsakey reads RSA keys as the payment providers hand them out: PEM, or the
// same base64 without its armour, PKCS #8 and PKIX or PKCS #1.
//
// A key is refused under 2048 bits, which all three providers demand, and above 4096,
// which none issues and which would only make each check slow.
package rsakey

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// Private reads a private key. No error holds any of its text.
func Private(text string) (*rsa.PrivateKey, error) {
	der, err := decode(text)
	if err != nil {
		return nil, err
	}
	if k, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return k, size(k.N.BitLen())
	}
	any, err := x509.ParsePKCS8PrivateKey(der)
	k, ok := any.(*rsa.PrivateKey)
	if err != nil || !ok {
		return nil, errors.New("not a private RSA key")
	}
	return k, size(k.N.BitLen())
}

// Public reads a public key; a certificate is none.
func Public(text string) (*rsa.PublicKey, error) {
	der, err := decode(text)
	if err != nil {
		return nil, err
	}
	if k, err := x509.ParsePKCS1PublicKey(der); err == nil {
		return k, size(k.N.BitLen())
	}
	any, err := x509.ParsePKIXPublicKey(der)
	k, ok := any.(*rsa.PublicKey)
	if err != nil || !ok {
		return nil, errors.New("not a public RSA key")
	}
	return k, size(k.N.BitLen())
}

// Certificate reads a certificate whose key is RSA. Its dates and its issuer are for
// the caller to judge.
func Certificate(text string) (*x509.Certificate, *rsa.PublicKey, error) {
	der, err := decode(text)
	if err != nil {
		return nil, nil, err
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, nil, errors.New("not a certificate")
	}
	k, ok := c.PublicKey.(*rsa.PublicKey)
	if !ok {
		return nil, nil, errors.New("the certificate's key is not RSA")
	}
	return c, k, size(k.N.BitLen())
}

func decode(text string) ([]byte, error) {
	if block, rest := pem.Decode([]byte(text)); block != nil {
		if strings.TrimSpace(string(rest)) != "" {
			return nil, errors.New("more than one PEM block")
		}
		return block.Bytes, nil
	}
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil || len(der) == 0 {
		return nil, errors.New("neither PEM nor base64")
	}
	return der, nil
}

func size(bits int) error {
	if bits < 2048 || bits > 4096 {
		return fmt.Errorf("a key of %d bits, not 2048 to 4096", bits)
	}
	return nil
}
