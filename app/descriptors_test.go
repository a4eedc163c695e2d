//go:build linux

package app_test

import (
	"fmt"
	"net"
	"os/exec"
	"strings"
	"testing"
)

// Who comes when the process has no descriptor left reads that.
func TestNoDescriptorIsLeft(t *testing.T) {
	w := measure(t, notebook)
	limit := fmt.Sprintf("--nofile=%d", w.descriptors()+4)
	if out, err := exec.Command("prlimit", "--pid", fmt.Sprint(w.cmd.Process.Pid), limit).CombinedOutput(); err != nil {
		t.Skipf("prlimit: %v %s", err, out)
	}
	for range 6 {
		nc, err := net.Dial("tcp", w.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
	}
	if _, err := w.reader(""); err == nil || !strings.Contains(err.Error(), "no room for another connection") {
		t.Errorf("the reader's ssh gets %v", err)
	}
}
