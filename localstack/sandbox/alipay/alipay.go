// Package alipay plays Alipay's gateway on this machine, over the books of
// [github.com/fairseat/fairseat/localstack/sandbox/sim]: the other end of
// pkg/payment/alipay, with which it shares no code, so that a mistake in the form of
// what is signed shows on one side.
//
// It signs with keys of its own and refuses whatever of a request is not as Alipay
// wants it. What is particular to Alipay is here, too: a QR code is no trade until
// somebody opens its page, refunds tell the sum so far, a fault of the gateway is not
// signed. Start with [New].
package alipay

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/fairseat/fairseat/localstack/sandbox/sim"
)

// Keys of both sides, PEM. The shop is given its own private one and Alipay's public
// one, and nothing else.
type Keys struct {
	App    string `json:"app_private_key"`
	Alipay string `json:"alipay_private_key"`
}

// Options of a gateway. All are required.
type Options struct {
	Keys   Keys
	AppID  string // whose requests are taken
	Seller string // who is paid
	URL    string // where the handler is reached
	Log    *slog.Logger
}

// Wire is a [sim.Wire].
type Wire struct {
	opt   Options
	own   *rsa.PrivateKey
	shop  *rsa.PublicKey
	salt  string // of addresses that nobody guesses
	books *sim.Sim
}

var _ sim.Wire = (*Wire)(nil)

// New makes a wire.
func New(opt Options) (*Wire, error) {
	w := &Wire{opt: opt}
	app, err := key(opt.Keys.App)
	if err == nil {
		w.own, err = key(opt.Keys.Alipay)
	}
	if err != nil {
		return nil, err
	}
	if opt.AppID == "" || opt.Seller == "" || opt.URL == "" || opt.Log == nil {
		return nil, errors.New("alipay: application, seller, address or log is missing")
	}
	w.shop = &app.PublicKey
	sum := sha256.Sum256([]byte(opt.Keys.Alipay))
	w.salt = hex.EncodeToString(sum[:])
	return w, nil
}

func key(text string) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("alipay: a key is not PEM")
	}
	k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("alipay: a key: %w", err)
	}
	return k.(*rsa.PrivateKey), nil
}

// Salt is what pages' addresses may be made from.
func (w *Wire) Salt() string { return w.salt }

// Routes adds the gateway and the bills.
func (w *Wire) Routes(mux *http.ServeMux, s *sim.Sim) {
	w.books = s
	mux.HandleFunc("POST /gateway.do", w.gateway)
	mux.HandleFunc("GET /bills/{date}/{token}", w.download)
}

// Ref is a trade's number: 28 digits.
func (w *Wire) Ref(kind sim.Kind, id string) string {
	if kind == sim.OfRefund {
		return "" // Alipay gives a refund none
	}
	sum := sha256.Sum256([]byte(id))
	digits := new(big.Int).SetBytes(sum[:]).String()
	return "2026" + digits[:24]
}

// Notice is of money that came, or went back: for QR codes Alipay tells nothing else.
func (w *Wire) Notice(n int, now time.Time, p sim.Payment, r *sim.Refund) string {
	if r == nil && p.State != sim.Captured || r != nil && r.State != sim.Done {
		return ""
	}
	f := map[string]string{
		"notify_time": beijing(now), "notify_type": "trade_status_sync", "notify_id": fmt.Sprintf("%s%06d", p.Ref, n),
		"app_id": w.opt.AppID, "auth_app_id": w.opt.AppID, "charset": "utf-8", "version": "1.0",
		"trade_no": p.Ref, "out_trade_no": p.ID, "seller_id": w.opt.Seller, "buyer_open_id": "074a1CcTG1LelxKe4xQC0zgNdId0nxi95b5lsNpazWYoCo5",
		"trade_status": status(p), "total_amount": yuan(p.Amount.Minor), "receipt_amount": yuan(p.Amount.Minor),
		"invoice_amount": yuan(p.Amount.Minor), "buyer_pay_amount": yuan(p.Amount.Minor), "point_amount": "0.00",
		"subject": p.Description, "gmt_create": beijing(p.CreatedAt), "gmt_payment": beijing(p.PaidAt),
		"fund_bill_list": `[{"amount":"` + yuan(p.Amount.Minor) + `","fundChannel":"ALIPAYACCOUNT"}]`,
	}
	f["passback_params"] = url.QueryEscape(p.Order)
	if r != nil {
		f["out_biz_no"], f["refund_fee"], f["gmt_refund"] = r.ID, yuan(p.Refunded), beijing(r.At)+".000"
	}
	f["sign"], f["sign_type"] = w.sign(joined(f)), "RSA2"
	return encoded(f)
}

// status is a trade's: one that was refunded in whole is closed, and one that was
// refused by its buyer is here, since nobody can try again on the page.
func status(p sim.Payment) string {
	switch {
	case p.State == sim.Captured && p.Refunded == p.Amount.Minor:
		return "TRADE_CLOSED"
	case p.State == sim.Captured:
		return "TRADE_SUCCESS"
	case p.State == sim.Pending:
		return "WAIT_BUYER_PAY"
	}
	return "TRADE_CLOSED"
}

// Sign adds nothing: the signature is in the body, which bears no time of sending.
func (w *Wire) Sign(h http.Header, _ []byte, _ time.Time) {
	h.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
}

// Taken is the one word, and nothing around it.
func (w *Wire) Taken(status int, body []byte) bool {
	return status == http.StatusOK && string(body) == "success"
}

var zone = time.FixedZone("Beijing", 8*3600)

const clock = "2006-01-02 15:04:05"

func beijing(t time.Time) string { return t.In(zone).Format(clock) }

func yuan(fen int64) string { return fmt.Sprintf("%d.%02d", fen/100, fen%100) }

func (w *Wire) sign(text string) string {
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(nil, w.own, crypto.SHA256, sum[:])
	if err != nil {
		panic(err) // the key was read at the start
	}
	return base64.StdEncoding.EncodeToString(sig)
}

func (w *Wire) byShop(text, signature string) bool {
	sig, err := base64.StdEncoding.DecodeString(signature)
	sum := sha256.Sum256([]byte(text))
	return err == nil && rsa.VerifyPKCS1v15(w.shop, crypto.SHA256, sum[:], sig) == nil
}

// joined is k=v&k=v by key, without what is empty.
func joined(f map[string]string) string {
	var parts []string
	for k, v := range f {
		if v != "" {
			parts = append(parts, k+"="+v)
		}
	}
	slices.SortFunc(parts, func(a, b string) int {
		ka, _, _ := strings.Cut(a, "=")
		kb, _, _ := strings.Cut(b, "=")
		return strings.Compare(ka, kb)
	})
	return strings.Join(parts, "&")
}
