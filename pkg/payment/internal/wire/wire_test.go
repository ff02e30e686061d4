package wire

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fairseat/fairseat/pkg/payment"
)

func TestSend(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, "/", http.StatusFound)
		case "/cut":
			w.Header().Set("Content-Length", "100")
		case "/gone":
			panic(http.ErrAbortHandler)
		}
		w.Write([]byte(strings.Repeat("x", 10)))
	}))
	defer server.Close()
	send := func(ctx context.Context, url string, limit int64) (Answer, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		return Send(Still(server.Client()), req, limit)
	}
	if got, err := send(t.Context(), server.URL, 10); err != nil || got.Status != 200 || string(got.Body) != "xxxxxxxxxx" {
		t.Errorf("%+v %v", got, err)
	}
	if got, err := send(t.Context(), server.URL+"/away", 1<<10); err != nil || got.Status != 302 {
		t.Errorf("followed: %+v %v", got, err)
	}
	done, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx   context.Context
		url   string
		limit int64
		want  error
	}{
		"too long":     {t.Context(), server.URL, 9, payment.ErrOutcome},
		"cut":          {t.Context(), server.URL + "/cut", 1000, payment.ErrOutcome},
		"gone":         {t.Context(), server.URL + "/gone", 1000, payment.ErrOutcome},
		"cancelled":    {done, server.URL, 10, payment.ErrOutcome},
		"nobody there": {t.Context(), unused(), 10, payment.ErrProviderDown},
	} {
		if got, err := send(c.ctx, c.url+"?secret=1", c.limit); !errors.Is(err, c.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
}

// unused is an address that nobody listens on.
func unused() string {
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	return s.URL
}

func TestBase(t *testing.T) {
	if u, err := Base("https://openapi.alipay.com/gateway.do"); err != nil || u.Path != "/gateway.do" {
		t.Errorf("%v %v", u, err)
	}
	for _, s := range []string{"", "openapi.alipay.com", "ftp://h/", "http://", "http://h/?a=1", "http://u:p@h/", "http://h/#f"} {
		if u, err := Base(s); err == nil {
			t.Errorf("%q: %v", s, u)
		}
	}
}
