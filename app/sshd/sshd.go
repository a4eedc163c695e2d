// Package sshd is the SSH server: it decides who gets in, what they may take
// from the machine, and which room answers them.
//
// Its main types are Server, which New makes of a Config, and Limits. Inside
// are the conn, which is one connection with its timers; the channel, which is
// one session channel of it with its requests filtered; the session, which is
// what the router sees of a channel; and the router, which has it answered.
//
// # Who is who
//
// An author is somebody who has proven a key of keys/authors. Everybody else is
// a reader, whatever keys their agent offers and whatever name they log in
// with. Only the authors' keys are accepted (auth.go): others are refused one
// by one until the client asks for keyboard-interactive, which has no question
// and lets it in. The names guest and anonymous are let in without any method,
// for scripts. So is preview-TOKEN, who sees the one post that an author shares
// under this token and nothing else, even with an author's key.
//
// Who somebody is, is decided anew for each session, from the key in the
// permissions of the finished handshake; a callback that sees a key offered
// decides nothing. keys/authors is read again when it changes (authors.go), and
// a key that is removed takes its sessions along.
//
// # The guard
//
// The library passes on whatever a client sends. A few places here see to it:
//
//   - gate.go counts connections before they have said a word, and penalty.go
//     keeps networks away for a while that failed again and again; refuse.go
//     tells those who are refused why
//   - conn.go is a connection with timers for its handshake, lifetime and
//     idleness (the library wipes deadlines), and tcptimeout_linux.go has the
//     kernel notice a peer whose network is gone
//   - traffic.go slows a reader's connection down to a pace, and drops one that
//     floods the server with packets nobody has a use for
//   - channel.go reads every request of a channel, keeps window sizes to
//     itself, and gives the session a context that ends with its channel;
//     requests.go says which requests pass
//   - turns.go has the commands of one network run a few at a time
//   - inbox.go takes what a reader sends off the library's hands, input.go and
//     output.go bound what is typed and what is not read
//
// Every goroutine that is started here survives a panic, and a panic in a room
// costs one session. The figures are Limits.
//
// Text that comes from a client is cleaned before it is logged. Keys and names
// of readers are not logged at all.
//
// # Rooms
//
// A terminal without a command, or with nothing but the address of a post, gets
// tui. The far end of a program that copies files (the subsystem sftp, or scp,
// rsync and git) gets transfer. Everything else is a command line (command.go)
// and gets shell. The library runs no middleware for subsystems; here they have
// the same guard, log and recovery as commands.
package sshd

import (
	"log/slog"
	"net/netip"

	"sheaf/app/blog"
	"sheaf/app/transfer"
	"sheaf/app/tui"
	"sheaf/app/typeset"
)

// Config is what a server is made of.
type Config struct {
	Blog     *blog.Blog
	Setter   *typeset.Setter
	Transfer *transfer.Transfer
	Keys     string    // folder of the host key and of the authors' keys
	Authors  string    // more authors, as lines of the file keys/authors
	Host     blog.Host // in printed addresses; "" takes the site's
	Version  string    // of the program, told to clients
	Limits   Limits
	Exempt   []netip.Prefix // networks that get no penalties
	Proxies  []netip.Prefix // of proxies: connections begin with a PROXY header, and get no penalties
	Log      *slog.Logger   // nil: none
}

// size is that of a window, in cells.
type size = tui.Size

// New makes a server. The host key is made when there is none; one that is
// broken, or that others can read, is an error and stays as it is.
func New(c Config) (*Server, error) {
	r := &router{Config: c}
	s, err := newServer(c, r.serve)
	if err != nil {
		return nil, err
	}
	r.log = s.log
	r.browsers = make(chan struct{}, s.limits.Browsers)
	r.copies = newPlaces(s.limits.Copies, s.limits.CopiesReader, s.limits)
	r.programs = newPlaces(s.limits.Programs, s.limits.ProgramsReader, s.limits)
	r.turns, r.queue = newTurns(s.limits.Commands), s.limits.Queue
	r.failed = s.failed
	s.browsers = func() int { return len(r.browsers) }
	return s, nil
}
