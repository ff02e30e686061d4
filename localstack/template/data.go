package template

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
)

// What AWS allows as names.
var (
	tableName = regexp.MustCompile(`^[A-Za-z0-9_.-]{3,255}$`)
	queueName = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.fifo)?$`)
)

func readTable(l *loader, r *resource, p *props) {
	p.ignore("BillingMode", "ProvisionedThroughput", "OnDemandThroughput", "TableClass", "Tags", "ContributorInsightsSpecification")
	readSafety(p)
	t := Table{ID: r.id, Name: l.physical(r, p.at)}
	p.value("TableName")
	t.ARN = l.arn("dynamodb", "table/"+t.Name)
	if !tableName.MatchString(t.Name) {
		p.fail("TableName", "%q cannot be the name of a table", t.Name)
	}
	kinds := map[string]string{}
	p.each("AttributeDefinitions", func(a *props) {
		kinds[a.need("AttributeName")] = a.oneOf("AttributeType", "", "S", "N", "B")
	})
	unused := map[string]bool{}
	for k := range kinds {
		unused[k] = true
	}
	t.Partition, t.Sort = readKeySchema(p, kinds, unused)
	p.each("GlobalSecondaryIndexes", func(x *props) {
		x.ignore("ProvisionedThroughput", "OnDemandThroughput", "WarmThroughput", "ContributorInsightsSpecification")
		i := Index{Name: x.need("IndexName")}
		if i.Name != "" && !tableName.MatchString(i.Name) {
			x.fail("IndexName", "%q cannot be the name of an index", i.Name)
		}
		i.Partition, i.Sort = readKeySchema(x, kinds, unused)
		pr := x.object("Projection")
		i.Projection = pr.oneOf("ProjectionType", "", "ALL", "KEYS_ONLY", "INCLUDE")
		i.Include = pr.texts("NonKeyAttributes")
		pr.done()
		t.Indexes = append(t.Indexes, i)
	})
	for k := range unused {
		p.fail("AttributeDefinitions", "%s is no key of the table or of an index", k)
	}
	s := p.object("StreamSpecification")
	if p.has("StreamSpecification") {
		t.StreamView = s.oneOf("StreamViewType", "", "KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES")
		if t.StreamView == "" {
			s.need("StreamViewType")
		}
		t.StreamARN = l.facts.Streams[r.id]
	}
	s.done()
	ttl := p.object("TimeToLiveSpecification")
	if name := ttl.text("AttributeName"); ttl.flag("Enabled", false) {
		t.TTL = name
	}
	ttl.done()
	l.stack.Tables = append(l.stack.Tables, t)
}

func readKeySchema(p *props, kinds map[string]string, unused map[string]bool) (partition, sort Attribute) {
	if !p.has("KeySchema") {
		p.need("KeySchema")
	}
	p.each("KeySchema", func(k *props) {
		a := Attribute{Name: k.need("AttributeName")}
		a.Type = kinds[a.Name]
		if a.Type == "" && a.Name != "" {
			k.fail("AttributeName", "%s is not among the AttributeDefinitions", a.Name)
		}
		delete(unused, a.Name)
		if k.oneOf("KeyType", "", "HASH", "RANGE") == "HASH" {
			partition = a
		} else {
			sort = a
		}
	})
	if partition.Name == "" && p.v.kind == object {
		p.fail("KeySchema", "has no HASH key")
	}
	return partition, sort
}

func readQueue(l *loader, r *resource, p *props) {
	p.ignore("KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "SqsManagedSseEnabled", "Tags",
		"FifoThroughputLimit", "RedriveAllowPolicy")
	q := Queue{ID: r.id, Name: l.physical(r, p.at), Attributes: map[string]string{}, FIFO: p.flag("FifoQueue", false)}
	p.value("QueueName")
	q.ARN, q.URL = l.arn("sqs", q.Name), l.queueURL(r, q.Name)
	if !queueName.MatchString(q.Name) || len(q.Name) > 80 {
		p.fail("QueueName", "%q cannot be the name of a queue", q.Name)
	}
	if q.FIFO != strings.HasSuffix(q.Name, ".fifo") {
		p.fail("QueueName", "must end in .fifo exactly when FifoQueue is true")
	}
	for _, w := range []struct {
		from, to    string
		least, most int
	}{
		{"DelaySeconds", "DelaySeconds", 0, 900},
		{"MaximumMessageSize", "MaximumMessageSize", 1024, 1_048_576},
		{"MessageRetentionPeriod", "MessageRetentionPeriod", 60, 1_209_600},
		{"ReceiveMessageWaitTimeSeconds", "ReceiveMessageWaitTimeSeconds", 0, 20},
		{"VisibilityTimeout", "VisibilityTimeout", 0, 43_200},
	} {
		if p.has(w.from) {
			q.Attributes[w.to] = strconv.Itoa(p.whole(w.from, 0, w.least, w.most))
		}
	}
	p.ignore("MaximumMessageSize", "MessageRetentionPeriod") // made so, but the stand-in keeps neither
	dedup := p.flag("ContentBasedDeduplication", false)
	scope := p.oneOf("DeduplicationScope", "queue", "queue")
	if q.FIFO {
		q.Attributes["FifoQueue"] = "true"
		q.Attributes["ContentBasedDeduplication"] = strconv.FormatBool(dedup)
	} else if dedup || p.has("DeduplicationScope") && scope != "" {
		p.fail("", "only a FIFO queue removes duplicates")
	}
	readRedrive(l, &q, p)
	l.stack.Queues = append(l.stack.Queues, q)
}

func readRedrive(l *loader, q *Queue, p *props) {
	if !p.has("RedrivePolicy") {
		return
	}
	d := p.object("RedrivePolicy")
	defer d.done()
	arn := d.need("deadLetterTargetArn")
	q.MaxReceive = d.whole("maxReceiveCount", 0, 1, 1000)
	if !d.has("maxReceiveCount") {
		d.need("maxReceiveCount")
	}
	dead := l.owner("AWS::SQS::Queue", "Arn", arn, p.at)
	switch {
	case arn == "":
	case dead == nil:
		d.fail("deadLetterTargetArn", "must be the ARN of a queue of this template")
	case strings.HasSuffix(arn, ".fifo") != q.FIFO:
		d.fail("deadLetterTargetArn", "the dead-letter queue must be FIFO exactly when the queue is")
	default:
		q.DeadLetter = dead.id
	}
}

// Character classes of GenerateSecretString.
const (
	Lower       = "abcdefghijklmnopqrstuvwxyz"
	Upper       = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	Digits      = "0123456789"
	Punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
)

func readSecret(l *loader, r *resource, p *props) {
	p.ignore("Description", "KmsKeyId", "Tags", "ReplicaRegions")
	s := Secret{ID: r.id, Name: l.physical(r, p.at), Value: p.text("SecretString")}
	p.value("Name")
	s.ARN = l.arn("secretsmanager", "secret:"+s.Name)
	g := p.object("GenerateSecretString")
	defer g.done()
	if p.has("GenerateSecretString") == p.has("SecretString") {
		p.fail("", "needs either GenerateSecretString or SecretString")
	}
	s.Length = g.whole("PasswordLength", 32, 1, 4096)
	s.Exclude = g.text("ExcludeCharacters")
	for _, c := range []struct{ key, chars string }{
		{"ExcludeLowercase", Lower}, {"ExcludeUppercase", Upper},
		{"ExcludeNumbers", Digits}, {"ExcludePunctuation", Punctuation},
	} {
		if g.flag(c.key, false) {
			s.Exclude += c.chars
		}
	}
	s.Space = g.flag("IncludeSpace", false)
	s.Mixed = g.flag("RequireEachIncludedType", true)
	s.Template, s.Key = g.text("SecretStringTemplate"), g.text("GenerateStringKey")
	var fields map[string]any
	if (s.Template == "") != (s.Key == "") {
		g.fail("", "SecretStringTemplate and GenerateStringKey go together")
	} else if s.Template != "" && json.Unmarshal([]byte(s.Template), &fields) != nil {
		g.fail("SecretStringTemplate", "must be a JSON object")
	}
	if v := l.facts.Secrets[r.id]; v != "" {
		s.Value = v
	}
	l.stack.Secrets = append(l.stack.Secrets, s)
}

// inert are the types that mean something on AWS and nothing here, with all
// their properties: a misspelt one is still an error.
var inert = map[string]string{
	"AWS::SQS::QueuePolicy":   "Queues PolicyDocument",
	"AWS::S3::BucketPolicy":   "Bucket PolicyDocument",
	"AWS::Lambda::Permission": "Action FunctionName Principal SourceArn SourceAccount EventSourceToken PrincipalOrgID FunctionUrlAuthType",
	"AWS::Logs::LogGroup":     "LogGroupName RetentionInDays KmsKeyId LogGroupClass DataProtectionPolicy Tags",
	"AWS::Logs::MetricFilter": "ApplyOnTransformedLogs FilterName FilterPattern LogGroupName MetricTransformations",
	"AWS::KMS::Alias":         "AliasName TargetKeyId",
	"AWS::CloudWatch::Alarm": "ActionsEnabled AlarmActions AlarmDescription AlarmName ComparisonOperator DatapointsToAlarm " +
		"Dimensions EvaluateLowSampleCountPercentile EvaluationPeriods ExtendedStatistic InsufficientDataActions MetricName " +
		"Metrics Namespace OKActions Period Statistic Tags Threshold ThresholdMetricId TreatMissingData Unit",
}

func readInert(l *loader, r *resource, p *props) {
	l.notHere(r.typ)
	for _, k := range strings.Fields(inert[r.typ]) {
		p.value(k)
	}
}
