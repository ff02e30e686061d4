// Package post is the way to a client through the gateway's @connections: it sends
// a message to a socket, or closes it.
//
// It signs plain HTTP itself: for two calls without a body worth reading, the SDK's
// client of this service would be one more to link. Nothing is tried again here: who
// could not be told is told later, alone.
package post

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/socket"
)

// ErrRefused is an answer of the gateway that is neither done nor gone.
var ErrRefused = fault.New(fault.Busy, "", "post: the gateway refused")

// Wait is the longest for one answer.
const Wait = 3 * time.Second

// Post sends to the sockets of one stage of one API. It is safe for concurrent use.
type Post struct {
	client *http.Client
	stage  *url.URL
	region string
	cred   aws.Credentials
	signer *v4.Signer
	clock  func() time.Time
}

// New speaks to the stage at an address such as https://id.execute-api.region.amazonaws.com/v1,
// with the credentials that Lambda sets in the environment. No call is made.
func New(env func(string) string, stage string, sockets int, clock func() time.Time) (*Post, error) {
	u, err := url.Parse(stage)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || u.User != nil {
		return nil, errors.New("post: the address of the stage is none")
	}
	u.Path = strings.TrimRight(u.Path, "/")
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost, t.MaxConnsPerHost = sockets, sockets
	return &Post{
		client: &http.Client{Transport: t, Timeout: Wait, CheckRedirect: stay}, stage: u, region: env("AWS_REGION"),
		cred: aws.Credentials{
			AccessKeyID: env("AWS_ACCESS_KEY_ID"), SecretAccessKey: env("AWS_SECRET_ACCESS_KEY"), SessionToken: env("AWS_SESSION_TOKEN"),
		},
		signer: v4.NewSigner(), clock: clock,
	}, nil
}

// stay takes a redirection for the answer that it is: what was signed is for here.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Post sends one message, or fails with [socket.ErrGone].
func (p *Post) Post(ctx context.Context, id socket.ConnID, w socket.Word) error {
	return p.call(ctx, http.MethodPost, id, []byte(w))
}

// Close closes a socket; one that is gone is closed.
func (p *Post) Close(ctx context.Context, id socket.ConnID) error {
	err := p.call(ctx, http.MethodDelete, id, nil)
	if errors.Is(err, socket.ErrGone) {
		return nil
	}
	return err
}

func (p *Post) call(ctx context.Context, method string, id socket.ConnID, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, method, p.stage.String(), bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("post: %w", err)
	}
	// An id ends in =, which a path has escaped, as the SDK escapes it.
	req.URL.Path = p.stage.Path + "/@connections/" + string(id)
	req.URL.RawPath = p.stage.EscapedPath() + "/@connections/" + url.QueryEscape(string(id))
	sum := sha256.Sum256(body)
	if err := p.signer.SignHTTP(ctx, p.cred, req, hex.EncodeToString(sum[:]), "execute-api", p.region, p.clock()); err != nil {
		return fmt.Errorf("post: sign: %w", err)
	}
	answer, err := p.client.Do(req)
	if err != nil {
		return fmt.Errorf("post: %w", err)
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10)) // so that the connection serves again
	answer.Body.Close()
	switch {
	case answer.StatusCode == http.StatusGone:
		return socket.ErrGone
	case answer.StatusCode/100 == 2:
		return nil
	}
	return fmt.Errorf("%w: %d", ErrRefused, answer.StatusCode)
}
