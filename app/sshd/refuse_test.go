package sshd

import (
	"os/exec"
	"strings"
	"testing"
)

// openSSH is what ssh prints who cannot get in.
func (b *testServer) openSSH() string {
	b.Helper()
	ssh, err := exec.LookPath("ssh")
	if err != nil {
		b.Skip("no ssh here")
	}
	host, port, _ := strings.Cut(b.addr, ":")
	out, err := exec.CommandContext(b.Context(), ssh, "-F", "none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no",
		"-o", "UserKnownHostsFile=/dev/null", "-p", port, "guest@"+host, "whoami").CombinedOutput()
	if err == nil {
		b.Errorf("ssh was let in: %s", out)
	}
	return string(out)
}

// Who is refused reads why in the words of their own ssh, and the log says it.
func TestWhoIsRefusedReadsWhy(t *testing.T) {
	t.Parallel()
	for limit, c := range map[string]struct {
		limits Limits
		bring  func(*testServer)
	}{
		limitConnections: {Limits{Connections: 1}, func(b *testServer) {
			b.authorise(newKey(t).PublicKey())
			b.client()
		}},
		limitAddress: {Limits{PerIPv4: 1}, func(b *testServer) { b.client() }},
		limitPenalty: {Limits{}, func(b *testServer) { b.srv.charge(net4("127.0.0.1"), penaltyAbuse) }},
	} {
		t.Run(limit, func(t *testing.T) {
			b := &testServer{T: t, keys: t.TempDir(), logs: &syncBuffer{}}
			b.start(c.limits)
			c.bring(b)
			for range 3 {
				if got := b.openSSH(); !strings.Contains(got, "12: "+refusals[limit]) {
					t.Errorf("the reader's ssh shows %q", got)
				}
			}
			if logs := b.logs.String(); !strings.Contains(logs, "limit="+limit+" from=127.0.0.1/32") {
				t.Errorf("the log: %s", logs)
			}
		})
	}
}

// In a flood of refusals those beyond the first are closed at once.
func TestTellingIsBounded(t *testing.T) {
	t.Parallel()
	b := startServer(t, Limits{PerIPv4: 1})
	b.client()
	for range maxTold {
		b.srv.telling <- struct{}{}
	}
	if _, err := b.dial("guest"); err == nil || strings.Contains(err.Error(), "reason 12") {
		t.Errorf("one too many: %v", err)
	}
	<-b.srv.telling
	if _, err := b.dial("guest"); err == nil || !strings.Contains(err.Error(), refusals[limitAddress]) {
		t.Errorf("one that can be told: %v", err)
	}
}
