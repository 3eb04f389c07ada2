// Command interop reads what a running demonstration serves with programs that were not written here: Tessera's
// fsck, Go's checksum-database code (golang.org/x/mod/sumdb) and age. It prints what was verified, and ends with
// an error at the first thing that does not hold. Whatever must be refused is given to them too.
//
//	interop -concord target/debug/concord [-port 8444] [-vectors crates/record/tests/vectors]
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"k8s.io/klog/v2"
)

func main() {
	concord := flag.String("concord", "", "the program `concord`")
	port := flag.Int("port", 8444, "the first of four ports of 127.0.0.1")
	vectors := flag.String("vectors", "crates/record/tests/vectors", "the protocol's test vectors")
	flag.Parse()
	// Tessera tells its progress there; what it finds comes back as an error.
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *concord, *port, *vectors); err != nil {
		fmt.Fprintln(os.Stderr, "interop:", err)
		os.Exit(1)
	}
	fmt.Println("everything was accepted that must be, and refused that must be")
}

func run(ctx context.Context, concord string, port int, vectors string) error {
	if err := openSealed(vectors); err != nil {
		return fmt.Errorf("age: %w", err)
	}
	demo, err := startDemo(ctx, concord, port)
	if err != nil {
		return fmt.Errorf("the demonstration: %w", err)
	}
	defer demo.stop()
	witnesses, err := demo.witnesses()
	if err != nil {
		return err
	}
	for _, node := range demo.nodes {
		log, err := node.publicLog()
		if err != nil {
			return fmt.Errorf("%s: %w", node.name, err)
		}
		if err := checkLog(ctx, log, witnesses); err != nil {
			return fmt.Errorf("%s: %w", log.origin, err)
		}
	}
	return nil
}
