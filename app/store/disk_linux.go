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

// DropCache is posix_fadvise(2) with POSIX_FADV_DONTNEED.
func (d *osDisk) DropCache(name string) {
	f, err := d.root.Open(name)
	if err != nil {
		return
	}
	defer f.Close()
	_ = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
}
