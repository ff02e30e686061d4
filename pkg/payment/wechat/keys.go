package wechat

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/payment/internal/object"
	"github.com/fairseat/fairseat/pkg/payment/internal/rsakey"
)

// Keys are a merchant's secrets and what WeChat's messages are verified with: its
// public key (new merchants have no other), platform certificates, or both while a
// merchant moves from these to that. During the move WeChat signs callbacks with
// either, so both are configured then.
type Keys struct {
	private  *rsa.PrivateKey
	serial   string // of the merchant's API certificate, hex
	sealing  []byte // the APIv3 key: 32 bytes
	publicID string // PUB_KEY_ID_…
	public   *rsa.PublicKey
	certs    map[string]held
}

// held is a platform key and the end of its certificate.
type held struct {
	key *rsa.PublicKey
	end time.Time
}

const publicPrefix = "PUB_KEY_ID_"

// ParseKeys reads the secret: a JSON object of merchant_key, merchant_serial,
// api_v3_key and public_key_id with public_key, platform_certificates (a list), both,
// or neither, when the certificates are downloaded first. Keys and certificates are
// PEM or the base64 within. No error holds any of its text.
func ParseKeys(text string) (Keys, error) {
	var in struct {
		Key      string   `json:"merchant_key"`
		Serial   string   `json:"merchant_serial"`
		Sealing  string   `json:"api_v3_key"`
		PublicID string   `json:"public_key_id"`
		Public   string   `json:"public_key"`
		Certs    []string `json:"platform_certificates"`
	}
	if json.Unmarshal([]byte(text), &in) != nil {
		return Keys{}, errors.New("wechat: the secret is not the object that it should be")
	}
	k := Keys{serial: in.Serial, sealing: []byte(in.Sealing), publicID: in.PublicID, certs: map[string]held{}}
	var err error
	if k.private, err = rsakey.Private(in.Key); err != nil {
		return Keys{}, fmt.Errorf("wechat: merchant_key: %w", err)
	}
	if in.Public != "" {
		if k.public, err = rsakey.Public(in.Public); err != nil {
			return Keys{}, fmt.Errorf("wechat: public_key: %w", err)
		}
	}
	for _, c := range in.Certs {
		if err := k.certificate(c); err != nil {
			return Keys{}, fmt.Errorf("wechat: platform_certificates: %w", err)
		}
	}
	if err := k.check(); err != nil {
		return Keys{}, fmt.Errorf("wechat: %w", err)
	}
	return k, nil
}

func (k Keys) certificate(text string) error {
	c, key, err := rsakey.Certificate(text)
	if err == nil {
		k.certs[serialText(c)] = held{key, c.NotAfter}
	}
	return err
}

func (k Keys) check() error {
	switch {
	case k.private == nil || k.serial == "":
		return errors.New("merchant_key or merchant_serial is missing")
	case len(k.sealing) != 32:
		return errors.New("api_v3_key has not 32 bytes")
	case (k.public == nil) != (k.publicID == ""):
		return errors.New("public_key and public_key_id go together")
	case k.publicID != "" && !strings.HasPrefix(k.publicID, publicPrefix):
		return errors.New("public_key_id begins otherwise than " + publicPrefix)
	case k.public != nil && same(k.private, k.public):
		return errors.New("public_key is our own, not WeChat's")
	}
	for _, c := range k.certs {
		if same(k.private, c.key) {
			return errors.New("a platform certificate is our own, not WeChat's")
		}
	}
	return nil
}

// serialText is a certificate's serial as WeChat writes it: whole bytes in capital hex.
func serialText(c *x509.Certificate) string { return fmt.Sprintf("%X", c.SerialNumber.Bytes()) }

const (
	renewal   = 10 * time.Hour // WeChat advises to ask more often than every 12 hours
	patience  = time.Minute    // between two downloads, whatever asks for them
	settled   = 180 * 24 * time.Hour
	mostCerts = 16
)

// ring is what WeChat's messages are verified with now.
type ring struct {
	mu     sync.RWMutex
	public map[string]held // what the secret holds: never replaced
	certs  map[string]held
	turns  bool      // certificates are in use, and so change
	fresh  time.Time // of the last list; zero while there was none
	tried  time.Time
}

