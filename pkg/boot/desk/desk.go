// Package desk builds the box office over the deployed tables.
package desk

import (
	"math/rand/v2"

	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/history"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/ddb"
)

// variables name the deployed tables; a function has only those that its
// statements allow.
var variables = map[store.Table]string{
	store.TableCatalog: "CATALOG_TABLE",
	store.Claims:       "CLAIMS_TABLE",
	store.Holds:        "HOLDS_TABLE",
	store.Timers:       "TIMERS_TABLE",
	store.Line:         "LINE_TABLE",
	store.Orders:       "ORDERS_TABLE",
	store.Snapshots:    "SNAPSHOTS_TABLE",
	store.History:      "HISTORY_TABLE",
	store.Sockets:      "SOCKETS_TABLE",
	store.Limits:       "LIMITS_TABLE",
	store.Accounts:     "ACCOUNTS_TABLE",
	store.Developers:   "DEVELOPERS_TABLE",
	store.Keys:         "KEYS_TABLE",
	store.Mail:         "MAIL_TABLE",
}

// Tables are the deployed tables. No call is made.
func Tables(p *boot.Parts) store.Counters {
	client, err := ddb.Client(p.Env)
	if err != nil {
		p.Fail(err)
		return nil
	}
	names := map[store.Table]string{}
	for t, v := range variables {
		if name := p.Env(v); name != "" {
			names[t] = name
		}
	}
	return ddb.New(client, names, boot.Jitter)
}

// Catalog reads the catalogue.
func Catalog(t store.Tables) *catalog.Reader {
	return catalog.NewReader(store.NewCatalog(t), boot.Clock)
}

// parallel is how many connections one request uses at once, at the most.
const parallel = 8

// Office is the box office without money: holds, their ends and seat maps.
func Office(p *boot.Parts) *boxoffice.Office {
	t := Tables(p)
	policy := p.Policy()
	s := store.New(t, policy)
	return &boxoffice.Office{
		Store: s, Lane: s, Catalog: Catalog(t), Policy: policy,
		Clock: boot.Clock, Pause: boot.Pause, Rand: rand.Uint64, Parallel: parallel,
	}
}

// Lined is the box office with its line.
func Lined(p *boot.Parts) *boxoffice.Office {
	o := Office(p)
	o.Line, o.LineCloses = p.LinePolicy()
	return o
}

// History is the book of what buyers are shown of their orders, read alone.
func History(p *boot.Parts) *history.Book {
	return &history.Book{Store: store.NewHistories(Tables(p)), Clock: boot.Clock}
}

// Recorder is the same book for who writes it.
func Recorder(p *boot.Parts) *history.Book {
	t := Tables(p)
	return &history.Book{Store: store.NewHistories(t), Shows: Catalog(t), Clock: boot.Clock}
}

// Adopting is the box office that moves guests' things to accounts.
func Adopting(p *boot.Parts) *boxoffice.Office {
	t := Tables(p)
	policy := p.Policy()
	s := store.New(t, policy)
	book := &history.Book{Store: store.NewHistories(t), Clock: boot.Clock}
	return &boxoffice.Office{
		Store: s, Lane: s, Adoptions: s, Past: book.Lately, Policy: policy,
		Clock: boot.Clock, Pause: boot.Pause, Rand: rand.Uint64, Parallel: parallel,
	}
}
