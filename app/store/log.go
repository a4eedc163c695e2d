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
	file *os.File
	size int64 // of what is whole
}

const journalName = "log"

func openJournal(root *os.Root) (*journal, error) {
	file, err := root.OpenFile(journalName, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	return &journal{file: file}, nil
}

// checksum is the CRC-32C of b.
func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

func encode(c Commit) ([]byte, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "%08x %s\n", checksum(text), text), nil
}

func decode(line []byte) (c Commit, err error) {
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
	l, torn, err := readLog(j.file)
	if err != nil {
		return nil, err
	}
	end, err := j.file.Seek(0, io.SeekEnd)
	j.size = end - torn
	return l, errors.Join(err, j.truncate(torn))
}

// readLog is read without the cutting: torn is how long the tail is.
func readLog(file *os.File) (l *Ledger, torn int64, err error) {
	l = &Ledger{tree: map[string]Entry{}}
	r := bufio.NewReaderSize(file, 256<<10)
	for n := 1; ; n++ {
		line, err := r.ReadBytes('\n')
		if err == io.EOF {
			return l, int64(len(line)), nil
		}
		if err != nil {
			return nil, 0, err
		}
		c, err := decode(bytes.TrimSuffix(line, []byte("\n")))
		if err == nil && c.Rev != l.Rev()+1 {
			err = fmt.Errorf("revision %d after %d", c.Rev, l.Rev())
		}
		if err != nil {
			if _, more := r.Peek(1); more == io.EOF {
				return l, int64(len(line)), nil // torn by a power cut: the length was written, the bytes were not
			}
			return nil, 0, fmt.Errorf("%s:%d: %w", file.Name(), n, err)
		}
		l.commits = append(l.commits, c)
		l.add(c)
	}
}

func (j *journal) truncate(torn int64) error {
	if torn == 0 {
		return nil
	}
	return errors.Join(j.file.Truncate(j.size), j.file.Sync())
}

// append adds a commit; when it returns nil it is durable. After an error the
// log is as it was.
func (j *journal) append(c Commit) error {
	line, err := encode(c)
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
