package markup

import (
	"fmt"
	"testing"
)

func TestTagAt(t *testing.T) {
	for s, want := range map[string]string{
		`<br>x`:                         "br 4",
		`<br/>`:                         "br/ 5",
		`</DIV >`:                       "/div 7",
		`<a href="x>y">z`:               "a href=x>y 14",
		`<a href='1' title=b>`:          "a href=1 20",
		"<a\nhref=x>":                   "a href=x 10",
		`<Foo.Bar href={"/a > b"}>`:     "foo.bar href=/a > b 25",
		`<p href={f({a: 1})} />`:        "p/ href=f({a: 1}) 22",
		`<p data-x href = "y">`:         "p href=y 21",
		`<p HREF="a&amp;b">`:            "p href=a&b 18",
		`<p href>`:                      "p href= 8",
		`<p it's>`:                      "p 8",
		"<p\n\nhref=x>":                 "",
		`<https://x.y>`:                 "",
		`<a@b.c>`:                       "",
		`<1>`:                           "",
		`< p>`:                          "",
		`<p href="x>`:                   "",
		`<p <b>`:                        "",
		`<p`:                            "",
		`<custom-element_1 href={x y}>`: "custom-element_1 href=x y 29",
	} {
		got := ""
		if tag, n := TagAt(s); n > 0 {
			if tag.Closing {
				got = "/"
			}
			if got += tag.Name; tag.Empty {
				got += "/"
			}
			if tag.Has("href") {
				got += " href=" + tag.Attr("href")
			}
			got += fmt.Sprint(" ", n)
		}
		if got != want {
			t.Errorf("%s: %q, want %q", s, got, want)
		}
	}
}

func TestFindEndTag(t *testing.T) {
	for s, want := range map[string]int{
		"x</p>":                     5,
		"<p>x</p></P >y":            13,
		"<p/>x</p>":                 9,
		"<pre></pre></p>":           15,
		"x":                         -1,
		"<p></p>":                   -1,
		"</p":                       -1,
		"<p class=\"a\">b</p>c</p>": 23,
	} {
		if got := FindEndTag(s, "p"); got != want {
			t.Errorf("%s: %d, want %d", s, got, want)
		}
	}
}

func TestStripTags(t *testing.T) {
	for s, want := range map[string]string{
		"a <b>b</b><br/>c":     "a b\nc",
		"if a <xs && c> d":     "if a <xs && c> d",
		"Vec<T> x</T>":         "Vec<T> x",
		"a<!-- b -->c<!-- d":   "ac<!-- d",
		"<span class='x'>y<-z": "y<-z",
	} {
		if got := StripTags(s); got != want {
			t.Errorf("%s: %q, want %q", s, got, want)
		}
	}
}

func TestShortcodeAt(t *testing.T) {
	for s, want := range map[string]string{
		`{{< figure src="a.png" "b c" >}}x`:    `figure [src="a.png" "b c"] 32 src=a.png, b c`,
		`{{% /note %}}`:                        "/note [] 13",
		`{{< br />}}`:                          "br/ [] 11",
		`{{< f "{{< g >}}" >}}`:                `f ["{{< g] 16, {{< g`,
		"{{< f `}} >}}` >}}":                   "f [`}}] 13, }}",
		`{%- include a.html x=1 -%}`:           "include [a.html x=1] 26, a.html",
		`{% endhighlight %}`:                   "/highlight [] 18",
		`{% end %}`:                            "/ [] 9",
		`{% youtube(id="x", autoplay=true) %}`: `youtube [id="x", autoplay=true] 36`,
		`{{ youtube(id="x") }}`:                `youtube() [id="x"] 21`,
		`{{ "a }} b" | url }}`:                 ` ["a] 8, a`,
		`{{ page.title | upper }}`:             `page.title [page.title | upper] 24, page.title, |, upper`,
		`{{</* note */>}}`:                     `{{< note >}} 16`,
		"{{< a\n\nb >}}":                       "",
		"{{< a":                                "",
		"{{":                                   "",
		"{ a }":                                "",
	} {
		got := ""
		if c, n := ShortcodeAt(s); n > 0 {
			if c.Form == LiteralTag {
				got = fmt.Sprint(c.Text, " ", n)
			} else {
				if c.Closing {
					got = "/"
				}
				if got += c.Name; c.Empty {
					got += "/"
				}
				got += fmt.Sprintf(" [%s] %d", c.Args, n)
				if src := c.Arg(-1, "src"); src != "" {
					got += " src=" + src
				}
				for _, a := range c.PlainArgs() {
					got += ", " + a
				}
			}
		}
		if got != want {
			t.Errorf("%s:\n got %s\nwant %s", s, got, want)
		}
	}
}

// FuzzAt: what is read lies within the text, whatever that is.
func FuzzAt(f *testing.F) {
	f.Add(`<a href="b" c={d: "e"}>f</a>`)
	f.Add(`{{< a "b" c='d' >}}e{{< /a >}}`)
	f.Add(`{% raw %}{{ x }}{% endraw %}`)
	f.Fuzz(func(t *testing.T, s string) {
		tag, n := TagAt(s)
		if n < 0 || n > len(s) || n > 0 && s[n-1] != '>' {
			t.Fatalf("a tag of %d bytes in %q", n, s)
		}
		tag.Attr("x")
		if end := FindEndTag(s, tag.Name); end > len(s) {
			t.Fatalf("ends at %d in %q", end, s)
		}
		c, n := ShortcodeAt(s)
		if n < 0 || n > len(s) || n > 0 && s[n-1] != '}' {
			t.Fatalf("a shortcode of %d bytes in %q", n, s)
		}
		c.PlainArgs()
		if body, m := ShortcodeBody(s[n:], c); m > len(s)-n || len(body) > m {
			t.Fatalf("a body of %d bytes, %d in all, in %q", len(body), m, s)
		}
		StripTags(s)
	})
}
