// Command tessera appends entries to a new log of Tessera's POSIX driver and prints the seconds that it took.
//
//	tessera FOLDER ENTRIES CALLERS BYTES
//
// Each caller appends one entry, waits until it is durable and integrated into the tree, and appends the next.
// A batch is as large as there are callers, so that nobody waits for a batch to become old.
package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/sync/errgroup"
)

// The oldest that an entry becomes before its batch is written though it is not full. A batch of one is full at once.
const maxAge = 5 * time.Millisecond

// The shortest time between two checkpoints that Tessera allows.
const checkpoints = 100 * time.Millisecond

func main() {
	seconds, err := run(context.Background(), os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(seconds)
}

func run(ctx context.Context, args []string) (float64, error) {
	if len(args) != 4 {
		return 0, fmt.Errorf("tessera FOLDER ENTRIES CALLERS BYTES")
	}
	var numbers [3]int
	for i, arg := range args[1:] {
		n, err := strconv.Atoi(arg)
		if err != nil || n <= 0 {
			return 0, fmt.Errorf("%q: a number above 0 is wanted", arg)
		}
		numbers[i] = n
	}
	entries, callers, size := numbers[0], numbers[1], numbers[2]

	driver, err := posix.New(ctx, posix.Config{Path: args[0]})
	if err != nil {
		return 0, err
	}
	secret, _, err := note.GenerateKey(rand.Reader, "bench.example/log")
	if err != nil {
		return 0, err
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		return 0, err
	}
	options := tessera.NewAppendOptions().
		WithCheckpointSigner(signer).
		WithBatching(uint(callers), maxAge).
		WithCheckpointInterval(checkpoints)
	appender, shutdown, _, err := tessera.NewAppender(ctx, driver, options)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	var all errgroup.Group
	for caller := range callers {
		all.Go(func() error {
			for n := range entries / callers {
				entry := make([]byte, size)
				copy(entry, fmt.Sprintf("caller %d entry %d ", caller, n))
				if _, err := appender.Add(ctx, tessera.NewEntry(entry))(); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := all.Wait(); err != nil {
		return 0, err
	}
	seconds := time.Since(began).Seconds()
	return seconds, shutdown(ctx)
}
