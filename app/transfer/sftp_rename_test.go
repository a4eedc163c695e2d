package transfer

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"testing"
)

// The ways in which editors save, over a folder that is mounted.
func TestEditorsSave(t *testing.T) {
	old, text := post("Hello", "First."), post("Hello", "Second.")
	for name, save := range map[string]func(t *testing.T, m *mounted){
		"in place": func(t *testing.T, m *mounted) {
			ok(t, m.put("posts/hello.md", text))
		},
		"sed -i": func(t *testing.T, m *mounted) {
			ok(t, m.put("posts/sedAb12xY", text))
			ok(t, m.PosixRename("posts/sedAb12xY", "posts/hello.md"))
		},
		"vim": func(t *testing.T, m *mounted) {
			f, err := m.OpenFile("posts/4913", os.O_WRONLY|os.O_CREATE|os.O_EXCL)
			ok(t, err)
			ok(t, f.Close())
			ok(t, m.Remove("posts/4913"))
			ok(t, m.PosixRename("posts/hello.md", "posts/hello.md~"))
			if _, err := m.Stat("posts/hello.md"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("it is still there: %v", err)
			}
			ok(t, m.put("posts/hello.md", text))
			ok(t, m.Chmod("posts/hello.md", 0o600))
			ok(t, m.Remove("posts/hello.md~"))
		},
		"over a copy": func(t *testing.T, m *mounted) {
			ok(t, m.put("posts/hello.md~", m.get("posts/hello.md")))
			ok(t, m.put("posts/hello.md", text))
		},
		"with a part": func(t *testing.T, m *mounted) { // WinSCP
			ok(t, m.put("posts/hello.md.filepart", text))
			ok(t, m.Remove("posts/hello.md"))
			ok(t, m.Rename("posts/hello.md.filepart", "posts/hello.md"))
		},
		"truncating": func(t *testing.T, m *mounted) { // sshfs
			ok(t, m.Truncate("posts/hello.md", 0))
			f, err := m.OpenFile("posts/hello.md", os.O_RDWR)
			ok(t, err)
			_, err = f.WriteAt([]byte(text[10:]), 10)
			ok(t, err)
			_, err = f.WriteAt([]byte(text[:10]), 0)
			ok(t, err)
			back := make([]byte, 4)
			if _, err := f.ReadAt(back, 4); err != nil || string(back) != text[4:8] {
				t.Errorf("what was written is read as %q: %v", back, err)
			}
			ok(t, f.Close())
		},
		"appending": func(t *testing.T, m *mounted) {
			ok(t, m.Truncate("posts/hello.md", int64(len(old)-len("First.\n"))))
			f, err := m.OpenFile("posts/hello.md", os.O_WRONLY|os.O_APPEND)
			ok(t, err)
			_, err = f.WriteAt([]byte("Second.\n"), int64(len(old)-len("First.\n")))
			ok(t, err)
			ok(t, f.Close())
			f, err = m.OpenFile("posts/secret.md", os.O_WRONLY|os.O_APPEND)
			ok(t, err)
			if _, err := f.WriteAt([]byte("x"), 0); err == nil {
				t.Error("something is overwritten")
			}
			fails(t, f.Close(), "opened to append")
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newFixture(t, smallBlog)
			m := b.mount(b.ada.Visitor())
			save(t, m)
			b.has("posts/hello.md", text)
			if got := m.get("posts/hello.md"); got != text {
				t.Errorf("the session reads %q", got)
			}
			m.leave()
			b.has("posts/hello.md", text)
			for c := range b.ada.Commits(1) {
				for _, e := range c.Entries {
					if e.Path != "posts/hello.md" {
						t.Errorf("commit %d has %s", c.Rev, e.Path)
					}
					if e.Hash == "" && name != "with a part" {
						t.Errorf("commit %d removes the post", c.Rev)
					}
				}
			}
		})
	}
}

