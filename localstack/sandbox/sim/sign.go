package sim

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"time"
)

const (
	timestampHeader = "X-Sandbox-Timestamp"
	signatureHeader = "X-Sandbox-Signature"
	window          = 5 * time.Minute
)

// sign is hex(HMAC-SHA256(secret, "<timestamp>.<what>")).
func (s *Sim) sign(timestamp, what string, body []byte) string {
	m := hmac.New(sha256.New, []byte(s.opt.Secret))
	m.Write([]byte(timestamp + "." + what))
	m.Write(body)
	return hex.EncodeToString(m.Sum(nil))
}

func (s *Sim) signedBy(r *http.Request, body []byte) bool {
	ts := r.Header.Get(timestampHeader)
	sec, err := strconv.ParseInt(ts, 10, 64)
	if err != nil || strconv.FormatInt(sec, 10) != ts {
		return false
	}
	age := s.opt.Now().Sub(time.Unix(sec, 0))
	if age > window || age < -window {
		return false
	}
	want := s.sign(ts, "request."+r.Method+"."+r.URL.RequestURI()+".", body)
	return hmac.Equal([]byte(want), []byte(r.Header.Get(signatureHeader)))
}

func (s *Sim) signAnswer(h http.Header, status int, request string, body []byte) {
	ts := strconv.FormatInt(s.opt.Now().Unix(), 10)
	h.Set(timestampHeader, ts)
	h.Set(signatureHeader, s.sign(ts, "answer."+strconv.Itoa(status)+"."+request+".", body))
}

func (s *Sim) signCallback(h http.Header, age time.Duration, body []byte) {
	ts := strconv.FormatInt(s.opt.Now().Add(-age).Unix(), 10)
	h.Set(timestampHeader, ts)
	h.Set(signatureHeader, s.sign(ts, "", body))
}

// token makes a page address that cannot be guessed from a payment's number.
func (s *Sim) token(payment string) string {
	return s.sign("page", payment, nil)[:32]
}
