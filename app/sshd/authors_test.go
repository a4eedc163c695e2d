package sshd

import (
	"bytes"
	"crypto/ed25519"
	"encoding/pem"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	gossh "golang.org/x/crypto/ssh"
)

func TestParseAuthors(t *testing.T) {
	line := func(k gossh.Signer) string {
		return strings.TrimSpace(string(gossh.MarshalAuthorizedKey(k.PublicKey())))
	}
	a, b, c, d, e := newKey(t), newKey(t), newKey(t), newKey(t), newKey(t)
	file := "\ufeff# the authors\n\n" +
		line(a) + " Ada  Lovelace\x1b[2J\r\n" +
		"  # indented comment\n" +
		"not a key at all\n" +
		`from="10.0.0.1" ` + line(b) + " b\n" +
		`no-port-forwarding,no-agent-forwarding ` + line(c) + "\n" +
		`cert-authority ` + line(d) + " d\n" +
		`expiry-time="20300101" ` + line(e) + " e\n" +
		"  " + line(e) + " Eve"
	byKey, problems := parseAuthors([]byte(file))
	find := func(k gossh.Signer) string {
		if f := byKey[string(k.PublicKey().Marshal())]; f != nil {
			return f.name
		}
		return "-"
	}
	got := fmt.Sprint(find(a), ", ", find(b), ", ", find(c), ", ", find(d), ", ", find(e))
	if want := "Ada Lovelace[2J, -, author, -, Eve"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	var said []string
	for _, p := range problems {
		said = append(said, p.Error())
	}
	want := "line 5: not a public key; line 6: option from is not supported; line 8: option cert-authority is not supported; line 9: option expiry-time is not supported"
	if got := strings.Join(said, "; "); got != want {
		t.Errorf("problems:\n%s\nwant\n%s", got, want)
	}
}

func FuzzParseAuthors(f *testing.F) {
	f.Add([]byte("ssh-ed25519 AAAA x\n\"\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		byKey, _ := parseAuthors(b)
		for _, a := range byKey {
			if a.name == "" || strings.ContainsAny(a.name, "\x1b\n") {
				t.Errorf("byline %q", a.name)
			}
		}
	})
}

// An editor may take a file away for a moment before it writes it anew.
func TestAMissingFileHasToSettle(t *testing.T) {
	path := filepath.Join(t.TempDir(), "authors")
	k := newKey(t)
	write := func(b []byte) {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	line := gossh.MarshalAuthorizedKey(k.PublicKey())
	write(line)
	a := newAuthors(path, "", slog.New(slog.DiscardHandler))
	if a.find(k.PublicKey()) == nil {
		t.Fatal("not read")
	}
	os.Remove(path)
	if a.refreshWhenSettled() {
		t.Error("a file just gone counts as settled")
	}
	write(line)
	if a.refreshWhenSettled() {
		t.Error("a file just written counts as settled")
	}
	if !a.refreshWhenSettled() || a.find(k.PublicKey()) == nil {
		t.Error("the author is lost")
	}
	os.Remove(path)
	a.refreshWhenSettled()
	if !a.refreshWhenSettled() || a.find(k.PublicKey()) != nil {
		t.Error("the author of a removed file stays")
	}
}

// Authors that are named at the start need no file, and stay when it changes.
func TestAuthorsBesideTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "authors")
	ada, bob, eve := newKey(t), newKey(t), newKey(t)
	line := func(k gossh.Signer) string { return string(gossh.MarshalAuthorizedKey(k.PublicKey())) }
	a := newAuthors(path, "# two\n"+line(ada)+"\n"+line(bob), slog.New(slog.DiscardHandler))
	is := func(when string, k gossh.Signer, want bool) {
		t.Helper()
		if got := a.find(k.PublicKey()) != nil; got != want {
			t.Errorf("%s: %v, want %v", when, got, want)
		}
	}
	is("ada", ada, true)
	is("bob", bob, true)
	is("eve", eve, false)
	if err := os.WriteFile(path, []byte(line(eve)), 0o600); err != nil {
		t.Fatal(err)
	}
	a.refresh()
	is("eve, in the file", eve, true)
	is("ada, beside it", ada, true)
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
	block, err := gossh.MarshalPrivateKey(ed25519.PrivateKey(bytes.Repeat([]byte{1}, ed25519.PrivateKeySize)), "")
	if err != nil {
		t.Fatal(err)
	}
	for bad, why := range map[string]string{
		"not a key\n":                     "line 1: not a public key",
		"from=\"10.0.0.1\" " + line(bob):  "line 1: option from is not supported",
		string(pem.EncodeToMemory(block)): "line 1: a private key",
	} {
		var log bytes.Buffer
		a := newAuthors(filepath.Join(t.TempDir(), "authors"), line(ada)+bad, slog.New(slog.NewTextHandler(&log, nil)))
		why = strings.Replace(why, "line 1", "line 2", 1)
		if said := log.String(); strings.Count(said, "SHEAF_AUTHORS: line refused") != 1 ||
			!strings.Contains(said, why) || strings.Contains(said, "AAAA") {
			t.Errorf("%.20q: %s", bad, said)
		}
		if a.find(ada.PublicKey()) == nil || a.count() != 1 {
			t.Errorf("%.20q: the good line makes no author", bad)
		}
	}
}

func TestHostKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys", "ssh_host_ed25519_key")
	first, err := hostKey(path)
	if err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", st.Mode(), err)
	}
	if !strings.HasPrefix(string(first), "-----BEGIN OPENSSH PRIVATE KEY-----") {
		t.Errorf("not in OpenSSH's format: %.40q", first)
	}
	again, err := hostKey(path)
	if err != nil || string(again) != string(first) {
		t.Errorf("not the same key the second time: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".ssh*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	refused := func(why, want string) {
		t.Helper()
		before, _ := os.ReadFile(path)
		if _, err := hostKey(path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", why, err)
		}
		if after, _ := os.ReadFile(path); string(after) != string(before) {
			t.Errorf("%s: overwritten", why)
		}
	}
	if runtime.GOOS != "windows" {
		os.Chmod(path, 0o640)
		refused("readable by others", "chmod 600")
		os.Chmod(path, 0o600)
	}
	os.WriteFile(path, []byte("not a key\n"), 0o600)
	refused("broken", "not a private key")
	os.WriteFile(path, nil, 0o600)
	refused("empty", "not a private key")
	os.Remove(path)
	os.Mkdir(path, 0o700)
	refused("a folder", "not a file")
}
