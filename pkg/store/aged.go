package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/fairseat/fairseat/pkg/archive"
	"github.com/fairseat/fairseat/pkg/order"
)

const (
	agedPrefix = "AGED#"
	skAged     = "AGED"
	aObject    = "object"
)

func agedKey(id order.ID) Key { return Key{Orders, agedPrefix + string(id), skAged} }

// agesAt is when an order or its payment may leave the table.
func agesAt(made time.Time) int64 { return made.Add(archive.After).Unix() }

// agedLine is a row as the archive has it. Sequence tells repeats from changes; an
// order is found by its id, a payment by the order that it is for.
type agedLine struct {
	Sequence string         `json:"seq"`
	Order    string         `json:"order,omitempty"`
	Item     map[string]any `json:"item"`
}

// AgedLine is the line of a row of the table [Orders] that was removed, ok false
// for those that are no one's concern after their end.
func AgedLine(was Item, sequence string) (l archive.Line, ok bool, err error) {
	pk, _ := was["pk"].(string)
	id, isOrder := strings.CutPrefix(pk, orderPrefix)
	if !isOrder && !IsPayment(was) {
		return l, false, nil
	}
	r := row{item: was}
	made := r.num(aMade)
	if r.err != nil {
		return l, false, r.err
	}
	doc := agedLine{Sequence: sequence, Item: was}
	if isOrder {
		l.Order, doc.Order = order.ID(id), id
	}
	l.Made = time.UnixMilli(made).UTC()
	l.Text, err = json.Marshal(doc)
	return l, err == nil, err
}

// OrderOfLine reads an order back from its line.
func OrderOfLine(text []byte) (order.Order, error) {
	var doc agedLine
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&doc); err != nil {
		return order.Order{}, fmt.Errorf("store: a line of the archive: %w", err)
	}
	it, ok := whole(doc.Item).(map[string]any)
	if !ok {
		return order.Order{}, fmt.Errorf("store: a line of the archive has no item")
	}
	o, err := orderFromItem(it)
	if err == nil && string(o.ID) != doc.Order {
		err = fmt.Errorf("store: the line of order %s has another's item", doc.Order)
	}
	return o, err
}

// whole turns JSON's numbers into those of an item, which are whole; others stay
// and are refused by who reads them.
func whole(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
	case map[string]any:
		for k, x := range v {
			v[k] = whole(x)
		}
	case []any:
		for i, x := range v {
			v[i] = whole(x)
		}
	}
	return v
}

// Aged is the archive's index, in the table that its orders were in.
type Aged struct{ t Tables }

var _ archive.Index = Aged{}

// NewAged keeps the index in the table [Orders] of t.
func NewAged(t Tables) Aged { return Aged{t} }

// Place writes two units an order; a later place of the same order is as good as
// the first, for its object has the same line.
func (a Aged) Place(ctx context.Context, object string, ids []order.ID) error {
	for len(ids) > 0 {
		n := min(len(ids), maxWrites)
		var ws []Write
		seen := map[order.ID]bool{}
		for _, id := range ids[:n] {
			if !seen[id] {
				ws = append(ws, Write{Key: agedKey(id), Put: Item{aObject: object}})
			}
			seen[id] = true
		}
		if err := a.t.Transact(ctx, ws, ""); err != nil {
			return classify(err)
		}
		ids = ids[n:]
	}
	return nil
}

// Object is one eventually consistent read, half a unit.
func (a Aged) Object(ctx context.Context, id order.ID) (string, error) {
	it, err := a.t.Get(ctx, agedKey(id), false)
	if err != nil || it == nil {
		return "", err
	}
	r := row{item: it}
	object := r.str(aObject)
	return object, r.err
}
