package sandbox

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/payment"
)

// TestAnswersMustBeAuthentic: an answer counts when it is signed for the very
// question and about the very payment; each alone is not enough.
func TestAnswersMustBeAuthentic(t *testing.T) {
	const about = `{"payment":{"id":"p0000001","order_id":"o1","provider_ref":"sb-1","state":"captured","amount":{"amount":2998,"currency":"USD"},"at":"2026-01-02T03:04:05.678Z"}}`
	ref := payment.Ref{ID: "p0000001", OrderID: "o1"}
	for _, tt := range []struct {
		name   string
		body   string
		signed string // what is signed
		want   error
	}{
		{"as it should be", about, about, nil},
		{"signed otherwise", about, about + " ", payment.ErrOutcome},
		{"about another payment", strings.Replace(about, "p0000001", "p0000002", 1), "", payment.ErrOutcome},
		{"about another order", strings.Replace(about, `"o1"`, `"o2"`, 1), "", payment.ErrOutcome},
	} {
		var p *Provider
		bank := roundTrip(func(r *http.Request) (*http.Response, error) {
			ts, what := strconv.FormatInt(t0.Unix(), 10), tt.signed
			if what == "" {
				what = tt.body
			}
			h := http.Header{}
			h.Set(timestampHeader, ts)
			h.Set(signatureHeader, p.sign(ts, "answer.200."+r.Header.Get(signatureHeader)+".", []byte(what)))
			return &http.Response{StatusCode: http.StatusOK, Header: h, Body: io.NopCloser(strings.NewReader(tt.body)), Request: r}, nil
		})
		var err error
		p, err = New(&http.Client{Transport: bank}, "http://provider.example", secret, func() time.Time { return t0 })
		if err != nil {
			t.Fatal(err)
		}
		if got, err := p.Query(t.Context(), ref); !errors.Is(err, tt.want) || (tt.want == nil) != (got.State == payment.ReportCaptured) {
			t.Errorf("%s: %+v, %v", tt.name, got, err)
		}
	}
}
