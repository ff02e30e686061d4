// Package blob keeps whole objects by key in a bucket: what is written once and read
// whole, such as an archive's files or an index that is swapped as one.
//
// What holds of every [Bucket]: an object is seen whole or not at all; [Bucket.Create]
// writes for one of any number of callers; who was told that an object is written
// reads it from then on, and finds it in lists.
//
// Start with [Bucket]. s3blob is S3, memblob its twin in memory, blobtest the suite
// of both.
package blob

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"unicode/utf8"
)

// Sentinels of every bucket. What is neither is the service's own fault, and
// whether it wrote is unknown.
var (
	ErrMissing = errors.New("blob: there is no such object")
	ErrExists  = errors.New("blob: the object is there already")
	ErrKey     = errors.New("blob: a key that no object can have")
)

// Bucket is one bucket. Keys are as [CheckKey] has them.
type Bucket interface {
	// Put writes an object in place of what is there.
	Put(ctx context.Context, key string, body []byte) error
	// Create writes an object if there is none, or else fails with ErrExists.
	Create(ctx context.Context, key string, body []byte) error
	// Get reads an object, or fails with ErrMissing. In S3 that takes the right to
	// list the bucket beside the right to read: without it a missing object is a
	// refusal like any other.
	Get(ctx context.Context, key string) ([]byte, error)
	// Keys lists the keys that begin with prefix, in order of their bytes, from the
	// first one after the key after ("" for all). It ends with the first error.
	Keys(ctx context.Context, prefix, after string) iter.Seq2[string, error]
	// Delete removes an object, also one that is not there.
	Delete(ctx context.Context, key string) error
}

// longest key in bytes. https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
const longest = 1024

// CheckKey refuses keys that not every store takes: empty, too long, not UTF-8, with
// a control character, or with a part that is empty, "." or "..".
func CheckKey(key string) error {
	if len(key) > longest || !utf8.ValidString(key) || strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return fmt.Errorf("%w: its length or a character", ErrKey)
	}
	for part := range strings.SplitSeq(key, "/") {
		if part == "" || part == "." || part == ".." {
			return fmt.Errorf("%w: a part of it", ErrKey)
		}
	}
	return nil
}
