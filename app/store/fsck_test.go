package store

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// servedFolder gives a closed folder with five revisions, a large blob, a state
// and an old version of a.md.
func servedFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	f := open(t, dir)
	commit(t, f, map[string]*string{"a.md": new("one"), "big.png": new(strings.Repeat("large", 300_000))})
	commit(t, f, map[string]*string{"a.md": new("two"), "posts/b.md": new("b")})
	commit(t, f, map[string]*string{"c.md": new("c")})
	commit(t, f, map[string]*string{"d.md": new("d")})
	commit(t, f, map[string]*string{"c.md": nil})
	err := f.State().SetState("x", []byte("kept"))
	if err = errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	return dir
}

func fsck(t *testing.T, dir string, repair bool) (said string, damage int) {
	t.Helper()
	findings, err := Fsck(dir, repair)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		said += f.String() + "\n"
		if f.Damage {
			damage++
		}
	}
	return said, damage
}

func TestFsckOfAHealthyFolder(t *testing.T) {
	dir := servedFolder(t)
	if said, _ := fsck(t, dir, false); said != "" {
		t.Errorf("%s", said)
	}
	f := open(t, dir) // also while it is served
	if said, _ := fsck(t, dir, false); said != "" {
		t.Errorf("served: %s", said)
	}
	if _, err := Fsck(dir, true); !errors.Is(err, ErrHeld) {
		t.Errorf("a repair while it is served: %v", err)
	}
	f.Close()
	before := content(t, dir)
	if said, _ := fsck(t, dir, true); said != "" {
		t.Errorf("repair: %s", said)
	}
	if !slices.Equal(content(t, dir), before) {
		t.Error("a repair has changed a folder in which nothing was wrong")
	}
}

