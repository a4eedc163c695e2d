// Command sheaf serves a folder of Markdown posts over SSH.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"sheaf/app"
)

// version is set by the linker in releases; else the build's own is told.
var version string

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	// A second signal ends the process at once: the first one has begun the drain.
	context.AfterFunc(ctx, stop)
	os.Exit(app.Main(ctx, app.Process{
		Name:    os.Args[0],
		Args:    os.Args[1:],
		Env:     os.Environ(),
		Stdin:   os.Stdin,
		Stdout:  os.Stdout,
		Stderr:  os.Stderr,
		Version: version,
	}))
}
