package markdown

import "testing"

func TestCommonConstructs(t *testing.T) {
	constructs(t, Plain, []construct{
		{"paragraph", "one\ntwo", "p(one↵two)"},
		{"hard breaks", "one  \ntwo\\\nthree", "p(one⏎two⏎three)"},
		{"entities once", `&amp;lt; &copy; &copy \* \$ &#27;x`, ""},
		{"footnote", "a[^1] b[^none]\n\n[^1]: note", "p(&lt; © &copy * $ x)"},
		{"table", "| a | b |\n|---|---|\n| `x|y` | 1<br>2 |", "p(a^1 bsup(none)) footnotelist(footnote(p(note)))"},
		{"tasks", "- [ ] a\n- [x] b", "table(tableheader(tablecell(a) tablecell(b)) tablerow(tablecell(`(x|y)) tablecell(1⏎2)))"},
		{"definitions", "Term\n: what it is", "ul(li(p(☐a)) li(p(☑b)))"},
		{"alert", "> [!NOTE]\n> text", "definitionlist(definitionterm(Term) definitiondescription(p(what it is)))"},
		{"alert with a title", "> [!warning]- Be *careful*\n> text", "callout:note(p(text))"},
		{"admonition", "!!! tip \"Do\"\n    this\n\nafter", "callout:warning Be careful(p(text))"},
		{"money is no math", "$5 and $6, $HOME and $PATH", "callout:tip Do(p(this)) p(after)"},
		{"math", "$x_i$ and \\(y^2\\), $$\nz\n$$\nend", "p($5 and $6, $HOME and $PATH)"},
		{"math in code", "`$x_1$` and\n\n    $y_1$\n", "p(math[x_i] and math[y^2],) MATH[z] p(end)"},
		{"brackets of TeX", "\\[ x_{1} \\]\n\n\\[not\\]", "p(`($x_1$) and) code:[$y_1$⏎]"},
		{"environment", "\\begin{align}\na_1 &= b \\\\\n\\end{align}", "MATH[\\[ x_{1} \\]] p([not])"},
		{"heading attributes", "# T {#id .c}\n\n## U {.x}", "MATH[\\begin{align}⏎a_1 &= b \\\\⏎\\end{align}]"},
		{"emoji", "a :tada: b:tada:c :nothing: `:tada:`", "h1(T) h2(U)"},
		{"comment", "a <!-- b --> c\n\n<!-- # d\n\n$x$ -->\ne", "p(a 🎉 b:tada:c :nothing: `(:tada:))"},
		{"unclosed comment", "a <!-- b", "p(a  c) p(e)"},
		{"unclosed fence", "```go\nx", "p(a <!-- b)"},
		{"fence in a list", "- a\n\n  ```go\n  x\n\n    y\n  ```\n- b", "code:go[x⏎]"},
		{"fence in a quote", "> ```\n> x\n> ```\n> y", "ul(li(p(a) code:go[x⏎⏎  y⏎]) li(p(b)))"},
		{"indented code", "a\n\n    x <b>\n\n    y\n\nb", "quote(code:[x⏎] p(y))"},
		{"code span over lines", "> a `b\n> c` d", "p(a) code:[x <b>⏎⏎y⏎] p(b)"},
		{"reference links", "[a] [b][c] [`d`]\n\n[a]: /x\n[c]: <y z> \"t\"\n[`d`]: /d", "quote(p(a `(b c) d))"},
		{"bare address before a tag", "https://x.org/a_b<br>c", "p(link</x>(a) link<<y z>>(b) link</d>(`(d))) linkreferencedefinition() linkreferencedefinition() linkreferencedefinition()"},
	})
}

