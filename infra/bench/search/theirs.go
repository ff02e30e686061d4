package search

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fairseat/fairseat/infra/bench/cluster"
	"github.com/fairseat/fairseat/pkg/catalog"
	product "github.com/fairseat/fairseat/pkg/search"
)

// theirs is PostgreSQL with the week in it.
type theirs struct {
	cluster *cluster.Cluster
	conn    *pgx.Conn
	trips   atomic.Int64  // what Connect asks for; one a page
	loaded  time.Duration // load and indexes
	bytes   int64         // of tables and indexes
}

func openTheirs(ctx context.Context, rows product.Rows) (*theirs, error) {
	t := &theirs{}
	var err error
	if t.cluster, err = cluster.Start(ctx); err != nil {
		return nil, err
	}
	if err := t.open(ctx, rows); err != nil {
		return nil, errors.Join(fmt.Errorf("search: postgres: %w", err), t.close())
	}
	return t, nil
}

func (t *theirs) open(ctx context.Context, rows product.Rows) error {
	free, err := t.cluster.Connect(ctx, 1, "public", &t.trips)
	if err != nil {
		return err
	}
	t.conn = <-free
	began := time.Now()
	// Compiling a statement takes longer than any of these runs.
	if _, err := t.conn.Exec(ctx, "SET jit = off;"+schema); err != nil {
		return err
	}
	if err := t.load(ctx, rows); err != nil {
		return err
	}
	for _, s := range strings.Split(strings.TrimSuffix(indexes, ";"), ";") { // VACUUM wants to be alone
		if _, err := t.conn.Exec(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	t.loaded = time.Since(began)
	return t.conn.QueryRow(ctx, "SELECT pg_database_size(current_database())").Scan(&t.bytes)
}

func (t *theirs) close() error {
	var err error
	if t.conn != nil {
		err = t.conn.Close(context.Background())
	}
	return errors.Join(err, t.cluster.Close())
}

// numbered gives each different thing a number.
type numbered[K comparable] map[K]int

func (n numbered[K]) of(k K) (int, bool) {
	i, ok := n[k]
	if !ok {
		i = len(n)
		n[k] = i
	}
	return i, !ok
}

// copies are the rows of each table.
type copies map[string][][]any

func (t *theirs) load(ctx context.Context, rows product.Rows) error {
	c := copies{}
	ids := map[catalog.MovieID]int{}
	films := map[catalog.MovieID]catalog.Movie{}
	for _, r := range rows {
		switch {
		case r.Film != nil:
			f := *r.Film
			ids[f.ID], films[f.ID] = len(ids), f
		case r.City != nil:
			c["cities"] = append(c["cities"], []any{string(r.City.ID), r.City.Lat, r.City.Lon})
		}
	}
	for id, f := range films {
		texts := append(append([]string{f.Title, f.OriginalTitle, f.ChineseTitle, f.Description, f.ChineseDescription}, f.Genres...), f.Directors...)
		if _, err := t.conn.Exec(ctx, "INSERT INTO films VALUES ($1, $2, array_to_tsvector($3::text[]))", ids[id], f, distinct(lexemes(strings.Join(texts, "\n")))); err != nil {
			return err
		}
	}
	c.shows(rows, ids, films)
	for _, table := range []string{"cities", "cinemas", "lists", "prices", "shows"} {
		if _, err := t.conn.CopyFrom(ctx, pgx.Identifier{table}, heads[table], pgx.CopyFromRows(c[table])); err != nil {
			return fmt.Errorf("%s: %w", table, err)
		}
	}
	return nil
}

var heads = map[string][]string{
	"cities": {"id", "lat", "lon"}, "cinemas": {"id", "lat", "lon"}, "lists": {"id", "prices"}, "prices": {"list", "currency", "minor"},
	"shows": {"id", "film", "folded", "language", "city", "cinema", "list", "starts", "ends"},
}

func (c copies) shows(rows product.Rows, ids map[catalog.MovieID]int, films map[catalog.MovieID]catalog.Movie) {
	cinemas, lists := numbered[catalog.Cinema]{}, numbered[string]{}
	for _, r := range rows {
		if r.Show == nil {
			continue
		}
		s := r.Show
		cinema, fresh := cinemas.of(s.Cinema)
		if fresh {
			c["cinemas"] = append(c["cinemas"], []any{cinema, s.Cinema.Lat, s.Cinema.Lon})
		}
		list, fresh := lists.of(fmt.Sprint(s.Prices))
		if fresh {
			c["lists"] = append(c["lists"], []any{list, s.Prices})
			for _, p := range s.Prices {
				c["prices"] = append(c["prices"], []any{list, p.Amount.Currency, p.Amount.Minor})
			}
		}
		f := films[s.Movie]
		c["shows"] = append(c["shows"], []any{
			string(s.ID), ids[s.Movie], strings.ToLower(f.Title), f.Language, string(s.City), cinema, list, s.StartsAt.UnixMilli(), s.EndsAt.UnixMilli(),
		})
	}
}

func distinct(all []string) []string {
	seen := map[string]bool{}
	var once []string
	for _, w := range all {
		if !seen[w] {
			seen[w] = true
			once = append(once, w)
		}
	}
	return once
}

// page asks for w; only the page that is wanted is timed.
func (t *theirs) page(ctx context.Context, w wish) (p page, err error) {
	var after *last
	for n := range w.page {
		if n > 0 && after == nil { // there are no more
			return page{ms: p.ms}, nil
		}
		pid := int(t.conn.PgConn().PID())
		before, began := processor(pid), time.Now()
		if p.shows, after, err = t.ask(ctx, w, after); err != nil {
			return p, err
		}
		p.ms, p.busy = milliseconds(time.Since(began)), processor(pid)-before
	}
	return p, nil
}

func (t *theirs) ask(ctx context.Context, w wish, after *last) (shows []string, next *last, err error) {
	text, args := w.sql(after, time.Now())
	rows, err := t.conn.Query(ctx, text, args...)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	var l last
	for rows.Next() {
		if len(shows) == perPage { // the one more tells that there is a next page
			at := l
			next = &at
			break
		}
		var ends int64
		var film, prices []byte
		var suggested *string
		if err := rows.Scan(&l.id, &l.folded, &l.starts, &ends, &l.far, &film, &prices, &suggested); err != nil {
			return nil, nil, err
		}
		shows = append(shows, l.id)
	}
	rows.Close()
	return shows, next, rows.Err()
}
