package sshd

import (
	"crypto/rand"
	"errors"
	"strings"

	"charm.land/ssh"
	gossh "golang.org/x/crypto/ssh"
)

const (
	// maxAuthTries lets an agent offer forty keys before the one that counts,
	// or before it falls back to being a reader.
	maxAuthTries = 48

	// maxUser bounds a user name, which is kept as long as its connection and
	// decides nothing but which preview it is for.
	maxUser = 64
)

var errOfferKey = errors.New("offer a key, or answer no question")

// serverConfig is what one connection may negotiate and how it authenticates.
// It is made anew for each connection, because the library adds to it.
// Algorithms that are known to be weak are not among those offered;
// ssh-audit(1) finds none.
func (s *Server) serverConfig(ctx ssh.Context) *gossh.ServerConfig {
	return &gossh.ServerConfig{
		Config: gossh.Config{
			Rand: connRand{rand.Reader, connOf(ctx)},
			KeyExchanges: []string{
				gossh.KeyExchangeMLKEM768X25519, gossh.KeyExchangeCurve25519, gossh.KeyExchangeDH16SHA512,
			},
			Ciphers: []string{
				gossh.CipherChaCha20Poly1305, gossh.CipherAES256GCM, gossh.CipherAES128GCM,
				gossh.CipherAES256CTR, gossh.CipherAES128CTR,
			},
			MACs: []string{gossh.HMACSHA256ETM, gossh.HMACSHA512ETM},
		},
		PublicKeyAuthAlgorithms: []string{
			gossh.KeyAlgoED25519, gossh.KeyAlgoSKED25519, gossh.KeyAlgoSKECDSA256,
			gossh.KeyAlgoECDSA256, gossh.KeyAlgoECDSA384, gossh.KeyAlgoECDSA521,
			gossh.KeyAlgoRSASHA256, gossh.KeyAlgoRSASHA512,
		},
		MaxAuthTries: maxAuthTries,
		NoClientAuth: true,
		NoClientAuthCallback: func(m gossh.ConnMetadata) (*gossh.Permissions, error) {
			// Only these: a client that is let in at once never offers the
			// key that would have made it an author.
			if isAnonymous(m.User()) {
				return &gossh.Permissions{}, nil
			}
			return nil, errOfferKey
		},
		AuthLogCallback: func(_ gossh.ConnMetadata, method string, err error) {
			if c := connOf(ctx); c != nil && err == nil {
				c.authenticationDone(method == "publickey") // no others than authors' are accepted
			}
		},
	}
}

// previewUser begins the user name of those who come for a preview. The rest of
// the name is its token.
const previewUser = "preview-"

// isAnonymous reports whether a user name is let in by the method none. Whether
// there is such a preview is said to the session, never here: until then a
// wrong token looks like a right one, and costs whoever guesses a connection.
func isAnonymous(user string) bool {
	return user == "guest" || user == "anonymous" || strings.HasPrefix(user, previewUser) && len(user) <= maxUser
}

// acceptKey accepts the keys of authors, and no others: a client whose key is
// accepted stops there and never offers the next one. It decides nothing else,
// because a key that is offered is not yet a key that is owned.
func (s *Server) acceptKey(ctx ssh.Context, k ssh.PublicKey) bool {
	if len(ctx.User()) > maxUser {
		return false
	}
	s.authors.refresh()
	if s.authors.find(k) != nil {
		return true
	}
	if c := connOf(ctx); c != nil {
		c.noteRefusedKey(k)
	}
	return false
}

// acceptReader lets everybody in: keyboard-interactive, without a question.
func acceptReader(ctx ssh.Context, _ gossh.KeyboardInteractiveChallenge) bool {
	return len(ctx.User()) <= maxUser
}
