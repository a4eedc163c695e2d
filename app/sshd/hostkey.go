package sshd

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	gossh "golang.org/x/crypto/ssh"
)

// hostKeyFile is the key's name in the folder of keys.
const hostKeyFile = "ssh_host_ed25519_key"

// hostKey returns the server's key in PEM. It is made when there is none, and
// never replaced: readers' clients remember it.
func hostKey(path string) ([]byte, error) {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		if err := makeHostKey(path); err != nil {
			return nil, fmt.Errorf("host key: %w", err)
		}
	}
	b, _, err := readHostKey(path)
	return b, err
}

// HostKey is what others may know of a server's key.
type HostKey struct {
	Type        string // ssh-ed25519
	Fingerprint string // as OpenSSH shows it: SHA256:...
	SSHFP       string // the data of a DNS record of that type (RFC 4255, 6594, 7479)
}

// ReadHostKey describes the key in a folder of keys. The error is
// fs.ErrNotExist if there is none; a key that is broken, or that others can
// read, is an error too.
func ReadHostKey(keys string) (HostKey, error) {
	_, k, err := readHostKey(filepath.Join(keys, hostKeyFile))
	if err != nil {
		return HostKey{}, err
	}
	const ed25519, sha256Form = 4, 2
	return HostKey{
		Type:        k.Type(),
		Fingerprint: gossh.FingerprintSHA256(k),
		SSHFP:       fmt.Sprintf("%d %d %x", ed25519, sha256Form, sha256.Sum256(k.Marshal())),
	}, nil
}

// MakeHostKey makes a key in a folder of keys, and the folder if need be. It
// never replaces a key: the error is fs.ErrExist then.
func MakeHostKey(keys string) error {
	path := filepath.Join(keys, hostKeyFile)
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("host key %s: %w", path, fs.ErrExist)
	}
	if err := makeHostKey(path); err != nil {
		return fmt.Errorf("host key: %w", err)
	}
	return nil
}

// readHostKey reads a key in PEM. It has to be an Ed25519 key without a
// passphrase, in a file that its owner alone can read.
func readHostKey(path string) ([]byte, gossh.PublicKey, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, fmt.Errorf("host key: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, nil, fmt.Errorf("host key %s: not a file", path)
	}
	if m := info.Mode().Perm(); m&0o077 != 0 && runtime.GOOS != "windows" {
		return nil, nil, fmt.Errorf(
			"host key %s: mode %04o lets others read it; chmod 600, or a new key if somebody has", path, m)
	}
	b, err := readBounded(path, 1<<16)
	if err != nil {
		return nil, nil, fmt.Errorf("host key: %w", err)
	}
	k, err := gossh.ParsePrivateKey(b)
	var locked *gossh.PassphraseMissingError
	switch {
	case errors.As(err, &locked):
		return nil, nil, fmt.Errorf("host key %s: has a passphrase; a server's key must not", path)
	case err != nil:
		return nil, nil, fmt.Errorf("host key %s: not a private key in OpenSSH's format; it stays as it is", path)
	case k.PublicKey().Type() != gossh.KeyAlgoED25519:
		return nil, nil, fmt.Errorf("host key %s: a key of type %s, not %s",
			path, k.PublicKey().Type(), gossh.KeyAlgoED25519)
	}
	return b, k.PublicKey(), nil
}

// makeHostKey writes a new key and syncs it to disk: whole or not at all, and
// never over another.
func makeHostKey(path string) (err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	block, err := gossh.MarshalPrivateKey(key, "sheaf")
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(dir, ".ssh_host_*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if _, err = tmp.Write(pem.EncodeToMemory(block)); err == nil {
		err = tmp.Sync()
	}
	if e := tmp.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	// A link, unlike a rename, fails when another process was quicker; then
	// that one's key counts. Where the file system has no links, a rename.
	if err := os.Link(tmp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		if err := os.Rename(tmp.Name(), path); err != nil {
			return err
		}
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if runtime.GOOS != "windows" {
		return d.Sync()
	}
	return nil
}
