package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/fairseat/fairseat/localstack/process"
)

// The policy of the rehearsal: long enough to pay while containers start.
const (
	holdTime     = 30 * time.Second
	graceTime    = 5 * time.Second
	developerKey = "local-dev-key-0123456789"
	stackName    = "fairseat"
	containers   = "fairseat-localstack" // how the names of LocalStack's containers begin
)

// cloud are the variables that lead an SDK to LocalStack.
func cloud(url string) []string {
	return []string{
		"AWS_ENDPOINT_URL=" + url, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test",
		"AWS_REGION=eu-west-1", "AWS_DEFAULT_REGION=eu-west-1", "SAM_CLI_TELEMETRY=0",
	}
}

// localstack deploys into a fresh LocalStack and walks there.
func (s *stage) localstack(ctx context.Context, port int, stay bool) error {
	url := "http://127.0.0.1:" + strconv.Itoa(port)
	began := time.Now()
	how, stop, err := s.startLocalStack(ctx, url, port)
	if err != nil {
		return err
	}
	defer func() {
		// The context may be over; what was started is stopped all the same.
		end, done := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer done()
		if err := stop(end); err != nil {
			fmt.Println(err)
		}
	}()
	s.out.step("start", began, "LocalStack 4.14, "+how)

	f, err := s.front(ctx)
	if err != nil {
		return err
	}
	provider, err := s.sandbox(ctx, graceTime)
	if err != nil {
		return err
	}
	began = time.Now()
	outputs, err := s.deploy(ctx, url, f.URL, provider)
	if err != nil {
		return err
	}
	s.out.step("deploy", began, "template.yaml and the functions, by sam deploy")
	if err := f.lead(url + "/_aws/execute-api/" + outputs["ApiId"] + "/v1"); err != nil {
		return err
	}
	env := cloud(url)
	began = time.Now()
	if _, err := s.output(ctx, append(env, "CATALOG_TABLE="+outputs["CatalogTable"]), filepath.Join(s.root, ".build/bin/seed"), "--cities", "1"); err != nil {
		return err
	}
	s.out.step("seed", began, "one city, three days of shows")

	walked, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	w := newWalk(s.out, f.URL, developerKey, true)
	if err := w.run(walked, w.purchase()); err != nil {
		return err
	}
	e, err := newExpiry(w, lookup(env), outputs["HoldsTable"], outputs["TimersQueue"], url+"/_aws/dynamodb/expired", graceTime)
	if err != nil {
		return err
	}
	if err := w.run(walked, e.steps()); err != nil {
		return err
	}
	s.out.end()
	if stay {
		fmt.Printf("serving %s with the key %s; Ctrl-C ends it\n", f.URL, developerKey)
		<-ctx.Done()
	}
	return nil
}

func lookup(env []string) func(string) string {
	return func(name string) string {
		for _, kv := range env {
			if v, ok := strings.CutPrefix(kv, name+"="); ok {
				return v
			}
		}
		return ""
	}
}

// startLocalStack takes the image if it can be had, else LocalStack from PyPI.
func (s *stage) startLocalStack(ctx context.Context, url string, port int) (how string, stop func(context.Context) error, err error) {
	here := filepath.Join(s.root, "infra/deploy/localstack")
	if _, err := ask(ctx, http.MethodGet, url+"/_localstack/health"); err == nil {
		return "", nil, fmt.Errorf("something answers at %s already: choose another -port", url)
	}
	compose := []string{"compose", "-f", filepath.Join(here, "compose.yaml")}
	env := []string{"LOCALSTACK_PORT=" + strconv.Itoa(port)}
	if s.hasImage(ctx) {
		if _, err := s.output(ctx, env, "docker", append(compose, "up", "--detach", "--wait")...); err != nil {
			return "", nil, err
		}
		return "from its image", func(ctx context.Context) error {
			_, err := s.output(ctx, env, "docker", append(compose, "down", "--volumes")...)
			return errors.Join(err, s.removeContainers(ctx))
		}, nil
	}
	home := filepath.Join(s.tools, "localstack-4.14.0")
	for _, c := range [][]string{
		{filepath.Join(s.root, ".build/bin/localstack"), "--install", "--template", "template.yaml"},
		{filepath.Join(here, "install.sh"), home, filepath.Join(s.tools, "dynamodb-local-2.6.1")},
		{filepath.Join(here, "image.sh")},
	} {
		if _, err := s.output(ctx, nil, c[0], c[1:]...); err != nil {
			return "", nil, err
		}
	}
	child, err := s.serve(ctx, url+"/_localstack/health", process.Spec{
		Name: "localstack", Path: filepath.Join(here, "start.sh"), Args: []string{home, strconv.Itoa(port)},
		Env: environment(nil), Grace: 15 * time.Second,
	})
	return "in host mode", func(ctx context.Context) error {
		child.Stop()
		return s.removeContainers(ctx)
	}, err
}

