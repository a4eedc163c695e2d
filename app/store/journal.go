package store

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"strconv"
)

// journal is the log file: one commit a line, a checksum in front of it.
//
//	8 hex digits of CRC-32C, a blank, the commit as JSON
//
// Lines are only ever added. A last line that is cut short was never
// acknowledged and is dropped; one that is broken elsewhere is an error.
type journal struct {
	file file
	name string // for errors
	size int64  // of what is whole
}

const journalName = "log"

func openJournal(d disk, name string) (*journal, error) {
	file, err := d.OpenFile(journalName, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	return &journal{file: file, name: name}, nil
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
	if err != nil || uint32(sum) != checksum(line[9:]) {
		return c, errors.New("the checksum is wrong")
	}
	if err := json.Unmarshal(line[9:], &c); err != nil {
		return c, err
	}
	return c, nil
}

// read gives every commit in order and cuts off a torn tail. The error names
// the line.
func (j *journal) read() (*Ledger, error) {
	l, whole, torn, err := readLog(j.file, j.name)
	if err != nil {
		return nil, err
	}
	if j.size = whole; torn > 0 {
		err = errors.Join(j.file.Truncate(j.size), j.file.Sync())
	}
	return l, err
}

// readLog reads a log from its start: whole and torn are the bytes of its
// commits and of its tail.
func readLog(file io.Reader, name string) (l *Ledger, whole, torn int64, err error) {
	var commits []Commit
	r := bufio.NewReaderSize(file, 256<<10)
	for n := 1; ; n++ {
		line, err := r.ReadBytes('\n')
		if err == io.EOF {
			return fold(commits), whole, int64(len(line)), nil
		}
		if err != nil {
			return nil, 0, 0, err
		}
		c, err := decodeLine(bytes.TrimSuffix(line, []byte("\n")))
		if want := Rev(n); err == nil && c.Rev != want {
			err = fmt.Errorf("revision %d after %d", c.Rev, want-1)
		}
		if err != nil {
			if _, more := r.Peek(1); more == io.EOF {
				// Torn by a power cut: the length was written, the bytes were not.
				return fold(commits), whole, int64(len(line)), nil
			}
			return nil, 0, 0, fmt.Errorf("%s:%d: %w", name, n, err)
		}
		commits = append(commits, c)
		whole += int64(len(line))
	}
}

// append adds a commit; when it returns nil it is durable. After an error the
// log is as it was.
func (j *journal) append(c Commit) error {
	line, err := encodeLine(c)
	if err != nil {
		return err
	}
	_, err = j.file.WriteAt(line, j.size)
	if err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		return errors.Join(err, j.file.Truncate(j.size))
	}
	j.size += int64(len(line))
	return nil
}
