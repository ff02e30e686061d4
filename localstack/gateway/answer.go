package gateway

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// answer is what goes on the wire.
type answer struct {
	status int
	header http.Header
	body   []byte
	base64 bool
}

type answerDocument struct {
	StatusCode json.RawMessage            `json:"statusCode"`
	Headers    map[string]json.RawMessage `json:"headers"`
	Multi      map[string]json.RawMessage `json:"multiValueHeaders"`
	Body       *string                    `json:"body"`
	Base64     bool                       `json:"isBase64Encoded"`
}

// decodeAnswer reads a function's answer. No member is required, and no other is
// allowed; a status may be a number or its text.
func decodeAnswer(b []byte) (*answer, error) {
	if t := bytes.TrimLeft(b, " \t\r\n"); len(t) == 0 || t[0] != '{' {
		return nil, errors.New("not a JSON object")
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	var doc answerDocument
	if err := dec.Decode(&doc); err != nil {
		return nil, err
	}
	status, err := decodeStatus(doc.StatusCode)
	if err != nil {
		return nil, err
	}
	out := &answer{status: status, header: http.Header{}, base64: doc.Base64}
	if doc.Body != nil {
		out.body = []byte(*doc.Body)
	}
	for name, raw := range doc.Headers {
		v, err := scalar(raw)
		if err != nil {
			return nil, fmt.Errorf("header %q: %w", name, err)
		}
		out.header.Add(name, v)
	}
	return out, out.merge(doc.Multi)
}

// merge adds multiValueHeaders; a value in both places is sent once.
func (a *answer) merge(multi map[string]json.RawMessage) error {
	for name, raw := range multi {
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) != nil {
			list = []json.RawMessage{raw}
		}
		var values []string
		for _, item := range list {
			v, err := scalar(item)
			if err != nil {
				return fmt.Errorf("header %q: %w", name, err)
			}
			values = append(values, v)
		}
		for _, single := range a.header.Values(name) {
			if !contains(values, single) {
				values = append([]string{single}, values...)
			}
		}
		a.header[http.CanonicalHeaderKey(name)] = values
	}
	return nil
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

func decodeStatus(raw json.RawMessage) (int, error) {
	s := strings.Trim(string(raw), `"`)
	if s == "" || s == "null" {
		return http.StatusOK, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 200 || n > 599 {
		return 0, fmt.Errorf("statusCode %s is none", raw)
	}
	return n, nil
}

func scalar(raw json.RawMessage) (string, error) {
	// Nearly every header is a plain string: a decoder for each was most of an answer's decoding.
	if n := len(raw); n >= 2 && raw[0] == '"' && bytes.IndexByte(raw, '\\') < 0 && utf8.Valid(raw) {
		return string(raw[1 : n-1]), nil
	}
	var v any
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		return "", err
	}
	switch x := v.(type) {
	case string:
		return x, nil
	case bool, json.Number:
		return fmt.Sprint(x), nil
	}
	return "", errors.New("neither string, number nor boolean")
}

// remapped are the headers that the gateway sets itself; a function's own comes under another name.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
var remapped = []string{"Authorization", "Connection", "Content-Length", "Content-Md5", "Date", "Expect",
	"Host", "Max-Forwards", "Server", "Te", "Trailer", "Upgrade", "User-Agent", "Via", "Www-Authenticate"}

// finishAnswer turns a function's answer into the gateway's.
func (g *Gateway) finishAnswer(q *request, a *answer) error {
	if a.base64 && g.wantsBinary(q.header.Get("Accept")) {
		b, err := base64.StdEncoding.DecodeString(string(a.body))
		if err != nil {
			return fmt.Errorf("body is not base64: %w", err)
		}
		a.body = b
	}
	for _, name := range remapped {
		if v := a.header.Values(name); len(v) > 0 {
			a.header["X-Amzn-Remapped-"+name] = v
			a.header.Del(name)
		}
	}
	a.header.Del("Transfer-Encoding")
	if a.header.Get("Content-Type") == "" {
		a.header.Set("Content-Type", "application/json")
	}
	return nil
}

func (g *Gateway) corsAnswer(q *request) *answer {
	c := g.api.CORS
	methods := c.Methods
	if methods == "" {
		methods = q.resource.allowed()
	}
	h := http.Header{"Content-Type": {"application/json"}}
	for name, v := range map[string]string{
		"Access-Control-Allow-Origin": c.Origin, "Access-Control-Allow-Methods": methods,
		"Access-Control-Allow-Headers": c.Headers, "Access-Control-Max-Age": c.MaxAge,
	} {
		if v != "" {
			h.Set(name, v)
		}
	}
	return &answer{status: http.StatusOK, header: h, body: []byte("{}\n")}
}

// write sends the answer; net/http adds Date and Content-Length, and leaves out the body of a HEAD.
func (g *Gateway) write(w http.ResponseWriter, q *request, a *answer) {
	h := w.Header()
	for name, v := range a.header {
		h[name] = v
	}
	h.Set("X-Amzn-Requestid", q.id)
	h.Set("X-Amz-Apigw-Id", q.extended)
	body := a.body
	if a.status == http.StatusNoContent || a.status == http.StatusNotModified {
		body = nil
	}
	if enc := g.encoding(q, a, body); enc != "" {
		body = compress(enc, body)
		h.Set("Content-Encoding", enc)
	}
	if body != nil {
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(body)
}

func (g *Gateway) encoding(q *request, a *answer, body []byte) string {
	if g.api.MinCompress < 0 || len(body) < max(g.api.MinCompress, 1) || a.header.Get("Content-Encoding") != "" {
		return ""
	}
	return acceptedEncoding(q.header.Values("Accept-Encoding"))
}

// acceptedEncoding prefers gzip; a weight of 0 refuses.
func acceptedEncoding(accept []string) string {
	ok := map[string]bool{}
	for part := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		name, params, _ := strings.Cut(part, ";")
		q := strings.TrimPrefix(strings.ReplaceAll(params, " ", ""), "q=")
		weight, err := strconv.ParseFloat(q, 64)
		ok[strings.ToLower(strings.TrimSpace(name))] = err != nil || weight > 0
	}
	for _, enc := range []string{"gzip", "deflate"} {
		if use, named := ok[enc]; use || !named && ok["*"] {
			return enc
		}
	}
	return ""
}

// Compressors are used again: a new one is most of a megabyte, which was a third of
// the gateway's work and most of its garbage.
var (
	gzips = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}
	zlibs = sync.Pool{New: func() any { return zlib.NewWriter(nil) }}
)

