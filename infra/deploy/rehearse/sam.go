package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/fairseat/fairseat/localstack/process"
)

// tables and secrets by the variables that the template gives to functions.
var (
	tables = map[string]string{
		"CATALOG_TABLE": "Catalog", "CLAIMS_TABLE": "Claims", "HOLDS_TABLE": "Holds", "TIMERS_TABLE": "Timers",
		"LINE_TABLE": "Line", "ORDERS_TABLE": "Orders", "SNAPSHOTS_TABLE": "Snapshots", "SOCKETS_TABLE": "Sockets",
		"HISTORY_TABLE": "History",
		"LIMITS_TABLE":  "Limits", "ACCOUNTS_TABLE": "Accounts", "KEYS_TABLE": "Keys", "MAIL_TABLE": "Mail",
	}
	queues  = map[string]string{"TIMERS_QUEUE": "TimersQueue", "PAYMENTS_QUEUE": "PaymentsQueue", "LANE_QUEUE": "LaneQueue", "TELL_QUEUE": "TellQueue", "MAIL_QUEUE": "MailQueue"}
	secrets = map[string]string{"SESSION_SECRET": "SessionSecret", "TICKET_SECRET": "TicketSecret"}
)

// sam serves the API by the SAM CLI over the tables and queues of the local cloud
// that runs this command, and then invokes each function with its sample event.
func (s *stage) sam(ctx context.Context) error {
	if os.Getenv("TABLE_Holds") == "" {
		return errors.New("no local cloud runs this: make sam does")
	}
	if _, err := s.output(ctx, nil, filepath.Join(s.root, "infra/deploy/localstack/image.sh")); err != nil {
		return err
	}
	services, err := s.services(ctx)
	if err != nil {
		return err
	}
	provider, err := s.forward(ctx, os.Getenv("PARAMETER_SandboxUrl"))
	if err != nil {
		return err
	}
	f, err := s.front(ctx)
	if err != nil {
		return err
	}
	vars, err := s.variables(services, f.URL, provider)
	if err != nil {
		return err
	}
	template, err := s.plainRoutes()
	if err != nil {
		return err
	}
	common := []string{
		"--template-file", template, "--skip-pull-image", "--env-vars", vars,
		"--parameter-overrides", "EndpointUrl=" + services, "DeveloperKey=" + developerKey,
	}
	port, err := process.FreePort(0)
	if err != nil {
		return err
	}
	began := time.Now()
	at := "http://127.0.0.1:" + strconv.Itoa(port)
	_, err = s.serve(ctx, at, process.Spec{
		Name: "sam-start-api", Path: s.samPath(), Env: environment([]string{"SAM_CLI_TELEMETRY=0"}), Grace: 20 * time.Second,
		Args: append([]string{"local", "start-api", "--port", strconv.Itoa(port), "--warm-containers", "LAZY"}, common...),
	})
	if err != nil {
		return err
	}
	s.out.step("start", began, "sam local start-api")
	if err := f.lead(at); err != nil {
		return err
	}
	walked, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	w := newWalk(s.out, f.URL, developerKey, false)
	if err := w.run(walked, w.purchase()); err != nil {
		return err
	}
	if err := s.samples(ctx, common); err != nil {
		return err
	}
	s.out.end()
	return nil
}

func (s *stage) samPath() string { return filepath.Join(s.tools, "sam/bin/sam") }

// variables writes what --env-vars takes: what the template's intrinsics would
// have given, which SAM resolves to logical ids.
func (s *stage) variables(services, public, provider string) (string, error) {
	all := map[string]string{
		"AWS_ENDPOINT_URL": services, "PUBLIC_URL": public, "SANDBOX_URL": provider, "SANDBOX_SECRET": os.Getenv("PARAMETER_SandboxSecret"),
	}
	for v, id := range tables {
		all[v] = os.Getenv("TABLE_" + id)
	}
	for v, id := range queues {
		all[v] = os.Getenv("QUEUE_" + id)
	}
	for v, id := range secrets {
		all[v] = os.Getenv("SECRET_" + id)
	}
	text, err := json.Marshal(map[string]any{"Parameters": all})
	if err != nil {
		return "", err
	}
	path := filepath.Join(s.root, ".build", "rehearse-sam.json")
	return path, os.WriteFile(path, text, 0o600)
}

var (
	otherMethods = regexp.MustCompile(`(?m)^ +\w+: \{Type: Api, Properties: \{RestApiId: !Ref Api, Method: any, Path: ([^,}]+)[^\n]*\n`)
	codeFolder   = regexp.MustCompile(`(?m)^( +CodeUri: )\.build/`)
)

