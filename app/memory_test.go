package app

import (
	"os"
	"path/filepath"
	"testing"
)

func TestMemoryLimitOfContainer(t *testing.T) {
	mount := t.TempDir()
	put := func(dir, text string) {
		dir = filepath.Join(mount, dir)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "memory.max"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("system.slice/sheaf.service", "536870912\n")
	put("system.slice/tight.service", "max\n")
	put("system.slice", "1073741824\n")
	put("free", "max\n")
	put("odd", "many\n")
	for group, want := range map[string]int64{
		"0::/system.slice/sheaf.service\n":               512 << 20,
		"0::/system.slice/tight.service\n":               1 << 30,
		"12:memory:/x\n0::/system.slice/sheaf.service\n": 512 << 20,
		"0::/free\n":        0,
		"0::/odd\n":         0,
		"0::/\n":            0,
		"0::/../../nowhere": 0,
		"":                  0,
	} {
		if got := cgroupMemoryMax(group, mount); got != want {
			t.Errorf("%q: %d, want %d", group, got, want)
		}
	}
	put(".", "268435456")
	if got := cgroupMemoryMax("0::/\n", mount); got != 256<<20 {
		t.Errorf("a container: %d", got)
	}
}
