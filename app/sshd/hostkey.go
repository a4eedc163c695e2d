package sshd

import (
	"crypto/ed25519"
	"crypto/rand"
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

// hostKey is the server's key in PEM. It is made when there is none, and never
// replaced: readers' clients remember it.
func hostKey(path string) ([]byte, error) {
	switch _, err := os.Lstat(path); {
	case errors.Is(err, fs.ErrNotExist):
		if err := makeHostKey(path); err != nil {
			return nil, fmt.Errorf("host key: %w", err)
		}
	case err != nil:
		return nil, fmt.Errorf("host key: %w", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("host key: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("host key %s: not a file", path)
	}
	if m := info.Mode().Perm(); m&0o077 != 0 && runtime.GOOS != "windows" {
		return nil, fmt.Errorf("host key %s: mode %04o lets others read it; chmod 600, or a new key if somebody has", path, m)
	}
	b, err := readSome(path, 1<<16)
	if err != nil {
		return nil, fmt.Errorf("host key: %w", err)
	}
	k, err := gossh.ParsePrivateKey(b)
	var locked *gossh.PassphraseMissingError
	switch {
	case errors.As(err, &locked):
		return nil, fmt.Errorf("host key %s: has a passphrase; a server's key must not", path)
	case err != nil:
		return nil, fmt.Errorf("host key %s: not a private key in OpenSSH's format; it stays as it is", path)
	case k.PublicKey().Type() != gossh.KeyAlgoED25519:
		return nil, fmt.Errorf("host key %s: a key of type %s, not %s", path, k.PublicKey().Type(), gossh.KeyAlgoED25519)
	}
	return b, nil
}

// makeHostKey writes a new key, whole or not at all, and never over another.
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
