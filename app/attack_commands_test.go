package app_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// journal is a blog with many long posts.
func journal(posts, bytes int) map[string]string {
	files := map[string]string{"site.yaml": "title: Notebook\n"}
	for name, text := range notebook {
		if name != "site.yaml" {
			files[name] = text
		}
	}
	for i := range posts {
		var text strings.Builder
		for n := 0; text.Len() < bytes; n++ {
			fmt.Fprintf(&text, "Here is sentence %d of entry %d, where the sea meets the shore & the trees <lean>. ", n, i)
			if n%8 == 7 {
				text.WriteString("\n\n")
			}
		}
		files[fmt.Sprintf("entry-%04d.md", i)] = fmt.Sprintf("---\ntitle: Entry %d\ndate: 2019-01-%02d\ntags: [sea, trees]\n---\n%s\n", i, 1+i%28, &text)
	}
	return files
}

// busy runs a command without end in so many sessions of one address, each on
// its own, until the time is over. It gives how often one was answered.
func (a *attacked) busy(local string, connections int, long time.Duration, command string) int {
	a.Helper()
	var wg sync.WaitGroup
	var answered atomic.Int64
	end := time.Now().Add(long)
	for range connections {
		c := a.mustLogin(local)
		timer := time.AfterFunc(long, func() { c.Close() })
		defer timer.Stop()
		for range 4 {
			wg.Go(func() {
				for time.Now().Before(end) {
					s, err := c.NewSession()
					if err != nil {
						return
					}
					if s.Run(command) == nil {
						answered.Add(1)
					}
					s.Close()
				}
			})
		}
	}
	wg.Wait()
	return int(answered.Load())
}

// Commands that cost much, from all sessions that one address may have.
func TestAttackExpensiveCommands(t *testing.T) {
	a := attack(t, journal(1000, 8<<10))
	for _, command := range []string{"search e", "search --json 'sentence sea'", "feed"} {
		t.Run(command, func(t *testing.T) {
			outer := a.T
			a.T = t
			defer func() { a.T = outer }()
			var others []time.Duration
			a.during(func() {
				var wg sync.WaitGroup
				wg.Go(func() {
					if n := a.busy("127.0.0.5", 16, 2*time.Second, command); n == 0 {
						t.Error("it was never answered")
					} else {
						t.Logf("answered %d times", n)
					}
				})
				wg.Go(func() { others = a.reads(2 * time.Second) })
				wg.Wait()
			})
			a.othersRead(others)
		})
	}
}
