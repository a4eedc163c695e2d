package app_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// Options of compression that make the far end's program large, and blocks as
// large as can be asked for.
func TestAttackCompressionOfRsync(t *testing.T) {
	for _, options := range [][]string{
		{"-az", "--zc=zstd", "--zl=22"},
		{"-az", "--zc=zstd", "--zl=22", "--compress-threads=8"},
		{"-az", "--new-compress", "--zl=9"},
		{"-a", "--block-size=131072"},
	} {
		t.Run(strings.Join(options, " "), func(t *testing.T) {
			a := attack(t, gallery(4))
			c := a.client("127.0.0.5")
			var others []time.Duration
			to := filepath.Join(t.TempDir(), "copy")
			used := a.during(func() {
				var wg sync.WaitGroup
				wg.Go(func() {
					said, err := c.run(20*time.Second, "rsync", append(options, "blog:", to+"/")...)
					if err != nil && !strings.Contains(said, "leave it out") {
						t.Errorf("%v: %.500s", err, said)
					} else if _, missing := os.Stat(filepath.Join(to, "picture-03.png")); err == nil && missing != nil {
						t.Errorf("%v: %.500s", missing, said)
					}
				})
				wg.Go(func() { others = a.reads(2 * time.Second) })
				wg.Wait()
			})
			a.atMost("the program rsync", used.child, 64<<20)
			a.atMost("the server", used.grown(), 64<<20)
			a.othersRead(others)
		})
	}
}

// The feed is the longest answer there is, for many who do not read it.
func TestAttackFeedThatNobodyReads(t *testing.T) {
	a := attack(t, journal(60, 100<<10))
	var others []time.Duration
	used := a.during(func() {
		for i := range 12 {
			conn := a.raw(fmt.Sprintf("127.0.0.%d", 11+i))
			for range 4 {
				a.started(conn, 64<<10, "exec", "feed")
			}
		}
		others = a.reads(3 * time.Second)
	})
	a.atMost("48 readers of the feed", used.grown(), 32<<20)
	a.othersRead(others)
}