// start takes what the secret holds. Its certificates are as good as a list of today while
// much of them is left, so that an instance that is new downloads nothing; near their
// end, when WeChat may sign with the next one any day, they are not.
func (r *ring) start(k Keys, now time.Time) {
	r.public, r.certs = map[string]held{}, k.certs
	if k.public != nil {
		r.public[k.publicID] = held{key: k.public}
	}
	near := func(h held) bool { return h.end.Before(now.Add(settled)) }
	if len(k.certs) > 0 && !slices.ContainsFunc(slices.Collect(maps.Values(k.certs)), near) {
		r.fresh = now
	}
	r.turns = k.public == nil || len(k.certs) > 0
}

// find is the key of a serial, never another one that might fit. A certificate that
// has ended counts no more; one whose time has not begun does, since WeChat hands it
// out before and only a clock that is behind would tell the difference.
func (r *ring) find(serial string, now time.Time) (*rsa.PublicKey, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if h, ok := r.public[serial]; ok {
		return h.key, true
	}
	h, ok := r.certs[serial]
	return h.key, ok && now.Before(h.end)
}

// due reports whether a download is to be tried now, and counts as the try. early asks
// for one before its time.
func (r *ring) due(now time.Time, early bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.turns || now.Sub(r.tried) < patience || !early && now.Sub(r.fresh) < renewal {
		return false
	}
	r.tried = now
	return true
}

func (r *ring) replace(certs map[string]held, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.certs, r.fresh = certs, now
}

// renew replaces the list where it is time. It is early after an answer to our own
// request that names an unknown serial: nobody else could send one.
func (p *Provider) renew(ctx context.Context, early bool) error {
	p.renewing.Lock()
	defer p.renewing.Unlock()
	now := p.opt.Now()
	if !p.ring.due(now, early) {
		return nil
	}
	certs, err := p.download(ctx)
	if err != nil {
		return fmt.Errorf("platform certificates: %w", err)
	}
	p.ring.replace(certs, now)
	return nil
}

// download asks for the list. What seals each certificate is the APIv3 key, which
// proves the first list; the answer must be signed besides, by a key that was held or
// by one of the list.
func (p *Provider) download(ctx context.Context) (map[string]held, error) {
	res, err := p.exchange(ctx, "GET", "/v3/certificates", nil)
	if err != nil {
		return nil, err
	}
	if res.Status != 200 {
		return nil, unusable(fmt.Errorf("answer %d", res.Status))
	}
	certs, err := p.readCertificates(res.Body)
	if err != nil {
		return nil, unusable(err)
	}
	err = verify(res.Header, res.Body, p.opt.Now(), func(serial string, now time.Time) (*rsa.PublicKey, bool) {
		if key, ok := p.ring.find(serial, now); ok {
			return key, true
		}
		h, ok := certs[serial]
		return h.key, ok
	})
	if err != nil {
		return nil, unusable(err)
	}
	return certs, nil
}

func (p *Provider) readCertificates(body []byte) (map[string]held, error) {
	r := object.Open(body)
	list := r.Objects("data")
	if r.Err() == nil && (len(list) == 0 || len(list) > mostCerts) {
		return nil, fmt.Errorf("%d certificates", len(list))
	}
	now, out := p.opt.Now(), map[string]held{}
	for _, one := range list {
		serial, sealed := one.Text("serial_no"), one.Object("encrypt_certificate")
		plain, err := p.unseal(sealed)
		if err = errors.Join(r.Err(), err); err != nil {
			return nil, err
		}
		c, key, err := rsakey.Certificate(string(plain))
		switch {
		case err != nil:
			return nil, err
		case serialText(c) != serial:
			return nil, errors.New("a certificate of another serial")
		case same(p.opt.Keys.private, key):
			return nil, errors.New("our own certificate")
		case now.Before(c.NotAfter):
			out[serialText(c)] = held{key, c.NotAfter}
		}
	}
	if r.Err() == nil && len(out) == 0 {
		return nil, errors.New("no certificate that has not ended")
	}
	return out, r.Err()
}

// Ready downloads the platform certificates where the last list is ten hours old, and
// not more than once a minute while that fails; in public-key mode it does nothing.
// WeChat hands a certificate out a day before it signs with it, so the clock alone
// decides: what a message says, and whose key it names, never causes a call.
// [payment.ErrProviderDown] where nothing could be verified; an old list serves on.
func (p *Provider) Ready(ctx context.Context) error {
	err := p.renew(ctx, false)
	p.ring.mu.RLock()
	defer p.ring.mu.RUnlock()
	if len(p.ring.public)+len(p.ring.certs) > 0 {
		return nil
	}
	return fmt.Errorf("%w: no platform key: %v", payment.ErrProviderDown, err)
}
