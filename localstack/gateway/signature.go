package gateway

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

var signature = regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=([^/,\s]+)/\d{8}/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request,\s*SignedHeaders=([a-z0-9;_-]+),\s*Signature=([0-9a-f]{64})$`)

// admitManager asks who signs, whether the signature is right and whether he may.
// Unlike the stand-ins' ports this one verifies: a path with "=" in it is signed
// wrongly all too easily, and only AWS would tell. A signature's age is not judged.
func (s *Sockets) admitManager(r *http.Request, body []byte) *fault {
	denied := func(name, message string) *fault { return &fault{http.StatusForbidden, name, message} }
	text := r.Header.Get("Authorization")
	if text == "" {
		return noMethod
	}
	m := signature.FindStringSubmatch(text)
	if m == nil {
		return denied("IncompleteSignatureException", "Authorization header is not one of AWS4-HMAC-SHA256")
	}
	key, region, service := m[1], m[2], m[3]
	if service != "execute-api" {
		return denied("InvalidSignatureException", "Credential should be scoped to correct service: 'execute-api'.")
	}
	if s.opts.Gate == nil {
		return nil
	}
	secret, known := s.opts.Gate.Secret(key)
	if !known {
		return denied("UnrecognizedClientException", "The security token included in the request is invalid.")
	}
	if !signedBy(r, body, aws.Credentials{AccessKeyID: key, SecretAccessKey: secret}, region, m[4], m[5]) {
		return denied("InvalidSignatureException", "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	}
	// Rights are to all connections or to none: an id names nobody in advance.
	resource := s.api.ARN + "/" + r.Method + "/@connections/*"
	if err := s.opts.Gate.Admit(key, "execute-api:ManageConnections", resource); err != nil {
		return denied("AccessDeniedException", err.Error())
	}
	return nil
}

// signedBy signs the request again as it came and compares.
func signedBy(r *http.Request, body []byte, c aws.Credentials, region, names, want string) bool {
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	signed := strings.Split(names, ";")
	if err != nil || !slices.Contains(signed, "host") || !slices.Contains(signed, "x-amz-date") {
		return false
	}
	again := &http.Request{
		Method: r.Method, Host: r.Host, Header: http.Header{},
		URL: &url.URL{Scheme: "http", Host: r.Host, Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery},
	}
	for _, name := range signed {
		if v := r.Header.Values(name); len(v) > 0 {
			again.Header[http.CanonicalHeaderKey(name)] = v
		}
		if name == "content-length" {
			again.ContentLength = int64(len(body))
		}
	}
	sum := sha256.Sum256(body)
	if v4.NewSigner().SignHTTP(context.Background(), c, again, hex.EncodeToString(sum[:]), "execute-api", region, at) != nil {
		return false
	}
	_, got, _ := strings.Cut(again.Header.Get("Authorization"), "Signature=")
	return subtle.ConstantTimeCompare([]byte(got), []byte(want)) == 1
}
