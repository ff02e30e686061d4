// Package unionpay plays UnionPay's gateway, ACP 5.1.0, over the simulator's books: the
// other end of pkg/payment/unionpay, with which it shares nothing but the type of an
// amount.
//
// It decides what the gateway would refuse: requests that are not signed by the shop's
// certificate, fields that are missing, empty or out of form, numbers that were used, and
// times that are not now. Start with [Make], for the keys of both sides, and [New].
//
// What is signed is the lower-case hexadecimal SHA-256 of k=v joined by &, sorted, with
// SHA-256 and RSA once more.
package unionpay

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/fairseat/fairseat/localstack/sandbox/sim"
	"github.com/fairseat/fairseat/pkg/money"
)

// Wire is a [sim.Wire].
type Wire struct {
	keys *keys
	log  *slog.Logger
	once sync.Mutex // a number is used once, however many ask at the same time
}

// New makes the wire of a gateway that has these keys.
func New(k Keys, log *slog.Logger) (*Wire, error) {
	read, err := k.read()
	if err != nil {
		return nil, err
	}
	return &Wire{keys: read, log: log}, nil
}

// Codes of answers.
const (
	ok        = "00"
	failed    = "01"
	underWay  = "05"
	busy      = "06"
	malformed = "10"
	signature = "11"
	duplicate = "12"
	absent    = "34"
	original  = "35" // the transaction meant does not exist or is not in the right state
	differs   = "36" // from the transaction meant
	noHours   = "39"
	timedOut  = "69"
	noFile    = "98"
)

var words = map[string]string{
	ok: "成功[0000000]", failed: "交易失败", underWay: "交易已受理，请稍后查询交易结果", busy: "系统繁忙，请稍后再试",
	malformed: "报文格式错误", signature: "验证签名失败", duplicate: "重复交易", absent: "查无此交易[2600000]",
	original: "原交易不存在或状态不正确", differs: "与原交易信息不符", noHours: "交易不在受理时间范围内",
	timedOut: "您的输入超时，交易失败", noFile: "文件不存在",
}

const maxBody = 64 << 10

// Salt is what pages' addresses may be made from.
func (w *Wire) Salt() string {
	sum := sha256.Sum256(w.keys.key.D.Bytes())
	return hex.EncodeToString(sum[:])
}

// Routes adds the gateway's two addresses and that of the bills.
func (w *Wire) Routes(mux *http.ServeMux, s *sim.Sim) {
	for pattern, do := range map[string]func(*sim.Sim, message) message{
		"POST /gateway/api/backTransReq.do": w.transact,
		"POST /gateway/api/queryTrans.do":   w.query,
		"POST /{$}":                         w.file,
	} {
		mux.HandleFunc(pattern, func(out http.ResponseWriter, r *http.Request) { w.serve(out, r, s, do) })
	}
}

// serve answers what the shop signed. Who did not is told so, with nothing done.
func (w *Wire) serve(out http.ResponseWriter, r *http.Request, s *sim.Sim, do func(*sim.Sim, message) message) {
	body, err := io.ReadAll(http.MaxBytesReader(out, r.Body, maxBody))
	if err != nil {
		http.Error(out, "too large", http.StatusRequestEntityTooLarge)
		return
	}
	m, err := parse(r.Header.Get("Content-Type"), r.URL.RawQuery, body)
	if err != nil {
		w.log.Warn("refused", "path", r.URL.Path, "why", err)
		w.answer(out, message{}, message{"respCode": malformed})
		return
	}
	if err := w.keys.verify(m); err != nil {
		w.log.Warn("refused", "path", r.URL.Path, "order", m["orderId"], "why", err)
		w.answer(out, m, message{"respCode": signature})
		return
	}
	if !m.common() || !m.shaped() {
		w.log.Warn("refused", "path", r.URL.Path, "order", m["orderId"], "why", "fields")
		w.answer(out, m, message{"respCode": malformed})
		return
	}
	fault := s.Fault()
	if fault == "unavailable" {
		w.answer(out, m, message{"respCode": busy})
		return
	}
	a := do(s, m)
	w.log.Info("answer", "path", r.URL.Path, "order", m["orderId"], "respCode", a["respCode"], "origRespCode", a["origRespCode"])
	if fault == "lost" {
		http.Error(out, "lost", http.StatusInternalServerError)
		return
	}
	w.answer(out, m, a)
}

