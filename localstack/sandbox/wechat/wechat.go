// Package wechat plays WeChat Pay's APIv3 on this machine, over the books of
// [github.com/fairseat/fairseat/localstack/sandbox/sim]: the other end of
// pkg/payment/wechat, with which it shares no code, so that a mistake in the form of
// what is signed or sealed shows on one side.
//
// It signs with keys of its own and refuses whatever of a request is not as WeChat wants
// it, which has no test environment of its own. What is particular to WeChat is here,
// too: two kinds of platform keys, certificates that follow one another, refunds that
// are taken on first and done later, refusals that are signed. Start with [New].
package wechat

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net/http"
	"time"

	"github.com/fairseat/fairseat/localstack/sandbox/sim"
)

// Options of a gateway. All are required.
type Options struct {
	Keys     Keys
	Merchant string // mchid, whose requests are taken
	App      string // appid that it is bound to
	URL      string // where the handler is reached
	Now      func() time.Time
	Nonce    func() string // fresh for each signature and seal, 12 letters and digits or more
	Log      *slog.Logger
}

// Wire is a [sim.Wire].
type Wire struct {
	opt   Options
	ring  ring
	salt  string // of addresses that nobody guesses
	books *sim.Sim
}

var _ sim.Wire = (*Wire)(nil)

// New makes a wire.
func New(opt Options) (*Wire, error) {
	if opt.Merchant == "" || opt.App == "" || opt.URL == "" || opt.Now == nil || opt.Nonce == nil || opt.Log == nil {
		return nil, errors.New("wechat: merchant, app, address, clock, nonce or log is missing")
	}
	w := &Wire{opt: opt}
	if err := w.ring.read(opt.Keys); err != nil {
		return nil, fmt.Errorf("wechat: %w", err)
	}
	sum := sha256.Sum256([]byte("pages." + opt.Keys.Sealing))
	w.salt = hex.EncodeToString(sum[:])
	return w, nil
}

// Salt is what pages' addresses may be made from.
func (w *Wire) Salt() string { return w.salt }

// Routes adds the calls of a merchant, and the control of the platform's keys:
//
//	POST /control/keys  {"callbacks":"certificate"|"public"}  what signs callbacks
//	POST /control/turn  the next certificate is listed beside the last, and signs
func (w *Wire) Routes(mux *http.ServeMux, s *sim.Sim) {
	w.books = s
	for pattern, do := range map[string]call{
		"POST /v3/pay/transactions/native":                      w.native,
		"GET /v3/pay/transactions/out-trade-no/{number}":        w.query,
		"POST /v3/pay/transactions/out-trade-no/{number}/close": w.close,
		"POST /v3/refund/domestic/refunds":                      w.refund,
		"GET /v3/refund/domestic/refunds/{number}":              w.refundQuery,
		"GET /v3/certificates":                                  w.certificates,
		"GET /v3/bill/tradebill":                                w.bill,
	} {
		mux.HandleFunc(pattern, w.signed(do))
	}
	mux.HandleFunc("GET /v3/billdownload/file", w.download)
	mux.HandleFunc("POST /control/keys", w.control(w.postKeys))
	mux.HandleFunc("POST /control/turn", w.control(w.postTurn))
}

// Ref is a transaction's or a refund's number: 28 digits.
func (w *Wire) Ref(kind sim.Kind, id string) string {
	sum := sha256.Sum256([]byte(id))
	digits := new(big.Int).SetBytes(sum[:]).String()
	if kind == sim.OfRefund {
		return "5030" + digits[:24]
	}
	return "4200" + digits[:24]
}

// Notice is of money that came, and of refunds whatever their end. It is sealed once and
// signed anew with each sending.
func (w *Wire) Notice(n int, now time.Time, p sim.Payment, r *sim.Refund) string {
	var event, of, summary string
	var plain any
	switch {
	case r == nil && p.State == sim.Captured:
		event, of, summary, plain = "TRANSACTION.SUCCESS", "transaction", "支付成功", w.transaction(p, now)
	case r != nil && r.State == sim.Done:
		event, of, summary, plain = "REFUND.SUCCESS", "refund", "退款成功", w.refundNews(p, *r)
	case r != nil && r.State == sim.Failed:
		event, of, summary, plain = "REFUND.CLOSED", "refund", "退款关闭", w.refundNews(p, *r)
	default:
		return ""
	}
	return string(text(members{
		"id": fmt.Sprintf("EV-%s%06d", p.Ref[4:20], n), "create_time": beijing(now), "resource_type": "encrypt-resource",
		"event_type": event, "summary": summary, "resource": with(w.seal(string(text(plain)), of), "original_type", of),
	}))
}

// Sign adds the headers of one sending.
func (w *Wire) Sign(h http.Header, body []byte, at time.Time) {
	h.Set("Content-Type", "application/json")
	w.sign(h, w.ring.forCallbacks(), body, at)
}

// Taken is 200 or 204; what is in the answer does not matter.
func (w *Wire) Taken(status int, _ []byte) bool {
	return status == http.StatusOK || status == http.StatusNoContent
}

// members are a JSON object's.
type members map[string]any

func with(m members, name string, v any) members {
	m[name] = v
	return m
}

func text(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // only our own maps come here
	}
	return b
}

var zone = time.FixedZone("Beijing", 8*3600)

func beijing(t time.Time) string { return t.In(zone).Format(time.RFC3339) }
