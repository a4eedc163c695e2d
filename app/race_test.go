//go:build race

package app_test

// slowed tells that the race detector takes part, which multiplies time and
// memory.
const slowed = true