// echoed are the fields of a request that its answer has too.
var echoed = []string{"accessType", "bizType", "merId", "orderId", "txnSubType", "txnTime", "txnType", "reqReserved", "settleDate", "fileType"}

func (w *Wire) answer(out http.ResponseWriter, asked, a message) {
	for _, k := range echoed {
		if v, there := asked[k]; there && a[k] == "" {
			a[k] = v
		}
	}
	a["respMsg"] = cmp.Or(a["respMsg"], words[a["respCode"]])
	w.keys.sign(a)
	out.Header().Set("Content-Type", "text/html;charset=UTF-8")
	io.WriteString(out, a.plain())
}

// transact is a transaction from the shop's back end: a QR code, a refund, a void.
func (w *Wire) transact(s *sim.Sim, m message) message {
	w.once.Lock()
	defer w.once.Unlock()
	if !m.order() || !m.address() {
		return message{"respCode": malformed}
	}
	if age := s.Now().Sub(m.time("txnTime")); age > time.Hour || age < -time.Hour {
		return message{"respCode": noHours, "respMsg": "txnTime无效"}
	}
	if w.used(s, m["orderId"]) {
		return message{"respCode": duplicate}
	}
	switch m["txnType"] + m["txnSubType"] {
	case "0107":
		return w.pay(s, m)
	case "0400", "3100":
		return w.giveBack(s, m)
	}
	return message{"respCode": malformed}
}

func (w *Wire) used(s *sim.Sim, number string) bool {
	_, perr := s.Payment(number)
	_, rerr := s.Refund(number)
	return perr == nil || rerr == nil
}

func (w *Wire) pay(s *sim.Sim, m message) message {
	end := m.time("payTimeout")
	if m["bizType"] != "000000" || m["channelType"] != "08" || m["currencyCode"] != "156" || !end.After(m.time("txnTime")) {
		return message{"respCode": malformed}
	}
	order := m["orderId"]
	if names.MatchString(m["reqReserved"]) {
		order = m["reqReserved"] // the page shows it
	}
	p, err := s.Make(sim.Order{
		ID: m["orderId"], Order: order, Amount: m.yuan(), Description: m["orderDesc"], NotifyURL: m["backUrl"],
		ExpiresAt: end, Extra: map[string]string{"txnTime": m["txnTime"], "reqReserved": m["reqReserved"]},
	})
	if err != nil {
		return w.trouble(err)
	}
	return message{"respCode": ok, "qrCode": s.Page(p.ID)}
}

// giveBack takes a refund or a void of a payment that UnionPay's own number names.
func (w *Wire) giveBack(s *sim.Sim, m message) message {
	p, err := s.Find(m["origQryId"])
	if err != nil || p.State != sim.Captured {
		return message{"respCode": original}
	}
	void := m["txnType"] == "31"
	if void && (m.yuan() != p.Amount || p.Refunded > 0 || !clearing(p.PaidAt).Equal(clearing(s.Now()))) {
		return message{"respCode": original}
	}
	_, _, err = s.Return(p.ID, sim.Refund{
		ID: m["orderId"], Amount: m.yuan(), NotifyURL: m["backUrl"],
		Extra: map[string]string{"txnTime": m["txnTime"], "txnType": m["txnType"], "reqReserved": m["reqReserved"]},
	})
	if err != nil {
		return w.trouble(err)
	}
	return message{"respCode": ok, "queryId": w.Ref(sim.OfRefund, m["orderId"]), "origQryId": m["origQryId"]}
}

func (w *Wire) trouble(err error) message {
	switch {
	case errors.Is(err, sim.ErrNotFound):
		return message{"respCode": original}
	case errors.Is(err, sim.ErrTooMuch), errors.Is(err, sim.ErrNotPaid):
		return message{"respCode": differs}
	case errors.Is(err, sim.ErrOther):
		return message{"respCode": duplicate}
	}
	w.log.Error("failed", "err", err)
	return message{"respCode": malformed}
}

