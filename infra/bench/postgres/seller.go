package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// errTaken refuses a wish because a seat is not free.
var errTaken = errors.New("postgres: a seat is taken")

// tally is what a seller counted since it was last asked.
type tally struct {
	trips  int64 // round trips to the database
	aborts int64 // transactions that had to be run again
}

// seller holds two named seats of a show for a buyer: both or errTaken.
type seller interface {
	name() string
	// open makes ready a show of so many seats.
	open(ctx context.Context, show string, seats int) error
	hold(ctx context.Context, show, buyer string, pair [2]int) error
	// sold counts the seats of a show among the first n that somebody holds.
	sold(ctx context.Context, show string, n int) (int, error)
	take() tally
	close() error
}

const schema = `
CREATE TABLE bookings (id text PRIMARY KEY, show text NOT NULL, buyer text NOT NULL, expires_at timestamptz NOT NULL);
CREATE TABLE seats (show text, seat int, booking text REFERENCES bookings(id) DEFERRABLE INITIALLY DEFERRED, PRIMARY KEY (show, seat));
CREATE TABLE claims (show text, seat int, booking text NOT NULL, PRIMARY KEY (show, seat));
`

// way is how a transaction takes two seats.
type way struct {
	title string
	level pgx.TxIsoLevel
	take  func(ctx context.Context, tx pgx.Tx, id, show, buyer string, pair [2]int) error
	taken string // what a seat is that somebody holds, in SQL
}

// classic is the textbook: look whether the seats are free, mark them, note the
// booking, and let serialisable isolation find who was wrong.
var classic = way{
	title: "postgres serializable", level: pgx.Serializable, taken: "seats WHERE booking IS NOT NULL AND",
	take: func(ctx context.Context, tx pgx.Tx, id, show, buyer string, pair [2]int) error {
		free, err := count(ctx, tx, "SELECT seat FROM seats WHERE show = $1 AND seat IN ($2, $3) AND booking IS NULL", show, pair[0], pair[1])
		if err != nil {
			return err
		}
		if free < 2 {
			return errTaken
		}
		if _, err := tx.Exec(ctx, "UPDATE seats SET booking = $4 WHERE show = $1 AND seat IN ($2, $3)", show, pair[0], pair[1], id); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, insertBooking, id, show, buyer)
		return err
	},
}

const insertBooking = "INSERT INTO bookings (id, show, buyer, expires_at) VALUES ($1, $2, $3, now() + interval '5 minutes')"

// unique lets a primary key decide, which is the best that is known for named
// seats: no row is locked that is not wanted, nobody is told "taken" while the
// other may still roll back, and one statement does it all.
var unique = way{
	title: "postgres unique key", taken: "claims WHERE",
	take: nil, // one statement of its own: see (*server).claim
}

const claimBoth = `
WITH taken AS (
  INSERT INTO claims (show, seat, booking) VALUES ($2, least($4::int, $5::int), $1), ($2, greatest($4::int, $5::int), $1)
), booked AS (
  INSERT INTO bookings (id, show, buyer, expires_at) VALUES ($1, $2, $3, now() + interval '5 minutes')
) SELECT 1`

// skipping takes the rows that nobody has locked: the usual advice for queues,
// which says "taken" of seats whose locker may yet give them back.
var skipping = way{
	title: "postgres skip locked", level: pgx.ReadCommitted, taken: "seats WHERE booking IS NOT NULL AND",
	take: func(ctx context.Context, tx pgx.Tx, id, show, buyer string, pair [2]int) error {
		free, err := count(ctx, tx, "SELECT seat FROM seats WHERE show = $1 AND seat IN ($2, $3) AND booking IS NULL FOR UPDATE SKIP LOCKED", show, pair[0], pair[1])
		if err != nil {
			return err
		}
		if free < 2 {
			return errTaken
		}
		if _, err := tx.Exec(ctx, insertBooking, id, show, buyer); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "UPDATE seats SET booking = $4 WHERE show = $1 AND seat IN ($2, $3)", show, pair[0], pair[1], id)
		return err
	},
}

