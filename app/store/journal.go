package store

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// journal is the log file: one commit a line, a checksum in front of it.
//
//	8 hex digits of CRC-32C, a blank, the commit as JSON
//
// Lines are only ever added. What a stop or a power cut leaves of a line was
// never acknowledged: it is kept beside the log and cut off. Every other line
// that is broken is damage, and an error.
//
// Its methods are for one goroutine at a time.
type journal struct {
	disk   disk // .sheaf
	file   file
	path   string // of the file, for errors
	size   int64  // of what is whole
	failed error  // of a write that may or may not be on the disk: see reread
}

const journalName = "log"

// errForeignLog says that somebody else has written or exchanged the log. What
// is open is then not what the next start would read.
var errForeignLog = errors.New("another program has changed the log: Sheaf has to be started again to keep changes")

// errDamagedLog says that a line of the log is not what was written.
var errDamagedLog = errors.New("the line is damaged")

func openJournal(d disk, path string) (*journal, error) {
	file, err := d.OpenFile(journalName, os.O_RDWR|os.O_CREATE, privateFile)
	if err != nil {
		return nil, err
	}
	return &journal{disk: d, file: file, path: path}, nil
}

// checksum is the CRC-32C of b.
func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

func encodeLine(c Commit) ([]byte, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "%08x %s\n", checksum(text), text), nil
}

func decodeLine(line []byte) (c Commit, err error) {
	if len(line) < 10 || line[8] != ' ' {
		return c, errors.New("not a commit")
	}
	sum, err := strconv.ParseUint(string(line[:8]), 16, 32)
	if err != nil || uint32(sum) != checksum(line[9:]) || bytes.ContainsAny(line[:8], "ABCDEF") {
		return c, errors.New("the checksum is wrong")
	}
	if err := json.Unmarshal(line[9:], &c); err != nil {
		return c, err
	}
	return c, nil
}

// A logText is what a log holds.
type logText struct {
	commits []Commit
	whole   int64 // bytes of commits
	torn    int64 // bytes behind them, of a line that was never finished
}

// readLog reads a log from its start; path is for errors, which name the line.
func readLog(file io.Reader, path string) (t logText, err error) {
	r := bufio.NewReaderSize(file, 256<<10)
	for n := 1; ; n++ {
		line, err := r.ReadBytes('\n')
		if err == io.EOF {
			t.torn = int64(len(line))
			return t, nil
		}
		if err != nil {
			return t, fmt.Errorf("%s: %w", path, Reason(err))
		}
		c, err := decodeLine(line[:len(line)-1])
		if want := Rev(n); err == nil && c.Rev != want {
			err = fmt.Errorf("revision %d after %d", c.Rev, want-1)
		}
		if err != nil {
			if _, more := r.Peek(1); more == io.EOF && hasUnwrittenSector(line, t.whole) {
				t.torn = int64(len(line))
				return t, nil
			}
			return t, fmt.Errorf("%s:%d: %w: %w", path, n, errDamagedLog, err)
		}
		t.commits = append(t.commits, c)
		t.whole += int64(len(line))
	}
}

// hasUnwrittenSector reports whether the part that one sector of a disk has of
// a line is all zeros. That is how a power cut leaves a line whose end was
// written before its middle; neither JSON nor a checksum has a zero byte.
func hasUnwrittenSector(line []byte, at int64) bool {
	const sector = 512
	for len(line) > 0 {
		n := min(int64(len(line)), sector-at%sector)
		if len(bytes.Trim(line[:n], "\x00")) == 0 {
			return true
		}
		line, at = line[n:], at+n
	}
	return false
}

// read gives every commit in order. A line that was never finished is moved to
// a file of its own, which is told; cut says so. The error names the line that
// is damaged.
func (j *journal) read(log *slog.Logger) (l *Ledger, cut bool, err error) {
	t, err := readLog(j.file, j.path)
	if err != nil {
		return nil, false, err
	}
	j.size, l = t.whole, fold(t.commits)
	if t.torn == 0 {
		return l, false, nil
	}
	name, err := j.keepTail(t.torn)
	if err != nil {
		return nil, false, fmt.Errorf("%s: its unfinished end cannot be put aside: %w", j.path, Reason(err))
	}
	log.Warn("the log ended in an unfinished line, which was put aside", "log", j.path, "after revision", l.Rev(),
		"bytes", t.torn, "kept as", filepath.Join(filepath.Dir(j.path), name))
	return l, true, nil
}

// keepTail moves what is behind the commits to a file of its own. When that is
// durable the log ends with its last commit.
func (j *journal) keepTail(length int64) (name string, err error) {
	tail := make([]byte, length)
	if _, err := j.file.ReadAt(tail, j.size); err != nil {
		return "", err
	}
	if name, err = keepAside(j.disk, journalName+".torn", tail); err != nil {
		return "", err
	}
	return name, errors.Join(j.file.Truncate(j.size), j.file.Sync())
}

// keepAside writes a file "NAME-TIME" that is there for people to look at. When
// it returns nil the file is durable.
func keepAside(d disk, name string, b []byte) (string, error) {
	name += "-" + time.Now().UTC().Format("20060102T150405.000Z")
	err := create(d, name, os.O_EXCL, privateFile, b)
	if err == nil {
		err = errors.Join(fsync(d, name), fsync(d, "."))
	}
	return name, err
}

// append adds a commit; when it returns nil it is durable. After an error the
// log ends where it did, or the journal has failed.
func (j *journal) append(c Commit) error {
	line, err := encodeLine(c)
	if err != nil {
		return err
	}
	if err := j.untouched(); err != nil {
		return err
	}
	if _, err = j.file.WriteAt(line, j.size); err != nil {
		if cut := j.file.Truncate(j.size); cut != nil {
			j.failed = cut
		}
		return err
	}
	if err = j.file.Sync(); err != nil {
		j.failed = err
		return err
	}
	j.size += int64(len(line))
	return nil
}

// untouched makes sure that the log is the file that was opened, and as long
// as it was left.
func (j *journal) untouched() error {
	info, err := j.file.Stat()
	if err != nil {
		return err
	}
	if info.Size() != j.size || !j.disk.Same(journalName, j.file) {
		return fmt.Errorf("%s: %w", j.path, errForeignLog)
	}
	return nil
}

// reread makes a log good again that has failed. After an fsync that failed
// the system forgets what it could not write, and says nothing of it the next
// time; so the log is read from the disk, must have everything that was
// acknowledged, last as its last commit, and is cut behind that. Until this
// succeeds nothing can be added.
//
// See Rebello et al., "Can Applications Recover from fsync Failures?", USENIX
// ATC 2020.
func (j *journal) reread(last Commit) error {
	if j.failed == nil {
		return nil
	}
	again, err := openJournal(j.disk, j.path)
	if err != nil {
		return err
	}
	err = again.readAcknowledged(j.size, last)
	if err != nil {
		return errors.Join(fmt.Errorf("the log is not to be trusted after %q: %w", j.failed.Error(), err), again.file.Close())
	}
	_ = j.file.Close() // what it has to say is known
	*j = *again
	return nil
}

func (j *journal) readAcknowledged(size int64, last Commit) error {
	j.disk.DropCache(journalName)
	t, err := readLog(io.NewSectionReader(j.file, 0, size), j.path)
	if err != nil {
		return err
	}
	if t.torn > 0 || t.whole != size || size > 0 && t.commits[len(t.commits)-1].ID != last.ID {
		return fmt.Errorf("%s: what was acknowledged is not on the disk", j.path)
	}
	j.size = size
	return errors.Join(j.file.Truncate(size), j.file.Sync())
}