// query tells how a transaction of any kind stands. A QR code that nobody has scanned is
// no transaction yet.
func (w *Wire) query(s *sim.Sim, m message) message {
	if m["txnType"]+m["txnSubType"]+m["bizType"] != "0000000000" {
		return message{"respCode": malformed}
	}
	if p, err := s.Payment(m["orderId"]); err == nil && p.Extra["txnTime"] == m["txnTime"] {
		return w.paid(p)
	}
	if r, err := s.Refund(m["orderId"]); err == nil && r.Extra["txnTime"] == m["txnTime"] {
		return w.returned(r)
	}
	return message{"respCode": absent}
}

func (w *Wire) paid(p sim.Payment) message {
	if !p.Seen && (p.State == sim.Pending || p.State == sim.Closed) {
		return message{"respCode": absent}
	}
	code := map[sim.State]string{sim.Pending: underWay, sim.Captured: ok, sim.Failed: failed, sim.Closed: timedOut}[p.State]
	a := message{"respCode": ok, "origRespCode": code, "origRespMsg": words[code], "txnType": "01", "txnSubType": "07"}
	return w.facts(a, p.Amount, p.At, w.Ref(sim.OfPayment, p.ID))
}

func (w *Wire) returned(r sim.Refund) message {
	code := map[sim.State]string{sim.Pending: underWay, sim.Done: ok, sim.Failed: failed}[r.State]
	a := message{"respCode": ok, "origRespCode": code, "origRespMsg": words[code], "txnType": r.Extra["txnType"], "txnSubType": "00"}
	a["origQryId"] = w.Ref(sim.OfPayment, r.Payment)
	return w.facts(a, r.Amount, r.At, w.Ref(sim.OfRefund, r.ID))
}

// facts are what a notice and the answer to a query have in common.
func (w *Wire) facts(a message, amount money.Amount, at time.Time, ref string) message {
	fen := strconv.FormatInt(amount.Minor, 10)
	for k, v := range map[string]string{
		"txnAmt": fen, "currencyCode": "156", "settleAmt": fen, "settleCurrencyCode": "156",
		"settleDate": clearing(at).Format("0102"), "traceNo": ref[15:21], "traceTime": at.In(beijing).Format("0102150405"), "queryId": ref,
	} {
		a[k] = v
	}
	return a
}

// Ref is a queryId: 21 digits, the same for the same number.
func (w *Wire) Ref(kind sim.Kind, id string) string {
	sum := sha256.Sum256([]byte(string(kind) + " " + id))
	digits := new(big.Int).SetBytes(sum[:16]).String()
	return (strings.Repeat("0", 21) + digits)[len(digits):]
}

// Notice tells of a payment that succeeded, and of the end of a refund. UnionPay is
// silent about payments that fail or run out.
func (w *Wire) Notice(_ int, _ time.Time, p sim.Payment, r *sim.Refund) string {
	m := message{"accessType": "0", "bizType": "000000", "merId": w.keys.merchant, "exchangeRate": "0", "respCode": ok}
	switch {
	case r == nil && p.State != sim.Captured, r != nil && r.State == sim.Pending:
		return ""
	case r == nil:
		m["txnType"], m["txnSubType"], m["orderId"] = "01", "07", p.ID
		m["txnTime"], m["reqReserved"] = p.Extra["txnTime"], p.Extra["reqReserved"]
		w.facts(m, p.Amount, p.At, w.Ref(sim.OfPayment, p.ID))
	default:
		if r.State == sim.Failed {
			m["respCode"] = failed
		}
		m["txnType"], m["txnSubType"], m["orderId"] = r.Extra["txnType"], "00", r.ID
		m["txnTime"], m["reqReserved"] = r.Extra["txnTime"], r.Extra["reqReserved"]
		m["origQryId"] = w.Ref(sim.OfPayment, r.Payment)
		w.facts(m, r.Amount, r.At, w.Ref(sim.OfRefund, r.ID))
	}
	if m["reqReserved"] == "" {
		delete(m, "reqReserved")
	}
	m["respMsg"] = words[m["respCode"]]
	w.keys.sign(m)
	return m.form()
}

// Sign names the form alone: the signature is in the body.
func (w *Wire) Sign(h http.Header, _ []byte, _ time.Time) {
	h.Set("Content-Type", "application/x-www-form-urlencoded;charset=UTF-8")
}

// Taken is 200, and 302 for those who send the buyer on.
func (w *Wire) Taken(status int, _ []byte) bool {
	return status == http.StatusOK || status == http.StatusFound
}
