package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// The longest answer that is read.
const maxAnswer = 64 << 20

// The height of C2SP tiles.
const height = 8

func checkLog(ctx context.Context, log servedLog, witnesses []note.Verifier) error {
	fetcher, err := client.NewHTTPFetcher(log.url, nil)
	if err != nil {
		return err
	}
	if err := checkWhole(ctx, log, fetcher); err != nil {
		return fmt.Errorf("tessera/fsck: %w", err)
	}
	tree, err := checkProofs(log)
	if err != nil {
		return fmt.Errorf("sumdb/tlog: %w", err)
	}
	if err := checkSeen(log, tree, witnesses); err != nil {
		return fmt.Errorf("sumdb/note: %w", err)
	}
	return nil
}

// checkWhole lets Tessera rebuild the tree from the entries and compare every tile; then with one byte changed.
func checkWhole(ctx context.Context, log servedLog, fetcher fsck.Fetcher) error {
	const workers = 4
	options := fsck.Opts{N: workers}
	if err := fsck.New(log.origin, log.verifier, fetcher, leaves, options).Check(ctx); err != nil {
		return err
	}
	if err := fsck.New(log.origin, log.verifier, changed{fetcher}, leaves, options).Check(ctx); err == nil {
		return errors.New("it accepts an entry of which a byte was changed")
	}
	fmt.Printf("%s: tessera/fsck rebuilt the tree from the entries; every tile and the signed root are the same; a changed byte is refused\n", log.origin)
	return nil
}

// changed serves the first bundle with its last byte changed.
type changed struct{ fsck.Fetcher }

func (c changed) ReadEntryBundle(ctx context.Context, i uint64, p uint8) ([]byte, error) {
	bundle, err := c.Fetcher.ReadEntryBundle(ctx, i, p)
	if err == nil && i == 0 && len(bundle) > 0 {
		bundle = bytes.Clone(bundle)
		bundle[len(bundle)-1] ^= 1
	}
	return bundle, err
}

func leaves(bundle []byte) ([][]byte, error) {
	var entries api.EntryBundle
	if err := entries.UnmarshalText(bundle); err != nil {
		return nil, err
	}
	var hashes [][]byte
	for _, entry := range entries.Entries {
		hashes = append(hashes, rfc6962.DefaultHasher.HashLeaf(entry))
	}
	return hashes, nil
}

// tiles reads tiles of a log over HTTP for golang.org/x/mod.
type tiles struct{ log servedLog }

func (t tiles) Height() int { return height }

func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range wanted {
		// Go's paths name the height of a tile; C2SP's do not.
		tile, err := get(t.log.url, strings.Replace(tile.Path(), "tile/8/", "tile/", 1))
		if err != nil {
			return nil, err
		}
		all = append(all, tile)
	}
	return all, nil
}

func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}