func count(ctx context.Context, tx pgx.Tx, sql string, args ...any) (int, error) {
	rows, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return 0, err
	}
	n := 0
	for rows.Next() {
		n++
	}
	return n, rows.Err()
}

// server is PostgreSQL selling one way.
type server struct {
	way
	free   chan *pgx.Conn
	trips  *atomic.Int64
	aborts atomic.Int64
	number atomic.Int64
}

func (s *server) name() string { return s.title }

func (s *server) open(ctx context.Context, show string, seats int) error {
	if s.way.take == nil {
		return nil // a free seat has no row
	}
	return s.use(ctx, func(c *pgx.Conn) error {
		_, err := c.Exec(ctx, "INSERT INTO seats (show, seat) SELECT $1, generate_series(0, $2::int - 1)", show, seats)
		return err
	})
}

// use gives f a connection of its own.
func (s *server) use(ctx context.Context, f func(*pgx.Conn) error) error {
	select {
	case c := <-s.free:
		defer func() { s.free <- c }()
		return f(c)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// warm lets every connection plan its statements, on seats that nobody counts.
func (s *server) warm(ctx context.Context) error {
	const show = "warm"
	if err := s.open(ctx, show, 2); err != nil {
		return err
	}
	undo := errors.New("undo")
	for range cap(s.free) {
		err := s.use(ctx, func(c *pgx.Conn) error {
			return pgx.BeginTxFunc(ctx, c, pgx.TxOptions{}, func(tx pgx.Tx) error {
				var err error
				if s.way.take == nil {
					_, err = tx.Exec(ctx, claimBoth, show, show, show, 0, 1)
				} else {
					err = s.way.take(ctx, tx, show, show, show, [2]int{0, 1})
				}
				return errors.Join(err, undo)
			})
		})
		if err != nil && err.Error() != undo.Error() {
			return err
		}
	}
	return nil
}

// Codes of a transaction that must be run again (PostgreSQL, appendix A).
const (
	serialization = "40001"
	deadlock      = "40P01"
	uniqueKey     = "23505"
)

// mostRuns of one transaction; then the buyer is told to come again.
const mostRuns = 50

var errBusy = errors.New("postgres: too many aborts")

func (s *server) hold(ctx context.Context, show, buyer string, pair [2]int) error {
	id := fmt.Sprintf("b%d", s.number.Add(1)) + buyer
	for range mostRuns {
		err := s.once(ctx, id, show, buyer, pair)
		var pe *pgconn.PgError
		if !errors.As(err, &pe) {
			return err
		}
		switch pe.Code {
		case uniqueKey:
			return errTaken
		case serialization, deadlock:
			s.aborts.Add(1)
		default:
			return err
		}
	}
	return errBusy
}

func (s *server) once(ctx context.Context, id, show, buyer string, pair [2]int) error {
	return s.use(ctx, func(c *pgx.Conn) error {
		if s.way.take == nil {
			_, err := c.Exec(ctx, claimBoth, id, show, buyer, pair[0], pair[1])
			return err
		}
		return pgx.BeginTxFunc(ctx, c, pgx.TxOptions{IsoLevel: s.level}, func(tx pgx.Tx) error {
			return s.way.take(ctx, tx, id, show, buyer, pair)
		})
	})
}

func (s *server) sold(ctx context.Context, show string, n int) (int, error) {
	var sold int
	err := s.use(ctx, func(c *pgx.Conn) error {
		return c.QueryRow(ctx, "SELECT count(*) FROM "+s.taken+" show = $1 AND seat < $2", show, n).Scan(&sold)
	})
	return sold, err
}

func (s *server) take() tally { return tally{s.trips.Swap(0), s.aborts.Swap(0)} }

func (s *server) close() error {
	var errs []error
	for len(s.free) > 0 {
		errs = append(errs, (<-s.free).Close(context.Background()))
	}
	return errors.Join(errs...)
}

// limit of one hold, far beyond what any side needs.
const limit = 20 * time.Second
