package cloud

import (
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/fairseat/fairseat/localstack/provision"
)

// endpoints are the variables that lead an SDK to this cloud. Who has these may
// do everything.
func (c *Cloud) endpoints() []string {
	return c.leads(provision.AccessKey, provision.SecretKey, c.set.Tables.URL, c.set.Queues.URL, c.set.Objects.URL, c.keysURL, c.secretsURL)
}

func (c *Cloud) leads(key, secret, tables, queues, objects, keys, secrets string) []string {
	all := []string{
		"AWS_ACCESS_KEY_ID=" + key,
		"AWS_SECRET_ACCESS_KEY=" + secret,
		"AWS_REGION=" + c.opts.Region,
		"AWS_DEFAULT_REGION=" + c.opts.Region,
		"AWS_ENDPOINT_URL_DYNAMODB=" + tables,
		"AWS_ENDPOINT_URL_DYNAMODB_STREAMS=" + tables,
		"AWS_ENDPOINT_URL_SQS=" + queues,
	}
	if c.set.Objects.URL != "" {
		all = append(all, "AWS_ENDPOINT_URL_S3="+objects)
	}
	if c.keysURL != "" {
		all = append(all, "AWS_ENDPOINT_URL_KMS="+keys)
	}
	if c.secretsURL != "" {
		all = append(all, "AWS_ENDPOINT_URL_SECRETS_MANAGER="+secrets)
	}
	return all
}

// EnvironmentHelp documents [Cloud.Env].
const EnvironmentHelp = `AWS_ENDPOINT_URL_DYNAMODB, AWS_ENDPOINT_URL_DYNAMODB_STREAMS, AWS_ENDPOINT_URL_SQS, AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL_KMS,
AWS_ENDPOINT_URL_SECRETS_MANAGER,
AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_DEFAULT_REGION  lead an SDK to this cloud
API_URL          the REST API with its stage
SOCKET_URL       the WebSocket API with its stage; its @connections are there by http
OUTPUT_<name>    each output of the template
TABLE_<id>       the name of each table, by logical id
QUEUE_<id>       the URL of each queue
BUCKET_<id>      the name of each bucket
KEY_<id>         the ARN of each key of KMS
SECRET_<id>      the text of each secret
API_KEY_<id>     the value of each API key
PARAMETER_<name> each parameter as it was used
PORT_<name>      each port that {port:name} or {listen:name} stands for`

// environment is what companions and commands get beside this process's own.
func (c *Cloud) environment() []string {
	env := append(c.endpoints(), "API_URL="+c.URL, "SOCKET_URL="+c.SocketURL)
	add := func(prefix string, m map[string]string) {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			env = append(env, prefix+k+"="+m[k])
		}
	}
	add("OUTPUT_", c.Stack.Outputs)
	add("PARAMETER_", c.Stack.Parameters)
	for _, t := range c.Stack.Tables {
		env = append(env, "TABLE_"+t.ID+"="+t.Name)
	}
	for _, q := range c.Stack.Queues {
		env = append(env, "QUEUE_"+q.ID+"="+q.URL)
	}
	for _, b := range c.Stack.Buckets {
		env = append(env, "BUCKET_"+b.ID+"="+b.Name)
	}
	for _, k := range c.Stack.Keys {
		env = append(env, "KEY_"+k.ID+"="+k.ARN)
	}
	for _, s := range c.Stack.Secrets {
		env = append(env, "SECRET_"+s.ID+"="+s.Value)
	}
	for _, name := range slices.Sorted(maps.Keys(c.ports)) {
		env = append(env, "PORT_"+name+"="+strconv.Itoa(c.ports[name]))
	}
	if c.Stack.API != nil {
		for _, k := range c.Stack.API.Keys {
			env = append(env, "API_KEY_"+k.ID+"="+k.Value)
		}
	}
	return env
}

// inherited is this process's environment without what would lead an SDK
// elsewhere or break its client.
func inherited() []string {
	return slices.DeleteFunc(os.Environ(), func(kv string) bool {
		return strings.HasPrefix(kv, "AWS_")
	})
}
