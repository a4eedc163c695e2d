package app

import (
	"io"
	"testing"

	"github.com/alecthomas/kong"

	"sheaf/app/blog"
	"sheaf/app/sshd"
)

func parseServe(t *testing.T, args ...string) (serve, error) {
	t.Helper()
	var cli commands
	p, err := kong.New(&cli, kong.Writers(io.Discard, io.Discard))
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Parse(append([]string{"serve"}, args...))
	return cli.Serve, err
}

// What --help says are the limits that were measured.
func TestFlagsHaveTheDefaultsOfTheRooms(t *testing.T) {
	s, err := parseServe(t)
	if err != nil {
		t.Fatal(err)
	}
	d, l := sshd.DefaultLimits(), s.Limits.clients()
	want := sshd.Limits{Connections: d.Connections, Unauthenticated: d.Unauthenticated, PerIPv4: d.PerIPv4, PerIPv6: d.PerIPv6,
		Channels: d.Channels, Handshake: d.Handshake, Login: d.Login, Lifetime: d.Lifetime, Idle: d.Idle, IdleAuthor: d.IdleAuthor}
	if l != want {
		t.Errorf("got %+v, want %+v", l, want)
	}
	if got := s.Limits.change(); got != (blog.Limits{Post: 2 << 20, File: 16 << 20, Change: 512 << 20}) {
		t.Errorf("files: %+v", got)
	}
}

func TestLimitsComeFromFlagsAndEnvironment(t *testing.T) {
	t.Setenv("SHEAF_MAX_PER_IPV6", "3")
	t.Setenv("SHEAF_IDLE", "90s")
	if s, err := parseServe(t); err != nil || !s.Limits.ReaderPrograms {
		t.Errorf("programs for readers: %v", err)
	}
	if s, err := parseServe(t, "--no-reader-programs"); err != nil || s.Limits.ReaderPrograms {
		t.Errorf("no programs for readers: %v", err)
	}
	s, err := parseServe(t, "--max-per-ipv4", "7", "--max-post", "1MB", "--proxy-protocol", "10.0.0.0/8,fd00::/8")
	if err != nil {
		t.Fatal(err)
	}
	l := s.Limits
	if l.PerIPv4 != 7 || l.PerIPv6 != 3 || l.Idle.Seconds() != 90 || l.Post != 1<<20 || len(l.ProxyProtocol) != 2 || l.ProxyProtocol[1].String() != "fd00::/8" {
		t.Errorf("%+v", l)
	}
	for _, bad := range [][]string{
		{"--max-connections", "0"}, {"--max-sessions", "-1"}, {"--idle", "0s"}, {"--handshake-time", "soon"}, {"--max-post", "all"},
		{"--proxy-protocol", "0.0.0.0/0"}, {"--proxy-protocol", "10.0.0.1"}, {"--penalty-exempt", "here"},
	} {
		if _, err := parseServe(t, bad...); err == nil {
			t.Errorf("%v: accepted", bad)
		}
	}
}