// checkProofs proves every entry, and that the tree grew from each half of it, with Go's own code.
func checkProofs(log servedLog) (tlog.Tree, error) {
	text, err := get(log.url, "checkpoint")
	if err != nil {
		return tlog.Tree{}, err
	}
	signed, err := note.Open(text, note.VerifierList(log.verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	tree, err := treeOf(log, signed.Text)
	if err != nil {
		return tlog.Tree{}, err
	}
	if _, err := note.Open(bytes.Replace(text, []byte("\n"), []byte("x\n"), 1), note.VerifierList(log.verifier)); err == nil {
		return tlog.Tree{}, errors.New("it accepts a checkpoint of which a byte was added")
	}
	reader := tlog.TileHashReader(tree, tiles{log})
	entries, err := allEntries(log, tree.N)
	if err != nil {
		return tlog.Tree{}, err
	}
	for n, entry := range entries {
		proof, err := tlog.ProveRecord(tree.N, int64(n), reader)
		if err != nil {
			return tlog.Tree{}, err
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, int64(n), tlog.RecordHash(entry)); err != nil {
			return tlog.Tree{}, fmt.Errorf("entry %d: %w", n, err)
		}
		if tlog.CheckRecord(proof, tree.N, tree.Hash, int64(n), tlog.RecordHash(append(bytes.Clone(entry), 'x'))) == nil {
			return tlog.Tree{}, fmt.Errorf("entry %d: it accepts another one", n)
		}
	}
	grown := 0
	for size := tree.N / 2; size > 0; size /= 2 {
		root, err := tlog.TreeHash(size, reader)
		if err != nil {
			return tlog.Tree{}, err
		}
		proof, err := tlog.ProveTree(tree.N, size, reader)
		if err != nil {
			return tlog.Tree{}, err
		}
		if err := tlog.CheckTree(proof, tree.N, tree.Hash, size, root); err != nil {
			return tlog.Tree{}, fmt.Errorf("from size %d: %w", size, err)
		}
		grown++
	}
	fmt.Printf("%s: sumdb/note opened the checkpoint; sumdb/tlog proved each of %d entries, and growth from %d sizes\n",
		log.origin, len(entries), grown)
	return tree, nil
}

// treeOf reads the three lines of a C2SP checkpoint.
func treeOf(log servedLog, text string) (tlog.Tree, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[0] != log.origin || lines[3] != "" {
		return tlog.Tree{}, fmt.Errorf("%q is no checkpoint of it", text)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return tlog.Tree{}, fmt.Errorf("%q is no root", lines[2])
	}
	return tlog.Tree{N: size, Hash: tlog.Hash(root)}, nil
}

func allEntries(log servedLog, size int64) ([][]byte, error) {
	var entries [][]byte
	for first := int64(0); first < size; first += 1 << height {
		tile := tlog.Tile{H: height, L: -1, N: first >> height, W: int(min(size-first, 1<<height))}
		bytes, err := get(log.url, strings.Replace(tile.Path(), "tile/8/data/", "tile/entries/", 1))
		if err != nil {
			return nil, err
		}
		var bundle api.EntryBundle
		if err := bundle.UnmarshalText(bytes); err != nil {
			return nil, err
		}
		entries = append(entries, bundle.Entries...)
	}
	return entries, nil
}

// checkSeen opens the archived checkpoints: the log's signature and at least one witness's on each, and a tree that
// the newest one grew from.
func checkSeen(log servedLog, newest tlog.Tree, witnesses []note.Verifier) error {
	verifiers := note.VerifierList(append([]note.Verifier{log.verifier}, witnesses...)...)
	reader := tlog.TileHashReader(newest, tiles{log})
	seen, cosignatures := 0, 0
	for ; ; seen++ {
		text, err := get(log.url, fmt.Sprintf("seen/%s", tilePath(seen)))
		if errors.Is(err, errAbsent) {
			break
		} else if err != nil {
			return err
		}
		signed, err := note.Open(text, verifiers)
		if err != nil {
			return fmt.Errorf("seen/%d: %w", seen, err)
		}
		tree, err := treeOf(log, signed.Text)
		if err != nil {
			return fmt.Errorf("seen/%d: %w", seen, err)
		}
		cosignatures += len(signed.Sigs) - 1
		if len(signed.Sigs) < 2 {
			return fmt.Errorf("seen/%d is signed by %d known keys", seen, len(signed.Sigs))
		}
		if tree.N > newest.N {
			break // It grew since the checkpoint was read.
		}
		root, err := tlog.TreeHash(tree.N, reader)
		if err != nil {
			return err
		}
		if root != tree.Hash {
			return fmt.Errorf("seen/%d has another root than the log at size %d", seen, tree.N)
		}
	}
	if seen == 0 {
		return errors.New("no checkpoint was cosigned")
	}
	fmt.Printf("%s: %d archived checkpoints carry %d cosignatures that verify (tlog-cosignature)\n", log.origin, seen, cosignatures)
	return nil
}

// tilePath is a number in the encoding of tile paths.
func tilePath(n int) string {
	path := fmt.Sprintf("%03d", n%1000)
	for n >= 1000 {
		n /= 1000
		path = fmt.Sprintf("x%03d/%s", n%1000, path)
	}
	return path
}

var errAbsent = errors.New("not there")

func get(base *url.URL, path string) ([]byte, error) {
	answer, err := http.Get(base.JoinPath(path).String())
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode == http.StatusNotFound {
		return nil, fmt.Errorf("%s: %w", path, errAbsent)
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", path, answer.Status)
	}
	return io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
}
