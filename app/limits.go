package app

import (
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"time"

	"sheaf/app/blog"
	"sheaf/app/sshd"
)

// limits are what clients may take from the server, as flags. The defaults are
// those of sshd.DefaultLimits and blog.Limits.
type limits struct {
	Connections     int           `name:"max-connections" env:"SHEAF_MAX_CONNECTIONS" default:"512" placeholder:"N" help:"Connections at one time (${default}, $$${env})." group:"Limits"`
	Unauthenticated int           `name:"max-unauthenticated" env:"SHEAF_MAX_UNAUTHENTICATED" default:"32" placeholder:"N" help:"Of these, still shaking hands (${default}, $$${env})." group:"Limits"`
	PerIPv4         int           `name:"max-per-ipv4" env:"SHEAF_MAX_PER_IPV4" default:"16" placeholder:"N" help:"Connections of one IPv4 address (${default}, $$${env})." group:"Limits"`
	PerIPv6         int           `name:"max-per-ipv6" env:"SHEAF_MAX_PER_IPV6" default:"16" placeholder:"N" help:"Connections of one IPv6 /64 (${default}, $$${env})." group:"Limits"`
	Sessions        int           `name:"max-sessions" env:"SHEAF_MAX_SESSIONS" default:"4" placeholder:"N" help:"Sessions of one connection (${default}, $$${env})." group:"Limits"`
	Handshake       time.Duration `name:"handshake-time" env:"SHEAF_HANDSHAKE_TIME" default:"10s" placeholder:"TIME" help:"For a client to exchange keys (${default}, $$${env})." group:"Limits"`
	Login           time.Duration `name:"login-time" env:"SHEAF_LOGIN_TIME" default:"2m" placeholder:"TIME" help:"From there to log in: for a fingerprint, a passphrase (${default}, $$${env})." group:"Limits"`
	Lifetime        time.Duration `name:"lifetime" env:"SHEAF_LIFETIME" default:"4h" placeholder:"TIME" help:"Of a connection (${default}, $$${env})." group:"Limits"`
	Idle            time.Duration `name:"idle" env:"SHEAF_IDLE" default:"15m" placeholder:"TIME" help:"Without a key pressed, for readers (${default}, $$${env})." group:"Limits"`
	IdleAuthor      time.Duration `name:"idle-author" env:"SHEAF_IDLE_AUTHOR" default:"2h" placeholder:"TIME" help:"The same for authors (${default}, $$${env})." group:"Limits"`
	Post            size          `name:"max-post" env:"SHEAF_MAX_POST" default:"2MB" placeholder:"SIZE" help:"Of a post (${default}, $$${env})." group:"Limits"`
	File            size          `name:"max-file" env:"SHEAF_MAX_FILE" default:"16MB" placeholder:"SIZE" help:"Of any other file (${default}, $$${env})." group:"Limits"`
	Change          size          `name:"max-upload" env:"SHEAF_MAX_UPLOAD" default:"512MB" placeholder:"SIZE" help:"Of all files that come together (${default}, $$${env})." group:"Limits"`
	ReaderPrograms  bool          `name:"reader-programs" env:"SHEAF_READER_PROGRAMS" default:"true" negatable:"" help:"Run rsync and git for readers, too; not for authors only (on, $$${env})." group:"Limits"`

	PenaltyExempt []netip.Prefix `name:"penalty-exempt" env:"SHEAF_PENALTY_EXEMPT" default:"127.0.0.0/8,::1/128" placeholder:"CIDR" help:"Networks that are never kept away for their failures; 0.0.0.0/0,::/0 are all (${default}, $$${env})." group:"Limits"`
	ProxyProtocol []netip.Prefix `name:"proxy-protocol" env:"SHEAF_PROXY_PROTOCOL" placeholder:"CIDR" help:"Networks of proxies that tell whose a connection is, with the PROXY protocol ($$${env})." group:"Limits"`
}

// Validate refuses limits that would keep everybody out. kong calls it.
func (l limits) Validate() error {
	v := reflect.ValueOf(l)
	for i := range v.NumField() {
		if f := v.Field(i); f.CanInt() && f.Int() <= 0 {
			return fmt.Errorf("--%s: has to be more than nothing", v.Type().Field(i).Tag.Get("name"))
		}
	}
	for _, p := range l.ProxyProtocol {
		if p.Bits() == 0 {
			return errors.New("--proxy-protocol: a network of proxies, not the whole internet")
		}
	}
	return nil
}

func (l limits) clients() sshd.Limits {
	return sshd.Limits{
		Connections:     l.Connections,
		Unauthenticated: l.Unauthenticated,
		PerIPv4:         l.PerIPv4,
		PerIPv6:         l.PerIPv6,
		Channels:        l.Sessions,
		Handshake:       l.Handshake,
		Login:           l.Login,
		Lifetime:        l.Lifetime,
		Idle:            l.Idle,
		IdleAuthor:      l.IdleAuthor,
	}
}

func (l limits) change() blog.Limits {
	return blog.Limits{Post: int64(l.Post), File: int64(l.File), Change: int64(l.Change)}
}
