package search

import (
	"fmt"
	"strings"
	"time"
)

// schema is for these questions alone: what is filtered and sorted by stands with
// the show, so that a page is one walk along an index where there is one.
const schema = `
CREATE EXTENSION pg_trgm;
CREATE EXTENSION cube;
CREATE EXTENSION earthdistance;
CREATE OR REPLACE FUNCTION earth() RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 6371008.8::float8';
CREATE TABLE films (id int PRIMARY KEY, row jsonb NOT NULL, doc tsvector NOT NULL);
CREATE TABLE cinemas (id int PRIMARY KEY, lat float8 NOT NULL, lon float8 NOT NULL);
CREATE TABLE lists (id int PRIMARY KEY, prices jsonb NOT NULL);
CREATE TABLE prices (list int NOT NULL, currency text NOT NULL, minor bigint NOT NULL);
CREATE TABLE cities (id text PRIMARY KEY, lat float8 NOT NULL, lon float8 NOT NULL);
CREATE TABLE shows (
	id text PRIMARY KEY, film int NOT NULL, folded text NOT NULL, language text NOT NULL, city text NOT NULL,
	cinema int NOT NULL, list int NOT NULL, starts bigint NOT NULL, ends bigint NOT NULL
);`

const indexes = `
CREATE TABLE words AS SELECT word FROM ts_stat('SELECT doc FROM films');
ALTER TABLE words ADD PRIMARY KEY (word);
CREATE INDEX ON words USING gin (word gin_trgm_ops);
CREATE INDEX ON films USING gin (doc);
CREATE INDEX ON cinemas USING gist (ll_to_earth(lat, lon));
CREATE INDEX ON prices (currency, minor, list);
CREATE INDEX ON shows (starts, id);
CREATE INDEX ON shows (folded, starts, id);
CREATE INDEX ON shows (starts, folded, id);
CREATE INDEX ON shows (city, starts, id);
CREATE INDEX ON shows (cinema, starts, id);
CREATE INDEX ON shows (film, starts, id);
CREATE INDEX ON shows (language, starts, id);
CREATE INDEX ON shows (language, folded, starts, id);
CREATE INDEX ON shows (list, starts, id);
VACUUM ANALYZE;`

// understood turns words into a tsquery as ours understands them: the beginning of
// a word, or where no film has such a one, those that look most like it.
const understood = `WITH alt AS MATERIALIZED (
	SELECT coalesce(
		(SELECT quote_literal(t.w) || ':*' WHERE EXISTS (SELECT FROM words WHERE word >= t.w AND word < t.w || chr(1114111))),
		(SELECT '(' || string_agg(quote_literal(word), '|') || ')' FROM (SELECT word FROM words WHERE word % t.w ORDER BY word <-> t.w LIMIT 5) x)
	) AS q FROM unnest({terms}::text[]) AS t(w)
), asked AS MATERIALIZED (
	SELECT CASE WHEN NOT bool_or(q IS NULL) THEN string_agg(q, ' & ')::tsquery END AS q FROM alt
) `

// last is where a page ended.
type last struct {
	id, folded string
	starts     int64
	far        int32
}

// statement gathers parameters.
type statement struct {
	args  []any
	where []string
}

func (s *statement) arg(v any) string {
	s.args = append(s.args, v)
	return fmt.Sprintf("$%d", len(s.args))
}

func (s *statement) need(form string, args ...any) {
	names := make([]any, len(args))
	for i, a := range args {
		names[i] = s.arg(a)
	}
	s.where = append(s.where, fmt.Sprintf(form, names...))
}

// columns of the orders. Each ends with the id and is total.
var columns = map[string][]string{
	"name,asc": {"s.folded", "s.starts", "s.id"}, "name,desc": {"s.folded", "s.starts", "s.id"},
	"date,asc": {"s.starts", "s.id"}, "date,desc": {"s.starts", "s.id"},
	"distance,asc":  {"c.far", "s.starts", "s.id"},
	"name,date,asc": {"s.folded", "s.starts", "s.id"}, "name,date,desc": {"s.folded", "s.starts", "s.id"},
	"date,name,asc": {"s.starts", "s.folded", "s.id"}, "date,name,desc": {"s.starts", "s.folded", "s.id"},
}

// sql is a page of w behind after, which is nil for the first: one statement.
func (w wish) sql(after *last, now time.Time) (string, []any) {
	s := &statement{}
	with, far, from := "", "0", "shows s JOIN films f ON f.id = s.film JOIN lists l ON l.id = s.list"
	suggested := "''"
	if w.keyword != "" {
		with = strings.ReplaceAll(understood, "{terms}", s.arg(terms(w.keyword)))
		s.where = append(s.where, "f.doc @@ (SELECT q FROM asked)")
		suggested = "(SELECT q::text FROM asked)"
	}
	if sub := w.cinemas(s); sub != "" {
		from += " JOIN (" + sub + ") c ON c.id = s.cinema"
		far = "c.far"
	}
	w.filters(s, now)
	keys := columns[w.order]
	direction, beyond := "", ">"
	if strings.HasSuffix(w.order, "desc") {
		direction, beyond = " DESC", "<"
	}
	if after != nil {
		values := map[string]any{"s.folded": after.folded, "s.starts": after.starts, "s.id": after.id, "c.far": after.far}
		var names []string
		for _, k := range keys {
			names = append(names, s.arg(values[k]))
		}
		s.where = append(s.where, fmt.Sprintf("(%s) %s (%s)", strings.Join(keys, ", "), beyond, strings.Join(names, ", ")))
	}
	return fmt.Sprintf("%sSELECT s.id, s.folded, s.starts, s.ends, %s AS far, f.row, l.prices, %s AS suggested FROM %s WHERE %s ORDER BY %s LIMIT %d",
		with, far, suggested, from, strings.Join(s.where, " AND "), strings.Join(keys, direction+", ")+direction, perPage+1), s.args
}

func (w wish) filters(s *statement, now time.Time) {
	s.need("s.starts > %s", now.UnixMilli())
	if !w.from.IsZero() {
		s.need("s.starts >= %s", w.from.UnixMilli())
	}
	if !w.to.IsZero() {
		s.need("s.starts <= %s", w.to.UnixMilli())
	}
	if w.city != "" {
		s.need("s.city = %s", w.city)
	}
	if w.language != "" {
		s.need("s.language = %s", w.language)
	}
	if w.currency != "" {
		s.need("s.list IN (SELECT list FROM prices WHERE currency = %s AND minor BETWEEN %s AND %s)", w.currency, w.min, w.max)
	}
}

// cinemas tells how far each is, where that is asked for.
func (w wish) cinemas(s *statement) string {
	const distance = "round(earth_distance(ll_to_earth(k.lat, k.lon), %s))::int"
	switch {
	case w.near != nil:
		at := fmt.Sprintf("ll_to_earth(%s, %s)", s.arg(w.near.Lat), s.arg(w.near.Lon))
		d, most := fmt.Sprintf(distance, at), s.arg(w.metres)
		return fmt.Sprintf("SELECT k.id, %s AS far FROM cinemas k WHERE earth_box(%s, %s::int + 1) @> ll_to_earth(k.lat, k.lon) AND %s <= %s::int", d, at, most, d, most)
	case w.order == "distance,asc":
		return fmt.Sprintf("SELECT k.id, "+distance+" AS far FROM cinemas k, cities t WHERE t.id = %s", "ll_to_earth(t.lat, t.lon)", s.arg(w.city))
	}
	return ""
}
