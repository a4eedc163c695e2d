package sshd

import (
	"runtime"
	"time"

	"golang.org/x/time/rate"
)

// Limits bounds what clients may take from the server. A zero field takes its
// default, so the zero value is the limits of a server on the open internet.
type Limits struct {
	Connections     int // at one time: 512
	Unauthenticated int // of these, still shaking hands: 32
	PerIPv4         int // of one IPv4 address: 16
	PerIPv6         int // of one IPv6 /64: 16
	Channels        int // sessions of one connection: 4
	Browsers        int // terminal browsers in the process: 512
	Commands        int // of readers of one network that run at a time: half as many as processors, one at least
	Copies          int // sessions of sftp and scp, in the process: 128
	CopiesReader    int // of these, readers': 64
	Programs        int // of rsync and git that run for sessions: 8
	ProgramsReader  int // of these, readers': 4
	CopiesNetwork   int // of readers of one network, sessions of either kind: 2

	Handshake  time.Duration // from accept to the exchange of keys, without a person: 10 s
	Login      time.Duration // from there to the end of authentication, for people to answer: 2 min
	Start      time.Duration // from the opening of a channel to its command: 10 s
	NoSession  time.Duration // of a reader's connection without a session: 30 s
	Lifetime   time.Duration // of a connection: 4 h
	Idle       time.Duration // without a key pressed, for a reader: 15 min
	IdleAuthor time.Duration // the same for an author: 2 h
	Silence    time.Duration // without a byte either way, for a reader's session that copies files: 1 min
	Warning    time.Duration // how long before the end of idleness it is announced: 1 min
	Stall      time.Duration // for one write to be taken by the client: 15 s
	Grace      time.Duration // for a session to end once it has been told to: 3 s
	Alive      time.Duration // for a client to answer when asked whether it is still there: 5 s
	Queue      time.Duration // for a transfer or a command to wait until others have ended: 10 s

	Input       int // bytes a second that a reader may type: 1024, bursts of 4 times that
	InputAuthor int // the same for an author: 65536, bursts of 16 times that
	Upload      int // bytes a second from a reader's connection: 262144, as many at once; an author's is not limited
	Paste       int // bytes of one paste of a reader: 65536; of an author 16 times that
}

// withDefaults fills the fields that are not set from d.
func (l Limits) withDefaults(d Limits) Limits {
	number := func(n *int, d int) {
		if *n <= 0 {
			*n = d
		}
	}
	span := func(n *time.Duration, d time.Duration) {
		if *n <= 0 {
			*n = d
		}
	}
	number(&l.Connections, d.Connections)
	number(&l.Unauthenticated, d.Unauthenticated)
	number(&l.PerIPv4, d.PerIPv4)
	number(&l.PerIPv6, d.PerIPv6)
	number(&l.Channels, d.Channels)
	number(&l.Browsers, d.Browsers)
	number(&l.Commands, d.Commands)
	number(&l.Copies, d.Copies)
	number(&l.CopiesReader, d.CopiesReader)
	number(&l.Programs, d.Programs)
	number(&l.ProgramsReader, d.ProgramsReader)
	number(&l.CopiesNetwork, d.CopiesNetwork)
	span(&l.Handshake, d.Handshake)
	span(&l.Login, d.Login)
	span(&l.Start, d.Start)
	span(&l.NoSession, d.NoSession)
	span(&l.Lifetime, d.Lifetime)
	span(&l.Idle, d.Idle)
	span(&l.IdleAuthor, d.IdleAuthor)
	span(&l.Silence, d.Silence)
	span(&l.Warning, d.Warning)
	span(&l.Stall, d.Stall)
	span(&l.Grace, d.Grace)
	span(&l.Alive, d.Alive)
	span(&l.Queue, d.Queue)
	number(&l.Input, d.Input)
	number(&l.InputAuthor, d.InputAuthor)
	number(&l.Upload, d.Upload)
	number(&l.Paste, d.Paste)
	l.Warning = min(l.Warning, l.Idle/2, l.IdleAuthor/2)
	return l
}

// DefaultLimits are those of a server on the open internet, as measured.
func DefaultLimits() Limits {
	return Limits{
		Connections:     512,
		Unauthenticated: 32,
		PerIPv4:         16,
		PerIPv6:         16,
		Channels:        4,
		Browsers:        512,
		Commands:        max(1, runtime.GOMAXPROCS(0)/2),
		Copies:          128,
		CopiesReader:    64,
		Programs:        8,
		ProgramsReader:  4,
		CopiesNetwork:   2,
		Handshake:       10 * time.Second,
		Login:           2 * time.Minute,
		Start:           10 * time.Second,
		NoSession:       30 * time.Second,
		Lifetime:        4 * time.Hour,
		Idle:            15 * time.Minute,
		IdleAuthor:      2 * time.Hour,
		Silence:         time.Minute,
		Warning:         time.Minute,
		Stall:           15 * time.Second,
		Grace:           3 * time.Second,
		Alive:           5 * time.Second,
		Queue:           10 * time.Second,
		Input:           1 << 10,
		InputAuthor:     64 << 10,
		Upload:          256 << 10,
		Paste:           64 << 10,
	}
}

// Requests are cheap to send and not free to answer. A client that sends more
// than these is no person's, and loses its connection. Window changes come in
// floods from an honest client whose window is being dragged, so they have a
// rate of their own, above which they are slowed down instead.
const (
	requestRate, requestBurst = 50, 200
	resizeRate, resizeBurst   = 20_000, 5_000
	inputBurst                = 4  // seconds' worth of typing at once
	inputBurstAuthor          = 16 // the same for an author, who pastes whole posts
)

// newLimiter makes a limiter of so many tokens a second, which begins with a
// whole burst of them.
func newLimiter(perSecond, burst int) *rate.Limiter {
	return rate.NewLimiter(rate.Limit(perSecond), burst)
}
