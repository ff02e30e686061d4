// Package cluster starts a PostgreSQL for the measurements: Debian's, in a temporary
// folder, reached by a Unix socket alone. Start with [Start].
package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"

	"github.com/jackc/pgx/v5"
)

// Cluster is a running server.
type Cluster struct {
	dir   string
	owner *syscall.Credential // nil: this process's own user
	bin   string
}

// how says what to do where the package is missing and cannot be installed.
const how = "the bench needs PostgreSQL's server: sudo apt-get install postgresql"

// binaries finds Debian's newest server, installing it if root may.
func binaries() (string, error) {
	find := func() []string {
		found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // the pattern is well formed
		return found
	}
	found := find()
	if len(found) == 0 && os.Getuid() == 0 {
		fmt.Fprintln(os.Stderr, "installing postgresql")
		for _, args := range [][]string{{"update", "-qq"}, {"install", "-y", "-qq", "--no-install-recommends", "postgresql"}} {
			cmd := exec.Command("apt-get", args...)
			cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
			if out, err := cmd.CombinedOutput(); err != nil {
				return "", fmt.Errorf("%s: %w: %s", how, err, out)
			}
		}
		found = find()
	}
	if len(found) == 0 {
		return "", errors.New(how)
	}
	return filepath.Dir(slices.Max(found)), nil
}

// settings are those that matter for a comparison; the rest is PostgreSQL's own.
const settings = "-c listen_addresses='' -c fsync=on -c synchronous_commit=on -c full_page_writes=on -c max_connections=200"

// Start makes and starts a server. As root it runs as the package's user,
// for the server refuses root.
func Start(ctx context.Context) (*Cluster, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	c := &Cluster{bin: bin}
	if c.dir, err = os.MkdirTemp("", "fairseat-postgres-"); err != nil {
		return nil, err
	}
	if os.Getuid() == 0 {
		if err := c.disown(); err != nil {
			return nil, errors.Join(err, os.RemoveAll(c.dir))
		}
	}
	data := filepath.Join(c.dir, "data")
	// Texts sort by their bytes; which signs are letters is known, or trigrams would have no Chinese.
	if err := c.run(ctx, "initdb", "-D", data, "-A", "trust", "-U", "bench", "-E", "UTF8", "--locale=C", "--lc-ctype=C.UTF-8"); err != nil {
		return nil, errors.Join(err, os.RemoveAll(c.dir))
	}
	err = c.run(ctx, "pg_ctl", "-D", data, "-w", "-t", "30", "-l", filepath.Join(c.dir, "log"), "-o", settings+" -c unix_socket_directories="+c.dir, "start")
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(c.dir))
	}
	return c, nil
}

// disown gives the folder to the user postgres.
func (c *Cluster) disown() error {
	u, err := user.Lookup("postgres")
	if err != nil {
		return err
	}
	uid, uerr := strconv.ParseUint(u.Uid, 10, 32)
	gid, gerr := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(uerr, gerr); err != nil {
		return err
	}
	c.owner = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return os.Chown(c.dir, int(uid), int(gid))
}

func (c *Cluster) run(ctx context.Context, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(c.bin, name), args...)
	cmd.Dir = c.dir
	// The server inherits the output, so a pipe would never end.
	out, err := os.CreateTemp("", "fairseat-postgres-said-")
	if err != nil {
		return err
	}
	defer os.Remove(out.Name())
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	if c.owner != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.owner}
	}
	if err := cmd.Run(); err != nil {
		said, _ := os.ReadFile(out.Name()) // what it said is a help, not the error
		return fmt.Errorf("postgres: %s: %w: %s", name, err, said)
	}
	return nil
}

// Close stops the server at once and removes its folder.
func (c *Cluster) Close() error {
	err := c.run(context.WithoutCancel(context.Background()), "pg_ctl", "-D", filepath.Join(c.dir, "data"), "-m", "immediate", "-w", "stop")
	return errors.Join(err, os.RemoveAll(c.dir))
}

// Connect opens n connections whose round trips are counted: pgx writes to its
// connection once for each thing that it then waits for.
func (c *Cluster) Connect(ctx context.Context, n int, schema string, trips *atomic.Int64) (chan *pgx.Conn, error) {
	conf, err := pgx.ParseConfig("host=" + c.dir + " user=bench dbname=postgres sslmode=disable")
	if err != nil {
		return nil, err
	}
	conf.RuntimeParams["search_path"] = schema
	conf.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		var d net.Dialer
		nc, err := d.DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return counted{nc, trips}, nil
	}
	free := make(chan *pgx.Conn, n)
	for range n {
		conn, err := pgx.ConnectConfig(ctx, conf)
		if err != nil {
			return nil, err
		}
		free <- conn
	}
	return free, nil
}

type counted struct {
	net.Conn
	trips *atomic.Int64
}

func (c counted) Write(p []byte) (int, error) {
	c.trips.Add(1)
	return c.Conn.Write(p)
}
