package sshd

import (
	"encoding/binary"
	"io"
	"net"
	"time"

	gossh "golang.org/x/crypto/ssh"
)

// Telling somebody why they are refused takes at most tellTime, and as many
// bytes from the client. At most maxTold are told at a time; who comes beyond
// that in a flood is closed without a word.
const (
	tellTime  = time.Second
	tellBytes = 32 << 10
	maxTold   = 64
)

// refusals are what those read whom a limit refuses.
var refusals = map[string]string{
	limitConnections: "The blog is full at the moment; please try again in a minute.",
	limitAddress:     "Too many connections from your address are open; close one, or try again in a minute.",
	limitPenalty:     "Too many connections from your address have failed; please try again in ten minutes.",
	limitDescriptors: "The blog has no room for another connection; please try again in a minute.",
	"":               string(reasonRestart),
}

// disconnect is SSH_MSG_DISCONNECT (RFC 4253, 11.1).
type disconnect struct {
	Reason   uint32 `sshtype:"1"`
	Message  string
	Language string
}

// tooManyConnections is SSH_DISCONNECT_TOO_MANY_CONNECTIONS.
const tooManyConnections = 12

// refusal is all that a refused client is sent: a version, and a disconnect
// message that is not encrypted yet. OpenSSH shows its text; a line before the
// version it shows with -v only.
func refusal(version, text string) []byte {
	payload := gossh.Marshal(disconnect{Reason: tooManyConnections, Message: text})
	// A packet is a multiple of eight bytes, four of them padding at least.
	const head, least, block = 5, 4, 8
	padding := least + block - 1 - (head+len(payload)+least+block-1)%block
	b := append([]byte("SSH-2.0-"), version...)
	b = append(b, "\r\n"...)
	b = binary.BigEndian.AppendUint32(b, uint32(1+len(payload)+padding))
	b = append(b, byte(padding))
	b = append(b, payload...)
	return append(b, make([]byte, padding)...)
}

// tell says to a client why it is refused by a limit, and waits until it has
// gone: a socket that is closed while something unread is in it resets the
// connection, and the client loses what it was told. The caller closes nc.
func (s *Server) tell(nc net.Conn, limit string, most time.Duration) {
	select {
	case s.telling <- struct{}{}:
	default:
		return
	}
	defer func() { <-s.telling }()
	if err := nc.SetDeadline(time.Now().Add(most)); err != nil {
		return
	}
	if _, err := nc.Write(refusal(s.lib.Version, refusals[limit])); err != nil {
		return
	}
	_, _ = io.CopyN(io.Discard, nc, tellBytes)
}
