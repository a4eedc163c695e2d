//go:build !linux

package store

import (
	"errors"
	"os"
)

func syncAll(*os.Root) error { return errors.ErrUnsupported }

const canSyncAll = false
