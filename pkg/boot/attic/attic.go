// Package attic builds the archive, and the box office with it, apart from desk:
// S3's client is megabytes.
package attic

import (
	"context"
	"errors"

	"github.com/fairseat/fairseat/pkg/archive"
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/boot/desk"
	"github.com/fairseat/fairseat/pkg/boot/shelf"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/order"
	"github.com/fairseat/fairseat/pkg/store"
)

// Keeper is the archive of orders.
func Keeper(p *boot.Parts) archive.Keeper {
	return archive.Keeper{Bucket: shelf.Bucket(p, "ARCHIVE_BUCKET"), Index: store.NewAged(desk.Tables(p))}
}

// Office is desk's with the archive behind it.
func Office(p *boot.Parts) *boxoffice.Office {
	o, k := desk.Office(p), Keeper(p)
	o.Aged = func(ctx context.Context, id order.ID) (order.Order, error) {
		line, err := k.Order(ctx, id)
		if errors.Is(err, archive.ErrMissing) {
			return order.Order{}, boxoffice.ErrOrderNotFound
		}
		if err != nil {
			return order.Order{}, err
		}
		return store.OrderOfLine(line)
	}
	return o
}
