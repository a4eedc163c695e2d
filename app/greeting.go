package app

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"path/filepath"
	"strings"

	"sheaf/app/blog"
	"sheaf/app/markdown"
)

// A greeting is what the owner of a blog is told at a start on a terminal.
type greeting struct {
	content     string
	posts       int
	addr        net.Addr
	host        blog.Host // the one in printed addresses, "" for none
	fingerprint string    // of the host key
	keys        string
	authors     int
	lacking     []error // programs that are missing or too old
}

// local is how the machine itself reaches the address.
func (g greeting) local() blog.Host {
	at, err := netip.ParseAddrPort(g.addr.String())
	if err != nil {
		return blog.Host(g.addr.String())
	}
	name := "localhost"
	if ip := at.Addr().Unmap(); !ip.IsUnspecified() && !ip.IsLoopback() {
		name = ip.String()
	}
	return blog.JoinHost(name, fmt.Sprint(at.Port()))
}

// unnamed reports whether others than this machine may connect and would not
// read in addresses where the blog is.
func (g greeting) unnamed() bool {
	at, err := netip.ParseAddrPort(g.addr.String())
	return g.host == "" && (err != nil || !at.Addr().Unmap().IsLoopback())
}

// write tells it in a few lines.
func (g greeting) write(w io.Writer) {
	posts := fmt.Sprintf("%d posts", g.posts)
	if g.posts == 1 {
		posts = "1 post"
	}
	lines := []string{markdown.Line(fmt.Sprintf("Sheaf serves %s (%s) on %s.", g.content, posts, g.addr))}
	tell := func(what, text string) {
		lines = append(lines, fmt.Sprintf("  %-11s  %s", what, markdown.Line(text)))
	}
	tell("read it", g.local().Command(""))
	tell("fingerprint", g.fingerprint)
	if g.authors == 0 {
		tell("authors", "nobody is an author yet: put a public key into "+filepath.Join(g.keys, "authors"))
	} else {
		tell("authors", fmt.Sprintf("%d; they publish with %s", g.authors, g.local().Copy("POST.md", "posts/")))
	}
	switch {
	case g.unnamed():
		tell("addresses", "say HOST: name the blog with --host HOST or HOST:PORT, or in site.yaml")
	case g.host != "":
		tell("addresses", g.host.Open("SLUG"))
	}
	for _, err := range g.lacking {
		tell("note", err.Error())
	}
	tell("stop", "Ctrl-C")
	_, _ = io.WriteString(w, strings.Join(lines, "\n")+"\n")
}
