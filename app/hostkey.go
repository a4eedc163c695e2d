package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"sheaf/app/blog"
	"sheaf/app/sshd"
)

// hostkey is the command that shows the host key, or makes one.
type hostkey struct {
	Keys string    `env:"SHEAF_KEYS" default:"keys" placeholder:"DIR" help:"The folder of the host key (${default}, $$${env})."`
	Host blog.Host `env:"SHEAF_HOST" placeholder:"NAME" help:"The name that the DNS record is for (the zone's own, $$${env})."`
	New  bool      `help:"Make a new key where there is none."`
}

// Run prints the fingerprint of the key, for readers, and its record for the
// DNS.
func (c hostkey) Run(p Process) error {
	if c.New {
		if err := sshd.MakeHostKey(c.Keys); err != nil {
			return err
		}
	}
	k, err := sshd.ReadHostKey(c.Keys)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("host key: none in %s yet; the first start makes it", c.Keys)
	} else if err != nil {
		return err
	}
	owner := "@"
	if c.Host != "" {
		owner = strings.TrimSuffix(c.Host.Name(), ".") + "."
	}
	_, err = fmt.Fprintf(p.Stdout, "%s %s\n%s IN SSHFP %s\n", k.Fingerprint, k.Type, owner, k.SSHFP)
	return err
}

// hostKey makes the host key of a blog that has never been served. If one that
// has been served has no key, the key is lost, and it gets no other unasked:
// the clients of all its readers would take a new one for an attack.
func (c serve) hostKey() error {
	_, err := sshd.ReadHostKey(c.Keys)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if st, err := os.Stat(filepath.Join(c.Content, ".sheaf", "log")); err == nil && st.Size() > 0 {
		return fmt.Errorf("host key: none in %s, but %s has been served with one: put it back from your backup, "+
			"or make a new one, of which readers' clients will warn, with: sheaf hostkey --new --keys %s",
			c.Keys, c.Content, c.Keys)
	}
	return sshd.MakeHostKey(c.Keys)
}
