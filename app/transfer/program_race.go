//go:build race

package transfer

// defaultMemory is no bound: the race detector maps more than any that would
// be of use.
const defaultMemory uint64 = 1<<64 - 1
