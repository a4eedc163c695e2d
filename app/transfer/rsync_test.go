package transfer

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestRsyncArguments(t *testing.T) {
	for _, c := range []struct {
		args    string
		options string
		paths   string
		flags   string // s sender, n dry, w whole
	}{
		{"--server -vlogDtpre.iLsfxCIvu . posts/", "-vlogDtpre.iLsfxCIvu", "posts/", ""},
		{"--server -vnlogDtpre.iLsfxCIvu --delete . /posts", "-vnlogDtpre.iLsfxCIvu --delete", "posts", "n"},
		{"--server -logDtprce.iLsfxCIvu --log-format=X --partial . .", "-logDtprce.iLsfxCIvu --log-format=X --partial", "", "w"},
		{"--server -logDtpr . ~/posts/a.md", "-logDtpr", "posts/a.md", ""},
		{"--server -lmOJWogDtre.iLsfxCIvu --log-format=%i --timeout=5 --bwlimit=100 --max-size=1048576 --delete-after --stats . posts",
			"-lmOJWogDtre.iLsfxCIvu --log-format=%i --timeout=5 --bwlimit=100 --max-size=1048576 --delete-after --stats", "posts", ""},
		{"--server -logDtpre.iLsfxCIvu --partial-dir .part . x", "-logDtpre.iLsfxCIvu", "x", ""},
		{"--server -logDtpre.iLsfxCIvu -@-1 --compress-choice=none --compress-level=22 --compress-threads=8 --skip-compress=gz/jpg . x", "-logDtpre.iLsfxCIvu -@-1", "x", ""},
		{"--server --sender -vlLogDtpre.iLsfxCIvu . posts/ hello.md", "-vlLogDtpre.iLsfxCIvu", "posts/ hello.md", "s"},
		{"--server --sender -logDtpRe.LsfxCIvu --files-from=- --from0 . posts/", "-logDtpRe.LsfxCIvu --files-from=- --from0", "posts/", "s"},
		{"--server --sender -de.LsfxCIvu .", "-de.LsfxCIvu", "", "s"},
	} {
		got, err := parseRsync(strings.Fields(c.args))
		flags := ""
		for _, f := range []struct {
			is   bool
			name string
		}{{got.sender, "s"}, {got.dryRun, "n"}, {got.needsContent, "w"}} {
			if f.is {
				flags += f.name
			}
		}
		if err != nil || strings.Join(got.options, " ") != c.options || strings.Join(got.paths, " ") != c.paths || flags != c.flags {
			t.Errorf("%s: %q %q %q %v", c.args, got.options, got.paths, flags, err)
		}
	}
	for _, args := range []string{
		"", "--daemon", "posts/", "--server", "--server -logDtpr", "--server -slogDtpre.iLsfxCIvu", "--server -lKogDtpre.iLsfxCIvu . x", "--server -lLogDtpre.iLsfxCIvu . x",
		"--server -logDtpre.iLsfxCIvu --inplace . x", "--server -logDtpr --append . x", "--server -r --temp-dir /tmp . x", "--server -r --backup-dir=/tmp . x",
		"--server -r --link-dest /etc . x", "--server -r --log-file=/tmp/x . x", "--server -r --config=/x . x", "--server -r --remove-source-files . x",
		"--server -r --files-from=- . x", "--server --sender -r --files-from=/etc/passwd . x", "--server -r --insecure-links . x", "--server -r --confine-root=/ . x",
		"--server -r --super . x", "--server -re.i;x . x", "--server -r --rsync-path=x . x", "--server --sender -r --remove-source-files . x", "--server -r --copy-as=root . x",
		"--server -r . ../x", "--server -r . posts/../../x", "--server -r . a b", "--server -r --munge-links=0 . x", "--server - . x",
		"--server -r --no-munge-links . x", "--server -r --write-devices . x", "--server -r -M--x . x", "--server -f:+ . x",
		"--server -vlogDtprze.iLsfxCIvu . x", "--server --sender -z . x", "--server -zzr . x", "--server -r --compress . x", "--server -r --new-compress . x",
		"--server -r --old-compress . x", "--server -r --compress-choice=zstd . x", "--server -r --compress-choice=zlibx,zstd . x", "--server -r --zc=zstd . x",
		"--server -r --zl=22 . x", "--server -r --compress-level . x", "--server -r --zt=8 . x", "--server -r --filter=:/etc/passwd . x",
	} {
		if c, err := parseRsync(strings.Fields(args)); err == nil {
			t.Errorf("%q is taken: %+v", args, c)
		}
	}
}

