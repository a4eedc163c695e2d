package store

import "golang.org/x/sys/unix"

// SyncAll is one call for the whole file system: syncfs(2).
func (d *osDisk) SyncAll() error {
	f, err := d.root.Open(".")
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.Syncfs(int(f.Fd()))
}
