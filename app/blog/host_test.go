package blog

import "testing"

func TestHost(t *testing.T) {
	for in, want := range map[string][5]string{
		"blog.example": {"ssh -t blog.example rain", "ssh blog.example ls", "ssh preview-k@blog.example",
			"scp a.md blog.example:posts/", "ssh://blog.example/rain"},
		"blog.example:22": {"ssh -t blog.example rain", "ssh blog.example ls", "ssh preview-k@blog.example",
			"scp a.md blog.example:posts/", "ssh://blog.example/rain"},
		"blog.example:2222": {"ssh -t -p 2222 blog.example rain", "ssh -p 2222 blog.example ls",
			"ssh -p 2222 preview-k@blog.example", "scp -P 2222 a.md blog.example:posts/", "ssh://blog.example:2222/rain"},
		"[2001:db8::1]:2222": {"ssh -t -p 2222 2001:db8::1 rain", "ssh -p 2222 2001:db8::1 ls",
			"ssh -p 2222 preview-k@2001:db8::1", "scp -P 2222 a.md [2001:db8::1]:posts/", "ssh://[2001:db8::1]:2222/rain"},
		"2001:db8::1": {"ssh -t 2001:db8::1 rain", "ssh 2001:db8::1 ls", "ssh preview-k@2001:db8::1",
			"scp a.md [2001:db8::1]:posts/", "ssh://[2001:db8::1]/rain"},
	} {
		h, err := ParseHost(in)
		if err != nil {
			t.Errorf("%s: %v", in, err)
		}
		got := [5]string{h.Open("rain"), h.Command("ls"), h.Preview("k"), h.Copy("a.md", "posts/"), h.URL("/rain")}
		if got != want {
			t.Errorf("%s:\n%q, want\n%q", in, got, want)
		}
	}
	for _, in := range []string{"-oProxyCommand=x", "a b", "a;b", "a:", "a:0", "a:65536", "a:b", ":2222", "a:22:22",
		"\x1b[m", "a/b", "ssh://a", "u@a"} {
		if h, err := ParseHost(in); err == nil {
			t.Errorf("%q is taken as %q", in, h)
		}
	}
	if got := Host("a").Open("b\x1b[31mc"); got != "ssh -t a b[31mc" && got != "ssh -t a bc" {
		t.Errorf("%q", got)
	}
}
