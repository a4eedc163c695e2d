package store

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// packs keeps small blobs, many to a file: to make a file for each would cost
// more than everything else in a commit of a thousand.
//
// A pack is records one behind the other, each a head and the bytes of a blob:
//
//	hash (32 bytes), length, time of the Put in seconds, CRC-32C of these three (4 bytes each)
//
// A pack is only ever added to, until it is full. What is forgotten stays in it
// until that is most of it; the rest then moves to the newest pack, and the file
// goes. Where blobs are is known in memory. It is read at the start from an
// index beside each pack; what a pack has beyond that, after a stop that
// came unexpected, is read from the pack. Of two records of a blob the later
// counts. What is not a whole record was never acknowledged, or has changed on
// the disk; it is passed over, and what stands behind it is found.
//
// The methods are safe for concurrent use, but for those that say what the
// caller holds.
type packs struct {
	disk  disk  // .sheaf
	limit int64 // of the bytes of a pack

	mu        sync.RWMutex
	locations map[digest]location
	all       map[uint32]*pack
	last      uint32 // the highest number there was
	open      *pack  // that is added to; nil: the next blob begins another
	file      file   // of open
}

type digest [sha256.Size]byte

// A location is where a blob is: small, as there is one for each.
type location struct {
	pack, at, size uint32
	storedAt       uint32 // time of the last Put, in seconds since 1970
}

type pack struct {
	number      uint32
	size        int64
	live        int64 // of size, the records that are not forgotten
	indexed     int64 // of size, what its index knows
	indexStale  bool  // something its index knows was forgotten
	nameSynced  bool  // its name is durable
	cleanFailed bool  // not tried again before the next sweep
}

const (
	packSize     = 8 << 20
	maxPacked    = 1 << 20   // a larger blob has a file of its own
	slack        = 256 << 10 // forgotten bytes that a pack is not cleaned for
	maxUnindexed = 1 << 20   // bytes at the end of a pack that a start may have to read
	headSize     = sha256.Size + 12
)

const (
	packPrefix  = "pack-"
	indexSuffix = ".index"
)

func packName(n uint32) string { return fmt.Sprintf("objects/%s%d", packPrefix, n) }

func packNumber(name string) (n uint32, ok bool) {
	digits, ok := strings.CutPrefix(name, packPrefix)
	number, err := strconv.ParseUint(digits, 10, 32)
	return uint32(number), ok && err == nil && digits == strconv.FormatUint(number, 10)
}

// digestOf reads a hash that is valid.
func digestOf(hash string) (d digest) {
	_, _ = hex.Decode(d[:], []byte(hash))
	return d
}

func encodeRecord(d digest, b []byte, put uint32) []byte {
	r := make([]byte, 0, headSize+len(b))
	r = append(r, d[:]...)
	r = binary.BigEndian.AppendUint32(r, uint32(len(b)))
	r = binary.BigEndian.AppendUint32(r, put)
	r = binary.BigEndian.AppendUint32(r, checksum(r))
	return append(r, b...)
}

// decodeRecord reads the record that b begins with, if there is one.
func decodeRecord(b []byte) (d digest, size, put uint32, ok bool) {
	const summed = headSize - 4
	if len(b) < headSize || binary.BigEndian.Uint32(b[summed:]) != checksum(b[:summed]) {
		return d, 0, 0, false
	}
	size = binary.BigEndian.Uint32(b[sha256.Size:])
	put = binary.BigEndian.Uint32(b[sha256.Size+4:])
	if int64(size) > int64(len(b)-headSize) {
		return d, 0, 0, false
	}
	d = digest(b[:sha256.Size])
	return d, size, put, sha256.Sum256(b[headSize:headSize+int(size)]) == d
}

