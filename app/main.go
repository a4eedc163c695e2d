// Package app is the program: its command line, and the wiring of all rooms.
//
// Main reads flags and environment, builds what a command needs from the bottom
// up (store, blog, typeset, sshd), runs it, and takes it down again. Each
// command is a type whose fields are its flags and whose method Run runs it:
// serve, render, check, healthcheck, hostkey, fsck, backup, restore and
// version. No package below this one knows of flags, environment or the
// process.
//
// The exit status is 0 when all was done, 1 when something was refused or has
// failed, and 2 when the command line cannot be understood. One line on
// standard error says why.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/alecthomas/kong"

	"sheaf/app/markdown"
	"sheaf/app/transfer"
)

// Process is what the operating system hands to the program.
type Process struct {
	Name    string   // as the program was called; as "pre-receive" it is git's hook
	Args    []string // without the name
	Env     []string // of the form NAME=value
	Stdin   io.Reader
	Stdout  io.Writer
	Stderr  io.Writer
	Version string // set at build time; "" is that of the module
}

// commands is the command line: flags, their environment and their help.
type commands struct {
	Serve       serve       `cmd:"" default:"withargs" help:"Serve a folder of posts over SSH (the default)."`
	Render      render      `cmd:"" help:"Print a post as the browser shows it."`
	Check       check       `cmd:"" help:"List what is wrong or doubtful in posts."`
	Healthcheck healthcheck `cmd:"" help:"Shake hands with the local server; exit 0 if it answers."`
	Hostkey     hostkey     `cmd:"" help:"Print the host key's fingerprint and its SSHFP record."`
	Fsck        fsck        `cmd:"" help:"Look for damage in a blog's history, and mend it."`
	Backup      backup      `cmd:"" help:"Copy a blog with its history, also while it is served."`
	Restore     restore     `cmd:"" help:"Put a backup in place."`
	Version     version     `cmd:"" help:"Print the version."`
}

// errUsage marks a command line that cannot be understood.
var errUsage = errors.New("wrong usage")

// errSilent ends a command with status 1 when all has been said.
var errSilent = errors.New("")

// exit is what kong's parsing panics with when help has been printed.
type exit int

// Main runs one command and returns the exit status of the process. A server
// runs until ctx ends, and some seconds longer while its sessions end.
func Main(ctx context.Context, p Process) (status int) {
	defer func() {
		if e := recover(); e != nil {
			code, ok := e.(exit)
			if !ok {
				panic(e)
			}
			status = int(code)
		}
	}()
	if transfer.IsHook(p.Name, p.Env) {
		return transfer.Hook(ctx, p.Env, p.Stdin, p.Stderr)
	}
	// A garbage collection would take longer than reading the command line.
	percent := debug.SetGCPercent(-1)
	defer debug.SetGCPercent(percent)
	var cli commands
	parser, err := kong.New(&cli,
		kong.Name("sheaf"),
		kong.Description("A blog that people read with ssh: one folder of Markdown, one program."),
		kong.Writers(p.Stdout, p.Stderr),
		kong.Exit(func(code int) { panic(exit(code)) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(p),
	)
	if err != nil {
		fmt.Fprintf(p.Stderr, "sheaf: command line: %v\n", err)
		return 1
	}
	cmd, err := parser.Parse(p.Args)
	if err != nil {
		fmt.Fprintf(p.Stderr, "sheaf: %s\nhint: sheaf --help lists commands and flags\n", markdown.Line(err.Error()))
		return 2
	}
	debug.SetGCPercent(percent)
	err = cmd.Run()
	if err == nil {
		return 0
	}
	if !errors.Is(err, errSilent) {
		fmt.Fprintf(p.Stderr, "sheaf: %s\n", markdown.Clean(err.Error()))
	}
	var h hinted
	if errors.As(err, &h) {
		fmt.Fprintf(p.Stderr, "hint: %s\n", markdown.Clean(h.hint))
	}
	if errors.Is(err, errUsage) {
		return 2
	}
	return 1
}

type version struct{}

func (version) Run(p Process) error {
	_, err := fmt.Fprintln(p.Stdout, "sheaf", buildVersion(p.Version))
	return err
}

// buildVersion is the linker's version, else what the Go tool recorded.
func buildVersion(linked string) string {
	if linked != "" {
		return linked
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && (v == "" || v == "(devel)") {
			v = "revision " + s.Value[:min(12, len(s.Value))]
		}
	}
	if v == "" {
		v = "(devel)"
	}
	return v
}

// isTerminal reports whether a stream of the process is a terminal.
func isTerminal(f any) bool {
	file, ok := f.(*os.File)
	if !ok {
		return false
	}
	st, err := file.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0 && filepath.Base(file.Name()) != "null"
}

// noColor reports whether the environment asks for text without escape
// sequences.
func noColor() bool {
	return os.Getenv("NO_COLOR") != "" || strings.EqualFold(os.Getenv("TERM"), "dumb")
}
