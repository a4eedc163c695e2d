package blog

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	"sheaf/app/markdown"
)

// A Host is where a blog is reached from outside: HOST or HOST:PORT, where a
// HOST alone is at port 22. It makes every address that is printed; "" is not
// known. ParseHost checks one; the methods take what they are given as it is,
// and their results hold no control characters.
type Host string

// sshPort is the port that clients take unless they are told another.
const sshPort = "22"

// ParseHost reads HOST or HOST:PORT. An IPv6 address that has a port stands in
// brackets. What a shell or a client might take for something else than a name
// is refused; "" is no error.
func ParseHost(s string) (Host, error) {
	name, port := Host(s).split()
	if s == "" {
		return "", nil
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", fmt.Errorf("host %q: %q is no port", short(s), short(port))
	}
	fine := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(".-_:", r)
	}
	switch {
	case name == "" || name[0] == '-' || strings.ContainsFunc(name, func(r rune) bool { return !fine(r) }),
		strings.Contains(name, ":") && net.ParseIP(name) == nil:
		return "", fmt.Errorf("host %q is neither HOST nor HOST:PORT", short(s))
	}
	return JoinHost(name, port), nil
}

// UnmarshalText is ParseHost, for flags.
func (h *Host) UnmarshalText(text []byte) (err error) {
	*h, err = ParseHost(string(text))
	return err
}

func short(s string) string { return markdown.Shorten(markdown.Line(s), 40) }

// JoinHost returns the Host of a name, or an IP address, and a port.
func JoinHost(name, port string) Host {
	if port == sshPort || port == "" {
		return Host(name)
	}
	return Host(net.JoinHostPort(name, port))
}

// split returns the name without brackets, and the port.
func (h Host) split() (name, port string) {
	s := string(h)
	if net.ParseIP(s) != nil {
		return s, sshPort
	}
	if name, port, err := net.SplitHostPort(s); err == nil {
		return name, port
	}
	return strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"), sshPort
}

// Name is the host without its port.
func (h Host) Name() string {
	name, _ := h.split()
	return markdown.Line(name)
}

// Command is the command line that runs a verb, or, without one, opens the
// browser: "ssh -p 2222 HOST VERB".
func (h Host) Command(verb string) string { return h.ssh("ssh", "", verb) }

// Open is the command line that opens a post in the browser:
// "ssh -t -p 2222 HOST SLUG".
func (h Host) Open(slug string) string { return h.ssh("ssh -t", "", slug) }

// Preview is the command line that shows what a preview's token is for.
func (h Host) Preview(token string) string { return h.ssh("ssh", "preview-"+token+"@", "") }

func (h Host) ssh(program, user, argument string) string {
	name, port := h.split()
	if port != sshPort {
		program += " -p " + port
	}
	program += " " + user + name
	if argument != "" {
		program += " " + argument
	}
	return markdown.Line(program)
}

// Copy is the command line that copies a file into a folder of the blog:
// "scp -P 2222 FILE HOST:FOLDER".
func (h Host) Copy(file, folder string) string {
	name, port := h.split()
	if strings.Contains(name, ":") {
		name = "[" + name + "]"
	}
	program := "scp"
	if port != sshPort {
		program += " -P " + port
	}
	return markdown.Line(program + " " + file + " " + name + ":" + folder)
}

// URL is an address for programs that open ssh addresses; path, which is
// escaped already, is "" or begins with a slash.
func (h Host) URL(path string) string {
	name, port := h.split()
	if strings.Contains(name, ":") {
		name = "[" + name + "]"
	}
	if port != sshPort {
		name += ":" + port
	}
	return markdown.Line("ssh://" + name + path)
}