func TestHTML(t *testing.T) {
	constructs(t, Plain, []construct{
		{"inline", "<b>a</b> <i>b</i> <del>c</del> 10<sup>9</sup> H<sub>2</sub>O <kbd>X</kbd> <mark>m</mark> <code>a&lt;*b*</code>", "p(<https://x.org/a_b>⏎c)"},
		{"break", "a<br>\nb<br/>c", "p(strong(a) em(b) strikethrough(c) 10sup(9) Hsub(2)O kbd(X) mark(m) `(a<*b*))"},
		{"image and link", `<a href="/x"><img src="p.png" alt="A *b*"></a>`, ""},
		{"blocks", "<div>\n  <p>one</p>\n  <p>two *x*</p>\n</div>\nthree", "p(a⏎b⏎c)"},
		{"lists", "<ul>\n  <li>a\n    <ol><li>b<li>c</ol>\n  </li>\n  <li>d</li>\n</ul>", "p(link</x>(img<p.png>(A *b*)))"},
		{"definitions", "<dl><dt>T<dd>D</dd></dl>", "p(one) p(two em(x)) p(three)"},
		{"table", "<table><tr><th>a</th><th>b</th></tr><tr><td>1|2</td><td><b>3</b></td></tr></table>", "ul(li(p(a) ol(li(p(b)) li(p(c))) ul(li(p(d)))))"},
		{"table for layout", "<table><tr><td>a</td><td>b</td></tr></table>", "definitionlist(definitionterm(T) definitiondescription(p(D)))"},
		{"details", "<details><summary>S <b>s</b></summary>\n\n- a\n\n```\nx\n```\n\n</details>\n\nafter", "table(tableheader(tablecell(a) tablecell(b)) tablerow(tablecell(1|2) tablecell(strong(3))))"},
		{"details in a quote", "> <details><summary>S</summary>\n> a\n>\n> b\n> </details>\n> c", "p(a) p(b)"},
		{"quote", "<blockquote><p>a</p><p>b</p></blockquote>c", "details S s(ul(li(p(a))) code:[x⏎]) p(after)"},
		{"pre", "<pre><code class=\"language-go\">a &lt; <b>b</b>\n  c\n</code></pre>", "quote(details S(p(a) p(b)) p(c))"},
		{"headings", `<h2 id="x">A <em>b</em></h2>`, ""},
		{"figure", "<figure>\n<img src=\"a.png\">\n<figcaption>c</figcaption>\n</figure>", "quote(p(a) p(b)) p(c)"},
		{"frame", `<iframe src="https://www.youtube.com/embed/1"></iframe>`, ""},
		{"video", `<video controls><source src="/a.mp4"></video>`, ""},
		{"dropped", "a<script>x *y*</script>b<style>\n\np{}\n</style>c", "code:go[a < b⏎  c⏎]"},
		{"not tags", "Vec<T> a < b <x@y.z> Map<K, V>", "h2(A em(b))"},
		{"unclosed", "<div><b>a\n\nb</i></p>c", "p(img<a.png>()) p(c)"},
		{"in a list item", "- a <div>b</div>\n- c", "p(link<https://www.youtube.com/embed/1>([video: youtube.com]))"},
		{"rule", "a<hr>b", "p(link</a.mp4>([media: a.mp4]))"},
		{"callout by class", "<div class=\"alert alert-warning\">\na\n</div>", "p(abc)"},
	})
}

func TestFranklin(t *testing.T) {
	constructs(t, Franklin, []construct{
		{"definitions", "@def a = 1\n+++\nb = 2\n+++\ntext {{a}} {{fill b}} {{c}}", "p(Vec<T> a < b <x@y.z> Map<K, V>)"},
		{"definitions in code", "```\n@def a = 1\n+++\n```\n`@def b`", "p(a) p(b) p(c)"},
		{"raw html", "~~~<b>a*b*</b>~~~ c ~~~<br/>~~~ d\n~~~\n<hr>\n~~~\ne", "ul(li(p(a) p(b)) li(p(c)))"},
		{"entity in raw html", "~~~&#10094; &amp;~~~", "p(a) rule() p(b)"},
		{"break", "a\\\\\nb", "callout:warning(p(a))"},
		{"command", `\newcommand{\x}[2]{**#1** !#2}a \x{b}{c $y_1$}`, ""},
		{"command in a command", `\newcommand{\x}[1]{<#1>}\newcommand{\y}[1]{\x{\x{#1}}}\y{z}`, ""},
		{"endless command", `\newcommand{\x}{\x}a \x b`, ""},
		{"environment", `\newenvironment{e}[1]{**#1** }{ end}\begin{e}{a}b\end{e}`, ""},
		{"unknown command", `a \unknown{b} \other c`, ""},
		{"callout", "@@note\na\n@@\nb", "p(text 1 2)"},
		{"callout with a title", "@@warning @@title Look@@ @@content a@@ @@", "code:[@def a = 1⏎+++⏎] p(`(@def b))"},
		{"nested divs", "@@a,b x @@c y @@ z @@", "p(strong(a*b*) c ⏎ d) rule() p(e)"},
		{"dead contents", "<!-- \\toc -->\n# A", "p(❮ &)"},
		{"contents", "@def mintoclevel = 2\n\\toc\n## A", "p(a⏎b)"},
		{"equations", "$$ x \\label{e} $$\n$$ y \\label{f} $$\nsee \\eqref{e,f}", "p(a strong(b) c math[y_1])"},
		{"display in a sentence", "a $$x$$ b", "p(<<z>>)"},
		{"citations", "\\citep{k} \\citet{k} \\cite{z}\n* \\biblabel{k}{Name (2000)} **Name**", "p(a … b)"},
		{"figures", `\fig{/a.png} \figalt{A b}{c.svg}`, ""},
		{"output", "```julia:x\na # hide\nb\n```\n\\output{x}", "p(strong(a) b end)"},
		{"hidden code", "```julia:x\n#hideall\nb\n```\nc", "p(a b \\other c)"},
		{"conditions", "@def a = true\n{{if a}}x{{else}}y{{end}} {{isdef b}}z{{end}} {{if b}}p{{elseif a}}q{{end}}", "callout:note(p(a)) p(b)"},
		{"escapes", `\$5 \@ \{ \* \_`, ""},
		{"indented text", "a\n\n    just text\n", "callout:warning Look(p(a))"},
		{"indented code", "a\n\n    x = f(1)\n    end\n", "p(x) p(y) p(z)"},
		{"list under text", "a:\n* b\n* c", "h1(A)"},
		{"dollar always opens math", "a $ x $ b", "contents2-6 h2(A)"},
	})
}

