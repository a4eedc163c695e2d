package app_test

import (
	"strings"
	"syscall"
	"testing"
)

func TestMetrics(t *testing.T) {
	w := watch(t, notebook, "--metrics", "0", "--max-per-ipv4", "2")
	if addr := w.logs.told("metrics"); !strings.HasPrefix(addr, "127.0.0.1:") {
		t.Errorf("a port alone is %s", addr)
	}
	c := w.mustLogin("")
	s := w.mustScreen(c, 80, 24)
	a := w.author()
	if _, err := w.reader(""); err == nil {
		t.Error("a third connection of one address")
	}
	for range 2 {
		w.says(c, "read arriving", "")
	}
	if out := w.says(a, "publish new.md", "---\ntitle: New\ndate: 2022-01-01\n---\nText.\n"); !strings.Contains(out, "published") {
		t.Error(out)
	}
	w.until("the figures are there", func() bool {
		status, text := w.get("/metrics")
		for _, want := range []string{
			"sheaf_connections 2\n", "sheaf_sessions 1\n", "sheaf_browsers 1\n", "sheaf_handshakes_total 2\n",
			`sheaf_connections_refused_total{reason="address"} 1` + "\n", `sheaf_sessions_ended_total{kind="command"} 3` + "\n",
			`sheaf_commits_total{door="pipe"} 1` + "\n", "sheaf_pages_shared_total 1\n", "sheaf_panics_total 0\n", "sheaf_posts 5\n",
			`sheaf_build_info{version="test"} 1` + "\n", "go_goroutines ", "process_open_fds ",
		} {
			if status != 200 || !strings.Contains(text, want) {
				t.Logf("no %q", want)
				return false
			}
		}
		if strings.Contains(text, "127.0.0.1") || strings.Contains(text, "guest") || strings.Contains(text, "ssh-ed25519") {
			t.Error("somebody is named in the figures")
		}
		return true
	})
	if status, _ := w.get("/healthz"); status != 200 {
		t.Errorf("healthz: %d", status)
	}
	if status, _ := w.get("/"); status != 404 {
		t.Errorf("/: %d", status)
	}
	s.Close()
	w.cmd.Process.Signal(syscall.SIGTERM)
	if err := <-w.done; err != nil {
		t.Error(err)
	}
	w.done <- nil
}