// content lists all files below dir with what they have, but for the lock.
func content(t *testing.T, dir string) (list []string) {
	t.Helper()
	err := filepath.Walk(dir, func(name string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() || info.Name() == lockName {
			return err
		}
		b, err := os.ReadFile(name)
		list = append(list, name+" "+hashOf(b))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestFsckOfAFolderThatWasNeverServed(t *testing.T) {
	if _, err := Fsck(t.TempDir(), false); !errors.Is(err, ErrNoHistory) {
		t.Errorf("%v", err)
	}
}

// edit changes one file of .sheaf.
func edit(t *testing.T, dir, name string, change func(b []byte) []byte) {
	t.Helper()
	name = filepath.Join(dir, sheafDir, name)
	b, err := os.ReadFile(name)
	if err == nil {
		err = os.WriteFile(name, change(b), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func flip(at int) func(b []byte) []byte {
	return func(b []byte) []byte { b[(at+len(b))%len(b)] ^= 4; return b }
}

func TestFsckFindsDamageAndMendsIt(t *testing.T) {
	lines := func(b []byte) [][]byte { return bytes.SplitAfter(b, []byte("\n")) }
	loose := objectName(hashOf([]byte(strings.Repeat("large", 300_000))))
	for _, test := range []struct {
		name   string
		damage func(t *testing.T, dir string)
		want   string
		rev    Rev  // after the repair and a start, which imports what only a lost commit had
		lost   bool // something that no repair can bring back
	}{
		{"the first line of the log", func(t *testing.T, dir string) { edit(t, dir, "log", flip(30)) }, ".sheaf/log:1: the checksum is wrong", 6, false},
		{"a line in the middle", func(t *testing.T, dir string) {
			edit(t, dir, "log", func(b []byte) []byte { return flip(bytes.IndexByte(b, '\n') + 30)(b) })
		}, ".sheaf/log:2: the checksum is wrong", 6, false},
		{"a line end", func(t *testing.T, dir string) {
			edit(t, dir, "log", func(b []byte) []byte { return flip(bytes.IndexByte(b, '\n'))(b) })
		}, ".sheaf/log:1: ", 6, false},
		{"a line twice", func(t *testing.T, dir string) {
			edit(t, dir, "log", func(b []byte) []byte { return append(b, lines(b)[1]...) })
		}, ".sheaf/log:6: revision 2 after 5", 5, false},
		{"the last line", func(t *testing.T, dir string) { edit(t, dir, "log", flip(-10)) }, ".sheaf/log:5: the checksum is wrong", 5, false},
		{"the end of the log", func(t *testing.T, dir string) {
			edit(t, dir, "log", func(b []byte) []byte { return b[:len(b)-len(lines(b)[4])-20] })
		}, "revision 5 was shown, but the log ends with 3", 4, false},
		{"an empty log", func(t *testing.T, dir string) { edit(t, dir, "log", func([]byte) []byte { return nil }) },
			"revision 5 was shown, but the log ends with 0", 1, false},
		{"no log", func(t *testing.T, dir string) { os.Remove(filepath.Join(dir, sheafDir, "log")) }, ".sheaf/log: there is none", 1, false},
		{"a record", func(t *testing.T, dir string) { edit(t, dir, "objects/pack-1", flip(headSize+1)) },
			".sheaf/objects/pack-1:+0: 47 bytes are no record", 5, false}, // of an old version
		{"the pack", func(t *testing.T, dir string) { os.Remove(filepath.Join(dir, sheafDir, "objects/pack-1")) },
			"only in the file", 5, false},
		{"an index", func(t *testing.T, dir string) { edit(t, dir, "objects/pack-1.index", flip(40)) },
			".sheaf/objects/pack-1.index: ", 5, false},
		{"a large blob", func(t *testing.T, dir string) { edit(t, dir, loose, flip(7)) },
			".sheaf/" + loose + ": its bytes have changed", 5, false},
		{"a blob and its file", func(t *testing.T, dir string) {
			edit(t, dir, loose, flip(7))
			edit(t, dir, "../big.png", flip(7))
		}, "big.png: the version that the log names is lost", 6, true},
		{"the format", func(t *testing.T, dir string) { edit(t, dir, "format", func([]byte) []byte { return []byte("?") }) },
			`.sheaf/format: "?" is not the number of a format`, 5, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := servedFolder(t)
			test.damage(t, dir)
			said, damage := fsck(t, dir, false)
			if damage == 0 || !strings.Contains(said, test.want) {
				t.Errorf("said %q, want %q", said, test.want)
			}
			want := plain(t, dir)
			fsck(t, dir, true)
			said, damage = fsck(t, dir, false)
			if damage > 0 != test.lost {
				t.Errorf("after the repair: %s", said)
			}
			f := open(t, dir)
			importAll(t, f)
			if rev := f.Ledger().Rev(); rev != test.rev {
				t.Errorf("revision %d after the repair, want %d", rev, test.rev)
			}
			for _, e := range f.Ledger().Entries() {
				if _, err := f.local.Get(t.Context(), e.Hash); err != nil {
					t.Errorf("%s: %v", e.Path, err)
				}
			}
			f.Close()
			if got := plain(t, dir); got != want {
				t.Errorf("plain files were %s\nare %s", want, got)
			}
			if said, damage := fsck(t, dir, false); damage > 0 {
				t.Errorf("after a start: %s", said)
			}
		})
	}
}

// plain gives the plain files of a folder in one string.
func plain(t *testing.T, dir string) string {
	t.Helper()
	v, err := View(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	var out strings.Builder
	err = v.Walk(func(d *Dir) []string {
		for _, name := range d.Files {
			b, err := os.ReadFile(filepath.Join(dir, d.Path, name))
			fmt.Fprintf(&out, "%s/%s %.9s %v; ", d.Path, name, b, err)
		}
		return d.Dirs
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// Every bit of the last entries of the log, a pack and its index: a flip or a
// cut is told by fsck or harms nothing, and no other version is lost for it.
func TestEveryFlippedBitAndEveryCutIsToldOrHarmless(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	commit(t, f, map[string]*string{"a.md": new("one")})
	commit(t, f, map[string]*string{"a.md": new("two")})
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	versions := map[string]string{hashOf([]byte("one")): "one", hashOf([]byte("two")): "two"}
	for _, name := range []string{"log", "objects/pack-1", "objects/pack-1.index"} {
		whole, err := os.ReadFile(filepath.Join(dir, sheafDir, name))
		if err != nil {
			t.Fatal(err)
		}
		damages := map[string][]byte{}
		for i := range whole {
			for bit := range 8 {
				if bit != i%8 && effort(0, 0, 1) == 0 {
					continue // one bit of every byte
				}
				b := bytes.Clone(whole)
				b[i] ^= 1 << bit
				damages[fmt.Sprintf("%s: byte %d, bit %d", name, i, bit)] = b
			}
			damages[fmt.Sprintf("%s: cut at %d", name, i)] = whole[:i]
		}
		for what, b := range damages {
			if err := os.WriteFile(filepath.Join(dir, sheafDir, name), b, 0o600); err != nil {
				t.Fatal(err)
			}
			said, damage := fsck(t, dir, false)
			lost, failed := readVersions(t, dir, versions)
			switch {
			case damage == 0 && (failed != nil || lost > 0):
				t.Errorf("%s: nothing was told, and: %v, %d versions lost", what, failed, lost)
			case name == "log" && failed == nil:
				t.Errorf("%s: opened, said %q", what, said)
			case name == "objects/pack-1" && len(b) == len(whole) && lost > 1:
				t.Errorf("%s: %d versions lost", what, lost)
			case name == "objects/pack-1.index" && (lost > 0 || failed != nil):
				t.Errorf("%s: %v, %d versions lost", what, failed, lost)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, sheafDir, name), whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// readVersions opens the store of a folder as it is, without leaving a trace,
// and counts the versions that it cannot give. One that it gives wrong fails.
func readVersions(t *testing.T, dir string, versions map[string]string) (lost int, failed error) {
	t.Helper()
	home := filepath.Join(dir, sheafDir)
	d, err := openDisk(home)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	log, err := os.Open(filepath.Join(home, journalName))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	text, failed := readLog(log, "log")
	if shown, _ := os.ReadFile(filepath.Join(home, appliedName)); failed == nil && string(shown) != fmt.Sprint(len(text.commits)) {
		failed = &MissingError{Shown: 2, Last: Rev(len(text.commits))}
	}
	o, err := openObjects(d)
	if err != nil {
		t.Fatal(err)
	}
	for hash, want := range versions {
		if b, err := o.get(hash); err != nil {
			lost++
		} else if string(b) != want {
			t.Errorf("version %q reads %q", want, b)
		}
	}
	return lost, failed
}
