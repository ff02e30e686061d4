package emulators

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/fairseat/fairseat/localstack/process"
)

// S3 is the Versity gateway over a folder: https://github.com/versity/versitygw,
// Apache-2.0. Unlike the other stand-ins it verifies signatures.
const (
	versityVersion = "1.8.0"
	versityModule  = "github.com/versity/versitygw/cmd/versitygw"
	versityBin     = "versitygw-" + versityVersion + "/bin/versitygw"
)

// Root of the object store: the one that it knows, with every right.
const (
	ObjectKey    = "local"
	ObjectSecret = "local"
)

// StartObjects starts S3 alone.
func StartObjects(ctx context.Context, g *process.Group, o Options) (*Set, error) {
	in := installer{ctx, g, o}
	unlock, err := in.begin()
	if err != nil {
		return nil, err
	}
	err = in.objects()
	unlock()
	if err != nil {
		return nil, err
	}
	scratch, err := makeScratch(o.Tools)
	if err != nil {
		return nil, fmt.Errorf("emulators: scratch folder: %w", err)
	}
	s := &Set{scratch: scratch}
	if s.Objects, err = startObjects(ctx, g, o, scratch); err != nil {
		s.Close()
		return nil, fmt.Errorf("emulators: %w", err)
	}
	return s, nil
}

func (in installer) objects() error {
	return in.gotool("Versity S3 Gateway "+versityVersion, versityModule, versityVersion, versityBin)
}

func startObjects(ctx context.Context, g *process.Group, o Options, scratch string) (Endpoint, error) {
	dir := filepath.Join(scratch, "objects")
	if o.Data != "" {
		dir = filepath.Join(o.Data, "objects")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return Endpoint{}, err
	}
	// What an object is beside its bytes stands in a folder of its own: not every
	// file system has extended attributes.
	kept, about := filepath.Join(dir, "kept"), filepath.Join(dir, "about")
	for _, d := range []string{kept, about} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return Endpoint{}, err
		}
	}
	return attempt(ctx, g, o.ObjectPort, func(port int) (process.Spec, string, error) {
		bin, err := filepath.Abs(filepath.Join(o.Tools, versityBin))
		return process.Spec{
			Name: "versitygw", Path: bin,
			Args: []string{"--port", "127.0.0.1:" + strconv.Itoa(port), "--region", o.Region, "--quiet", "--keep-alive",
				"--health", "/health", "posix", "--sidecar", about, kept},
			Env: append(os.Environ(), "ROOT_ACCESS_KEY="+ObjectKey, "ROOT_SECRET_KEY="+ObjectSecret),
		}, "/health", err
	})
}