func FuzzRsyncArguments(f *testing.F) {
	f.Add("--server\n-vlogDtpre.iLsfxCIvu\n--delete\n.\nposts/")
	f.Add("--server\n--sender\n-logDtpRe.LsfxCIvu\n--files-from=-\n--from0\n.\nposts/*.md\n~/x")
	f.Add("--server\n-@-1\n-B700\n--partial-dir\n.p\n--skip-compress=gz/jpg\n.\n.")
	f.Add("--server\n-e.\n.\n/./..//")
	f.Fuzz(func(t *testing.T, joined string) {
		args := strings.Split(joined, "\n")
		c, err := parseRsync(args)
		if err != nil {
			if strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }) {
				t.Fatalf("control characters: %q", err)
			}
			return
		}
		for _, o := range c.options {
			name, value, _ := strings.Cut(o, "=")
			switch {
			case !slices.Contains(args, o), o == "" || o[0] != '-' || o == "--" || o == "-":
				t.Fatalf("option %q", o)
			case strings.Contains(name, "compress"), name[1] != '-' && strings.Contains(strings.Split(name, "e")[0], "z"):
				t.Fatalf("option of compression %q", o)
			case strings.HasPrefix(value, "/"), strings.Contains(value, ".."), strings.ContainsAny(o, " \x00;|&$`<>\"'\\"):
				t.Fatalf("option %q", o)
			}
			for _, bad := range []string{"--server", "--sender", "--daemon", "--config", "--inplace", "--append", "--temp", "--backup", "--link-dest", "--copy", "--compare", "--log-file",
				"--write", "--read", "--only-write", "--insecure", "--confine", "--munge", "--no-munge", "--super", "--rsync", "--remove", "--filter", "--exclude", "--include", "--password", "--protect", "--secluded"} {
				if strings.HasPrefix(o, bad) {
					t.Fatalf("option %q", o)
				}
			}
		}
		if len(c.paths) == 0 || !c.sender && len(c.paths) != 1 {
			t.Fatalf("paths %q", c.paths)
		}
		for _, p := range c.paths {
			if clean := strings.TrimSuffix(p, "/"); clean != "" && (!fs.ValidPath(clean) || clean == ".") || strings.ContainsAny(p, "\x00\n") {
				t.Fatalf("path %q", p)
			}
		}
	})
}

