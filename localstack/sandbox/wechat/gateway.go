package wechat

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/fairseat/fairseat/localstack/sandbox/sim"
)

const longest = 64 << 10

// no is a refusal: a status and WeChat's word.
type no struct {
	status int
	code   string
}

func (n no) Error() string { return n.code }

// call answers a value to send, nil for 204.
type call func(r *http.Request, body []byte) (any, error)

// signed takes what is signed and shaped as WeChat wants it, and signs what it answers,
// refusals too; only who could not be told from a stranger gets no signature.
func (w *Wire) signed(do call) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, longest))
		if err == nil {
			err = w.authorized(r, body)
		}
		if err != nil {
			w.opt.Log.Warn("refused", "method", r.Method, "path", r.URL.Path, "why", err)
			send(rw, http.StatusUnauthorized, text(members{"code": "SIGN_ERROR", "message": err.Error()}))
			return
		}
		fault := w.books.Fault()
		if fault == "unavailable" {
			w.answer(rw, r, nil, no{http.StatusTooManyRequests, "FREQUENCY_LIMITED"})
			return
		}
		out, err := do(r, body)
		if fault == "lost" {
			panic(http.ErrAbortHandler) // it is done, and nobody hears of it
		}
		w.answer(rw, r, out, err)
	}
}

func (w *Wire) answer(rw http.ResponseWriter, r *http.Request, out any, err error) {
	status, body := http.StatusOK, []byte{}
	var refusal no
	switch {
	case errors.As(err, &refusal):
		status, body = refusal.status, text(members{"code": refusal.code, "message": "refused"})
		w.opt.Log.Warn("refused", "method", r.Method, "path", r.URL.Path, "code", refusal.code)
	case err != nil:
		status, body = http.StatusInternalServerError, text(members{"code": "SYSTEM_ERROR", "message": "see the log"})
		w.opt.Log.Error("failed", "method", r.Method, "path", r.URL.Path, "err", err)
	case out == nil:
		status = http.StatusNoContent
	default:
		body = text(out)
	}
	w.sign(rw.Header(), w.ring.forAnswer(r.Header.Get("Wechatpay-Serial")), body, w.opt.Now())
	send(rw, status, body)
}

func send(rw http.ResponseWriter, status int, body []byte) {
	rw.Header().Set("Content-Type", "application/json; charset=utf-8")
	rw.WriteHeader(status)
	rw.Write(body)
}

var (
	pair  = regexp.MustCompile(`^(mchid|nonce_str|timestamp|serial_no|signature)="([^"]*)"$`)
	nonce = regexp.MustCompile(`^[0-9A-Za-z]{16,32}$`)
)

// authorized checks the header and what it signs.
func (w *Wire) authorized(r *http.Request, body []byte) error {
	kind, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if kind != "WECHATPAY2-SHA256-RSA2048" || len(r.Header.Values("Authorization")) != 1 {
		return errors.New("authorization of another type")
	}
	p := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		m := pair.FindStringSubmatch(part)
		if m == nil || p[m[1]] != "" {
			return errors.New("authorization: a part is unknown or repeated")
		}
		p[m[1]] = m[2]
	}
	sec, err := strconv.ParseInt(p["timestamp"], 10, 64)
	age := w.opt.Now().Sub(time.Unix(sec, 0))
	switch {
	case p["mchid"] != w.opt.Merchant || p["serial_no"] != w.opt.Keys.Serial:
		return errors.New("merchant or serial")
	case err != nil || age > 5*time.Minute || age < -5*time.Minute:
		return errors.New("timestamp")
	case !nonce.MatchString(p["nonce_str"]):
		return errors.New("nonce")
	case r.Header.Get("Accept") != "application/json" || r.Header.Get("User-Agent") == "":
		return errors.New("accept or user agent")
	case len(body) > 0 && r.Header.Get("Content-Type") != "application/json":
		return errors.New("content type")
	}
	if s := r.Header.Get("Wechatpay-Serial"); s != "" && s != w.opt.Keys.PublicID {
		return errors.New("another public key is asked for")
	}
	lines := r.Method + "\n" + r.RequestURI + "\n" + p["timestamp"] + "\n" + p["nonce_str"] + "\n" + string(body) + "\n"
	sum := sha256.Sum256([]byte(lines))
	sig, err := base64.StdEncoding.DecodeString(p["signature"])
	if err != nil || rsa.VerifyPKCS1v15(w.ring.shop, crypto.SHA256, sum[:], sig) != nil {
		return errors.New("signature")
	}
	return nil
}

var bad = no{http.StatusBadRequest, "PARAM_ERROR"}

// strictly decodes a body: a member that WeChat does not know is refused, so is null,
// and space that need not be there.
func strictly(body []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	var tight bytes.Buffer
	if d.Decode(into) != nil || json.Compact(&tight, body) != nil || !bytes.Equal(tight.Bytes(), body) || bytes.Contains(body, []byte(":null")) {
		return bad
	}
	return nil
}

// refused gives a refusal of the books WeChat's word.
func refused(err error, words map[error]no) error {
	for of, word := range words {
		if errors.Is(err, of) {
			return word
		}
	}
	var p *sim.Problem
	if errors.As(err, &p) {
		return bad
	}
	return err
}

// control is not signed; what a page of another site could send is refused.
func (w *Wire) control(do func([]byte) (any, error)) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, longest))
		if err == nil && r.Header.Get("Origin") != "" {
			err = errors.New("not from a browser")
		}
		var out any
		if err == nil {
			out, err = do(body)
		}
		if err != nil {
			send(rw, http.StatusBadRequest, text(members{"error": err.Error()}))
			return
		}
		send(rw, http.StatusOK, text(out))
	}
}