func (s *stage) hasImage(ctx context.Context) bool {
	const image = "localstack/localstack:4.14.0"
	if _, err := s.output(ctx, nil, "docker", "compose", "version"); err != nil {
		return false
	}
	if _, err := s.output(ctx, nil, "docker", "image", "inspect", image); err == nil {
		return true
	}
	_, err := s.output(ctx, nil, "docker", "pull", "--quiet", image)
	return err == nil
}

// removeContainers removes the functions' containers that LocalStack left behind.
func (s *stage) removeContainers(ctx context.Context) error {
	ids, err := s.output(ctx, nil, "docker", "ps", "--all", "--quiet", "--filter", "name="+containers+"-lambda-")
	if all := strings.Fields(ids); len(all) > 0 {
		_, err = s.output(ctx, nil, "docker", append([]string{"rm", "--force"}, all...)...)
	}
	return err
}

var socketAPI = regexp.MustCompile(`(?ms)^  SocketApi:.*?\n\n`)

// withoutSockets writes the template without its WebSocket API, which LocalStack
// cannot bear: it leaves the resource as it stands, and finds a circle in it. The
// functions behind it are deployed all the same.
func (s *stage) withoutSockets() (string, error) {
	text, err := os.ReadFile(filepath.Join(s.root, "template.yaml"))
	if err != nil {
		return "", err
	}
	if len(socketAPI.FindAll(text, -1)) != 1 {
		return "", errors.New("template.yaml has no WebSocket API to leave out")
	}
	text = bytes.ReplaceAll(socketAPI.ReplaceAll(text, nil), []byte("${SocketApi}"), []byte("sockets"))
	path := filepath.Join(s.root, ".build", "template-localstack.yaml")
	return path, os.WriteFile(path, codeFolder.ReplaceAll(text, []byte("$1")), 0o644)
}

// deploy deploys without a canary, for CodeDeploy is not there, and with a TTL
// that signs nothing.
func (s *stage) deploy(ctx context.Context, url, public, provider string) (map[string]string, error) {
	sam := s.samPath()
	template, err := s.withoutSockets()
	if err != nil {
		return nil, err
	}
	parameters := []string{
		"DeveloperKey=" + developerKey, "PublicUrl=" + public, "SandboxUrl=" + provider, "SandboxSecret=" + sandboxSecret,
		"HoldSeconds=" + strconv.Itoa(int(holdTime.Seconds())), "GraceSeconds=" + strconv.Itoa(int(graceTime.Seconds())),
		"Canary=false", "TtlIdentity=none",
	}
	args := append([]string{
		"deploy", "--template-file", template, "--stack-name", stackName, "--resolve-s3", "--no-progressbar",
		"--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset", "--no-fail-on-empty-changeset", "--parameter-overrides",
	}, parameters...)
	if _, err = s.output(ctx, cloud(url), sam, args...); err != nil {
		return nil, err
	}
	text, err := s.output(ctx, cloud(url), sam, "list", "stack-outputs", "--stack-name", stackName, "--output", "json")
	if err != nil {
		return nil, err
	}
	var list []struct{ OutputKey, OutputValue string }
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, fmt.Errorf("sam list stack-outputs: %w: %.300s", err, text)
	}
	outputs := map[string]string{}
	for _, o := range list {
		outputs[o.OutputKey] = o.OutputValue
	}
	for _, name := range []string{"ApiId", "CatalogTable", "HoldsTable", "TimersQueue"} {
		if outputs[name] == "" {
			return nil, fmt.Errorf("the stack has no output %s", name)
		}
	}
	return outputs, nil
}
