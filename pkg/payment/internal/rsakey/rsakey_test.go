package rsakey

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
)

func armour(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// TestForms: one key in every form in which a provider may hand it out.
func TestForms(t *testing.T) {
	k := must[*rsa.PrivateKey](t)(rsa.GenerateKey(rand.Reader, 2048))
	one, eight := x509.MarshalPKCS1PrivateKey(k), must[[]byte](t)(x509.MarshalPKCS8PrivateKey(k))
	bare := base64.StdEncoding.EncodeToString
	for name, text := range map[string]string{
		"PKCS 1": armour("RSA PRIVATE KEY", one), "PKCS 8": armour("PRIVATE KEY", eight),
		"bare PKCS 1": bare(one), "bare PKCS 8": bare(eight), "in two lines": bare(eight)[:100] + "\r\n" + bare(eight)[100:] + "\n",
	} {
		if got, err := Private(text); err != nil || !got.Equal(k) {
			t.Errorf("%s: %v", name, err)
		}
		if got, err := Public(text); err == nil {
			t.Errorf("%s is no public key, but was read as %v", name, got)
		}
	}
	pub := must[[]byte](t)(x509.MarshalPKIXPublicKey(&k.PublicKey))
	for name, text := range map[string]string{
		"PKIX": armour("PUBLIC KEY", pub), "bare": bare(pub), "PKCS 1": armour("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&k.PublicKey)),
	} {
		if got, err := Public(text); err != nil || !got.Equal(&k.PublicKey) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := Private(text); err == nil {
			t.Errorf("%s is no private key", name)
		}
	}
	cert := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "test"}}
	der := must[[]byte](t)(x509.CreateCertificate(rand.Reader, cert, cert, &k.PublicKey, k))
	if c, got, err := Certificate(armour("CERTIFICATE", der)); err != nil || c.SerialNumber.Int64() != 7 || !got.Equal(&k.PublicKey) {
		t.Error(err)
	}
}

func TestRefuses(t *testing.T) {
	e := must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	t.Setenv("GODEBUG", "rsa1024min=0")
	small := must[*rsa.PrivateKey](t)(rsa.GenerateKey(rand.Reader, 1024))
	good := armour("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(small))
	for name, text := range map[string]string{
		"nothing": "", "spaces": " \n", "words": "not a key", "short": good, "two": good + good,
		"elliptic": armour("PRIVATE KEY", must[[]byte](t)(x509.MarshalPKCS8PrivateKey(e))),
		"its half": armour("PUBLIC KEY", must[[]byte](t)(x509.MarshalPKIXPublicKey(&e.PublicKey))),
	} {
		_, err1 := Private(text)
		_, err2 := Public(text)
		_, _, err3 := Certificate(text)
		for _, err := range []error{err1, err2, err3} {
			if err == nil || text != "" && len(text) > 60 && strings.Contains(err.Error(), text[40:60]) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
