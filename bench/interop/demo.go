package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	formats "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
)

// The story of the demonstration is told within this time.
const patience = 5 * time.Minute

// A demonstration that runs: four nodes in one folder.
type demo struct {
	folder  string
	process *exec.Cmd
	ended   chan error
	nodes   []node
}

// One of its nodes.
type node struct {
	concord string
	name    string
	data    string
	url     string
}

// A public log, and who may have signed its checkpoints.
type servedLog struct {
	origin   string
	url      *url.URL
	verifier note.Verifier
}

// startDemo starts `concord demo` in a new folder and waits until its story is told.
func startDemo(ctx context.Context, concord string, port int) (*demo, error) {
	folder, err := os.MkdirTemp("", "concord-interop-")
	if err != nil {
		return nil, err
	}
	said, err := os.Create(filepath.Join(folder, "demo.log"))
	if err != nil {
		return nil, err
	}
	defer said.Close()
	process := exec.Command(concord, "demo", "--folder", filepath.Join(folder, "nodes"), "--port", fmt.Sprint(port))
	process.Stdout, process.Stderr = said, said
	if err := process.Start(); err != nil {
		return nil, err
	}
	d := &demo{folder: folder, process: process, ended: make(chan error, 1)}
	go func() { d.ended <- process.Wait() }()
	for i, name := range []string{"chn", "jpn", "kor", "wpro"} {
		data := filepath.Join(folder, "nodes", name)
		d.nodes = append(d.nodes, node{concord, name, data, fmt.Sprintf("http://127.0.0.1:%d", port+i)})
	}
	fmt.Println("concord demo: the story is being told")
	if err := d.waitForStory(ctx); err != nil {
		text, _ := os.ReadFile(said.Name())
		d.stop()
		return nil, fmt.Errorf("%w\n%s", err, text)
	}
	return d, nil
}

func (d *demo) waitForStory(ctx context.Context) error {
	deadline := time.After(patience)
	for {
		_, err := os.Stat(filepath.Join(d.folder, "nodes", "story-told"))
		if err == nil {
			return nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-d.ended:
			d.ended <- err
			return fmt.Errorf("it ended: %v", err)
		case <-deadline:
			return fmt.Errorf("not told after %s", patience)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// stop asks the demonstration to end, waits until it has, and removes its folder.
func (d *demo) stop() {
	_ = d.process.Process.Signal(syscall.SIGTERM)
	<-d.ended
	_ = os.RemoveAll(d.folder)
}

// ask runs a command of the node's operator and reads its JSON.
func (n node) ask(into any, args ...string) error {
	args = append([]string{"--data", n.data, "--json"}, args...)
	out, err := exec.Command(n.concord, args...).Output()
	if err != nil {
		return fmt.Errorf("concord %s: %w", strings.Join(args, " "), err)
	}
	return json.Unmarshal(out, into)
}

// vkey is the node's key of a role, as its root lists it.
func (n node) vkey(role string) (string, error) {
	var keys []struct{ Role, Vkey string }
	if err := n.ask(&keys, "key", "list"); err != nil {
		return "", err
	}
	for _, key := range keys {
		if key.Role == role {
			return key.Vkey, nil
		}
	}
	return "", fmt.Errorf("%s has no %s key", n.name, role)
}

// witnesses are the four nodes' witness keys.
func (d *demo) witnesses() ([]note.Verifier, error) {
	var all []note.Verifier
	for _, n := range d.nodes {
		vkey, err := n.vkey("witness")
		if err != nil {
			return nil, err
		}
		verifier, err := formats.NewVerifierForCosignatureV1(vkey)
		if err != nil {
			return nil, err
		}
		all = append(all, verifier)
	}
	return all, nil
}

// publicLog is the node's own public log.
func (n node) publicLog() (servedLog, error) {
	var logs []struct {
		Origin  string
		Own     bool
		Readers []string
	}
	if err := n.ask(&logs, "log", "list"); err != nil {
		return servedLog{}, err
	}
	for _, log := range logs {
		if !log.Own || len(log.Readers) != 1 || log.Readers[0] != "public" {
			continue
		}
		vkey, err := n.vkey("log")
		if err != nil {
			return servedLog{}, err
		}
		verifier, err := underOrigin(vkey, log.Origin)
		if err != nil {
			return servedLog{}, err
		}
		_, path, _ := strings.Cut(log.Origin, "/")
		at, err := url.Parse(n.url + "/" + path + "/")
		return servedLog{log.Origin, at, verifier}, err
	}
	return servedLog{}, errors.New("it has no public log")
}

// underOrigin is a listed log key as it signs: its name is the log's origin, and its id follows from that.
func underOrigin(vkey, origin string) (note.Verifier, error) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		return nil, fmt.Errorf("%q is no verifier key", vkey)
	}
	material, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil {
		return nil, err
	}
	id := sha256.Sum256(append([]byte(origin+"\n"), material...))
	return note.NewVerifier(fmt.Sprintf("%s+%x+%s", origin, id[:4], parts[2]))
}
