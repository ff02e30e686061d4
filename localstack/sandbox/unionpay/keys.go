package unionpay

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"
)

// Keys are those of both sides, as PEM: the gateway's and the shop's, and the two
// authorities above both. The authorities' own keys are thrown away.
type Keys struct {
	Gateway            string `json:"gateway_key"`
	GatewayCertificate string `json:"gateway_certificate"`
	Shop
}

// Shop is what a shop gets from UnionPay.
type Shop struct {
	Merchant    string   `json:"merchant"`
	Key         string   `json:"key"`
	Certificate string   `json:"certificate"`
	Authorities []string `json:"authorities"`
}

// Make draws keys that are valid for ten years. Whoever reads the certificates sees that
// they are nobody's.
func Make(now time.Time, merchant string) (Keys, error) {
	var k Keys
	root, err := issue(now, "Local UnionPay Root CA", true, nil)
	if err != nil {
		return k, err
	}
	middle, err := issue(now, "Local UnionPay Middle CA", true, root)
	if err != nil {
		return k, err
	}
	gateway, err := issue(now, "041@Z12@中国银联股份有限公司@00000001", false, middle)
	if err != nil {
		return k, err
	}
	shop, err := issue(now, "041@Z"+merchant+"@Local merchant@00000002", false, middle)
	if err != nil {
		return k, err
	}
	k.Gateway, k.GatewayCertificate = gateway.private, gateway.text
	k.Shop = Shop{Merchant: merchant, Key: shop.private, Certificate: shop.text, Authorities: []string{root.text, middle.text}}
	return k, nil
}

type issued struct {
	cert          *x509.Certificate
	key           *rsa.PrivateKey
	text, private string
}

func issue(now time.Time, name string, authority bool, by *issued) (*issued, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	c := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{Country: []string{"CN"}, Organization: []string{"LOCAL ONLY"}, CommonName: name},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(10, 0, 0), KeyUsage: x509.KeyUsageDigitalSignature,
	}
	if authority {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
	}
	above, with := c, key
	if by != nil {
		above, with = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, above, key.Public(), with)
	if err != nil {
		return nil, err
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		return nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return &issued{
		c, key,
		string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})),
	}, nil
}

// keys are what the gateway signs and verifies with.
type keys struct {
	merchant string
	shop     *rsa.PublicKey
	certID   string // of the shop's certificate, decimal
	key      *rsa.PrivateKey
	cert     string // as it goes with each message: CRLF, and no line end at the end
}

func (k Keys) read() (*keys, error) {
	out := &keys{merchant: k.Merchant}
	block, _ := pem.Decode([]byte(k.Shop.Certificate))
	if block == nil || k.Merchant == "" {
		return nil, errors.New("unionpay: no merchant, or no certificate of its")
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("unionpay: the shop's certificate: %w", err)
	}
	if out.shop, _ = c.PublicKey.(*rsa.PublicKey); out.shop == nil {
		return nil, errors.New("unionpay: the shop's certificate is not of an RSA key")
	}
	out.certID = c.SerialNumber.String()
	if block, _ = pem.Decode([]byte(k.Gateway)); block == nil {
		return nil, errors.New("unionpay: no key of the gateway")
	}
	any, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("unionpay: the gateway's key is not one")
	}
	if out.key, _ = any.(*rsa.PrivateKey); out.key == nil {
		return nil, errors.New("unionpay: the gateway's key is not RSA")
	}
	out.cert = strings.ReplaceAll(strings.TrimSpace(k.GatewayCertificate), "\n", "\r\n")
	return out, nil
}

func digest(m message) []byte {
	sum := sha256.Sum256([]byte(m.text()))
	again := sha256.Sum256([]byte(hex.EncodeToString(sum[:])))
	return again[:]
}

// verify refuses what is not of the shop: its merchant, its certificate, its signature.
func (k *keys) verify(m message) error {
	sig, err := base64.StdEncoding.DecodeString(m["signature"])
	switch {
	case err != nil:
		return errors.New("signature is not base64")
	case m["merId"] != k.merchant:
		return errors.New("merId")
	case m["certId"] != k.certID:
		return errors.New("certId")
	case rsa.VerifyPKCS1v15(k.shop, crypto.SHA256, digest(m), sig) != nil:
		return errors.New("signature")
	}
	return nil
}

func (k *keys) sign(m message) {
	m["version"], m["encoding"], m["signMethod"], m["signPubKeyCert"] = "5.1.0", "UTF-8", "01", k.cert
	sig, err := rsa.SignPKCS1v15(rand.Reader, k.key, crypto.SHA256, digest(m))
	if err != nil {
		panic(err) // a key that was read signs a hash of its length
	}
	m["signature"] = base64.StdEncoding.EncodeToString(sig)
}
