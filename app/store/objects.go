package store

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"time"
)

// objects keeps the blobs of a .sheaf: small ones in packs, large ones each in a
// file under the name of its hash: objects/ab/cdef... So are small ones that
// are older than packs. A blob with a file of its own is called loose.
type objects struct {
	disk      disk
	packs     *packs
	maxPacked int // bytes; a larger blob is loose
}

// openObjects finds the blobs of .sheaf. The error is of packs that cannot be
// read; the others serve.
func openObjects(d disk) (*objects, error) {
	p, err := openPacks(d)
	return &objects{d, p, maxPacked}, err
}

func hashOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// validHash tells a hash from a path that somebody made up.
func validHash(hash string) bool {
	if len(hash) != 2*sha256.Size {
		return false
	}
	for _, c := range []byte(hash) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

func objectName(hash string) string { return path.Join("objects", hash[:2], hash[2:]) }

// put keeps a blob once, and whole: after a power cut it may have its name and
// not its bytes. It is not durable before sync. The time of one that was there
// is new then, so that a sweep spares it.
func (o *objects) put(hash string, b []byte) error {
	name := objectName(hash)
	if info, err := o.disk.Stat(name); err == nil && info.Size() == int64(len(b)) {
		if old, err := readAll(o.disk, name); err == nil && bytes.Equal(old, b) {
			now := time.Now()
			return o.disk.Chtimes(name, now, now)
		}
	}
	if len(b) <= o.maxPacked {
		return o.packs.put(hash, b)
	}
	if _, err := makeDirs(o.disk, path.Dir(name), nil); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	tmp, err := writeTemp(o.disk, b)
	if err != nil {
		return err
	}
	if err := o.disk.Rename(tmp, name); err != nil {
		_ = o.disk.Remove(tmp)
		return err
	}
	return nil
}

// get gives the bytes of a blob, which are those of its hash, fs.ErrNotExist
// if it is not kept.
// rewrite writes a blob anew, to another place, and forgets it if that fails.
func (o *objects) rewrite(hash string) error {
	b, err := o.get(hash)
	o.forget(hash, func() bool { return false })
	if err != nil {
		return err
	}
	return o.put(hash, b)
}

func (o *objects) get(hash string) ([]byte, error) {
	if !validHash(hash) {
		return nil, fmt.Errorf("blob %q: %w", hash, fs.ErrNotExist)
	}
	b, err := o.packs.get(hash)
	if errors.Is(err, fs.ErrNotExist) {
		b, err = readAll(o.disk, objectName(hash))
	}
	if err != nil {
		return nil, fmt.Errorf("blob %s: %w", hash[:12], Reason(err))
	}
	if hashOf(b) != hash {
		return nil, fmt.Errorf("blob %s: its bytes have changed on the disk", hash[:12])
	}
	return b, nil
}

// size is the length of a blob, fs.ErrNotExist if it is not kept.
func (o *objects) size(hash string) (int64, error) {
	if !validHash(hash) {
		return 0, fs.ErrNotExist
	}
	if n, ok := o.packs.size(hash); ok {
		return n, nil
	}
	info, err := o.disk.Stat(objectName(hash))
	if err != nil {
		return 0, Reason(err)
	}
	return info.Size(), nil
}

// sync makes blobs durable. The store's lock is held.
func (o *objects) sync(hashes []string) error {
	loose, err := o.packs.sync(hashes)
	if err != nil || len(loose) == 0 {
		return err
	}
	dirs := map[string]bool{"objects": true}
	for _, h := range loose {
		name := objectName(h)
		dirs[path.Dir(name)] = true
		if err := fsync(o.disk, name); err != nil {
			return err
		}
	}
	for dir := range dirs {
		if err := fsync(o.disk, dir); err != nil {
			return err
		}
	}
	return nil
}

// eachLoose visits every blob that has a file of its own.
func (o *objects) eachLoose(visit func(hash string, modified time.Time)) error {
	shards, err := o.disk.ReadDir("objects")
	if err != nil {
		return err
	}
	for _, shard := range shards {
		if !shard.IsDir() {
			continue
		}
		files, err := o.disk.ReadDir(path.Join("objects", shard.Name()))
		if err != nil {
			continue
		}
		for _, f := range files {
			hash := shard.Name() + f.Name()
			if !validHash(hash) {
				continue
			}
			if info, err := o.disk.Lstat(objectName(hash)); err == nil {
				visit(hash, info.ModTime())
			}
		}
	}
	return nil
}

// forget removes a blob unless it is to be spared.
func (o *objects) forget(hash string, spare func() bool) {
	o.packs.forget(hash, spare)
	if !spare() {
		_ = o.disk.Remove(objectName(hash))
	}
}

// writeTemp writes a file into tmp and gives its name.
func writeTemp(d disk, b []byte) (name string, err error) {
	name = path.Join("tmp", rand.Text())
	if err := create(d, name, os.O_EXCL, privateFile, b); err != nil {
		_ = d.Remove(name)
		return "", err
	}
	return name, nil
}
