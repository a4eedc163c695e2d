package store

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// spoil flips a bit of a blob in its pack.
func spoil(t *testing.T, f *Worktree, hash string) {
	t.Helper()
	s, ok := f.local.objects.packs.locations[digestOf(hash)]
	if !ok {
		t.Fatalf("%s is in no pack", hash[:8])
	}
	file, err := os.OpenFile(filepath.Join(f.Dir(), sheafDir, packName(s.pack)), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	b := []byte{0}
	_, err = file.ReadAt(b, int64(s.at)+headSize)
	b[0] ^= 1
	if err == nil {
		_, err = file.WriteAt(b, int64(s.at)+headSize)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// packFiles gives the sizes of the packs of a folder by their names, and what
// else is in objects but their indexes.
func packFiles(t *testing.T, dir string) (sizes map[string]int64, others []string) {
	t.Helper()
	list, err := os.ReadDir(filepath.Join(dir, sheafDir, "objects"))
	if err != nil {
		t.Fatal(err)
	}
	sizes = map[string]int64{}
	for _, e := range list {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := packNumber(e.Name()); ok {
			sizes[e.Name()] = info.Size()
		} else if !strings.HasSuffix(e.Name(), indexSuffix) {
			others = append(others, e.Name())
		}
	}
	return sizes, others
}

// killed gives a copy of a folder as a server leaves it that is killed now.
func killed(t *testing.T, f *Worktree) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(f.Dir())); err != nil {
		t.Fatal(err)
	}
	return dir
}

// kept checks that a folder has the blobs of texts, apart from its plain files.
func kept(t *testing.T, f *Worktree, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if b, err := f.local.objects.get(hashOf([]byte(text))); err != nil || string(b) != text {
			t.Errorf("%.20q: %.20q, %v", text, b, err)
		}
	}
	p := f.local.objects.packs
	live := map[uint32]int64{}
	for _, s := range p.locations {
		live[s.pack] += headSize + int64(s.size)
	}
	for n, k := range p.all {
		if k.live != live[n] || k.live > k.size {
			t.Errorf("pack %d: %d bytes of %d live, but %d are counted", n, live[n], k.size, k.live)
		}
	}
}

func TestSmallBlobsShareAFile(t *testing.T) {
	dir := t.TempDir()
	alone := "from before there were packs"
	write(t, dir, ".sheaf/"+objectName(hashOf([]byte(alone))), alone)
	f := open(t, dir)
	files, texts := map[string]*string{"alone.md": &alone}, []string{alone, ""}
	for i := range 100 {
		texts = append(texts, fmt.Sprint("text ", i))
	}
	for i, text := range texts {
		files[fmt.Sprintf("%d.md", i)] = &text
	}
	commit(t, f, files)
	sizes, others := packFiles(t, dir)
	if shard := hashOf([]byte(alone))[:2]; len(sizes) != 1 || !slices.Equal(others, []string{shard}) {
		t.Errorf("packs %v and %v", sizes, others)
	}
	if f.local.objects.packs.locations[digestOf(hashOf([]byte(alone)))].pack != 0 {
		t.Error("a blob with a file of its own is in a pack as well")
	}
	large := strings.Repeat("x", maxPacked+1)
	commit(t, f, map[string]*string{"large.bin": &large})
	if now, others := packFiles(t, dir); now["pack-1"] != sizes["pack-1"] || len(others) != 2 {
		t.Errorf("packs %v after %v, and %v", now, sizes, others)
	}
	texts = append(texts, large)
	kept(t, f, texts...)
	after := killed(t, f)
	f.Close()
	for _, dir := range []string{dir, after} {
		f := open(t, dir)
		kept(t, f, texts...)
		commit(t, f, map[string]*string{"more.md": new("more")})
		if sizes, _ := packFiles(t, dir); len(sizes) != 1 {
			t.Errorf("packs %v", sizes)
		}
		f.Close()
	}
}

func TestPackThatDoesNotEndWell(t *testing.T) {
	f := open(t, t.TempDir())
	commit(t, f, map[string]*string{"a.md": new("one"), "b.md": new("two")})
	next := []byte("was never acknowledged")
	whole := encodeRecord(digestOf(hashOf(next)), next, 1)
	for name, tail := range map[string][]byte{
		"nothing":       nil,
		"whole":         whole,
		"half":          whole[:len(whole)-5],
		"half a head":   whole[:20],
		"zeros":         make([]byte, 300),
		"no bytes":      append(bytes.Clone(whole[:headSize]), make([]byte, len(next))...),
		"another's":     append(bytes.Clone(encodeRecord(digestOf(hashOf([]byte("one"))), []byte("one"), 1)[:headSize]), "???"...),
		"one, and half": append(bytes.Clone(whole), whole[:50]...),
	} {
		t.Run(name, func(t *testing.T) {
			dir := killed(t, f)
			pack := filepath.Join(dir, sheafDir, packName(1))
			before, err := os.ReadFile(pack)
			if err == nil {
				err = os.WriteFile(pack, append(bytes.Clone(before), tail...), 0o644)
			}
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // the second time from the indexes
				f := open(t, dir)
				kept(t, f, "one", "two")
				if _, err := f.local.objects.get(hashOf(next)); (err == nil) != bytes.HasPrefix(tail, whole) {
					t.Errorf("the last one: %v", err)
				}
				f.Close()
			}
			f := open(t, dir)
			commit(t, f, map[string]*string{"c.md": new("three"), "d.md": new(string(next))})
			dir = killed(t, f)
			f = open(t, dir)
			kept(t, f, "one", "two", "three", string(next))
		})
	}
}

