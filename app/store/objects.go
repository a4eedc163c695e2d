package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"time"
)

// objects keeps the blobs of a .sheaf: small ones in packs, large ones each in a
// file under the name of its hash: objects/ab/cdef... So are small ones that
// are older than packs.
type objects struct {
	root  *os.Root
	packs *packs
}

// openObjects finds the blobs of .sheaf. A pack that cannot be read does not
// keep the folder from being served.
func (f *Folder) openObjects(root *os.Root) {
	p, err := openPacks(root)
	if err != nil {
		f.log.Error("blobs cannot be read", "dir", f.dir, "err", err)
	}
	f.objects = &objects{root, p}
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
	if info, err := o.root.Stat(name); err == nil && info.Size() == int64(len(b)) {
		if old, err := o.root.ReadFile(name); err == nil && bytes.Equal(old, b) {
			now := time.Now()
			return o.root.Chtimes(name, now, now)
		}
	}
	if len(b) <= maxPacked {
		return o.packs.put(hash, b)
	}
	if err := mkdir(o.root, path.Dir(name)); err != nil {
		return err
	}
	tmp, err := writeTemp(o.root, b)
	if err != nil {
		return err
	}
	if err := o.root.Rename(tmp, name); err != nil {
		_ = o.root.Remove(tmp)
		return err
	}
	return nil
}

func (o *objects) get(hash string) ([]byte, error) {
	if !validHash(hash) {
		return nil, fmt.Errorf("blob %q: %w", hash, fs.ErrNotExist)
	}
	b, err := o.packs.get(hash)
	if errors.Is(err, fs.ErrNotExist) {
		b, err = o.root.ReadFile(objectName(hash))
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
	info, err := o.root.Stat(objectName(hash))
	if err != nil {
		return 0, Reason(err)
	}
	return info.Size(), nil
}

// sync makes blobs durable. The folder's lock is held.
func (o *objects) sync(hashes []string) error {
	alone, err := o.packs.sync(hashes)
	if err != nil || len(alone) == 0 {
		return err
	}
	dirs := map[string]bool{"objects": true}
	for _, h := range alone {
		name := objectName(h)
		dirs[path.Dir(name)] = true
		if err := fsync(o.root, name); err != nil {
			return err
		}
	}
	for dir := range dirs {
		if err := fsync(o.root, dir); err != nil {
			return err
		}
	}
	return nil
}

// eachAlone visits every blob that has a file of its own.
func (o *objects) eachAlone(visit func(hash string, info fs.FileInfo)) error {
	shards, err := readDir(o.root, "objects")
	if err != nil {
		return err
	}
	for _, shard := range shards {
		if !shard.IsDir() {
			continue
		}
		files, err := readDir(o.root, path.Join("objects", shard.Name()))
		if err != nil {
			continue
		}
		for _, f := range files {
			info, err := f.Info()
			if hash := shard.Name() + f.Name(); err == nil && validHash(hash) {
				visit(hash, info)
			}
		}
	}
	return nil
}

// forget removes a blob unless it is to be spared.
func (o *objects) forget(hash string, spare func() bool) {
	o.packs.forget(hash, spare)
	if !spare() {
		_ = o.root.Remove(objectName(hash))
	}
}

// writeTemp writes a file into tmp and gives its name.
func writeTemp(root *os.Root, b []byte) (name string, err error) {
	name = path.Join("tmp", rand.Text())
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return "", err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Close()); err != nil {
		_ = root.Remove(name)
		return "", err
	}
	return name, nil
}

func mkdir(root *os.Root, dir string) error {
	if _, err := root.Stat(dir); err == nil {
		return nil
	}
	return root.MkdirAll(dir, 0o755)
}

// fsync makes a file or the names in a directory durable.
func fsync(root *os.Root, name string) error {
	f, err := root.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func readDir(root *os.Root, dir string) ([]fs.DirEntry, error) {
	f, err := root.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	list, err := f.ReadDir(-1)
	if err == io.EOF {
		err = nil
	}
	return list, err
}

// Put keeps b: see Store. It needs room on the disk and nothing else.
func (f *Folder) Put(ctx context.Context, b []byte) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if f.home == nil {
		return "", f.readOnly()
	}
	hash := hashOf(b)
	f.unsynced.Store(hash, time.Now()) // first, so that nobody prunes it
	f.pruned.Delete(hash)
	if err := f.objects.put(hash, b); err != nil {
		return "", fmt.Errorf("content %s: %w", f.dir, Reason(err))
	}
	return hash, nil
}

// Get gives the bytes of a hash: see Store.
func (f *Folder) Get(ctx context.Context, hash string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	err := fs.ErrNotExist
	if f.objects != nil {
		var b []byte
		if b, err = f.objects.get(hash); err == nil {
			return b, nil
		}
	}
	// A plain file may have them: where nothing can be kept, or where what
	// was kept is lost.
	for name, e := range f.ledger.Load().tree {
		if e.Hash == hash {
			if b, _, err := f.ReadFile(name, maxKept); err == nil && hashOf(b) == hash {
				return b, nil
			}
		}
	}
	return nil, err
}
