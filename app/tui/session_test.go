package tui

import (
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"sheaf/app/blog"
	"sheaf/app/terminal"
	"sheaf/app/typeset"
)

// A session is a browser that a test drives itself: what its commands come to
// is put in while the test waits for something, and only then.
type session struct {
	*browser
	t    testing.TB
	msgs chan tea.Msg
}

func newSession(t testing.TB, v blog.Visitor, cols, rows int) *session {
	t.Helper()
	paint := terminal.NewPainter(io.Discard, false, nil)
	conf := Config{
		Visitor: v.Via(channel), Setter: typeset.New(1 << 20), MaxPaste: 2 << 20, Log: slog.New(slog.DiscardHandler),
	}
	b := newBrowser(t.Context(), Terminal{Width: cols, Height: rows}, conf, paint, func(p any) { panic(p) })
	b.ready = true
	s := &session{browser: b, t: t, msgs: make(chan tea.Msg)}
	s.start(b.Init())
	return s
}

// start begins what a command does.
func (s *session) start(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	done := s.t.Context().Done()
	go func() {
		switch msg := cmd().(type) {
		case nil:
		case tea.BatchMsg:
			for _, cmd := range msg {
				s.start(cmd)
			}
		default:
			select {
			case s.msgs <- msg:
			case <-done:
			}
		}
	}()
}

func (s *session) update(msg tea.Msg) {
	_, cmd := s.Update(msg)
	s.start(cmd)
}

// do does something to the browser as Update would.
func (s *session) do(f func()) { s.update(deliver(f)) }

// press types.
func (s *session) press(keys string) { s.update(packet(keys)) }

// until puts in what commands come to until something is so.
func (s *session) until(what string, so func() bool) {
	s.t.Helper()
	deadline := time.After(20 * time.Second)
	for !so() {
		s.start(s.takeCommands()) // of a screen that was looked at
		select {
		case msg := <-s.msgs:
			s.update(msg)
		case <-deadline:
			s.t.Fatalf("not %s:\n%s", what, strings.Join(s.screen(), "\n"))
		}
	}
}

// sees waits until the screen shows all of some texts.
func (s *session) sees(texts ...string) {
	s.t.Helper()
	s.until("seen: "+strings.Join(texts, ", "), func() bool {
		screen := strings.Join(s.screen(), "\n")
		for _, text := range texts {
			if !strings.Contains(screen, text) {
				return false
			}
		}
		return true
	})
}

// screen gives the rows without their styles.
func (s *session) screen() (lines []string) {
	for _, r := range s.frame().Rows {
		lines = append(lines, strings.TrimRight(strings.Repeat(" ", r.At)+ansi.Strip(r.Text), " "))
	}
	return lines
}

// bottom gives the last row.
func (s *session) bottom() string {
	screen := s.screen()
	return screen[len(screen)-1]
}
