// Package template reads a SAM template into the plain description that the
// rest of the local cloud works from: functions, one REST API, one WebSocket API,
// tables, queues, buckets, keys, secrets and event sources, with every parameter and intrinsic resolved.
//
// It decides what can be expressed here. Whatever it does not know (a resource
// type, a property, an intrinsic, a condition) is an error that names it and its
// line; nothing is ever left out in silence. Start with [Load] and [Stack].
package template

import "time"

// Stack is a whole template, resolved.
type Stack struct {
	Functions []Function // in order of the template
	API       *API       // nil when the template has none
	Sockets   *SocketAPI // likewise
	Tables    []Table
	Queues    []Queue
	Buckets   []Bucket
	Keys      []Key
	Secrets   []Secret
	Sources   []Source
	Outputs   map[string]string

	Parameters map[string]string // as they were used
	NotHere    []string          // types and properties that have no effect on one machine
}

// Function is an AWS::Serverless::Function.
type Function struct {
	ID          string // logical id
	Name        string // deployed name
	ARN         string
	Code        string            // folder that holds "bootstrap", absolute
	Environment map[string]string // resolved
	Timeout     time.Duration
	MemoryMB    int
	Concurrency int    // reserved concurrent executions; 0 = the local cloud's default
	LogGroup    string // ARN, with :* at its end; "" = one that Lambda would make
	Statements  []Statement
}

// Statement is one IAM statement of a function's role or policies; package rights enforces them.
type Statement struct {
	Effect    string
	Actions   []string
	Resources []string // ARNs, resolved
	Condition map[string]any
}

// API is an AWS::Serverless::Api.
type API struct {
	ID          string // logical id
	Stage       string // first path segment of every URL
	Routes      []Route
	Authorizers map[string]Authorizer
	CORS        *CORS
	KeySource   string // "HEADER" or "AUTHORIZER"
	Keys        []APIKey
	Plan        *UsagePlan
	Responses   map[string]GatewayResponse // by type: MISSING_AUTHENTICATION_TOKEN, THROTTLED …
	BinaryTypes []string
	MinCompress int // bytes; -1 = off
}

// Route binds a method ("ANY" included) and a path with {parameters} or {proxy+} to a function.
type Route struct {
	Method, Path string
	Function     string // logical id
	KeyRequired  bool
	Authorizer   string // name in API.Authorizers; "" = none
	Timeout      time.Duration
}

// Authorizer is a Lambda authorizer of type REQUEST.
type Authorizer struct {
	Function string // logical id
	Headers  []string
	Queries  []string
	TTL      time.Duration // of its cached answers; 0 = none
}

// SocketAPI is an AWS::Serverless::WebSocketApi.
type SocketAPI struct {
	ID       string // logical id
	Stage    string // first path segment of every URL
	ARN      string // of the stage, as execute-api's rights name it
	Selector string // $request.body.<path>: what in a message names its route
	Routes   []SocketRoute
	// Authorizer of $connect; nil = none.
	Authorizer *Authorizer
}

// SocketRoute binds what a message asks for, or $connect, $disconnect or $default, to a function.
type SocketRoute struct {
	Key      string
	Function string // logical id
	Timeout  time.Duration
	Rate     float64 // messages a second on all connections together; 0 = unlimited
	Burst    int
}

// CORS is what OPTIONS answers; the values are sent as they are. Methods "" means
// those of the path that is asked for.
type CORS struct {
	Origin, Methods, Headers, MaxAge string
	Credentials                      bool
}

// APIKey is an AWS::ApiGateway::ApiKey, usable with the plan it is tied to.
type APIKey struct {
	ID, Name, Value string // Value "" = the local cloud makes one and keeps it with the data
	Enabled         bool
	InPlan          bool
}

// UsagePlan limits each key. Zero means unlimited.
type UsagePlan struct {
	Rate   float64 // requests a second
	Burst  int
	Quota  int64
	Period string // DAY, WEEK, MONTH
}

// GatewayResponse replaces a body of the gateway's own.
type GatewayResponse struct {
	Status    int
	Headers   map[string]string
	Templates map[string]string // content type → text with $context variables
}

// Table is an AWS::DynamoDB::Table.
type Table struct {
	ID, Name, ARN   string
	StreamARN       string // "" without a stream; filled in once it exists
	Partition, Sort Attribute
	StreamView      string // NEW_AND_OLD_IMAGES …; "" = no stream
	TTL             string // attribute; "" = none
	Indexes         []Index
}

// Index is a global secondary index.
type Index struct {
	Name            string
	Partition, Sort Attribute
	Projection      string   // ALL, KEYS_ONLY or INCLUDE
	Include         []string // with INCLUDE
}

// Attribute is a key attribute: name and type (S, N or B).
type Attribute struct{ Name, Type string }

// Queue is an AWS::SQS::Queue.
type Queue struct {
	ID, Name, ARN, URL string
	FIFO               bool
	Attributes         map[string]string // as CreateQueue takes them
	DeadLetter         string            // logical id of the dead-letter queue; "" = none
	MaxReceive         int
}

// Bucket is an AWS::S3::Bucket.
type Bucket struct{ ID, Name, ARN string }

// Key is an AWS::KMS::Key: symmetric, for envelope encryption.
type Key struct{ ID, Name, ARN string }

// Secret is an AWS::SecretsManager::Secret; its value is made once and kept with the data.
type Secret struct {
	ID, Name, ARN string
	Length        int
	Exclude       string // characters never used
	Space         bool   // a space may occur
	Mixed         bool   // each kind of character occurs at least once
	Template, Key string // a JSON object and the field of it that holds what is made; "" = bare text
	Value         string // filled in by the local cloud before functions start
}

// SourceKind tells the two kinds of event source apart. The zero value is invalid.
type SourceKind uint8

const (
	_ SourceKind = iota
	FromQueue
	FromStream
)

// Source is an event source mapping of a function.
type Source struct {
	ID             string // logical id of the function + event name
	Kind           SourceKind
	Function       string // logical id
	From           string // logical id of the queue or table
	BatchSize      int
	Window         time.Duration
	Filters        []string // JSON patterns; an event passes if any matches
	PartialFailure bool     // ReportBatchItemFailures
	MaxConcurrency int      // queues; 0 = unlimited

	// streams only
	StartingPosition string // TRIM_HORIZON or LATEST
	Bisect           bool
	MaxRetries       int           // -1 = without limit
	MaxAge           time.Duration // 0 = without limit
	Parallel         int           // batches of one shard at once, by partition key
	OnFailure        string        // logical id of a queue that gets the failure record; "" = none
}
