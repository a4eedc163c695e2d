// Package rawssh is an SSH client for tests that sends any packet at all.
//
// Dial makes a Conn: the versions and keys are exchanged, the host key's
// signature is checked and the user is logged in. From then on Conn.Send sends
// whatever bytes it is given, as often as it is told to, which no client library
// does: an empty CHANNEL_DATA, an IGNORE after the other, an answer to nothing.
// Conn.Receive gives what the server says.
//
// It is kept small by having one of everything: curve25519-sha256 (RFC 8731),
// aes128-gcm@openssh.com, which needs no MAC and no sequence numbers (RFC 5647
// and OpenSSH's PROTOCOL, 1.6), an Ed25519 host key, and the login methods none
// and publickey (RFC 4252). Messages are encoded by ssh.Marshal.
//
// It lacks, on purpose, all that keeps a client honest: windows are not counted,
// channels are not tracked, padding is not random, and any host key will do. It
// is for tests alone.
package rawssh

import (
	"bufio"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// Config says who logs in.
type Config struct {
	User   string
	Signer ssh.Signer // nil: the method none
	Local  string     // the address to come from; "" leaves it to the system
}

const (
	version    = "SSH-2.0-rawssh"
	maxPacket  = 1 << 18
	timeout    = 20 * time.Second // of Dial
	writeAhead = 64 << 10         // bytes that are sent together
)

// ErrDisconnected is what a server says before it closes a connection.
type ErrDisconnected struct {
	Reason  uint32
	Message string
}

func (e *ErrDisconnected) Error() string {
	return fmt.Sprintf("disconnected (%d): %s", e.Reason, e.Message)
}

// Conn is a connection whose user is logged in. Send, Rekey and Close may be
// called at any time; Receive and Session by one goroutine at a time.
type Conn struct {
	nc            net.Conn
	r             *bufio.Reader
	serverVersion []byte
	session       []byte // identifier: the hash of the first key exchange
	in, next      direction
	keyed         bool

	mu       sync.Mutex // of what is below
	settled  *sync.Cond // exchange is nil or failed is set
	w        *bufio.Writer
	out      direction
	exchange *exchange
	failed   error
}

// exchange is a key exchange under way: nothing else may be sent meanwhile.
type exchange struct {
	init       []byte // ours
	serverInit []byte
	key        *ecdh.PrivateKey
}

// direction enciphers or deciphers what goes one way. The zero value leaves it
// as it is.
type direction struct {
	aead  cipher.AEAD
	nonce [12]byte
}

// Dial connects and logs in. The error is an *ErrDisconnected if the server
// said why it does not want to.
func Dial(addr string, c Config) (*Conn, error) {
	d := net.Dialer{Timeout: timeout}
	if c.Local != "" {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(c.Local)}
	}
	nc, err := d.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	conn, err := New(nc, c)
	if err != nil {
		nc.Close()
	}
	return conn, err
}

// New is Dial on a connection that is there already.
func New(nc net.Conn, c Config) (*Conn, error) {
	conn := &Conn{nc: nc, r: bufio.NewReaderSize(nc, 32<<10), w: bufio.NewWriterSize(nc, writeAhead)}
	conn.settled = sync.NewCond(&conn.mu)
	nc.SetDeadline(time.Now().Add(timeout))
	defer nc.SetDeadline(time.Time{})
	if _, err := io.WriteString(nc, version+"\r\n"); err != nil {
		return nil, err
	}
	for said := ""; ; { // lines before the version are for people
		l, err := conn.r.ReadString('\n')
		if err != nil {
			return nil, fmt.Errorf("no version: %w: %q", err, said+l)
		}
		if l = strings.TrimRight(l, "\r\n"); strings.HasPrefix(l, "SSH-") {
			conn.serverVersion = []byte(l)
			break
		}
		said += l + "\n"
	}
	conn.mu.Lock()
	err := conn.begin()
	conn.mu.Unlock()
	for err == nil && !conn.keyed {
		var p []byte
		// kex-strict: nothing else comes before the keys.
		if p, err = conn.step(); err == nil && p != nil {
			err = fmt.Errorf("message %d in the first key exchange", p[0])
		}
	}
	if err == nil {
		err = conn.login(c)
	}
	return conn, err
}

// Close ends the connection without a word.
func (c *Conn) Close() error { return c.nc.Close() }

// ServerVersion is the line that the server began with.
func (c *Conn) ServerVersion() string { return string(c.serverVersion) }