type compressor interface {
	io.WriteCloser
	Reset(io.Writer)
}

func compress(enc string, b []byte) []byte {
	pool := &gzips
	if enc == "deflate" {
		pool = &zlibs
	}
	var buf bytes.Buffer
	w := pool.Get().(compressor)
	defer pool.Put(w)
	w.Reset(&buf)
	_, _ = w.Write(b)
	_ = w.Close()
	return buf.Bytes()
}

// decompress reads at most one byte more than a body may have.
func decompress(enc string, b []byte) ([]byte, error) {
	var r io.Reader
	var err error
	switch strings.ToLower(enc) {
	case "gzip":
		r, err = gzip.NewReader(bytes.NewReader(b))
	case "deflate":
		r, err = zlib.NewReader(bytes.NewReader(b))
	case "identity":
		return b, nil
	default:
		return nil, fmt.Errorf("content encoding %q is unknown", enc)
	}
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(r, maxBody+1))
}

func (g *Gateway) isBinary(contentType string) bool {
	name, _, _ := strings.Cut(contentType, ";")
	name = strings.ToLower(strings.TrimSpace(name))
	if name == "" {
		name = "application/json"
	}
	for _, t := range g.api.BinaryTypes {
		t = strings.ToLower(t)
		family, any := strings.CutSuffix(t, "*")
		if t == "*/*" || t == name || any && strings.HasPrefix(name, family) {
			return true
		}
	}
	return false
}

// wantsBinary goes by the first type that the client accepts, as AWS does.
func (g *Gateway) wantsBinary(accept string) bool {
	first, _, _ := strings.Cut(accept, ",")
	return g.isBinary(first)
}
