package transfer

import (
	"bytes"
	"encoding/binary"
	"io"
	"testing"
)

// packet makes packets.
type packet struct{ id uint32 }

func (p *packet) init() []byte { return []byte{0, 0, 0, 5, 1, 0, 0, 0, 3} }

func (p *packet) of(kind byte, parts ...any) []byte {
	p.id++
	body := binary.BigEndian.AppendUint32([]byte{kind}, p.id)
	for _, part := range parts {
		switch v := part.(type) {
		case string:
			body = append(binary.BigEndian.AppendUint32(body, uint32(len(v))), v...)
		case uint32:
			body = binary.BigEndian.AppendUint32(body, v)
		case uint64:
			body = binary.BigEndian.AppendUint64(body, v)
		}
	}
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
}

func TestPacketsMarkPaths(t *testing.T) {
	c := &packet{}
	begun := make(chan struct{})
	close(begun)
	for _, x := range []struct{ in, want []byte }{
		{c.of(fxpOpen, "a/", uint32(2)), c.of(fxpOpen, "a\x00", uint32(2))},
		{c.of(fxpOpen, "a/", uint32(1)), c.of(fxpOpen, "a/", uint32(1))}, // to read
		{c.of(fxpOpen, "/../a", uint32(2)), c.of(fxpOpen, "/\x00\x00/a", uint32(2))},
		{c.of(fxpOpen, "a/../../b", uint32(2)), c.of(fxpOpen, "a/../\x00\x00/b", uint32(2))},
		{c.of(fxpOpen, "a/../b", uint32(2)), c.of(fxpOpen, "a/../b", uint32(2))},
		{c.of(fxpOpen, "a", uint32(2)), c.of(fxpOpen, "a", uint32(2))},
		{c.of(fxpMkdir, "..", uint32(0)), c.of(fxpMkdir, "\x00\x00", uint32(0))},
		{c.of(fxpMkdir, "a/", uint32(0)), c.of(fxpMkdir, "a/", uint32(0))},
		{c.of(fxpRename, "../a", "../b"), c.of(fxpRename, "\x00\x00/a", "\x00\x00/b")},
		{c.of(fxpExtended, "posix-rename@openssh.com", "a", "../b"), c.of(fxpExtended, "posix-rename@openssh.com", "a", "\x00\x00/b")},
		{c.of(fxpExtended, "statvfs@openssh.com", ".."), c.of(fxpExtended, "statvfs@openssh.com", "..")},
		{c.of(16, ".."), c.of(16, "..")}, // where one is may be asked
		{c.of(6, "1", uint64(0), "../a/"), c.of(6, "1", uint64(0), "../a/")},
		{[]byte{0, 0, 0, 0, 3, 0}, []byte{0, 0, 0, 0, 3, 0}},
		{[]byte{0, 0, 0, 9, 13, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff}, []byte{0, 0, 0, 9, 13, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff}},
		{[]byte{0xff, 0xff, 0xff, 0xff, 3, 'x'}, []byte{0xff, 0xff, 0xff, 0xff, 3, 'x'}},
	} {
		if len(x.in) > 9 && x.in[0] == 0 { // the same number
			copy(x.want[5:9], x.in[5:9])
		}
		for _, r := range []io.Reader{bytes.NewReader(x.in), &slow{x.in}} {
			got, err := io.ReadAll(&sftpFilter{r: r, opened: begun})
			if err != nil || !bytes.Equal(got, x.want) {
				t.Errorf("%q becomes %q, want %q (%v)", x.in, got, x.want, err)
			}
		}
	}
}

// slow gives one byte at a time.
type slow struct{ b []byte }

func (s *slow) Read(p []byte) (int, error) {
	if len(s.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:1], s.b)
	s.b = s.b[n:]
	return n, nil
}
