package transfer

import (
	"errors"
	"os"
	"syscall"
	"unsafe"
)

// limitProcess bounds a process that has just begun, and all it will start: the
// bytes each may allocate, and its seconds of a processor. A process that has
// ended is no error.
//
// The bound is on what a program writes to (RLIMIT_DATA), not on its addresses:
// git maps packs it only reads. See prlimit(2) and getrlimit(2).
func limitProcess(pid int, memory, seconds uint64) error {
	for resource, most := range map[int]uint64{
		syscall.RLIMIT_DATA: memory,
		syscall.RLIMIT_CPU:  seconds,
		syscall.RLIMIT_CORE: 0,
	} {
		limit := syscall.Rlimit{Cur: most, Max: most}
		_, _, errno := syscall.RawSyscall6(syscall.SYS_PRLIMIT64,
			uintptr(pid), uintptr(resource), uintptr(unsafe.Pointer(&limit)), 0, 0, 0)
		if errno != 0 && !errors.Is(errno, syscall.ESRCH) {
			return os.NewSyscallError("prlimit", errno)
		}
	}
	return nil
}
