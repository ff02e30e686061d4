package rights

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/fairseat/fairseat/localstack/template"
)

// maxBody is more than any of the services takes in one request, bytes.
const maxBody = 17 << 20

// secret of every function; no signature is verified.
const secret = "local"

// Credentials act in a function's name.
func Credentials(function string) aws.Credentials {
	return aws.Credentials{AccessKeyID: function, SecretAccessKey: secret, Source: "localstack"}
}

// Provider gives the same to an SDK client.
func Provider(function string) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return Credentials(function), nil })
}

// Proxy serves DynamoDB, its streams, SQS, S3, KMS and Secrets Manager to functions.
type Proxy struct {
	mode    Mode
	account string
	roles   map[string]*role // by access key, which is the function's logical id
	names   names
	journal *journal
	tables  *httputil.ReverseProxy
	queues  *httputil.ReverseProxy
	keys    *httputil.ReverseProxy // nil where no template has a key
	objects *httputil.ReverseProxy // nil where no template has a bucket
	secrets *httputil.ReverseProxy // nil where no template has a secret
}

// Behind are the stand-ins' addresses; those of S3, KMS and Secrets Manager may be empty. S3's verifies
// who signs: it knows only its root.
type Behind struct {
	Tables, Queues, Objects, Keys string
	Secrets                       string
	ObjectKey, ObjectSecret       string
}

// New reads the roles of a stack that is provisioned: its queues have their URLs.
func New(s *template.Stack, mode Mode, account string, b Behind) (*Proxy, error) {
	p := &Proxy{mode: mode, account: account, roles: map[string]*role{}, names: newNames(s), journal: newJournal()}
	for _, fn := range s.Functions {
		r, err := newRole(fn)
		if err != nil {
			return nil, err
		}
		p.roles[fn.ID] = r
	}
	var err error
	if p.tables, err = forward(b.Tables); err != nil {
		return nil, err
	}
	if p.queues, err = forward(b.Queues); err != nil {
		return nil, err
	}
	if b.Keys != "" {
		if p.keys, err = forward(b.Keys); err != nil {
			return nil, err
		}
	}
	if b.Secrets != "" {
		if p.secrets, err = forward(b.Secrets); err != nil {
			return nil, err
		}
	}
	if b.Objects != "" {
		p.objects, err = p.newObjects(b)
	}
	return p, err
}

// forward changes nothing but the address. A stand-in that breaks the connection
// breaks it for the function too: whether the request was done is as unknown to
// it as without this proxy.
func forward(to string) (*httputil.ReverseProxy, error) {
	target, err := url.Parse(to)
	if err != nil {
		return nil, fmt.Errorf("rights: %w", err)
	}
	return &httputil.ReverseProxy{
		Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:    &http.Transport{MaxIdleConnsPerHost: 1024, IdleConnTimeout: 20 * time.Second, DisableCompression: true},
		BufferPool:   &buffers{},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}, nil
}

// Uses so far.
func (p *Proxy) Uses() Uses { return p.journal.copy() }

// ServeHTTP judges one request and passes it on.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if region, ok := signedForObjects(r.Header); ok {
		p.serveObjects(w, r, region)
		return
	}
	c, err := readTarget(r.Header)
	if err != nil {
		refuse(w, queues, "InvalidAction", err.Error())
		return
	}
	who := p.roles[accessKey(r.Header)]
	if who == nil {
		refuse(w, c.service, "UnrecognizedClientException", "The security token included in the request is invalid.")
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		panic(http.ErrAbortHandler) // the client left, or sends what no service takes
	}
	if denied := p.judge(who, c, body); denied != nil && p.mode == Enforce {
		refuse(w, c.service, "AccessDeniedException", p.words(who, *denied))
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.ContentLength = int64(len(body))
	switch {
	case c.service == queues:
		p.queues.ServeHTTP(w, r)
	case c.service == keys && p.keys != nil:
		p.keys.ServeHTTP(w, r)
	case c.service == keys:
		refuse(w, c.service, "NotFoundException", "Key does not exist")
	case c.service == secrets && p.secrets != nil:
		p.secrets.ServeHTTP(w, r)
	case c.service == secrets:
		refuse(w, c.service, "ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
	default:
		p.tables.ServeHTTP(w, r)
	}
}

// judge notes what the call needs and gives the first need that is not allowed.
func (p *Proxy) judge(who *role, c call, body []byte) *Need {
	needs, err := p.names.needs(c, body)
	if err != nil {
		n := Need{prefixes[c.service] + c.operation, "(" + err.Error() + ")"}
		p.journal.note(who.fn.ID, []Need{n}, []Need{n})
		return &n
	}
	needs = append(needs, pollersToo[c]...)
	for i := range needs {
		if needs[i].Resource == "" {
			needs[i].Resource = needs[0].Resource
		}
	}
	return p.admit(who, needs)
}

func (p *Proxy) admit(who *role, needs []Need) *Need {
	var denied, noted []Need
	for _, n := range needs {
		if !who.allows(n) {
			denied = append(denied, n)
		}
		noted = append(noted, who.granted(n))
	}
	p.journal.note(who.fn.ID, noted, denied)
	if len(denied) == 0 {
		return nil
	}
	return &denied[0]
}

var prefixes = map[service]string{tables: "dynamodb:", streams: "dynamodb:", queues: "sqs:", keys: "kms:", secrets: "secretsmanager:"}

// pollersToo is what Lambda's pollers need beside the calls that are made here, on
// the same resource. Lambda refuses to make a mapping without them.
// https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
var pollersToo = map[call][]Need{
	{streams, "GetRecords"}:    {{Action: "dynamodb:ListStreams"}},
	{queues, "ReceiveMessage"}: {{Action: "sqs:GetQueueAttributes"}},
}

// inLog is what Lambda does with a role at each invocation.
var inLog = []string{"logs:CreateLogStream", "logs:PutLogEvents"}

// Invoked notes that a function's log is written. Where the template names no
// group, SAM grants the right to the one that Lambda makes.
func (p *Proxy) Invoked(function string) {
	who := p.roles[function]
	if who == nil || who.fn.LogGroup == "" {
		return
	}
	var needs []Need
	for _, a := range inLog {
		needs = append(needs, Need{a, who.fn.LogGroup})
	}
	p.admit(who, needs)
}

// words are IAM's own.
func (p *Proxy) words(who *role, n Need) string {
	return fmt.Sprintf("User: arn:aws:sts::%s:assumed-role/%s/%s is not authorized to perform: %s on resource: %s because no identity-based policy allows the %s action",
		p.account, who.fn.Name, who.fn.Name, n.Action, n.Resource, n.Action)
}

// buffers of bodies that are copied.
type buffers struct{ pool sync.Pool }

func (b *buffers) Get() []byte {
	if v, ok := b.pool.Get().(*[]byte); ok {
		return *v
	}
	return make([]byte, 32<<10)
}

func (b *buffers) Put(v []byte) { b.pool.Put(&v) }
