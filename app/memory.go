package app

import (
	"math"
	"os"
	"path"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
)

// setMemoryLimit makes the garbage collector work harder when nine tenths of
// the memory of the container or unit are used, unless the environment has a
// GOMEMLIMIT. It returns the limit in bytes, or 0 when it has set none.
func setMemoryLimit(p Process) int64 {
	for _, e := range p.Env {
		if v, ok := strings.CutPrefix(e, "GOMEMLIMIT="); ok && v != "" {
			return 0
		}
	}
	group, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return 0
	}
	limit := cgroupMemoryMax(string(group), "/sys/fs/cgroup")
	if limit == 0 {
		return 0
	}
	limit -= limit / 10
	debug.SetMemoryLimit(limit)
	return limit
}

// cgroupMemoryMax is the smallest memory.max on the way from a control group
// (version 2) up to the mount point, or 0 when there is none. group is the text
// of /proc/self/cgroup, and mount where the groups are mounted.
func cgroupMemoryMax(group, mount string) int64 {
	least := int64(math.MaxInt64)
	for line := range strings.Lines(group) {
		at, ok := strings.CutPrefix(strings.TrimSpace(line), "0::")
		if !ok {
			continue
		}
		for at = path.Clean("/" + at); ; at = path.Dir(at) {
			b, err := os.ReadFile(filepath.Join(mount, at, "memory.max"))
			if n, e := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64); err == nil && e == nil && n > 0 {
				least = min(least, n)
			}
			if at == "/" {
				break
			}
		}
	}
	if least == math.MaxInt64 {
		return 0
	}
	return least
}
