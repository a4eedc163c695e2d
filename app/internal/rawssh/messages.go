package rawssh

import (
	"errors"

	"golang.org/x/crypto/ssh"
)

// Numbers of messages (RFC 4250, 4.1.2).
const (
	MsgIgnore              = 2
	MsgGlobalRequest       = 80
	MsgRequestSuccess      = 81
	MsgChannelWindowAdjust = 93
	MsgChannelData         = 94
	MsgChannelExtendedData = 95
	MsgChannelEOF          = 96
	MsgChannelClose        = 97
	MsgChannelRequest      = 98
	MsgChannelSuccess      = 99
	MsgPing                = 192 // of OpenSSH's PROTOCOL, 1.8

	msgDisconnect         = 1
	msgServiceAccept      = 6
	msgKexInit            = 20
	msgNewKeys            = 21
	msgKexReply           = 31
	msgUserAuthFailure    = 51
	msgUserAuthSuccess    = 52
	msgChannelOpened      = 91
	msgChannelOpenFailure = 92
	msgChannelFailure     = 100
)

// StderrData is the type of extended data that there is (RFC 4254, 5.2).
const StderrData = 1

type disconnect struct {
	Reason            uint32 `sshtype:"1"`
	Message, Language string
}

type serviceRequest struct {
	Name string `sshtype:"5"`
}

// kexInit has an Out for what the client sends, and an In for what it reads.
type kexInit struct {
	Cookie                        [16]byte `sshtype:"20"`
	Kex, HostKey                  []string
	CipherOut, CipherIn           []string
	MACOut, MACIn                 []string
	CompressionOut, CompressionIn []string
	LanguageOut, LanguageIn       []string
	Guessed                       bool
	Reserved                      uint32
}

type kexECDHInit struct {
	Ephemeral []byte `sshtype:"30"`
}

type kexECDHReply struct {
	HostKey   []byte `sshtype:"31"`
	Ephemeral []byte
	Signature []byte
}

type userAuth struct {
	User    string `sshtype:"50"`
	Service string
	Method  string
	Rest    []byte `ssh:"rest"`
}

type channelOpen struct {
	Kind                      string `sshtype:"90"`
	Channel, Window, MaxBytes uint32
}

type channelOpened struct {
	Ours, Channel, Window, MaxBytes uint32 `sshtype:"91"`
}

// channelRequest asks for something; the payload of the request follows.
type channelRequest struct {
	Channel   uint32 `sshtype:"98"`
	Kind      string
	WantReply bool
	Payload   []byte `ssh:"rest"`
}

// Message is a packet with a number and fields, a struct that ssh.Marshal takes.
func Message(number byte, fields any) []byte { return append([]byte{number}, ssh.Marshal(fields)...) }

// Data is a CHANNEL_DATA to the server's channel of that number.
func Data(channel uint32, data []byte) []byte {
	return Message(MsgChannelData, struct {
		Channel uint32
		Data    []byte
	}{channel, data})
}

// ExtendedData is a CHANNEL_EXTENDED_DATA.
func ExtendedData(channel, kind uint32, data []byte) []byte {
	return Message(MsgChannelExtendedData, struct {
		Channel, Kind uint32
		Data          []byte
	}{channel, kind, data})
}

// WindowAdjust is a CHANNEL_WINDOW_ADJUST.
func WindowAdjust(channel, n uint32) []byte {
	return Message(MsgChannelWindowAdjust, struct{ Channel, N uint32 }{channel, n})
}

// Request is a CHANNEL_REQUEST; payload is what belongs to its kind.
func Request(channel uint32, kind string, wantReply bool, payload []byte) []byte {
	return ssh.Marshal(channelRequest{channel, kind, wantReply, payload})
}

// Session opens a channel "session" that the server may send window bytes on,
// and gives the server's number for it. What comes meanwhile for other channels
// is lost.
func (c *Conn) Session(window uint32) (channel uint32, err error) {
	if err := c.Send(ssh.Marshal(channelOpen{"session", 0, window, 32 << 10})); err != nil {
		return 0, err
	}
	p, err := c.await(msgChannelOpened)
	if err != nil {
		return 0, err
	}
	var m channelOpened
	if err := ssh.Unmarshal(p, &m); err != nil {
		return 0, err
	}
	return m.Channel, nil
}

// Start asks for the "exec" of a command, a "subsystem", or a "shell" (whose
// argument is ""), and waits until the server has agreed. What comes meanwhile
// for other channels is lost.
func (c *Conn) Start(channel uint32, kind, argument string) error {
	var payload []byte
	if kind != "shell" {
		payload = ssh.Marshal(struct{ Argument string }{argument})
	}
	if err := c.Send(Request(channel, kind, true, payload)); err != nil {
		return err
	}
	p, err := c.await(MsgChannelSuccess)
	if err == nil && len(p) != 5 {
		err = errors.New("an answer without a channel")
	}
	return err
}
