// Command iamwhy says why AWS denied a call, and whether it would allow one.
package main

import (
	"context"
	"io"
	"os"
)

func main() { os.Exit(Main()) }

// Main runs the command with the process's arguments and streams and returns the exit status.
func Main() int {
	staySmall()
	ctx, stop := untilSignal(context.Background())
	defer stop()
	return run(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr})
}

// streams are the standard streams: out is the result, err is everything else.
type streams struct {
	in       io.Reader
	out, err io.Writer
}