func TestAFilePutAsideIsRemovedOnlyIfItWasMeant(t *testing.T) {
	b := newFixture(t, smallBlog)
	hello := post("Hello", "First.")
	m := b.mount(b.ada.Visitor())
	ok(t, m.PosixRename("posts/hello.md", "posts/hello.md~"))
	ok(t, m.PosixRename("posts/hello.md~", "posts/hello.md")) // could not write
	m.leave().is(t, 0)
	b.has("posts/hello.md", hello)

	m = b.mount(b.ada.Visitor())
	ok(t, m.PosixRename("posts/hello.md", "posts/hello.md~"))
	m.cut().is(t, 0)
	b.has("posts/hello.md", hello)

	m = b.mount(b.ada.Visitor())
	ok(t, m.PosixRename("posts/hello.md", "posts/hello.md~"))
	ok(t, m.Remove("posts/hello.md~"))
	b.has("posts/hello.md", "-")
	m.leave().is(t, 0)
	b.commit("posts/hello.md", hello)

	m = b.mount(b.ada.Visitor())
	ok(t, m.PosixRename("posts/hello.md", "posts/hello.md~"))
	m.leave().is(t, 0)
	b.has("posts/hello.md", "-")
	b.commit("posts/hello.md", hello)

	// A bin is another thing: what is thrown away is not public any more.
	m = b.mount(b.ada.Visitor())
	ok(t, m.Mkdir(".Trash"))
	ok(t, m.Rename("posts/hello.md", ".Trash/hello.md"))
	b.has("posts/hello.md", "-")
	if got := m.get(".Trash/hello.md"); got != hello {
		t.Errorf("the bin has %q", got)
	}
	ok(t, m.Rename(".Trash/hello.md", "posts/hello.md"))
	b.has("posts/hello.md", hello)
	m.leave().is(t, 0)
}

func TestFoldersMoveAsOneChange(t *testing.T) {
	b := newFixture(t, smallBlog)
	m := b.mount(b.ada.Visitor())
	ok(t, m.Mkdir("posts/trip"))
	if got := m.ls("posts"); got != "hello.md secret.md trip/" {
		t.Error(got)
	}
	trip := post("Trip", "![The sea](sea.svg)")
	ok(t, m.put("posts/trip/sea.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"/>"))
	ok(t, m.put("posts/trip/index.md", trip))
	ok(t, m.put("posts/trip/.swp", "x"))
	before := b.head()
	ok(t, m.Rename("posts/trip", "posts/journey"))
	if b.head() != before+1 {
		t.Errorf("%d changes", b.head()-before)
	}
	b.has("posts/journey/index.md", trip, "posts/trip/index.md", "-", "posts/trip/sea.svg", "-")
	if got := m.ls("posts") + ", " + m.ls("posts/journey"); got != "hello.md journey/ secret.md, .swp index.md sea.svg" {
		t.Error(got)
	}
	ok(t, m.Mkdir(".bin"))
	ok(t, m.Rename("posts/journey", ".bin/journey"))
	b.has("posts/journey/index.md", "-")
	ok(t, m.Rename(".bin/journey", "posts/back"))
	if got := m.get("posts/back/index.md"); got != trip {
		t.Errorf("%q", got)
	}
	// As rm -r does it: the folder is there until it is removed.
	for _, p := range []string{"index.md", "sea.svg", ".swp"} {
		ok(t, m.Remove("posts/back/"+p))
	}
	ok(t, m.RemoveDirectory("posts/back"))
	if _, err := m.Stat("posts/back"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("still there: %v", err)
	}
	m.leave().is(t, 0)
}

// A session cannot keep as many hidden files as somebody likes: none of them is
// lost for that.
func TestAFolderTooLargeToBeHiddenStays(t *testing.T) {
	b := newFixture(t, smallBlog)
	m := b.mount(b.ada.Visitor())
	ok(t, m.Mkdir(".bin"))
	for i := range maxUploads - 1 {
		ok(t, m.put(fmt.Sprintf(".bin/%d", i), "x"))
	}
	before, tree := b.head(), b.tree()
	fails(t, m.Rename("posts", ".bin/posts"), "too many files")
	if b.head() != before || !maps.Equal(b.tree(), tree) {
		t.Errorf("%d changes, %d files", b.head()-before, len(b.tree()))
	}
	if got := m.ls("posts"); got != "hello.md secret.md" {
		t.Error(got)
	}
	m.err.said(t, "posts: has too many files to be hidden")
	for i := range maxUploads - 1 {
		ok(t, m.Remove(fmt.Sprintf(".bin/%d", i)))
	}
	m.leave().is(t, 1)
}