// Send sends packets, each of them a message number and what belongs to it. It
// waits for the end of a key exchange, and while the server does not read.
func (c *Conn) Send(packets ...[]byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.exchange != nil && c.failed == nil {
		c.settled.Wait()
	}
	if c.failed != nil {
		return c.failed
	}
	return c.write(packets...)
}

func (c *Conn) write(packets ...[]byte) error {
	for _, p := range packets {
		if _, err := c.w.Write(c.out.seal(p)); err != nil {
			return err
		}
	}
	return c.w.Flush()
}

// Receive gives the next message of the server. Key exchanges happen in it, so
// somebody has to call it all the time. It ends with io.EOF, an *ErrDisconnected
// or an error of the network.
func (c *Conn) Receive() ([]byte, error) {
	for {
		if p, err := c.step(); p != nil || err != nil {
			return p, err
		}
	}
}

// Rekey makes new keys and waits until they are there, for which somebody has
// to be in Receive.
func (c *Conn) Rekey() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.exchange == nil && c.failed == nil {
		if err := c.begin(); err != nil {
			return err
		}
	}
	for c.exchange != nil && c.failed == nil {
		c.settled.Wait()
	}
	return c.failed
}

// Begin opens a key exchange that goes on when the server's half is received.
func (c *Conn) Begin() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.begin()
}

// step reads one packet, and gives nil if it was about keys.
func (c *Conn) step() (p []byte, err error) {
	defer func() {
		if err != nil {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.failed = err
			c.settled.Broadcast()
		}
	}()
	if p, err = c.in.open(c.r); err != nil {
		return nil, err
	}
	switch p[0] {
	case msgDisconnect:
		var m disconnect
		if err := ssh.Unmarshal(p, &m); err != nil {
			return nil, err
		}
		return nil, &ErrDisconnected{m.Reason, m.Message}
	case msgKexInit:
		return nil, c.agree(p)
	case msgKexReply:
		return nil, c.derive(p)
	case msgNewKeys:
		c.in, c.keyed = c.next, true
		return nil, nil
	}
	return p, nil
}

// begin opens a key exchange.
func (c *Conn) begin() error {
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	m := kexInit{
		Kex: []string{"curve25519-sha256"}, HostKey: []string{ssh.KeyAlgoED25519},
		CipherOut: []string{ssh.CipherAES128GCM}, CipherIn: []string{ssh.CipherAES128GCM},
		MACOut: []string{ssh.HMACSHA256ETM}, MACIn: []string{ssh.HMACSHA256ETM}, // agreed upon, and not used
		CompressionOut: []string{"none"}, CompressionIn: []string{"none"},
	}
	if c.session == nil {
		m.Kex = append(m.Kex, "kex-strict-c-v00@openssh.com")
	}
	rand.Read(m.Cookie[:])
	c.exchange = &exchange{init: ssh.Marshal(m), key: key}
	return c.write(c.exchange.init)
}