func TestRsyncTakesASetAsOneCommit(t *testing.T) {
	h := newFixture(t, someFiles)
	env, dir := h.listen(h.ada.Visitor()), t.TempDir()
	before := h.head()
	must(t, env, dir, "rsync", "-a", "b:posts/", "work/")
	write(t, dir, map[string]string{
		"work/one.md":     "---\ntitle: One\ndate: 2026-02-01\n---\nOne.\n",
		"work/two/two.md": "---\ntitle: Two\ndate: 2026-02-02\ndraft: true\n---\nTwo.\n",
		"work/hello.md":   "---\ntitle: Hello\ndate: 2026-01-02\n---\nOther words.\n",
		"work/.x.swp":     "scratch",
		"work/.git/HEAD":  "ref",
	})
	os.Remove(filepath.Join(dir, "work", "private.txt"))

	said := must(t, env, dir, "rsync", "-an", "--delete", "work/", "b:posts/")
	if h.head() != before {
		t.Fatalf("-n has committed: %s", said)
	}
	said = must(t, env, dir, "rsync", "-av", "--delete", "work/", "b:posts/")
	wants(t, said, "published  ssh -t blog.example one\n", "draft      ssh -t blog.example two\n", "published  ssh -t blog.example hello\n",
		"removed    posts/private.txt\n", "warning: posts/.x.swp: not kept", "warning: posts/.git: not kept")
	if strings.Contains(said, "picture") || h.head() != before+1 {
		t.Errorf("head %d after %d\n%s", h.head(), before, said)
	}
	if c := h.last(); c.Author != "Ada Lovelace" || c.Channel != "rsync" || len(c.Entries) != 4 {
		t.Errorf("%+v", c)
	}
	for _, name := range []string{"one.md", "two/two.md", "hello.md", "picture.md"} {
		b, err := os.ReadFile(filepath.Join(dir, "work", name))
		if err != nil || h.text("posts/"+name) != string(b) {
			t.Errorf("%s: %q %v", name, h.text("posts/"+name), err)
		}
	}
	if h.text("posts/private.txt") != "" {
		t.Error("not removed")
	}
	// The times are the author's, so nothing is sent again.
	if said := must(t, env, dir, "rsync", "-ai", "--exclude=.*", "work/", "b:posts/"); strings.Contains(said, ".md") {
		t.Errorf("sent again:\n%s", said)
	}
	if said := must(t, env, dir, "rsync", "-aci", "--exclude=.*", "work/", "b:posts/"); strings.Contains(said, ".md") {
		t.Errorf("sent again with -c:\n%s", said)
	}
	h.sound()
}

// What rsync only looks at, and does not send, is in the copy without its
// contents. None of its options may make that the blog's.
func TestRsyncNeverTakesThePlaceholders(t *testing.T) {
	long := "---\ntitle: Long\ndate: 2026-01-02\n---\n" + strings.Repeat("All work and no play.\n", 3000)
	files := map[string]string{"site.yaml": "title: T\n", "posts/long.md": long, "posts/gone.md": strings.ReplaceAll(long, "Long", "Gone")}
	for _, options := range [][]string{{"-a"}, {"-rt"}, {"-r"}, {"-a", "--size-only"}, {"-aI"}, {"-aH"}, {"-ay"}, {"-ab"}, {"-ac"}, {"-a", "--delay-updates"}, {"-aS"}, {"-a", "--no-W", "-B", "700"},
		{"-a", "--ignore-existing"}, {"-au"}, {"-aHAX"}, {"-aP"}, {"-a", "--partial-dir=.p"}, {"-a", "--protocol=29"}, {"-aC"}, {"-a", "--skip-compress=jpg"}, {"-a", "--modify-window=-1"}, {"-a", "--delete-delay"}} {
		t.Run(strings.Join(options, " "), func(t *testing.T) {
			t.Parallel()
			h := newFixture(t, files)
			env, dir := h.listen(h.ada.Visitor()), t.TempDir()
			same := strings.Replace(long, "All work", "ALL WORK", 1) // as long as before
			write(t, dir, map[string]string{"w/long.md": same, "w/new.md": strings.ReplaceAll(long, "Long", "News")})
			soon := time.Now().Add(time.Minute)
			if err := os.Chtimes(filepath.Join(dir, "w/long.md"), soon, soon); err != nil {
				t.Fatal(err)
			}
			if err := os.Link(filepath.Join(dir, "w/new.md"), filepath.Join(dir, "w/other.txt")); err != nil {
				t.Fatal(err)
			}
			said := must(t, env, dir, "rsync", append(options, "--delete", "w/", "b:posts")...)
			want := same
			if slices.Contains(options, "--size-only") || slices.Contains(options, "--ignore-existing") {
				want = long
			}
			if got := h.text("posts/long.md"); got != want {
				t.Errorf("long.md is not what it should be (%d bytes, %d zero)\n%s", len(got), strings.Count(got, "\x00"), said)
			}
			for _, name := range []string{"posts/new.md", "posts/other.txt"} {
				if got := h.text(name); got != strings.ReplaceAll(long, "Long", "News") {
					t.Errorf("%s: %d bytes, %d zero\n%s", name, len(got), strings.Count(got, "\x00"), said)
				}
			}
			if h.text("posts/gone.md") != "" {
				t.Errorf("not deleted\n%s", said)
			}
			h.sound()
		})
	}
}

