package transfer

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
)

// git runs our own program before it takes a push: a link of this name leads to
// it. The program asks the server it belongs to over two pipes that it has
// inherited through git, and only hands on what the server says; nobody else
// can reach the other end of them.

const (
	// hookName is the name under which git calls our program.
	hookName = "pre-receive"
	// hookMark tells the program that it is called by a git that we have started.
	hookMark = "SHEAF_HOOK=1"
)

// A question is what git's hook asks: what is to become of the branches, and
// where the new objects are.
type question struct {
	Updates []string // "old new ref"
	Env     []string
}

// An answer is what the hook says to the person, and whether the push goes on.
type answer struct {
	Lines  []string
	Accept bool
}

// IsHook reports whether the process, by its name and environment, is git's
// hook and has to call Hook.
func IsHook(name string, env []string) bool {
	return path.Base(name) == hookName && slices.Contains(env, hookMark)
}

// Hook is git's pre-receive hook: it asks the server that has started git
// whether a push may go on, says the answer to the person, and gives git the
// exit status. The server is at the other end of the descriptors 3 and 4.
func Hook(_ context.Context, env []string, in io.Reader, out io.Writer) (status int) {
	var q question
	sc := bufio.NewScanner(io.LimitReader(in, 64<<10))
	for sc.Scan() {
		q.Updates = append(q.Updates, sc.Text())
	}
	for _, e := range env {
		if name, _, _ := strings.Cut(e, "="); slices.Contains(quarantine(), name) {
			q.Env = append(q.Env, e)
		}
	}
	ask, told := os.NewFile(3, "ask"), os.NewFile(4, "told")
	var a answer
	err := json.NewEncoder(ask).Encode(q)
	if err == nil {
		err = json.NewDecoder(told).Decode(&a)
	}
	if err != nil {
		fmt.Fprintln(out, "error: the blog does not answer")
		return 1
	}
	for _, l := range a.Lines {
		fmt.Fprintln(out, l)
	}
	if !a.Accept {
		return 1
	}
	return 0
}

// quarantine names what says where the objects of a push are while it is
// judged.
func quarantine() []string {
	return []string{"GIT_QUARANTINE_PATH", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES"}
}
