//go:build !linux

package store

import "errors"

func (d *osDisk) SyncAll() error { return errors.ErrUnsupported }

// DropCache does nothing: there is no portable way.
func (d *osDisk) DropCache(string) {}