// agree takes the server's half of what has been opened, or opens it itself.
func (c *Conn) agree(init []byte) error {
	var m kexInit
	if err := ssh.Unmarshal(init, &m); err != nil {
		return err
	}
	if !slices.Contains(m.Kex, "curve25519-sha256") || !slices.Contains(m.CipherOut, ssh.CipherAES128GCM) {
		return errors.New("no algorithm in common")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.exchange == nil {
		if err := c.begin(); err != nil {
			return err
		}
	}
	c.exchange.serverInit = init
	return c.write(ssh.Marshal(kexECDHInit{c.exchange.key.PublicKey().Bytes()}))
}

// derive makes the keys and uses those for what is sent (RFC 4253, 7.2 and 8).
func (c *Conn) derive(p []byte) error {
	var m kexECDHReply
	if err := ssh.Unmarshal(p, &m); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	x := c.exchange
	if x == nil || x.serverInit == nil {
		return errors.New("half of a key exchange")
	}
	server, err := ecdh.X25519().NewPublicKey(m.Ephemeral)
	if err != nil {
		return err
	}
	shared, err := x.key.ECDH(server)
	if err != nil {
		return err
	}
	secret := ssh.Marshal(struct{ K *big.Int }{new(big.Int).SetBytes(shared)})
	hash := sha256.Sum256(append(ssh.Marshal(struct{ VC, VS, IC, IS, KS, QC, QS []byte }{
		[]byte(version), c.serverVersion, x.init, x.serverInit, m.HostKey, x.key.PublicKey().Bytes(), m.Ephemeral,
	}), secret...))
	hostKey, err := ssh.ParsePublicKey(m.HostKey)
	if err != nil {
		return err
	}
	var sig ssh.Signature
	if err := ssh.Unmarshal(m.Signature, &sig); err != nil {
		return err
	}
	if err := hostKey.Verify(hash[:], &sig); err != nil {
		return err
	}
	if c.session == nil {
		c.session = hash[:]
	}
	keys := func(nonce, key byte) (d direction) {
		derived := func(tag byte) []byte {
			h := sha256.Sum256(slices.Concat(secret, hash[:], []byte{tag}, c.session))
			return h[:]
		}
		block, _ := aes.NewCipher(derived(key)[:16])
		d.aead, _ = cipher.NewGCM(block)
		copy(d.nonce[:], derived(nonce))
		return d
	}
	if err := c.write([]byte{msgNewKeys}); err != nil {
		return err
	}
	c.out, c.next, c.exchange = keys('A', 'C'), keys('B', 'D'), nil
	c.settled.Broadcast()
	return nil
}

// login asks to be let in (RFC 4252).
func (c *Conn) login(cfg Config) error {
	if err := c.Send(ssh.Marshal(serviceRequest{"ssh-userauth"})); err != nil {
		return err
	}
	if _, err := c.await(msgServiceAccept); err != nil {
		return err
	}
	ask := userAuth{User: cfg.User, Service: "ssh-connection", Method: "none"}
	if k := cfg.Signer; k != nil {
		pub := k.PublicKey()
		ask.Method = "publickey"
		ask.Rest = ssh.Marshal(struct {
			Signed    bool
			Algorithm string
			Key       []byte
		}{true, pub.Type(), pub.Marshal()})
		sig, err := k.Sign(rand.Reader, append(ssh.Marshal(struct{ Session []byte }{c.session}), ssh.Marshal(ask)...))
		if err != nil {
			return err
		}
		ask.Rest = append(ask.Rest, ssh.Marshal(struct{ Signature []byte }{ssh.Marshal(sig)})...)
	}
	if err := c.Send(ssh.Marshal(ask)); err != nil {
		return err
	}
	_, err := c.await(msgUserAuthSuccess)
	return err
}

// await reads until a message of one kind comes; another that means no is an
// error.
func (c *Conn) await(kind byte) ([]byte, error) {
	for {
		p, err := c.Receive()
		if err != nil {
			return nil, err
		}
		switch p[0] {
		case kind:
			return p, nil
		case msgUserAuthFailure, msgChannelOpenFailure, msgChannelFailure:
			return nil, fmt.Errorf("message %d, not %d", p[0], kind)
		}
	}
}

// seal makes a packet of a payload (RFC 4253, 6). The length is in the clear.
func (d *direction) seal(payload []byte) []byte {
	// 16 is a multiple of what a packet in the clear has to be one of.
	counted := len(payload) + 1
	if d.aead == nil {
		counted += 4
	}
	padding := 16 - counted%16
	if padding < 4 {
		padding += 16
	}
	n := 1 + len(payload) + padding
	p := make([]byte, 4, 4+n+16)
	binary.BigEndian.PutUint32(p, uint32(n))
	p = append(append(p, byte(padding)), payload...)
	p = append(p, make([]byte, padding)...)
	if d.aead == nil {
		return p
	}
	p = d.aead.Seal(p[:4], d.nonce[:], p[4:], p[:4])
	d.count()
	return p
}

// open reads a packet and gives its payload.
func (d *direction) open(r io.Reader) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint32(head[:]))
	if n > maxPacket {
		return nil, fmt.Errorf("a packet of %d bytes", n)
	}
	if d.aead != nil {
		n += d.aead.Overhead()
	}
	p := make([]byte, n)
	if _, err := io.ReadFull(r, p); err != nil {
		return nil, err
	}
	if d.aead != nil {
		var err error
		if p, err = d.aead.Open(p[:0], d.nonce[:], p, head[:]); err != nil {
			return nil, err
		}
		d.count()
	}
	if len(p) < 2 || len(p) < int(p[0])+2 {
		return nil, errors.New("an empty packet")
	}
	return p[1 : len(p)-int(p[0])], nil
}

func (d *direction) count() {
	binary.BigEndian.PutUint64(d.nonce[4:], binary.BigEndian.Uint64(d.nonce[4:])+1)
}
