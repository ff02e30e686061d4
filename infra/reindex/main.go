// Command reindex builds the search's index anew where its list or an object of it
// is lost, or its content is doubted.
//
// It empties the list and then touches every item that a search is told of, in the
// tables that CATALOG_TABLE and SNAPSHOTS_TABLE name, so that their streams tell
// all of it again: what changes meanwhile keeps its place behind what it changes,
// which a copy of the tables would not. Until the streams are through, searches
// find less or nothing. It may be stopped anywhere and run again.
//
// Start with rebuild.
package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/search"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/ddb"
)

// parallel is how many items are touched at once.
const parallel = 8

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Getenv); err != nil {
		fmt.Fprintln(os.Stderr, "reindex:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, env func(string) string) error {
	names := map[store.Table]string{store.TableCatalog: env("CATALOG_TABLE"), store.Snapshots: env("SNAPSHOTS_TABLE")}
	if names[store.TableCatalog] == "" || names[store.Snapshots] == "" {
		return errors.New("CATALOG_TABLE and SNAPSHOTS_TABLE must be set: they name the catalogue's table and that of the seat maps")
	}
	client, err := ddb.Client(env)
	if err != nil {
		return err
	}
	n, err := rebuild(ctx, client, names, time.Now())
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(os.Stderr, "the list is empty and %d items will be told again\n", n)
	return err
}

// rebuild tells how many items it has touched.
func rebuild(ctx context.Context, client *dynamodb.Client, names map[store.Table]string, now time.Time) (int64, error) {
	jitter := func(d time.Duration) time.Duration { return rand.N(d) }
	if err := empty(ctx, store.NewSegments(ddb.New(client, names, jitter)), now); err != nil {
		return 0, err
	}
	t := toucher{client: client, now: now}
	if err := t.table(ctx, names[store.TableCatalog], func(pk, sk string) (bool, error) {
		_, _, ok, err := store.SearchRow(pk, sk, nil)
		return ok, err
	}); err != nil {
		return t.n.Load(), err
	}
	err := t.table(ctx, names[store.Snapshots], func(pk, sk string) (bool, error) {
		_, ok := store.StatusKey(pk, sk)
		return ok, nil
	})
	return t.n.Load(), err
}

// attempts at a list that others move.
const attempts = 8

// empty leaves the list without segments. Its version is above every one that an
// instance may have seen, also where the list that had it is gone; objects that it
// named are deleted as retired ones are.
func empty(ctx context.Context, lists store.Segments, now time.Time) error {
	for range attempts {
		was, err := lists.List(ctx, true)
		if err != nil {
			return err
		}
		next := search.List{Version: max(was.Version+1, now.UnixMilli()), Retired: was.Retired}
		for _, s := range was.Segments {
			next.Retired = append(next.Retired, search.Retired{Name: s.Name, At: now})
		}
		err = lists.MoveList(ctx, was.Version, next)
		if !fault.Is(err, fault.Stale) && !fault.Is(err, fault.Contended) {
			return err
		}
	}
	return errors.New("the list is moved by others all the time: try again")
}

// touched is when an item was told again. Nobody reads it; whoever writes the item
// anew drops it.
const touched = "touched"

type toucher struct {
	client *dynamodb.Client
	now    time.Time
	n      atomic.Int64
}

// table touches every item of a table that is wanted.
func (t *toucher) table(ctx context.Context, name string, wanted func(pk, sk string) (bool, error)) error {
	pages := dynamodb.NewScanPaginator(t.client, &dynamodb.ScanInput{TableName: &name, ProjectionExpression: aws.String("pk, sk"), ConsistentRead: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		g, ctx := errgroup.WithContext(ctx)
		g.SetLimit(parallel)
		for _, key := range page.Items {
			pk, sk := text(key["pk"]), text(key["sk"])
			ok, err := wanted(pk, sk)
			if err != nil {
				return fmt.Errorf("%s of %s: %w", pk, name, err)
			}
			if ok {
				g.Go(func() error { return t.touch(ctx, name, key) })
			}
		}
		if err := g.Wait(); err != nil {
			return fmt.Errorf("touch %s: %w", name, err)
		}
	}
	return nil
}

// touch writes nothing where the item has gone meanwhile. The SDK repeats what was
// throttled.
func (t *toucher) touch(ctx context.Context, name string, key map[string]types.AttributeValue) error {
	_, err := t.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &name, Key: key, UpdateExpression: aws.String("SET #t = :t"), ConditionExpression: aws.String("attribute_exists(pk)"),
		ExpressionAttributeNames:  map[string]string{"#t": touched},
		ExpressionAttributeValues: map[string]types.AttributeValue{":t": &types.AttributeValueMemberN{Value: fmt.Sprint(t.now.UnixMilli())}},
	})
	if _, gone := errors.AsType[*types.ConditionalCheckFailedException](err); gone {
		return nil
	}
	if err == nil {
		t.n.Add(1)
	}
	return err
}

func text(v types.AttributeValue) string {
	s, _ := v.(*types.AttributeValueMemberS) // the tables' keys are texts
	if s == nil {
		return ""
	}
	return s.Value
}
