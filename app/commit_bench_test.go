//go:build unix

package app_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// BenchmarkCommitAmongTenThousand publishes one post after another, over ssh,
// to a blog of 10,000, and reports the processor time that the whole program
// takes for it (getrusage; the client's share is in it). "one" lets each commit
// come to rest: cpu-ms/commit is until the answer is there, cpu-ms/after the
// three seconds behind it, when the folder is watched and the history written.
// "thirty" commits thirty in a row.
//
//	go test ./app -run '^$' -bench CommitAmongTenThousand -benchtime 5x
func BenchmarkCommitAmongTenThousand(b *testing.B) {
	const posts = 10_000
	content, keys := b.TempDir(), b.TempDir()
	words := strings.Fields("a post of words that mean nothing and yet fill the page as words of that kind do")
	rnd := rand.New(rand.NewPCG(1, 2))
	text := func(n int) string {
		var t strings.Builder
		fmt.Fprintf(&t, "---\ntitle: The %d. post\ndate: %d-%02d-%02d\ntags: [%s, %s]\n---\n\n",
			n, 1995+n%30, 1+n%12, 1+n%28, words[rnd.IntN(len(words))], words[rnd.IntN(len(words))])
		for range 800 {
			t.WriteString(words[rnd.IntN(len(words))])
			t.WriteByte(' ')
		}
		return t.String()
	}
	for n := range posts {
		name := filepath.Join(content, fmt.Sprint("part", n/1000), fmt.Sprintf("post-%d.md", n))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text(n)), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	signer := authorKey(b, keys)
	addr := program(b, content, "--keys", keys)
	author, err := ssh.Dial("tcp", addr, &ssh.ClientConfig{User: "ada", Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)}, HostKeyCallback: ssh.InsecureIgnoreHostKey()})
	if err != nil {
		b.Fatal(err)
	}
	defer author.Close()
	commit := func(n int) {
		b.Helper()
		s, err := author.NewSession()
		if err != nil {
			b.Fatal(err)
		}
		defer s.Close()
		s.Stdin = strings.NewReader(text(n))
		if out, err := s.CombinedOutput(fmt.Sprintf("publish part%d/post-%d.md", n/1000, n)); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
	}
	commit(0)
	quiet(b)

	b.Run("one", func(b *testing.B) {
		var during, after time.Duration
		for b.Loop() {
			start := processorTime(b)
			commit(rnd.IntN(posts))
			answered := processorTime(b)
			time.Sleep(3 * time.Second)
			during += answered - start
			after += processorTime(b) - answered
		}
		b.ReportMetric(float64(during.Microseconds())/1000/float64(b.N), "cpu-ms/commit")
		b.ReportMetric(float64(after.Microseconds())/1000/float64(b.N), "cpu-ms/after")
	})
	b.Run("thirty", func(b *testing.B) {
		var spent time.Duration
		for b.Loop() {
			b.StopTimer()
			quiet(b)
			b.StartTimer()
			start := processorTime(b)
			for range 30 {
				commit(rnd.IntN(posts))
			}
			spent += processorTime(b) - start
		}
		b.ReportMetric(float64(spent.Microseconds())/1000/float64(b.N), "cpu-ms/op")
	})
}

// processorTime is what the program has taken since its start.
func processorTime(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// quiet waits until the program has nothing left to do.
func quiet(tb testing.TB) {
	tb.Helper()
	for calm := 0; calm < 4; {
		start := processorTime(tb)
		time.Sleep(500 * time.Millisecond)
		if calm++; processorTime(tb)-start > 10*time.Millisecond {
			calm = 0
		}
	}
}
