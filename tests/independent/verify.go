// Checks a log with golang.org/x/mod/sumdb, which this project did not write: the signature, every leaf against the root, the consistency with an earlier checkpoint,
// and inclusion. Prints one line of JSON for each of some entries with its proof, for other tools to check.
//
//	verify LOG KEY [EARLIER]     LOG is an address or a folder in the paths of C2SP tlog-tiles, KEY the log's vkey, EARLIER a file with a checkpoint
package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

var source string

func main() {
	source = strings.TrimSuffix(os.Args[1], "/") + "/"
	verifier, err := note.NewVerifier(os.Args[2])
	must("the log's key", err)
	tree := open(read("checkpoint"), verifier)
	if tree.N == 0 {
		// x/mod reads no tiles of an empty tree; its root is the hash of nothing.
		if tree.Hash.String() != "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" {
			fail("the root of the empty log", fmt.Errorf("%v", tree.Hash))
		}
		return
	}

	// Hashes that this reader gives have been checked against the root.
	hashes := tlog.TileHashReader(tree, reader{})
	for first := int64(0); first < tree.N; first += 1 << height {
		var indexes []int64
		for i := first; i < tree.N && i < first+1<<height; i++ {
			indexes = append(indexes, tlog.StoredHashIndex(0, i))
		}
		leaves, err := hashes.ReadHashes(indexes)
		must("tiles", err)
		for i, entry := range entries(first, len(indexes)) {
			if tlog.RecordHash(entry) != leaves[i] {
				fail("entry "+strconv.FormatInt(first+int64(i), 10), fmt.Errorf("it does not hash to its leaf"))
			}
			if index := first + int64(i); index%(tree.N/50+1) == 0 || index == tree.N-1 {
				proof, err := tlog.ProveRecord(tree.N, index, hashes)
				must("inclusion", err)
				must("inclusion", tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry)))
				must("output", json.NewEncoder(os.Stdout).Encode(map[string]any{"index": index, "entry": entry, "hashes": proof}))
			}
		}
	}
	if len(os.Args) > 3 {
		earlier, err := os.ReadFile(os.Args[3])
		must("the earlier checkpoint", err)
		if old := open(earlier, verifier); old.N > 0 {
			proof, err := tlog.ProveTree(tree.N, old.N, hashes)
			must("consistency", err)
			must("consistency", tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash))
		}
	}
}

func open(signed []byte, verifier note.Verifier) tlog.Tree {
	n, err := note.Open(signed, note.VerifierList(verifier))
	must("checkpoint", err)
	lines := strings.Split(n.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		fail("checkpoint", fmt.Errorf("not of %s", verifier.Name()))
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must("checkpoint", err)
	hash, err := tlog.ParseHash(lines[2])
	must("checkpoint", err)
	return tlog.Tree{N: size, Hash: hash}
}

type reader struct{}

func (reader) Height() int                     { return height }
func (reader) SaveTiles([]tlog.Tile, [][]byte) {}
func (reader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		// sumdb writes the height into the path, C2SP does not.
		all = append(all, read(strings.Replace(tile.Path(), "tile/8/", "tile/", 1)))
	}
	return all, nil
}

func entries(first int64, width int) (all [][]byte) {
	path := tlog.Tile{H: height, L: 0, N: first >> height, W: width}.Path()
	bundle := read(strings.Replace(path, "tile/8/0/", "tile/entries/", 1))
	for len(bundle) >= 2 {
		end := 2 + int(binary.BigEndian.Uint16(bundle))
		if end > len(bundle) {
			break
		}
		all, bundle = append(all, bundle[2:end]), bundle[end:]
	}
	if len(bundle) > 0 || len(all) != width {
		fail("entries "+path, fmt.Errorf("not %d entries", width))
	}
	return all
}

var cache = map[string][]byte{}

func read(path string) []byte {
	if data, ok := cache[path]; ok {
		return data
	}
	data, err := os.ReadFile(source + path)
	if strings.HasPrefix(source, "http://") || strings.HasPrefix(source, "https://") {
		var answer *http.Response
		answer, err = http.Get(source + path)
		must(path, err)
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			err = fmt.Errorf("status %d", answer.StatusCode)
		} else {
			data, err = io.ReadAll(answer.Body)
		}
	}
	must(path, err)
	cache[path] = data
	return data
}

func must(what string, err error) {
	if err != nil {
		fail(what, err)
	}
}

func fail(what string, err error) {
	fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
	os.Exit(1)
}