// openPacks finds the packs of a .sheaf. It writes nothing. The error is of
// those that cannot be read; the others serve.
func openPacks(d disk) (*packs, error) {
	p := &packs{disk: d, limit: packSize, locations: map[digest]location{}, all: map[uint32]*pack{}}
	list, failed := d.ReadDir("objects")
	if errors.Is(failed, fs.ErrNotExist) {
		failed = nil
	}
	var numbers []uint32
	for _, e := range list {
		if n, ok := packNumber(strings.TrimSuffix(e.Name(), indexSuffix)); ok {
			p.last = max(p.last, n) // also of an index without a pack: it must not meet another
		}
		if n, ok := packNumber(e.Name()); ok {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	for _, n := range numbers {
		if err := p.load(n); err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", packName(n), Reason(err)))
		}
	}
	return p, failed
}

// load learns what is in a pack. The newest one is added to if it is not full.
func (p *packs) load(n uint32) error {
	p.open = nil
	file, err := p.disk.OpenFile(packName(n), os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || info.Size() > 1<<31 {
		return errors.New("not a pack")
	}
	k := &pack{number: n, size: info.Size()}
	known := p.loadIndex(k)
	rest := make([]byte, k.size-k.indexed)
	if _, err := file.ReadAt(rest, k.indexed); err != nil {
		return err
	}
	p.all[n] = k
	for ; len(known) > 0; known = known[indexedSize:] {
		d, s := indexedBlob(known, n)
		p.set(d, s)
	}
	for at := 0; at < len(rest); {
		d, size, put, ok := decodeRecord(rest[at:])
		if !ok {
			at++
			continue
		}
		p.set(d, location{n, uint32(k.indexed) + uint32(at), size, put})
		at += headSize + int(size)
	}
	if k.size < p.limit {
		p.open = k
	}
	return nil
}

// set says where a blob is from now on. The lock is held.
func (p *packs) set(d digest, s location) {
	p.drop(d)
	p.locations[d] = s
	p.all[s.pack].live += headSize + int64(s.size)
}

func (p *packs) drop(d digest) {
	s, ok := p.locations[d]
	if !ok {
		return
	}
	delete(p.locations, d)
	k := p.all[s.pack]
	k.live -= headSize + int64(s.size)
	k.indexStale = true
}

// put keeps a small blob, once. One that is there but has changed on the disk
// is kept anew.
func (p *packs) put(hash string, b []byte) error {
	d, now := digestOf(hash), uint32(time.Now().Unix())
	p.mu.Lock()
	defer p.mu.Unlock()
	if s, ok := p.locations[d]; ok {
		if old, err := p.read(s); err == nil && sha256.Sum256(old) == d {
			s.storedAt = now
			p.locations[d] = s
			return nil
		}
	}
	return p.add(d, b, now)
}

// add writes a record. The lock is held. After an error the packs are as they
// were.
func (p *packs) add(d digest, b []byte, put uint32) error {
	if p.open != nil && p.open.size+headSize+int64(len(b)) > p.limit {
		p.seal()
	}
	if err := p.writable(); err != nil {
		return err
	}
	k := p.open
	r := encodeRecord(d, b, put)
	if _, err := p.file.WriteAt(r, k.size); err != nil {
		return errors.Join(err, p.file.Truncate(k.size))
	}
	s := location{k.number, uint32(k.size), uint32(len(b)), put}
	k.size += int64(len(r))
	p.set(d, s)
	return nil
}

// writable makes sure that there is a pack to add to. The lock is held.
func (p *packs) writable() (err error) {
	switch {
	case p.file != nil:
	case p.open != nil:
		p.file, err = p.disk.OpenFile(packName(p.open.number), os.O_RDWR, 0)
	default:
		n := p.last + 1
		if p.file, err = p.disk.OpenFile(packName(n), os.O_RDWR|os.O_CREATE|os.O_EXCL, privateFile); err == nil {
			p.last, p.open = n, &pack{number: n}
			p.all[n] = p.open
		}
	}
	return err
}

// seal ends the open pack. The lock is held.
func (p *packs) seal() {
	if p.file != nil {
		_ = p.file.Close() // makes nothing durable: sync does
	}
	p.open, p.file = nil, nil
}

// sealOpen ends the open pack: what comes next is in another file.
func (p *packs) sealOpen() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seal()
}

// read gives what a location has, right or wrong. The lock is held.
func (p *packs) read(s location) ([]byte, error) {
	file := p.file
	if file == nil || p.open.number != s.pack {
		var err error
		if file, err = p.disk.OpenFile(packName(s.pack), os.O_RDONLY, 0); err != nil {
			return nil, err
		}
		defer file.Close()
	}
	b := make([]byte, s.size)
	_, err := file.ReadAt(b, int64(s.at)+headSize)
	return b, err
}

// get gives the bytes of a blob, whether they are right or not,
// fs.ErrNotExist if it is in no pack.
func (p *packs) get(hash string) ([]byte, error) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	s, ok := p.locations[digestOf(hash)]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return p.read(s)
}

