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
func (o own) sign(timestamp, what string, body []byte) string {
	m := hmac.New(sha256.New, []byte(o.secret))
	m.Write([]byte(timestamp + "." + what))
	m.Write(body)
	return hex.EncodeToString(m.Sum(nil))
}

func (o own) signedBy(r *http.Request, body []byte, now time.Time) bool {
	ts := r.Header.Get(timestampHeader)
	sec, err := strconv.ParseInt(ts, 10, 64)
	if err != nil || strconv.FormatInt(sec, 10) != ts {
		return false
	}
	age := now.Sub(time.Unix(sec, 0))
	if age > window || age < -window {
		return false
	}
	want := o.sign(ts, "request."+r.Method+"."+r.URL.RequestURI()+".", body)
	return hmac.Equal([]byte(want), []byte(r.Header.Get(signatureHeader)))
}

func (o own) signAnswer(h http.Header, now time.Time, status int, request string, body []byte) {
	ts := strconv.FormatInt(now.Unix(), 10)
	h.Set(timestampHeader, ts)
	h.Set(signatureHeader, o.sign(ts, "answer."+strconv.Itoa(status)+"."+request+".", body))
}