func TestRsyncRefusesAsAWhole(t *testing.T) {
	h := newFixture(t, someFiles)
	env, dir := h.listen(h.ada.Visitor()), t.TempDir()
	good := "---\ntitle: Good\ndate: 2026-02-01\n---\nGood.\n"
	before := h.head()
	for name, want := range map[string]string{
		"bad.md":      "posts/bad.md:2: ",
		"big.md":      "posts/big.md: is too big",
		"huge.bin":    "is too big",
		"link.md":     "posts/link.md: is a link",
		"pipe":        "posts/pipe: is a link or a device",
		"empty.md":    "posts/empty.md: is empty",
		"bell\a.md":   "cannot be kept",
		"HELLO.md":    "HELLO.md",
		"sub/l/in.md": "posts/sub/l/in.md",
	} {
		work := t.TempDir()
		write(t, work, map[string]string{"good.md": good})
		full := filepath.Join(work, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		options := "-rlt"
		switch name {
		case "link.md":
			err = os.Symlink("/etc/passwd", full)
		case "pipe":
			err = exec.Command("mkfifo", full).Run()
			options = "-a"
		case "empty.md":
			err = os.WriteFile(full, nil, 0o644)
		case "bad.md":
			err = os.WriteFile(full, []byte("---\ndate: Smarch 13th\n---\nx\n"), 0o644)
		case "big.md":
			err = os.WriteFile(full, []byte(good+strings.Repeat("x", 3<<20)), 0o644)
		case "huge.bin": // compresses to next to nothing
			if err = os.WriteFile(full, nil, 0o644); err == nil {
				err = os.Truncate(full, 300<<20)
			}
		case "sub/l/in.md":
			err = os.WriteFile(full, []byte("\xff\xfe"), 0o644)
		default:
			err = os.WriteFile(full, []byte(good), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		said, status := client(t, env, dir, "rsync", options, work+"/", "b:posts/")
		if name == "pipe" && status == 0 {
			// rsync itself leaves it out, and says so.
			wants(t, said, "non-regular file")
			before = h.head()
			continue
		}
		if status != 23 && name != "huge.bin" || status == 0 {
			t.Errorf("%q: status %d", name, status)
		}
		wants(t, said, want)
		if strings.ContainsRune(said, '\a') {
			t.Errorf("%q: rings", name)
		}
		if h.head() != before {
			t.Fatalf("%q: a commit was made", name)
		}
	}
	for _, args := range [][]string{{"-a", "x.md", "b:../x.md"}, {"-a", "--inplace", "x.md", "b:posts/"}, {"-s", "-a", "x.md", "b:posts/"}, {"-a", "--temp-dir=/tmp", "x.md", "b:posts/"},
		{"-a", "--remove-source-files", "x.md", "b:posts/"},
		{"-az", "x.md", "b:posts/"}, {"-az", "--zc=zstd", "--zl=22", "x.md", "b:posts/"}, {"-a", "--new-compress", "x.md", "b:posts/"}} {
		write(t, dir, map[string]string{"x.md": good})
		said, status := client(t, env, dir, "rsync", args...)
		if status == 0 {
			t.Errorf("%q: done", args)
		}
		wants(t, said, "sheaf: rsync: ")
		if h.head() != before {
			t.Fatalf("%q: a commit was made", args)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "x.md")); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(filepath.Join(h.scratch, "rsync")); len(left) > 0 {
		t.Errorf("left in the scratch folder: %v", left)
	}
	h.sound()
}

func TestRsyncReaders(t *testing.T) {
	h := newFixture(t, someFiles)
	env, dir := h.listen(h.blog.Reader()), t.TempDir()
	said := must(t, env, dir, "rsync", "-rv", "b:", "all")
	for _, name := range []string{"posts/hello.md", "posts/picture.md", "posts/dot.txt"} {
		b, err := os.ReadFile(filepath.Join(dir, "all", name))
		if err != nil || string(b) != someFiles[name] {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"posts/secret.md", "posts/later.md", "posts/private.txt", "site.yaml"} {
		if _, err := os.Stat(filepath.Join(dir, "all", name)); err == nil {
			t.Errorf("%s was given away\n%s", name, said)
		}
	}
	must(t, env, dir, "rsync", "-a", "b:hello.md", "b:posts/*.txt", "some/")
	if list, _ := filepath.Glob(filepath.Join(dir, "some/*")); len(list) != 2 {
		t.Errorf("some: %v", list)
	}
	if said, status := client(t, env, dir, "rsync", "-a", "b:posts/secret.md", "b:nothing", "some/"); status == 0 || strings.Contains(said, h.scratch) || !strings.Contains(said, "posts/secret.md: no such file") {
		t.Errorf("secret: status %d\n%s", status, said)
	}
	before := h.head()
	write(t, dir, map[string]string{"x.md": "---\ntitle: X\n---\nx\n"})
	for _, args := range [][]string{{"-a", "x.md", "b:posts/"}, {"-an", "x.md", "b:posts/"}, {"-a", "--delete", "some/", "b:posts/"}} {
		said, status := client(t, env, dir, "rsync", args...)
		if status == 0 || h.head() != before {
			t.Errorf("%q: status %d", args, status)
		}
		wants(t, said, "permission denied: no author key")
	}
	h.sound()
}

// The filter rules that a client sends could name a file of the server with
// more rules in it: what is left out of the answer would tell what that file
// says.
func TestRsyncReadsNoRulesFromOutside(t *testing.T) {
	h := newFixture(t, someFiles)
	env, dir := h.listen(h.blog.Reader()), t.TempDir()
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("hello.md\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for i, rule := range []string{"dir-merge,- " + secret, ":- ../../../../../../../../../../" + strings.TrimPrefix(secret, "/")} {
		out := fmt.Sprint("out", i)
		client(t, env, dir, "rsync", "-r", "--filter="+rule, "b:posts/", out)
		if _, err := os.Stat(filepath.Join(dir, out, "hello.md")); err != nil {
			t.Errorf("%s: the rules were read", rule)
		}
	}
	write(t, dir, map[string]string{"list": secret + "\n../secret\n../../../../../../" + secret + "\nhello.md\n"})
	said, _ := client(t, env, dir, "rsync", "-r", "--files-from=list", "b:posts/", "listed/")
	var got []string
	filepath.WalkDir(filepath.Join(dir, "listed"), func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			got = append(got, d.Name())
		}
		return nil
	})
	if !slices.Equal(got, []string{"hello.md"}) {
		t.Errorf("got %v\n%s", got, said)
	}
}

// A client that is killed in mid upload leaves nothing.
func TestRsyncCut(t *testing.T) {
	h := newFixture(t, someFiles)
	env, dir := h.listen(h.ada.Visitor()), t.TempDir()
	before := h.head()
	write(t, dir, map[string]string{"w/a.md": "---\ntitle: A\ndate: 2026-02-01\n---\nA.\n", "w/b.txt": strings.Repeat("noise ", 1<<18)})
	full := installed(t, "rsync")
	cmd := exec.Command(full, "-a", "--bwlimit=200", "w/", "b:posts/")
	cmd.Dir, cmd.Env = dir, env
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool {
		list, _ := filepath.Glob(filepath.Join(h.scratch, "rsync/*/blog/posts/a.md"))
		return len(list) > 0
	})
	cmd.Process.Kill()
	cmd.Wait()
	h.idle()
	if h.head() != before || h.text("posts/a.md") != "" {
		t.Error("half a set was committed")
	}
	if left, _ := os.ReadDir(filepath.Join(h.scratch, "rsync")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	h.sound()
}

// Somebody else was first.
func TestRsyncConflict(t *testing.T) {
	h := newFixture(t, someFiles)
	env, dir := h.listen(h.ada.Visitor()), t.TempDir()
	write(t, dir, map[string]string{"w/hello.md": "---\ntitle: Hello\ndate: 2026-01-02\n---\nMine.\n", "w/b.txt": strings.Repeat("noise ", 1<<17)})
	full := installed(t, "rsync")
	cmd := exec.Command(full, "-a", "--bwlimit=400", "w/", "b:posts/")
	var out strings.Builder
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, env, &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool {
		list, _ := filepath.Glob(filepath.Join(h.scratch, "rsync/*/blog/posts"))
		return len(list) > 0
	})
	theirs := "---\ntitle: Hello\ndate: 2026-01-02\n---\nTheirs.\n"
	h.commit("posts/hello.md", theirs)
	cmd.Wait()
	if cmd.ProcessState.ExitCode() != 23 || h.text("posts/hello.md") != theirs || h.text("posts/b.txt") != "" {
		t.Errorf("status %d, %q\n%s", cmd.ProcessState.ExitCode(), h.text("posts/hello.md"), out.String())
	}
	wants(t, out.String(), "not published: posts/hello.md", "Grace")
	h.sound()
}

func TestRsyncThatDoesNotFit(t *testing.T) {
	h := newFixture(t, someFiles)
	env, dir := h.listen(h.ada.Visitor()), t.TempDir()
	full := installed(t, "rsync")
	bin := t.TempDir()
	t.Setenv("PATH", bin)
	said, status := client(t, env, dir, full, "-a", "b:posts/", "x")
	if status == 0 {
		t.Error("done without a program")
	}
	wants(t, said, "sheaf: rsync: is not installed on the server\n")
	if err := os.WriteFile(filepath.Join(bin, "rsync"), []byte("#!/bin/sh\necho 'rsync  version 3.4.1  protocol version 32'\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	said, _ = client(t, env, dir, full, "-a", "b:posts/", "x")
	wants(t, said, "sheaf: rsync: version 3.4 on the server is too old: 3.5 or newer is needed\n")
	h.sound()
}

// BenchmarkRsync sends 1,000 posts, each time to a new blog.
func BenchmarkRsync(b *testing.B) {
	dir := b.TempDir()
	write(b, dir, thousand())
	for b.Loop() {
		b.StopTimer()
		h := newFixture(b, map[string]string{"site.yaml": "title: T\n"})
		env := h.listen(h.ada.Visitor())
		b.StartTimer()
		must(b, env, dir, "rsync", "-a", "posts", "b:")
		b.StopTimer()
		if h.text("posts/999.md") == "" {
			b.Fatal("not there")
		}
		b.StartTimer()
		start := time.Now()
		must(b, env, dir, "rsync", "-a", "posts", "b:")
		b.ReportMetric(time.Since(start).Seconds(), "s-again")
	}
}

func thousand() map[string]string {
	files := map[string]string{}
	for i := range 1000 {
		files[fmt.Sprintf("posts/%03d.md", i)] = fmt.Sprintf("---\ntitle: Post %d\ndate: 2026-01-02\n---\n%s", i, strings.Repeat(fmt.Sprintf("Words of the post %d. ", i), 200))
	}
	return files
}
