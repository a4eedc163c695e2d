package app_test

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/crypto/ssh"

	"sheaf/app"
)

func TestMain(m *testing.M) {
	main := func() {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
		defer stop()
		os.Exit(app.Main(ctx, app.Process{Name: os.Args[0], Args: os.Args[1:], Env: os.Environ(),
			Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Version: "test"}))
	}
	// The scripts wait for their clients most of the time. A flag counts for
	// more.
	if err := flag.Set("test.parallel", strconv.Itoa(4*runtime.GOMAXPROCS(0))); err != nil {
		panic(err)
	}
	testscript.Main(m, map[string]func(){"sheaf": main, "pre-receive": main})
}

// shortScripts are those that -short runs: one for each way in and out.
var shortScripts = []string{"container", "hostkey", "pipe", "render", "scp", "start", "verbs", "who", "write"}

// TestScripts runs testdata/script: the program with the real clients. A script
// tells one story from the first start to the last key; README says what it is
// about in the words of a user, a script shows it. What waits gives up after a
// time that a busy machine does not need, or after TIME where that is promised.
//
// Each script has a folder of its own, $WORK, in which the files at its end are
// laid out. Beside testscript's own commands (exec, stdin, stdout, stderr, cmp,
// grep ...) there are these. A server:
//
//	serve [FLAG...]   starts `sheaf serve` on a free port and writes ssh_config,
//	                  in which the host blog is that server; the host author is
//	                  the same with the key ada. Its log is server.log
//	shutdown          sends SIGTERM and waits; fails unless it exits with 0
//	crash             kills the server; serve may follow
//
// What it serves, and what is sent to it:
//
//	fixture           lays out testdata/fixture in $WORK: a small blog in content
//	                  and files to publish in in; makes the keys ada and bob (both
//	                  authors) and eve
//	keygen NAME...    makes key pairs NAME and NAME.pub, and sets NAME_pub to the
//	                  public one
//	fill FILE SIZE    makes a post or picture of that many bytes
//	replace FILE OLD NEW   edits a file in place, once
//	tmpfs DIR SIZE    mounts a disk of that size on DIR; the condition [root]
//	                  tells whether that can be done
//	state FILE        writes down the head revision and every file of the blog, to
//	                  be compared with cmp
//	await [-in TIME] FILE TEXT   waits until a file holds a text; FILE may be a
//	                  pattern
//
// People at terminals, each with a name:
//
//	term NAME COLSxROWS CMD...   runs a client in a terminal of that size
//	type NAME KEYS...            types there; keys that are no characters have
//	                             names: type ada /hello <enter> <ctrl+right> x.
//	                             keystrokes has all of them
//	expect [-in TIME] NAME TEXT...   waits until all that is on the screen; with
//	                             ! in front, until none of it is
//	exit NAME                    waits until the client has ended; fails unless
//	                             with 0, and with ! in front if so
//	hangup NAME                  kills the client
//
// Clients that are cut off, behind a proxy that counts what they send:
//
//	cut BYTES CMD...  runs a client and kills it when it has sent so many bytes
//	                  to the host cut (which is author), then waits until the
//	                  server has ended the session
//	hold BYTES CMD... runs it the same way and stops it there
//	release FILE      lets it go on, and keeps what it has said in FILE
//
// A client that is not installed skips the scripts that need it, by the
// condition [exec:CLIENT], unless SHEAF_TEST_CLIENTS=required is set. With
// -short only the scripts named in shortScripts run.
func TestScripts(t *testing.T) {
	clients := []string{"ssh", "ssh-agent", "ssh-add"}
	if os.Getenv("SHEAF_TEST_CLIENTS") == "required" {
		clients = append(clients, "scp", "sftp", "rsync", "git", "sshfs", "vim", "pscp", "psftp", "plink", "puttygen", "dbclient", "dropbearconvert", "ssh-audit", "lftp", "rclone", "/usr/bin/python3")
	}
	for _, client := range clients {
		if _, err := exec.LookPath(client); err != nil {
			if os.Getenv("SHEAF_TEST_CLIENTS") == "required" {
				t.Fatal(err)
			}
			t.Skipf("%v: the scripts need OpenSSH's client", err)
		}
	}
	scripts, err := filepath.Glob(filepath.Join("testdata", "script", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	if testing.Short() {
		scripts = nil
		for _, name := range shortScripts {
			scripts = append(scripts, filepath.Join("testdata", "script", name+".txtar"))
		}
	}
	testscript.Run(t, testscript.Params{
		Files: scripts,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"serve":    serveCommand,
			"shutdown": shutdownCommand,
			"crash":    crashCommand,
			"fixture":  fixtureCommand,
			"keygen":   keygenCommand,
			"fill":     fillCommand,
			"replace":  replaceCommand,
			"tmpfs":    tmpfsCommand,
			"state":    stateCommand,
			"await":    awaitCommand,
			"term":     termCommand,
			"type":     typeCommand,
			"expect":   expectCommand,
			"exit":     exitCommand,
			"hangup":   hangupCommand,
			"cut":      cutCommand,
			"hold":     holdCommand,
			"release":  releaseCommand,
		},
		Condition: func(name string) (bool, error) {
			switch name {
			case "root":
				is := os.Getuid() == 0 && runtime.GOOS == "linux"
				if !is && os.Getenv("SHEAF_TEST_CLIENTS") == "required" {
					return false, errors.New("needs to be run as root")
				}
				return is, nil
			case "fuse":
			default:
				return false, fmt.Errorf("no condition %q", name)
			}
			f, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
			if err != nil {
				return false, nil
			}
			return true, f.Close()
		},
		Setup: func(env *testscript.Env) error {
			env.Setenv("TERM", "xterm-256color")
			env.Setenv("NL", "\n")
			env.Setenv("ESC", "\x1b")
			env.Setenv("SHEAF_TEST_CLIENTS", os.Getenv("SHEAF_TEST_CLIENTS"))
			env.Values[serverKey{}] = &server{}
			env.Values[clientsKey{}] = map[string]*ptyClient{}
			return nil
		},
		RequireUniqueNames: true,
	})
}

type serverKey struct{}

// server is the running program of one script.
type server struct {
	cmd   *exec.Cmd
	done  chan error
	proxy *proxy
	held  *held
}

func serveCommand(ts *testscript.TestScript, neg bool, args []string) {
	s := ts.Value(serverKey{}).(*server)
	if neg || s.cmd != nil {
		ts.Fatalf("usage: serve [FLAG...], once before shutdown")
	}
	logs, err := os.Create(ts.MkAbs("server.log"))
	ts.Check(err)
	cmd := exec.Command("sheaf", append([]string{"serve", "--addr", "127.0.0.1:0", "--log", "json"}, args...)...)
	program, err := exec.LookPath("sheaf")
	ts.Check(err)
	cmd.Path = program
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(os.Environ(), "SHEAF_AUTHORS="+ts.Getenv("SHEAF_AUTHORS"))
	r, w := io.Pipe()
	cmd.Stderr = io.MultiWriter(logs, w)
	ts.Check(cmd.Start())
	s.cmd, s.done = cmd, make(chan error, 1)
	go func() {
		err := cmd.Wait()
		w.CloseWithError(io.EOF)
		logs.Close()
		s.done <- err
	}()
	ts.Defer(func() {
		if s.cmd != nil {
			s.cmd.Process.Kill()
			<-s.done
			s.cmd = nil
		}
	})
	addr, err := listening(r)
	ts.Check(err)
	_, port, err := net.SplitHostPort(addr)
	ts.Check(err)
	ts.Setenv("PORT", port)
	s.proxy, err = newProxy(addr)
	ts.Check(err)
	ts.Defer(func() { s.proxy.Close() })
	cutPort := s.proxy.Addr().(*net.TCPAddr).Port
	ts.Setenv("CUTPORT", strconv.Itoa(cutPort))
	ts.Check(os.WriteFile(ts.MkAbs("ssh_config"), fmt.Appendf(nil, `Host author cut
	IdentityFile %s
Host cut
	Port %d
Host *
	HostName 127.0.0.1
	Port %s
	User reader
	StrictHostKeyChecking no
	UserKnownHostsFile %s
	GlobalKnownHostsFile none
	IdentityFile none
	IdentityAgent none
	LogLevel ERROR
`, ts.MkAbs("ada"), cutPort, port, ts.MkAbs("known_hosts")), 0o600))
}

// listening reads the server's log until it tells its address, and goes on
// reading so that the server never waits for its log.
func listening(r io.Reader) (string, error) {
	sc := bufio.NewScanner(r)
	var seen []string
	for sc.Scan() {
		var line struct{ Msg, Addr string }
		json.Unmarshal(sc.Bytes(), &line)
		if line.Msg == "listening" {
			go io.Copy(io.Discard, r)
			return line.Addr, nil
		}
		seen = append(seen, sc.Text())
	}
	return "", fmt.Errorf("the server did not listen:\n%s", strings.Join(seen, "\n"))
}

func shutdownCommand(ts *testscript.TestScript, neg bool, args []string) {
	s := ts.Value(serverKey{}).(*server)
	if s.cmd == nil {
		ts.Fatalf("shutdown: nothing is running")
	}
	ts.Check(s.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case err := <-s.done:
		s.cmd = nil
		if (err != nil) != neg {
			ts.Fatalf("shutdown: %v", err)
		}
	case <-time.After(patience):
		ts.Fatalf("shutdown: the server has not ended in %v", patience)
	}
}

func crashCommand(ts *testscript.TestScript, neg bool, args []string) {
	s := ts.Value(serverKey{}).(*server)
	if neg || s.cmd == nil {
		ts.Fatalf("usage: crash, while a server runs")
	}
	ts.Check(s.cmd.Process.Kill())
	<-s.done
	s.cmd = nil
	s.proxy.Close()
}

func keygenCommand(ts *testscript.TestScript, neg bool, args []string) {
	for _, name := range args {
		pub, priv, err := ed25519.GenerateKey(nil)
		ts.Check(err)
		block, err := ssh.MarshalPrivateKey(priv, name)
		ts.Check(err)
		ts.Check(os.WriteFile(ts.MkAbs(name), pem.EncodeToMemory(block), 0o600))
		key, err := ssh.NewPublicKey(pub)
		ts.Check(err)
		line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))) + " " + name + "\n"
		ts.Check(os.WriteFile(ts.MkAbs(name+".pub"), []byte(line), 0o644))
		ts.Setenv(name+"_pub", strings.TrimSpace(line))
	}
}
