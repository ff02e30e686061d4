package rights

import (
	"cmp"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/fairseat/fairseat/localstack/template"
)

// S3 speaks in methods and paths, not in targets: /bucket/key, signed for s3.

var signedFor = regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=[^/]+/\d{8}/([a-z0-9-]+)/s3/`)

// signedForObjects tells the region that a request to S3 is signed for.
func signedForObjects(h http.Header) (region string, ok bool) {
	m := signedFor.FindStringSubmatch(h.Get("Authorization"))
	if m == nil {
		return "", false
	}
	return m[1], true
}

// asked is what one request wants of S3, kept with it until the answer comes.
type asked struct {
	who    *role
	region string
	bucket string // ARN
	needs  []Need
}

type askedKey struct{}

// listing are the parameters of ListObjectsV2; any other subresource is refused by its name.
var listing = []string{"list-type", "prefix", "delimiter", "continuation-token", "start-after", "max-keys", "encoding-type", "fetch-owner"}

// ofObjects are the rights of single objects and of lists of them.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
func ofObjects(r *http.Request) (bucket string, all []Need, err error) {
	name, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	bucket = "arn:aws:s3:::" + name
	object := bucket + "/" + key
	for p := range r.URL.Query() {
		if p != "x-id" && (key != "" || !slices.Contains(listing, p)) {
			return bucket, nil, fmt.Errorf("%w: the parameter %q", errUnread, p)
		}
	}
	switch {
	case name == "":
		return bucket, nil, errUnread
	case key == "" && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		return bucket, []Need{{"s3:ListBucket", bucket}}, nil
	case key == "":
		return bucket, nil, fmt.Errorf("%w: %s of a bucket", errUnread, r.Method)
	case r.Header.Get("X-Amz-Copy-Source") != "":
		return bucket, nil, fmt.Errorf("%w: a copy", errUnread)
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		return bucket, []Need{{"s3:GetObject", object}}, nil
	case http.MethodDelete:
		return bucket, []Need{{"s3:DeleteObject", object}}, nil
	case http.MethodPut:
		all = []Need{{"s3:PutObject", object}}
		if r.Header.Get("If-Match") != "" {
			all = append(all, Need{"s3:GetObject", object})
		}
		return bucket, all, nil
	}
	return bucket, nil, fmt.Errorf("%w: %s of an object", errUnread, r.Method)
}

// serveObjects judges one request to S3 and passes it on, its body unread.
func (p *Proxy) serveObjects(w http.ResponseWriter, r *http.Request, region string) {
	who := p.roles[accessKey(r.Header)]
	if who == nil || p.objects == nil {
		refuseObjects(w, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
		return
	}
	bucket, needs, err := ofObjects(r)
	if err == nil && strings.HasPrefix(r.Header.Get("X-Amz-Content-Sha256"), "STREAMING-AWS4") {
		err = fmt.Errorf("%w: a body that is signed in pieces", errUnread)
	}
	var denied *Need
	if err != nil {
		denied = &Need{"s3:" + r.Method, "(" + err.Error() + ")"}
		p.journal.note(who.fn.ID, []Need{*denied}, []Need{*denied})
	} else {
		denied = p.admit(who, needs)
	}
	if denied != nil && p.mode == Enforce {
		refuseObjects(w, "AccessDenied", p.words(who, *denied))
		return
	}
	p.objects.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), askedKey{}, asked{who, region, bucket, needs})))
}

// newObjects forwards in the name of the stand-in's root, for it verifies who signs.
func (p *Proxy) newObjects(b Behind) (*httputil.ReverseProxy, error) {
	forwarder, err := forward(b.Objects)
	if err != nil {
		return nil, err
	}
	target, err := url.Parse(b.Objects)
	if err != nil {
		return nil, fmt.Errorf("rights: %w", err)
	}
	root := aws.Credentials{AccessKeyID: b.ObjectKey, SecretAccessKey: b.ObjectSecret}
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	forwarder.Rewrite = func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		a := r.In.Context().Value(askedKey{}).(asked)
		r.Out.Host = target.Host
		r.Out.Header.Del("Authorization")
		sum := cmp.Or(r.Out.Header.Get("X-Amz-Content-Sha256"), "UNSIGNED-PAYLOAD")
		if signer.SignHTTP(r.Out.Context(), root, r.Out, sum, "s3", a.region, time.Now()) != nil {
			panic(http.ErrAbortHandler)
		}
	}
	forwarder.ModifyResponse = p.hide
	return forwarder, nil
}

// hide does as S3 does with an object that is not there: only who may list the
// bucket learns that, others are refused.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html, "Permissions"
func (p *Proxy) hide(r *http.Response) error {
	a, ok := r.Request.Context().Value(askedKey{}).(asked)
	if !ok || r.StatusCode != http.StatusNotFound || len(a.needs) == 0 || a.needs[0].Action != "s3:GetObject" {
		return nil
	}
	denied := p.admit(a.who, []Need{{"s3:ListBucket", a.bucket}})
	if denied == nil || p.mode != Enforce {
		return nil
	}
	r.Body.Close()
	text := objectsError("AccessDenied", p.words(a.who, *denied))
	if r.Request.Method == http.MethodHead {
		text = ""
	}
	r.StatusCode, r.Status = http.StatusForbidden, "403 Forbidden"
	r.Header.Set("Content-Type", "application/xml")
	r.Header.Set("Content-Length", fmt.Sprint(len(text)))
	r.ContentLength, r.Body = int64(len(text)), io.NopCloser(strings.NewReader(text))
	return nil
}

func objectsError(code, message string) string {
	body, _ := xml.Marshal(struct {
		XMLName struct{} `xml:"Error"`
		Code    string
		Message string
	}{Code: code, Message: message})
	return xml.Header + string(body)
}

func refuseObjects(w http.ResponseWriter, code, message string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(http.StatusForbidden)
	_, _ = io.WriteString(w, objectsError(code, message))
}

// inBucket tells whether a resource is the objects of one of the stack's buckets,
// or those under a prefix: as exact as a right to objects can be that are yet to come.
func inBucket(s *template.Stack, resource string) bool {
	return slices.ContainsFunc(s.Buckets, func(b template.Bucket) bool {
		rest, ok := strings.CutPrefix(resource, b.ARN+"/")
		return ok && strings.IndexAny(rest, "*?") == len(rest)-1 && strings.HasSuffix(rest, "*")
	})
}

// granted is the need as the statement that allows it names it, where that is an
// object: keys come and go, the statement is what is compared with its use.
func (r *role) granted(n Need) Need {
	if !strings.HasPrefix(n.Resource, "arn:aws:s3:::") {
		return n
	}
	for _, x := range r.allow {
		if i := x.index(n); i >= 0 {
			return Need{n.Action, x.texts[i]}
		}
	}
	return n
}
