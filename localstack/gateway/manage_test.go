package gateway

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/fairseat/fairseat/localstack/template"
)

// signed is enough where no gate verifies.
var signed = []string{"Authorization", "AWS4-HMAC-SHA256 Credential=local/20260304/eu-west-1/execute-api/aws4_request, SignedHeaders=host;x-amz-date, Signature=" +
	"0123456789012345678901234567890123456789012345678901234567890123"}

func TestManaging(t *testing.T) {
	talking(t, func(k *talk) {
		ws, id := k.open()
		escaped := url.QueryEscape(id)
		begin := time.Now().UTC()
		for _, tt := range []struct {
			method, path, body string
			header             []string
			status             int
			name, said         string
		}{
			{"POST", "/v1/@connections/" + id, "raw", signed, 200, "", ""},
			{"POST", "/v1/@connections/" + escaped, "escaped", signed, 200, "", ""},
			{"POST", "/v1/%40connections/" + escaped, "all of it", signed, 200, "", ""},
			{"POST", "/v1/@connections/" + id, "", signed, 200, "", ""},
			{"POST", "/v1/@connections/" + id, big(128<<10 + 1), signed, 413, "PayloadTooLargeException", ""},
			{"POST", "/v1/@connections/" + id, big(1<<20 + 1), signed, 413, "PayloadTooLargeException", ""},
			{"POST", "/v1/@connections/AAAAAAAAAAAAAAA=", "x", signed, 410, "GoneException", ""},
			{"GET", "/v1/@connections/AAAAAAAAAAAAAAA=", "", signed, 410, "GoneException", ""},
			{"DELETE", "/v1/@connections/AAAAAAAAAAAAAAA=", "", signed, 410, "GoneException", ""},
			{"POST", "/v1/@connections/nobody", "x", signed, 410, "GoneException", ""}, // four letters more and it is base64 too
			{"POST", "/v1/@connections/no+body!", "x", signed, 400, "BadRequestException", "Invalid connectionId: no+body!"},
			{"POST", "/v1/@connections/", "x", signed, 400, "BadRequestException", "Invalid connectionId: "},
			{"POST", "/v2/@connections/" + id, "x", signed, 403, "ForbiddenException", "Forbidden"},
			{"PUT", "/v1/@connections/" + id, "x", signed, 403, "MissingAuthenticationTokenException", "Missing Authentication Token"},
			{"POST", "/v1/@connections/" + id, "x", nil, 403, "MissingAuthenticationTokenException", "Missing Authentication Token"},
			{"POST", "/v1/@connections/" + id, "x", []string{"Authorization", "Bearer x"}, 403, "IncompleteSignatureException", "AWS4-HMAC-SHA256"},
			{"POST", "/v1/@connections/" + id, "x", []string{"Authorization", strings.Replace(signed[1], "execute-api", "sqs", 1)}, 403,
				"InvalidSignatureException", "Credential should be scoped to correct service: 'execute-api'."},
		} {
			if tt.path == "/v1/@connections/nobody" {
				tt.path += "AA" // eight letters
			}
			heard := make(chan string, 1)
			if tt.status == 200 {
				go func() { heard <- k.hear(ws) }()
			}
			res, body := k.call(tt.method, tt.path, tt.body, tt.header...)
			if res.StatusCode != tt.status || res.Header.Get("X-Amzn-Errortype") != tt.name || res.Header.Get("X-Amzn-Requestid") == "" {
				k.Errorf("%s %s: %s %s", tt.method, tt.path, res.Status, res.Header.Get("X-Amzn-Errortype"))
			}
			if tt.said == "" && body != "" || !strings.Contains(body, tt.said) {
				k.Errorf("%s %s: said %q", tt.method, tt.path, body)
			}
			if tt.status == 200 {
				if got := <-heard; got != tt.body {
					k.Errorf("heard %q", got)
				}
			}
		}
		go func() { _ = k.ended(ws) }()
		pass(2 * time.Second)
		res, body := k.call("GET", "/v1/@connections/"+escaped, "", signed...)
		stamp := begin.Format(timestamp)
		if want := `{"connectedAt":"` + stamp + `","identity":{"userAgent":"Go-http-client/1.1","sourceIp":"127.0.0.1"},"lastActiveAt":"` + stamp + `"}`; res.StatusCode != 200 || body != want {
			k.Errorf("%s\n%s\n%s", res.Status, body, want)
		}
		if res, body := k.call("DELETE", "/v1/@connections/"+escaped, "", signed...); res.StatusCode != 204 || body != "" {
			k.Errorf("%s %s", res.Status, body)
		}
		if res, _ := k.call("DELETE", "/v1/@connections/"+escaped, "", signed...); res.StatusCode != 410 {
			k.Errorf("again: %s", res.Status)
		}
		synctest.Wait()
		if k.routes() != "$connect $disconnect" {
			k.Errorf("called %q", k.routes())
		}
	})
}

// TestPostsComeInOrder, whole and in frames that are small enough, before a close
// that was asked for later.
func TestPostsComeInOrder(t *testing.T) {
	talking(t, func(k *talk) {
		ws, id := k.open()
		ws.SetReadLimit(1 << 20)
		frames := k.pipes.frames
		texts := []string{"one", big(128 << 10), "a\xffb", "four"}
		for _, text := range texts {
			if res, _ := k.call("POST", "/v1/@connections/"+id, text, signed...); res.StatusCode != 200 {
				k.Fatal(res.Status)
			}
		}
		k.call("DELETE", "/v1/@connections/"+id, "", signed...)
		texts[2] = "a\ufffdb"
		for i, want := range texts {
			if got := k.hear(ws); got != want {
				k.Errorf("%d: heard %d bytes", i, len(got))
			}
		}
		if ce := k.ended(ws); ce.Code != 1000 || frames.over.Load() {
			k.Errorf("%v, a frame too large: %v", ce, frames.over.Load())
		}
	})
}

