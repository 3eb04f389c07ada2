package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/age"
)

// What each sealed blob of the vectors holds.
var sealed = map[string]string{"0.age": "inner", "1.age": "1.plaintext", "2.age": "2.plaintext"}

// openSealed opens the sealed blobs of the test vectors as each of their readers, and as somebody who is none.
func openSealed(vectors string) error {
	identities, err := lastingIdentities(filepath.Join(vectors, "keys"))
	if err != nil {
		return err
	}
	readers := []string{"moh.chn.example", "mhlw.jpn.example"}
	opened := 0
	for file, plain := range sealed {
		blob, err := os.ReadFile(filepath.Join(vectors, "sealed", file))
		if err != nil {
			return err
		}
		wanted, err := os.ReadFile(filepath.Join(vectors, "sealed", plain))
		if err != nil {
			return err
		}
		for _, reader := range readers {
			got, err := open(blob, identities[reader])
			if err != nil {
				return fmt.Errorf("%s as %s: %w", file, reader, err)
			}
			if !bytes.Equal(got, wanted) {
				return fmt.Errorf("%s as %s: it is not %s", file, reader, plain)
			}
			opened++
		}
		var none *age.NoIdentityMatchError
		if _, err := open(blob, identities["kdca.kor.example"]); !errors.As(err, &none) {
			return fmt.Errorf("%s: somebody who is no reader gets %v", file, err)
		}
		blob[len(blob)-1] ^= 1
		if _, err := open(blob, identities[readers[0]]); err == nil {
			return fmt.Errorf("%s: it opens though a byte was changed", file)
		}
	}
	fmt.Printf("age: %d sealed blobs opened by each of %d readers (%d times), by nobody else, and not when a byte was changed\n",
		len(sealed), len(readers), opened)
	return nil
}

func open(blob []byte, identity age.Identity) ([]byte, error) {
	reader, err := age.Decrypt(bytes.NewReader(blob), identity)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(reader)
}

// lastingIdentities are the private keys of authorities for what lasts: "age AUTHORITY lasting RECIPIENT IDENTITY".
func lastingIdentities(path string) (map[string]age.Identity, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	identities := map[string]age.Identity{}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) != 5 || fields[0] != "age" || fields[2] != "lasting" {
			continue
		}
		if identities[fields[1]], err = age.ParseX25519Identity(fields[4]); err != nil {
			return nil, fmt.Errorf("%s: %w", fields[1], err)
		}
	}
	for _, name := range []string{"moh.chn.example", "mhlw.jpn.example", "kdca.kor.example"} {
		if identities[name] == nil {
			return nil, fmt.Errorf("%s has no key of %s", path, name)
		}
	}
	return identities, nil
}