func TestIndexOfAPackCanBeLost(t *testing.T) {
	f := open(t, t.TempDir())
	commit(t, f, map[string]*string{"a.md": new("one"), "b.md": new("two")})
	f.Close()
	f = open(t, f.Dir())
	commit(t, f, map[string]*string{"c.md": new("three")}) // more than the index knows
	index := func(dir string) string { return filepath.Join(dir, sheafDir, packName(1)+indexSuffix) }
	saved, err := os.ReadFile(index(f.Dir()))
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(saved)
	flipped[len(flipped)/2] ^= 1
	for name, b := range map[string][]byte{"as it is": saved, "empty": {}, "cut": saved[:len(saved)-indexedSize], "flipped": flipped} {
		dir := killed(t, f)
		if err := os.WriteFile(index(dir), b, 0o644); err != nil {
			t.Fatal(err)
		}
		t.Log(name)
		kept(t, open(t, dir), "one", "two", "three")
	}
	// Without an index, and with a head that has changed.
	dir := killed(t, f)
	pack := filepath.Join(dir, sheafDir, packName(1))
	b, err := os.ReadFile(pack)
	if err != nil {
		t.Fatal(err)
	}
	b[0] ^= 1
	if err := errors.Join(os.WriteFile(pack, b, 0o644), os.Remove(index(dir))); err != nil {
		t.Fatal(err)
	}
	after := open(t, dir)
	if len(after.local.objects.packs.locations) != 2 {
		t.Errorf("%d blobs are found behind a head that has changed", len(after.local.objects.packs.locations))
	}
	kept(t, after, "three")
	// An index that knows more than the pack has.
	dir = killed(t, f)
	pack = filepath.Join(dir, sheafDir, packName(1))
	if err := os.Truncate(pack, 2*headSize); err != nil {
		t.Fatal(err)
	}
	after = open(t, dir)
	commit(t, after, map[string]*string{"c.md": new("3")})
	kept(t, after, "3")
}

// A large blog does not start by reading its history.
func TestStartReadsTheIndexAndNotThePack(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	commit(t, f, map[string]*string{"a.md": new("one"), "b.md": new("two")})
	f.Close()
	pack := filepath.Join(dir, sheafDir, packName(1))
	info, err := os.Stat(pack)
	if err == nil {
		err = os.WriteFile(pack, make([]byte, info.Size()), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	f = open(t, dir)
	// Nor after a kill.
	commit(t, f, map[string]*string{"large.bin": new(strings.Repeat("x", maxPacked)), "c.md": new("three")})
	k := open(t, killed(t, f)).local.objects.packs.all[1]
	if k.size-k.indexed > maxUnindexed {
		t.Errorf("%d bytes are read of %d", k.size-k.indexed, k.size)
	}
	if n, err := f.local.objects.size(hashOf([]byte("one"))); err != nil || n != 3 {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := f.local.objects.get(hashOf([]byte("one"))); err == nil {
		t.Error("zeros are taken for a blob")
	}
}

func TestRoomOfPrunedVersionsIsGivenBack(t *testing.T) {
	const size, bound = 50 << 10, 200 << 10
	for _, limit := range []int64{packSize, 500 << 10} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			dir := t.TempDir()
			f := open(t, dir, History(bound))
			f.local.objects.packs.limit = limit
			commit(t, f, map[string]*string{"keep.md": new("from the beginning")})
			var last string
			for i := range 60 {
				last = fmt.Sprint(i, strings.Repeat("x", size))
				commit(t, f, map[string]*string{"a.md": &last})
			}
			room := func() (n int64) {
				sizes, _ := packFiles(t, dir)
				for _, size := range sizes {
					n += size
				}
				return n
			}
			// What lives and as much again, and what no pack is cleaned for.
			if n := room(); n > 2*(bound+2*size)+2*slack {
				t.Errorf("packs of %d bytes", n)
			}
			kept(t, f, "from the beginning", last)
			if left, _ := os.ReadDir(filepath.Join(dir, sheafDir, "tmp")); len(left) > 0 {
				t.Errorf("%d temporary files", len(left))
			}
			for _, dir := range []string{killed(t, f), dir} {
				f.Close()
				f = open(t, dir, History(bound))
				kept(t, f, "from the beginning", last)
				versions := 0
				for _, e := range f.Ledger().Of("a.md") {
					if _, err := f.local.objects.get(e.Hash); err == nil {
						versions++
					}
				}
				if versions < bound/size {
					t.Errorf("%d versions", versions)
				}
			}
		})
	}
}