func (p *packs) size(hash string) (n int64, ok bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	s, ok := p.locations[digestOf(hash)]
	return int64(s.size), ok
}

// sync makes blobs durable. It gives those that are in no pack. The store's
// lock is held: no pack goes meanwhile.
func (p *packs) sync(hashes []string) (others []string, err error) {
	in := map[*pack]bool{}
	p.mu.RLock()
	for _, h := range hashes {
		if s, ok := p.locations[digestOf(h)]; ok {
			in[p.all[s.pack]] = true
		} else {
			others = append(others, h)
		}
	}
	p.mu.RUnlock()
	return others, p.syncPacks(in)
}

func (p *packs) syncPacks(in map[*pack]bool) error {
	namesToSync := false
	for k := range in {
		if err := fsync(p.disk, packName(k.number)); err != nil {
			return err
		}
		namesToSync = namesToSync || !k.nameSynced
	}
	if !namesToSync {
		return nil
	}
	if err := fsync(p.disk, "objects"); err != nil {
		return err
	}
	for k := range in {
		k.nameSynced = true
	}
	return nil
}

// forget lets go of a blob, unless it is to be spared; that is asked when
// nobody can put it.
func (p *packs) forget(hash string, spare func() bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !spare() {
		p.drop(digestOf(hash))
	}
}

// sweep lets go of the blobs that were put before a time and are not to be
// spared.
func (p *packs) sweep(before time.Time, spare func(hash string) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for d, s := range p.locations {
		if int64(s.storedAt) < before.Unix() && !spare(hex.EncodeToString(d[:])) {
			p.drop(d)
		}
	}
	for _, k := range p.all {
		k.cleanFailed = false
	}
}

// clean gives back the room of packs that are mostly forgotten. The store's
// lock is held.
func (p *packs) clean() error {
	var failed error
	for _, k := range p.wasteful() {
		if err := p.evacuate(k); err != nil {
			k.cleanFailed = true
			failed = errors.Join(failed, fmt.Errorf("%s: %w", packName(k.number), Reason(err)))
		}
	}
	return failed
}

func (p *packs) wasteful() (list []*pack) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	for _, n := range slices.Sorted(maps.Keys(p.all)) {
		k := p.all[n]
		if forgotten := k.size - k.live; forgotten > slack && 2*forgotten > k.size && !k.cleanFailed {
			list = append(list, k)
		}
	}
	return list
}