// plainRoutes writes the template without the routes that refuse other methods of
// a path that is served: of several routes with one path and method the SAM CLI
// takes any, API Gateway the one that names the method.
func (s *stage) plainRoutes() (string, error) {
	text, err := os.ReadFile(filepath.Join(s.root, "template.yaml"))
	if err != nil {
		return "", err
	}
	dropped := 0
	text = otherMethods.ReplaceAllFunc(text, func(line []byte) []byte {
		if path := string(otherMethods.FindSubmatch(line)[1]); path == "/" || path == `"/{proxy+}"` {
			return line
		}
		dropped++
		return nil
	})
	if dropped == 0 {
		return "", errors.New("template.yaml has no routes of any method")
	}
	path := filepath.Join(s.root, ".build", "template-sam.yaml")
	return path, os.WriteFile(path, codeFolder.ReplaceAll(text, []byte("$1")), 0o644)
}

// services is one address for DynamoDB and SQS, told apart by the call, as
// AWS_ENDPOINT_URL wants it.
func (s *stage) services(ctx context.Context) (string, error) {
	var to [2]*url.URL
	for i, name := range []string{"AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_SQS"} {
		u, err := url.Parse(os.Getenv(name))
		if err != nil {
			return "", err
		}
		to[i] = u
	}
	return s.listen(ctx, &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
		if strings.HasPrefix(p.In.Header.Get("X-Amz-Target"), "AmazonSQS.") {
			p.SetURL(to[1])
			return
		}
		p.SetURL(to[0])
	}})
}

// forward leads from Docker's bridge to an address of this machine alone.
func (s *stage) forward(ctx context.Context, to string) (string, error) {
	u, err := url.Parse(to)
	if err != nil || u.Host == "" {
		return "", fmt.Errorf("no address to lead to: %q", to)
	}
	return s.listen(ctx, httputil.NewSingleHostReverseProxy(u))
}

// answers of the functions to their samples, which speak of a buyer, a show and a
// payment that these tables do not have. Who answers over a socket fails, for the SAM
// CLI serves none.
var answers = map[string]string{
	"advance-line": "0 of the batch failed", "answer-offer": "status 401", "ask-provider": "1 of the batch failed", "authorize-key": "a policy",
	"browse-catalog": "status 404", "close-socket": "status 200", "connect-socket": "status 401", "describe-api": "status 200", "expire-hold": "0 of the batch failed",
	"expire-timer": "0 of the batch failed", "join-line": "status 401", "keep-account": "status 401", "open-session": "status 201", "open-socket": "status 401", "pay-hold": "status 401",
	"project-seatmap": "0 of the batch failed", "read-hold": "status 401", "read-order": "status 401", "read-place": "status 401",
	"read-seatmap": "status 404", "receive-callback": "status 401", "receive-socket": "fails: work: socket event failed", "refuse-request": "status 405",
	"relay-holds": "0 of the batch failed", "relay-line": "0 of the batch failed", "relay-payments": "0 of the batch failed",
	"release-hold": "status 401", "reserve-seats": "status 401", "sign-in": "status 202", "tell-clients": "0 of the batch failed",
}

// samples invokes every function with its file of events/.
func (s *stage) samples(ctx context.Context, common []string) error {
	files, err := filepath.Glob(filepath.Join(s.root, "events", "*.json"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("no sample events: %w", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		began := time.Now()
		args := append([]string{"local", "invoke", logicalID(name), "--event", file}, common...)
		out, err := s.output(ctx, []string{"SAM_CLI_TELEMETRY=0"}, s.samPath(), args...)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		said, err := judge([]byte(out))
		if err != nil {
			said = "fails: " + err.Error()
		}
		if want := answers[name]; said != want {
			return fmt.Errorf("%s: %s, want %q", name, said, want)
		}
		s.out.step(name, began, said)
	}
	return nil
}

// logicalID of the function in a folder: reserve-seats is ReserveSeats.
func logicalID(folder string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(folder, "-") {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}

// judge reads a function's answer.
func judge(answer []byte) (string, error) {
	var a struct {
		Status   int    `json:"statusCode"`
		Error    string `json:"errorMessage"`
		Policy   any    `json:"policyDocument"`
		Failures *[]any `json:"batchItemFailures"`
	}
	if err := json.Unmarshal(answer, &a); err != nil {
		return "", fmt.Errorf("it answered %.300q: %w", answer, err)
	}
	switch {
	case a.Error != "":
		return "", errors.New(a.Error)
	case a.Status >= http.StatusInternalServerError:
		return "", fmt.Errorf("%.300s", answer)
	case a.Status > 0:
		return "status " + strconv.Itoa(a.Status), nil
	case a.Policy != nil:
		return "a policy", nil
	case a.Failures != nil:
		return fmt.Sprintf("%d of the batch failed", len(*a.Failures)), nil
	}
	return "", fmt.Errorf("it answered %.300q", answer)
}