func TestCleaningThatIsStoppedLosesNothing(t *testing.T) {
	f := open(t, t.TempDir())
	commit(t, f, map[string]*string{"keep.md": new("keep")})
	old := strings.Repeat("old", slack)
	if _, err := f.Put(t.Context(), []byte(old)); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(filepath.Join(f.Dir(), sheafDir, packName(1)))
	if err != nil {
		t.Fatal(err)
	}
	f.local.writing.Lock()
	f.local.objects.packs.forget(hashOf([]byte(old)), func() bool { return false })
	f.local.cleanPacks()
	f.local.writing.Unlock()
	if sizes, _ := packFiles(t, f.Dir()); len(sizes) != 1 || sizes["pack-2"] == 0 {
		t.Fatalf("packs %v", sizes)
	}
	dir := killed(t, f)
	if err := os.WriteFile(filepath.Join(dir, sheafDir, packName(1)), before, 0o644); err != nil {
		t.Fatal(err)
	}
	f = open(t, dir)
	kept(t, f, "keep")
	f.local.writing.Lock()
	f.local.objects.packs.forget(hashOf([]byte(old)), func() bool { return false })
	f.local.cleanPacks()
	f.local.writing.Unlock()
	if sizes, _ := packFiles(t, f.Dir()); len(sizes) != 1 || sizes["pack-2"] == 0 {
		t.Errorf("packs %v", sizes)
	}
	kept(t, f, "keep")
}

func TestPutsAtOnceAreStoredOnce(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	f.local.objects.packs.limit = 20 << 10
	texts := make([]string, 200)
	for i := range texts {
		texts[i] = fmt.Sprint(i, strings.Repeat("some words ", 20))
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for _, i := range rand.Perm(len(texts)) {
				hash, err := f.Put(t.Context(), []byte(texts[i]))
				if err != nil {
					t.Error(err)
					return
				}
				if b, err := f.Get(t.Context(), hash); err != nil || string(b) != texts[i] {
					t.Errorf("%d: %q, %v", i, b, err)
				}
			}
		})
	}
	for i := range 30 { // meanwhile
		commit(t, f, map[string]*string{"a.md": new(fmt.Sprint("committed ", i))})
		f.local.sweep()
	}
	wg.Wait()
	var want, got int64
	for _, text := range texts {
		want += headSize + int64(len(text))
	}
	for i := range 30 {
		want += headSize + int64(len(fmt.Sprint("committed ", i)))
	}
	sizes, _ := packFiles(t, dir)
	for _, n := range sizes {
		got += n
	}
	if got != want || len(sizes) < 3 {
		t.Errorf("%d bytes in %d packs, want %d", got, len(sizes), want)
	}
	f.Close()
	kept(t, open(t, dir), texts...)
}

func TestCleaningWhileOthersPut(t *testing.T) {
	f := open(t, t.TempDir(), History(1))
	f.local.objects.packs.limit = 1 << 20
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for w := range 3 {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				text := []byte(fmt.Sprint(w, i%50))
				hash, err := f.Put(t.Context(), text)
				if err != nil {
					t.Error(err)
					return
				}
				if b, err := f.Get(t.Context(), hash); err != nil || !bytes.Equal(b, text) {
					t.Errorf("%q, %v", b, err)
					return
				}
			}
		})
	}
	for i := range 60 {
		commit(t, f, map[string]*string{"a.md": new(fmt.Sprint(i, strings.Repeat("x", 100<<10)))})
	}
	close(stop)
	wg.Wait()
	if sizes, _ := packFiles(t, f.Dir()); sizes["pack-1"] != 0 {
		t.Errorf("nothing was cleaned: %v", sizes)
	}
}

func TestPackThatCannotBeReadKeepsNobodyFromStarting(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	commit(t, f, map[string]*string{"a.md": new("one")})
	f.Close()
	pack := filepath.Join(dir, sheafDir, packName(1))
	if err := errors.Join(os.Remove(pack), os.Mkdir(pack, 0o755)); err != nil {
		t.Fatal(err)
	}
	f = open(t, dir)
	if _, err := f.local.objects.get(hashOf([]byte("one"))); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if b, err := f.Get(t.Context(), hashOf([]byte("one"))); err != nil || string(b) != "one" {
		t.Errorf("the plain file does not serve: %q, %v", b, err)
	}
	commit(t, f, map[string]*string{"b.md": new("two")})
	kept(t, f, "two")
}