// evacuate moves what is in a pack to the newest one and, when that is durable,
// removes it. Stopped in between, both have it.
func (p *packs) evacuate(k *pack) error {
	var moving []digest
	p.mu.Lock()
	if p.open == k {
		p.seal()
	}
	for d, s := range p.locations {
		if s.pack == k.number {
			moving = append(moving, d)
		}
	}
	slices.SortFunc(moving, func(a, b digest) int { return cmp.Compare(p.locations[a].at, p.locations[b].at) })
	p.mu.Unlock()
	to := map[*pack]bool{}
	for _, d := range moving {
		if err := p.move(d, k, to); err != nil {
			return err
		}
	}
	if err := p.syncPacks(to); err != nil {
		return err
	}
	p.mu.Lock()
	delete(p.all, k.number)
	p.mu.Unlock()
	name := packName(k.number)
	if err := p.disk.Remove(name + indexSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return p.disk.Remove(name)
}

func (p *packs) move(d digest, from *pack, to map[*pack]bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, ok := p.locations[d]
	if !ok || s.pack != from.number {
		return nil
	}
	b, err := p.read(s)
	if err == nil {
		err = p.add(d, b, s.storedAt)
	}
	if err == nil {
		to[p.open] = true
	}
	return err
}

// saveIndexes writes down where the blobs are, for the next start: of packs
// that are full or have much that is in no index, or of all. The store's lock
// is held.
func (p *packs) saveIndexes(all bool) error {
	var failed error
	for _, k := range p.unsaved(all) {
		failed = errors.Join(failed, p.saveIndex(k))
	}
	return failed
}

func (p *packs) unsaved(all bool) (list []*pack) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	for _, k := range p.all {
		more := k.size - k.indexed
		if more > 0 && (all || k != p.open || more > maxUnindexed) || all && k.indexStale {
			list = append(list, k)
		}
	}
	return list
}

// The index of a pack stands beside it and says what is in it up to a length:
// it, then of each blob its hash, place, length and time, then the CRC-32C of
// all this. It can be lost: the pack is then read.
const indexedSize = sha256.Size + 12

// saveIndex writes the index of one pack, all of it or nothing, when what it
// says is durable. The store's lock is held.
func (p *packs) saveIndex(k *pack) error {
	p.mu.Lock()
	size := k.size
	b := binary.BigEndian.AppendUint32(nil, uint32(size))
	for d, s := range p.locations {
		if s.pack == k.number {
			b = append(b, d[:]...)
			b = binary.BigEndian.AppendUint32(b, s.at)
			b = binary.BigEndian.AppendUint32(b, s.size)
			b = binary.BigEndian.AppendUint32(b, s.storedAt)
		}
	}
	k.indexStale = false
	p.mu.Unlock()
	b = binary.BigEndian.AppendUint32(b, checksum(b))
	// The pack first: the index knows nothing that a power cut can take.
	err := p.syncPacks(map[*pack]bool{k: true})
	var tmp string
	if err == nil {
		tmp, err = writeTemp(p.disk, b)
	}
	if err == nil {
		err = p.disk.Rename(tmp, packName(k.number)+indexSuffix)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		k.indexStale = true
		return fmt.Errorf("%s: %w", packName(k.number), Reason(err))
	}
	k.indexed = size
	return nil
}

// loadIndex gives what the index of a pack knows, and says in k how far that is.
func (p *packs) loadIndex(k *pack) (known []byte) {
	b, err := readAll(p.disk, packName(k.number)+indexSuffix)
	if err != nil || len(b) < 8 || (len(b)-8)%indexedSize != 0 {
		return nil
	}
	b, sum := b[:len(b)-4], binary.BigEndian.Uint32(b[len(b)-4:])
	size := int64(binary.BigEndian.Uint32(b))
	if sum != checksum(b) || size > k.size {
		return nil
	}
	k.indexed = size
	return b[4:]
}

// indexedBlob is the blob that b begins with, a part of the index of a pack.
func indexedBlob(b []byte, pack uint32) (digest, location) {
	n := b[sha256.Size:]
	at, size, storedAt := binary.BigEndian.Uint32(n), binary.BigEndian.Uint32(n[4:]), binary.BigEndian.Uint32(n[8:])
	return digest(b[:sha256.Size]), location{pack, at, size, storedAt}
}

// close lets go of the packs. The store's lock is held.
func (p *packs) close() error {
	err := p.saveIndexes(true)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seal()
	return err
}
