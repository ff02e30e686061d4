package emulators

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/fairseat/fairseat/localstack/process"
)

//go:embed dynamodb/pom.xml elasticmq/pom.xml
var poms embed.FS

// Where things land below the cache folder; the version is part of the path, so
// that a new version is fetched beside the old one.
const (
	dynamoLib       = "dynamodb-local-2.6.1/lib"
	elasticLib      = "elasticmq-1.7.1/lib"
	dynoxideRoot    = "dynoxide-3.2.0"
	dynoxideBin     = dynoxideRoot + "/bin/dynoxide"
	dynoxideVersion = "3.2.0"

	copyGoal = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"
	packages = "openjdk-17-jre-headless maven"
)

// Install fetches what is missing for what the options want.
// It is cheap when nothing is.
func Install(ctx context.Context, g *process.Group, o Options) error {
	in := installer{ctx, g, o}
	unlock, err := in.begin()
	if err != nil {
		return err
	}
	defer unlock()
	if err := in.needs("java"); err != nil {
		return err
	}
	if err := in.maven("ElasticMQ 1.7.1 (37 MB)", "elasticmq/pom.xml", elasticLib); err != nil {
		return err
	}
	if o.Objects {
		if err := in.objects(); err != nil {
			return err
		}
	}
	switch o.Store {
	case DynamoDBLocal:
		return in.maven("DynamoDB Local 2.6.1 (55 MB)", "dynamodb/pom.xml", dynamoLib)
	case Dynoxide:
		return in.cargo()
	}
	return errors.New("emulators: no store was chosen")
}

type installer struct {
	ctx context.Context
	g   *process.Group
	o   Options
}

// begin waits until nobody else installs into the folder.
func (in installer) begin() (unlock func(), err error) {
	if err := os.MkdirAll(in.o.Tools, 0o755); err != nil {
		return nil, fmt.Errorf("emulators: %w", err)
	}
	if unlock, err = lock(in.ctx, filepath.Join(in.o.Tools, ".lock")); err != nil {
		return nil, fmt.Errorf("emulators: %w", err)
	}
	return unlock, nil
}

// step runs one long command with a line before and after it.
func (in installer) step(what string, s process.Spec) error {
	began := time.Now()
	fmt.Fprintf(in.o.Progress, "%s …\n", what)
	var last tail
	s.Stdout, s.Stderr = &last, &last
	finished := make(chan struct{})
	var telling sync.WaitGroup // one writer at a time
	telling.Go(func() { patience(in.o.Progress, what, began, finished) })
	err := in.g.Run(in.ctx, s)
	close(finished)
	telling.Wait()
	if err != nil {
		return fmt.Errorf("emulators: %s: %w%s", what, err, last.quote())
	}
	fmt.Fprintf(in.o.Progress, "%s: done in %s\n", what, time.Since(began).Round(100*time.Millisecond))
	return nil
}

func patience(w io.Writer, what string, began time.Time, finished <-chan struct{}) {
	t := time.NewTicker(15 * time.Second)
	defer t.Stop()
	for {
		select {
		case <-finished:
			return
		case <-t.C:
			fmt.Fprintf(w, "%s: still at work after %s\n", what, time.Since(began).Round(time.Second))
		}
	}
}

// needs makes sure of java and mvn: through apt-get where that may be, else by
// telling the command.
func (in installer) needs(program string) error {
	if _, err := exec.LookPath(program); err == nil {
		return nil
	}
	apt, err := exec.LookPath("apt-get")
	if err != nil || os.Getuid() != 0 {
		return fmt.Errorf("emulators: %s is missing; install it with: %s", program, installCommand())
	}
	env := append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	if err := in.step("apt-get update", process.Spec{Name: "apt-get", Path: apt, Args: []string{"update", "-q"}, Env: env}); err != nil {
		return err
	}
	args := append([]string{"install", "-y", "-q", "--no-install-recommends"}, strings.Fields(packages)...)
	return in.step("apt-get install "+packages, process.Spec{Name: "apt-get", Path: apt, Args: args, Env: env})
}

func installCommand() string {
	if _, err := exec.LookPath("brew"); err == nil {
		return "brew install openjdk@17 maven"
	}
	return "sudo apt-get install -y " + packages
}

// maven copies the jars that a pom names. The folder gets its name only when it
// is whole, so that an interrupted fetch is begun again.
func (in installer) maven(what, pom, lib string) error {
	dest := filepath.Join(in.o.Tools, filepath.FromSlash(lib))
	if _, err := os.Stat(dest); err == nil {
		return nil
	}
	if err := in.needs("mvn"); err != nil {
		return err
	}
	home := filepath.Dir(dest)
	if err := os.MkdirAll(home, 0o755); err != nil {
		return fmt.Errorf("emulators: %w", err)
	}
	text, err := poms.ReadFile(pom)
	if err != nil {
		return fmt.Errorf("emulators: %w", err)
	}
	if err := os.WriteFile(filepath.Join(home, "pom.xml"), text, 0o644); err != nil {
		return fmt.Errorf("emulators: %w", err)
	}
	err = in.step("fetching "+what, process.Spec{
		Name: "mvn", Path: "mvn", Dir: home,
		Args: []string{"-q", "-B", copyGoal, "-DincludeScope=runtime", "-DoutputDirectory=lib.part"},
	})
	if err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(home, "lib.part"), dest); err != nil {
		return fmt.Errorf("emulators: %w", err)
	}
	return nil
}

// gotool builds a program with its own versions of modules, as its makers do.
func (in installer) gotool(what, module, version, bin string) error {
	dest, err := filepath.Abs(filepath.Join(in.o.Tools, filepath.FromSlash(bin)))
	if err != nil {
		return fmt.Errorf("emulators: %w", err)
	}
	if _, err := os.Stat(dest); err == nil {
		return nil
	}
	if _, err := exec.LookPath("go"); err != nil {
		return errors.New("emulators: go is missing; install it from https://go.dev/dl")
	}
	return in.step("building "+what+" (a minute or two, once)", process.Spec{
		Name: "go", Path: "go", Args: []string{"install", module + "@v" + version},
		Env: append(os.Environ(), "GOBIN="+filepath.Dir(dest)),
	})
}

func (in installer) cargo() error {
	if _, err := os.Stat(filepath.Join(in.o.Tools, dynoxideBin)); err == nil {
		return nil
	}
	if _, err := exec.LookPath("cargo"); err != nil {
		return errors.New("emulators: cargo is missing; install it with: curl -sSf https://sh.rustup.rs | sh -s -- -y")
	}
	return in.step("building Dynoxide "+dynoxideVersion+" (two to five minutes, once)", process.Spec{
		Name: "cargo", Path: "cargo",
		Args: []string{"install", "dynoxide-rs", "--version", dynoxideVersion, "--locked", "--no-default-features",
			"--features", "native-sqlite,http-server,cli", "--root", filepath.Join(in.o.Tools, dynoxideRoot)},
	})
}
