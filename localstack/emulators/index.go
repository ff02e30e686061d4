package emulators

import (
	"fmt"
	"os/exec"
	"path/filepath"

	"github.com/fairseat/fairseat/localstack/process"
)

// addIndex makes Dynoxide's streams several times as fast: it reads its private
// table of stream records without one. Where no SQLite client is found a line
// says what to install, and the streams are only slow.
func addIndex(g *process.Group, o Options, db string) error {
	const sql = `CREATE INDEX IF NOT EXISTS sr_seq ON _stream_records(table_name, CAST(sequence_number AS INTEGER))`
	s := process.Spec{Name: "sqlite", Path: "sqlite3", Args: []string{db, sql}}
	if _, err := exec.LookPath("sqlite3"); err != nil {
		const script = "import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); c.execute(sys.argv[2]); c.commit()"
		s.Path, s.Args = "python3", []string{"-c", script, db, sql}
		if _, err := exec.LookPath("python3"); err != nil {
			fmt.Fprintln(o.Progress, "streams of Dynoxide will be slow without an index; to have it: sudo apt-get install -y sqlite3")
			return nil
		}
	}
	c, err := g.Start(s)
	if err != nil {
		return err
	}
	if <-c.Done(); c.Err() != nil {
		return fmt.Errorf("index of %s: %w", filepath.Base(db), c.Err())
	}
	return nil
}