func TestTemplates(t *testing.T) {
	constructs(t, Hugo, []construct{
		{"figure", `{{< figure src="/a.png" caption="C *d*" alt="A" >}}`, ""},
		{"callout", "{{< notice tip \"T\" >}}\na\n\n- b\n{{< /notice >}}\nc", "MATH1[ x  ] MATH2[ y  ] p(see (1, 2))"},
		{"details", "{{% details \"S\" %}}\na\n{{% /details %}}", "p(a) MATH[x] p(b)"},
		{"highlight", "{{< highlight go \"x=1\" >}}\na < b\n{{< /highlight >}}", "p((Name (2000)) Name (2000) z) ul(li(p(strong(Name))))"},
		{"reference", `[a]({{< ref "p/a b.md#c" >}})`, ""},
		{"services", "{{< youtube abc >}} {{< gist me 123 >}}", "p(img</a.png>() img<c.svg>(A b))"},
		{"shown", `{{</* figure src="x" */>}}`, ""},
		{"unknown", "{{< x a=1 >}}b{{< /x >}} {{< y >}}c", "code:julia[b⏎] p(em([output of x]))"},
		{"in code", "```\n{{< x >}}\n```\n`{{< y >}}`", "p(c)"},
		{"more", "a\n\n<!--more-->\n\nb", "p(x  q)"},
	})
	constructs(t, Jekyll, []construct{
		{"highlight", "{% highlight ruby linenos %}\nx <b>\n{% endhighlight %}\na", "p($5 @ { * _)"},
		{"raw", "{% raw %}{{ x }}\n```\n{{ y }}\n```\n{% endraw %}", "p(a) p(just text)"},
		{"values", `a {{ site.x }} {{ "/p" | relative_url }} [b]({{ site.baseurl }}/c)`, ""},
		{"tags", "{% if x %}\na\n{% endif %}\n{% comment %}b{% endcomment %}c {% include x.html %}", "p(a) code:[x = f(1)⏎end⏎]"},
		{"post", "[a]({% post_url 2020-01-02-x %}) [b]({% link _posts/y.md %})", "p(a:) ul(li(p(b)) li(p(c)))"},
		{"attributes", "# A {#b}\n{: .c}\ntext *d*{: .e}\n{: #f }", "p(a math[ x ] b)"},
		{"contents", "* TOC\n{:toc}\n\n# A", "p(img</a.png>(A)) p(C em(d))"},
		{"abbreviation", "HTML\n\n*[HTML]: Hyper", "callout:tip T(p(a) ul(li(p(b)))) p(c)"},
	})
	constructs(t, Zola, []construct{
		{"functions", `{{ youtube(id="abc") }} {{ other(x=1) }}`, ""},
		{"with a body", "{% quote(author=\"a\") %}\nb\n{% end %}\nc", "details S(p(a))"},
		{"internal link", "[a](@/p/x.md#y)", "code:go[a < b⏎]"},
	})
	constructs(t, Eleventy, []construct{
		{"filter", `[a]({{ "/x/" | url }})`, ""},
		{"image", `{% image "a.png" "Alt" %}`, ""},
	})
	constructs(t, MDX, []construct{
		{"imports", "import A from 'a';\nimport {\n  B,\n} from \"b\";\n\nexport const x = {\n  y: 1,\n};\n\ntext", "p(link<p/a%20b.md#c>(a))"},
		{"component", "<A b={c} />d <E f=\"g\">h</E>\n\n<Aside type=\"tip\" title=\"T\">\n  a\n</Aside>", "p(link<https://www.youtube.com/watch?v=abc>([video: youtube.com])) p(link<https://gist.github.com/me/123>([code: gist]))"},
		{"expressions", "a {/* b */}{\" \"}{c} {\"d\"}", "p({{< figure src=\"x\" >}})"},
		{"image", `<Image src={"./a.png"} alt="A" />`, ""},
	})
	constructs(t, Obsidian, []construct{
		{"links", "[[A]] [[A|b]] [[A#H i]] [[#H]] ![[p.png|300]] ![[N]]", "p(b c)"},
		{"in a table", "| a |\n|---|\n| [[A\\|b]] |", "code:[{{< x >}}⏎] p(`({{< y >}}))"},
		{"marks", "==a== b==c ^id\n%%d\n\ne%%f", "p(a) p(b)"},
		{"in code", "`[[A]]`", "code:ruby[x <b>⏎] p(a)"},
	})
}