// TestAClientThatDoesNotRead: what is sent to it waits, up to a limit, and then it
// is given up.
func TestAClientThatDoesNotRead(t *testing.T) {
	talking(t, func(k *talk) {
		_, id := k.open()
		var got []int
		for range 5 {
			res, _ := k.call("POST", "/v1/@connections/"+id, "x", signed...)
			synctest.Wait()
			got = append(got, res.StatusCode)
			if res.StatusCode == 429 && res.Header.Get("X-Amzn-Errortype") != "LimitExceededException" {
				k.Errorf("refused as %v", res.Header)
			}
		}
		// The first is being written, two wait.
		if want := []int{200, 200, 200, 429, 429}; !equalInts(got, want) {
			k.Errorf("answered %v", got)
		}
		pass(sendLimit + time.Second)
		if k.routes() != "$connect $disconnect" || k.event(1).RequestContext.DisconnectStatusCode != 1006 {
			k.Errorf("called %q", k.routes())
		}
	}, func(_ *template.SocketAPI, o *SocketOptions) { o.Limits.Backlog = 2 })
}

func equalInts(a, b []int) bool {
	for i := range a {
		if len(a) != len(b) || a[i] != b[i] {
			return false
		}
	}
	return true
}

// gate knows one key.
type gate struct{ asked []string }

func (g *gate) Secret(key string) (string, bool) { return "s3cret", key == "Tell" || key == "Other" }
func (g *gate) Admit(key, action, resource string) error {
	g.asked = append(g.asked, key+" "+action+" "+resource)
	if key == "Tell" {
		return nil
	}
	return errors.New("not authorized")
}

// TestSignatures: as the SDK signs, for each spelling of an id; and what AWS would
// not accept.
func TestSignatures(t *testing.T) {
	g := &gate{}
	const body = "hello"
	for _, tt := range []struct {
		name   string
		method string
		key    string
		secret string
		raw    bool // the id's "=" is not escaped
		spoil  func(*http.Request)
		status int
		said   string
	}{
		{name: "signed", key: "Tell"},
		{name: "the raw id", key: "Tell", raw: true},
		{name: "described", method: "GET", key: "Tell"},
		{name: "an unsigned header", key: "Tell", spoil: func(r *http.Request) { r.Header.Set("X-Extra", "1") }},
		{name: "nobody's key", key: "Nobody", status: 403, said: "security token"},
		{name: "another secret", key: "Tell", secret: "other", status: 403, said: "does not match"},
		{name: "another body", key: "Tell", spoil: func(r *http.Request) { setBody(r, "hallo") }, status: 403, said: "does not match"},
		{name: "another path", key: "Tell", spoil: func(r *http.Request) { r.URL.RawPath = strings.Replace(r.URL.RawPath, "%3D", "=", 1) }, status: 403, said: "does not match"},
		{name: "another method", key: "Tell", spoil: func(r *http.Request) { r.Method = "DELETE" }, status: 403, said: "does not match"},
		{name: "another date", key: "Tell", spoil: func(r *http.Request) { r.Header.Set("X-Amz-Date", "20200101T000000Z") }, status: 403, said: "does not match"},
		{name: "no date", key: "Tell", spoil: func(r *http.Request) { r.Header.Del("X-Amz-Date") }, status: 403, said: "does not match"},
		{name: "no right", key: "Other", status: 403, said: "not authorized"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			talking(t, func(k *talk) {
				t := k.T
				ws, id := k.open()
				go ws.Read(context.Background())
				u := &url.URL{Scheme: "http", Host: "sockets.test:3001", Path: "/v1/@connections/" + id, RawPath: "/v1/@connections/" + url.QueryEscape(id)}
				if tt.raw {
					u.RawPath = ""
				}
				r, err := http.NewRequestWithContext(t.Context(), or(tt.method, "POST"), "http://x", nil)
				if err != nil {
					t.Fatal(err)
				}
				r.URL, r.Host = u, ""
				setBody(r, body)
				sum := sha256.Sum256([]byte(body))
				c := aws.Credentials{AccessKeyID: tt.key, SecretAccessKey: or(tt.secret, "s3cret")}
				if err := v4.NewSigner().SignHTTP(t.Context(), c, r, hex.EncodeToString(sum[:]), "execute-api", "eu-west-1", time.Now()); err != nil {
					t.Fatal(err)
				}
				if tt.spoil != nil {
					tt.spoil(r)
				}
				g.asked = nil
				res, err := k.client.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				defer res.Body.Close()
				var said bytes.Buffer
				said.ReadFrom(res.Body)
				if res.StatusCode != or(tt.status, 200) || !strings.Contains(said.String(), tt.said) {
					t.Errorf("%s %s", res.Status, said.String())
				}
				asked := tt.key + " execute-api:ManageConnections arn:aws:execute-api:eu-west-1:000000000000:talk/v1/" + or(tt.method, "POST") + "/@connections/*"
				if got := strings.Join(g.asked, "\n"); got != asked && (tt.status == 0 || tt.key == "Other") || got != "" && tt.status != 0 && tt.key != "Other" {
					t.Errorf("asked for %q", got)
				}
			}, func(_ *template.SocketAPI, o *SocketOptions) { o.Gate = g })
		})
	}
}

func setBody(r *http.Request, text string) {
	r.Body, r.ContentLength, r.GetBody = http.NoBody, int64(len(text)), nil
	if text != "" {
		r.Body = readCloser{strings.NewReader(text)}
	}
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }
