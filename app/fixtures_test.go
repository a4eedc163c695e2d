package app_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func fixtureCommand(ts *testscript.TestScript, neg bool, args []string) {
	from, err := filepath.Abs(filepath.Join("testdata", "fixture"))
	ts.Check(err)
	ts.Check(os.CopyFS(ts.MkAbs("."), os.DirFS(from)))
	ts.Check(os.MkdirAll(ts.MkAbs("keys"), 0o755))
	keygenCommand(ts, false, []string{"ada", "bob", "eve"})
	ts.Check(os.WriteFile(ts.MkAbs("keys/authors"), []byte(ts.ReadFile("ada.pub")+ts.ReadFile("bob.pub")), 0o644))
}

// tmpfsCommand mounts a small disk. It goes when the script has ended, and the
// server before it.
func tmpfsCommand(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: tmpfs DIR SIZE")
	}
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o755))
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size="+args[1], "sheaf-test", dir).CombinedOutput(); err != nil {
		ts.Fatalf("mount: %v: %s", err, out)
	}
	ts.Defer(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			ts.Logf("umount: %v: %s", err, out)
		}
	})
}

func fillCommand(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: fill FILE SIZE")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	r := rand.New(rand.NewPCG(1, uint64(n)))
	data := bytes.NewBufferString("\x89PNG\r\n\x1a\n")
	if filepath.Ext(args[0]) == ".md" {
		data = bytes.NewBufferString("---\ntitle: Big\ndate: 2024-01-01\n---\n")
		for data.Len() < n {
			fmt.Fprintf(data, "%x %x\n", r.Uint64(), r.Uint64())
		}
		data.Truncate(n)
	} else {
		for data.Len() < n {
			data.WriteByte(byte(r.Uint32()))
		}
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), data.Bytes(), 0o644))
}

func stateCommand(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: state FILE")
	}
	log := exec.Command("ssh", "-F", ts.MkAbs("ssh_config"), "author", "log")
	log.Dir = ts.MkAbs(".")
	state, err := log.CombinedOutput()
	if err != nil {
		ts.Fatalf("state: log: %v: %s", err, state)
	}
	ts.Check(filepath.WalkDir(ts.MkAbs("content"), func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.Name() == ".sheaf" {
			return fs.SkipDir
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		state = fmt.Appendf(state, "%s %v", strings.TrimPrefix(p, ts.MkAbs("content")), info.Mode())
		if !d.IsDir() {
			b, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			state = fmt.Appendf(state, " %v %x", info.ModTime().UnixNano(), sha256.Sum256(b))
		}
		state = append(state, '\n')
		return nil
	}))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), state, 0o644))
}

func replaceCommand(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: replace FILE OLD NEW")
	}
	text := ts.ReadFile(args[0])
	if strings.Count(text, args[1]) != 1 {
		ts.Fatalf("replace: %q is not once in %s", args[1], args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Replace(text, args[1], args[2], 1)), 0o644))
}

func awaitCommand(ts *testscript.TestScript, neg bool, args []string) {
	limit, args := timeLimit(ts, args)
	if neg || len(args) != 2 {
		ts.Fatalf("usage: await [-in TIME] FILE TEXT")
	}
	for deadline := time.Now().Add(limit); ; time.Sleep(10 * time.Millisecond) {
		files, err := filepath.Glob(ts.MkAbs(args[0]))
		ts.Check(err)
		for _, f := range files {
			if b, err := os.ReadFile(f); err == nil && strings.Contains(string(b), args[1]) {
				return
			}
		}
		if time.Now().After(deadline) {
			ts.Fatalf("await: no %q in %s, which is %q", args[1], args[0], files)
		}
	}
}
