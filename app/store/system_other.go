//go:build !unix

package store

import "io/fs"

const openFlags = 0

func isReadOnly(error) bool { return false }

func inode(fs.FileInfo) uint64 { return 0 }

func device(fs.FileInfo) uint64 { return 0 }
