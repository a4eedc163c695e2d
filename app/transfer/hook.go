package transfer

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

const (
	// hookName is the name under which git calls our program.
	hookName = "pre-receive"
	// hookMark tells the program that it is called by a git that we have started.
	hookMark = "SHEAF_HOOK=1"
)

// IsHook reports whether the process, by its name and environment, is git's
// hook and has to call Hook.
func IsHook(name string, env []string) bool {
	return name[strings.LastIndexByte(name, '/')+1:] == hookName && slices.Contains(env, hookMark)
}

// Hook is git's pre-receive hook: it asks the server that has started git
// whether a push may go on, says the answer to the person, and gives git the
// exit status. The server is at the other end of the descriptors 3 and 4.
func Hook(_ context.Context, env []string, in io.Reader, out io.Writer) (status int) {
	var q question
	sc := bufio.NewScanner(in)
	for sc.Scan() {
		q.Updates = append(q.Updates, sc.Text())
	}
	for _, e := range env {
		if strings.HasPrefix(e, "GIT_QUARANTINE_PATH=") || strings.HasPrefix(e, "GIT_OBJECT_DIRECTORY=") || strings.HasPrefix(e, "GIT_ALTERNATE_OBJECT_DIRECTORIES=") {
			q.Env = append(q.Env, e)
		}
	}
	ask, tell := os.NewFile(3, "ask"), os.NewFile(4, "tell")
	var a answer
	err := json.NewEncoder(ask).Encode(q)
	if err == nil {
		err = json.NewDecoder(tell).Decode(&a)
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
