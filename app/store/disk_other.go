//go:build !linux

package store

import "errors"

func (d *osDisk) SyncAll() error { return errors.ErrUnsupported }
