//go:build !race

package transfer

// defaultMemory is in bytes.
const defaultMemory uint64 = 256 << 20
