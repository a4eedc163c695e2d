package app

import (
	"fmt"
	"io"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"sheaf/app/blog"
	"sheaf/app/markdown"
	"sheaf/app/typeset"
)

// render is the command that prints a post.
type render struct {
	Width   int    `default:"80" help:"Columns (${default})."`
	Theme   string `enum:"dark,light,plain," default:"" placeholder:"dark|light|plain" help:"Colours; plain has no escape codes (dark, plain with NO_COLOR)."`
	Dialect string `default:"auto" placeholder:"NAME" help:"franklin, hugo, jekyll, zola, eleventy, astro-mdx, obsidian or plain (found from the file)."`
	File    string `arg:"" help:"The post."`
}

// Run prints one post as the browser shows it. The file may be anywhere; the
// folder it belongs to is looked for above it.
func (c render) Run(p Process) error {
	// The process ends before its garbage matters, unless a text makes a lot.
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(64 << 20)
	if c.Width < 1 || c.Width > 1000 {
		return fmt.Errorf("%w: --width %d: not between 1 and 1000", errUsage, c.Width)
	}
	dialect := markdown.Auto
	if c.Dialect != "auto" {
		d, err := markdown.ParseDialect(c.Dialect)
		if err != nil {
			return fmt.Errorf("%w: %w", errUsage, err)
		}
		dialect = d
	}
	post, site, err := blog.ReadPost(filepath.Clean(c.File), dialect, time.Now())
	if err != nil {
		return err
	}
	theme := typeset.Theme{Name: c.Theme, Accent: site.Accent}
	if c.Theme == "" {
		theme.Name = "dark"
		if noColor() {
			theme.Name = "plain"
		}
	}
	header := typeset.Header{Title: post.Title, Note: post.Note()}
	page := typeset.New(pageCache).Page(post.Document(), header, c.Width, theme)
	_, err = io.WriteString(p.Stdout, strings.Join(page.Lines, "\n")+"\n")
	return err
}
