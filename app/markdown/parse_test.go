package markdown

import "testing"

func TestCommonConstructs(t *testing.T) {
	constructs(t, Plain, []construct{
		{"paragraph", "one\ntwo", "p(one↵two)"},
		{"hard breaks", "one  \ntwo\\\nthree", "p(one⏎two⏎three)"},
		{"entities once", `&amp;lt; &copy; &copy \* \$ &#27;x`, "p(&lt; © &copy * $ x)"},
		{"footnote", "a[^1] b[^none]\n\n[^1]: note", "p(a^1 bsup(none)) footnotelist(footnote(p(note)))"},
		{"table", "| a | b |\n|---|---|\n| `x|y` | 1<br>2 |", "table(tableheader(tablecell(a) tablecell(b)) tablerow(tablecell(`(x|y)) tablecell(1⏎2)))"},
		{"tasks", "- [ ] a\n- [x] b", "ul(li(p(☐a)) li(p(☑b)))"},
		{"definitions", "Term\n: what it is", "definitionlist(definitionterm(Term) definitiondescription(p(what it is)))"},
		{"alert", "> [!NOTE]\n> text", "callout:note(p(text))"},
		{"alert with a title", "> [!warning]- Be *careful*\n> text", "callout:warning Be careful(p(text))"},
		{"admonition", "!!! tip \"Do\"\n    this\n\nafter", "callout:tip Do(p(this)) p(after)"},
		{"money is no math", "$5 and $6, $HOME and $PATH", "p($5 and $6, $HOME and $PATH)"},
		{"math", "$x_i$ and \\(y^2\\), $$\nz\n$$\nend", "p(math[x_i] and math[y^2],) MATH[z] p(end)"},
		{"math in code", "`$x_1$` and\n\n    $y_1$\n", "p(`($x_1$) and) code:[$y_1$⏎]"},
		{"brackets of TeX", "\\[ x_{1} \\]\n\n\\[not\\]", "MATH[\\[ x_{1} \\]] p([not])"},
		{"environment", "\\begin{align}\na_1 &= b \\\\\n\\end{align}", "MATH[\\begin{align}⏎a_1 &= b \\\\⏎\\end{align}]"},
		{"heading attributes", "# T {#id .c}\n\n## U {.x}", "h1(T) h2(U)"},
		{"emoji", "a :tada: b:tada:c :nothing: `:tada:`", "p(a 🎉 b:tada:c :nothing: `(:tada:))"},
		{"emphasis in Chinese", "前**强调。**后**“引”**后", "p(前strong(强调。)后strong(“引”)后)"},
		{"comment", "a <!-- b --> c\n\n<!-- # d\n\n$x$ -->\ne", "p(a  c) p(e)"},
		{"unclosed comment", "a <!-- b", "p(a <!-- b)"},
		{"unclosed fence", "```go\nx", "code:go[x⏎]"},
		{"fence in a list", "- a\n\n  ```go\n  x\n\n    y\n  ```\n- b", "ul(li(p(a) code:go[x⏎⏎  y⏎]) li(p(b)))"},
		{"fence in a quote", "> ```\n> x\n> ```\n> y", "quote(code:[x⏎] p(y))"},
		{"quote in a list", "1. a\n\n    > b\n\n    c", "ol(li(p(a) quote(p(b)) p(c)))"},
		{"indented code", "a\n\n    x <b>\n\n    y\n\nb", "p(a) code:[x <b>⏎⏎y⏎] p(b)"},
		{"code span over lines", "> a `b\n> c` d", "quote(p(a `(b c) d))"},
		{"reference links", "[a] [b][c] [`d`]\n\n[a]: /x\n[c]: <y z> \"t\"\n[`d`]: /d", "p(link</x>(a) link<y z>(b) link</d>(`(d)))"},
		{"target in angle brackets", "[a](</b c>)", "p(link</b c>(a))"},
		{"double brackets of a reference", "[[a]](/b)", "p(link</b>([a]))"},
		{"empty code", "```\n```", "code:[]"},
		{"code under a heading", "# a\n    b = c", "h1(a) code:[b = c⏎]"},
		{"bare address before a tag", "https://x.org/a_b<br>c", "p(<https://x.org/a_b>⏎c)"},
	})
}

func TestHTML(t *testing.T) {
	constructs(t, Plain, []construct{
		{"inline", "<b>a</b> <i>b</i> <del>c</del> 10<sup>9</sup> H<sub>2</sub>O <kbd>X</kbd> <mark>m</mark> <code>a&lt;*b*</code>", "p(strong(a) em(b) strikethrough(c) 10sup(9) Hsub(2)O kbd(X) mark(m) `(a<*b*))"},
		{"break", "a<br>\nb<br/>c", "p(a⏎b⏎c)"},
		{"image and link", `<a href="/x"><img src="p.png" alt="A *b*"></a>`, "p(link</x>(img<p.png>(A *b*)))"},
		{"blocks", "<div>\n  <p>one</p>\n  <p>two *x*</p>\n</div>\nthree", "p(one) p(two em(x)) p(three)"},
		{"lists", "<ul>\n  <li>a\n    <ol><li>b<li>c</ol>\n  </li>\n  <li>d</li>\n</ul>", "ul(li(p(a) ol(li(p(b)) li(p(c)))) li(p(d)))"},
		{"definitions", "<dl><dt>T<dd>D</dd></dl>", "definitionlist(definitionterm(T) definitiondescription(p(D)))"},
		{"table", "<table><tr><th>a</th><th>b</th></tr><tr><td>1|2</td><td><b>3</b></td></tr></table>", "table(tableheader(tablecell(a) tablecell(b)) tablerow(tablecell(1|2) tablecell(strong(3))))"},
		{"list in a row", "| a | b |\n|---|---|\n| <ul><li>x</li><li>y</li></ul> | z |\nend", "table(tableheader(tablecell(a) tablecell(b)) tablerow(tablecell(• x⏎• y) tablecell(z)) tablerow(tablecell(end) tablecell()))"},
		{"table for layout", "<table><tr><td>a</td><td>b</td></tr></table>", "p(a) p(b)"},
		{"details", "<details><summary>S <b>s</b></summary>\n\n- a\n\n```\nx\n```\n\n</details>\n\nafter", "details S s(ul(li(p(a))) code:[x⏎]) p(after)"},
		{"details in a quote", "> <details><summary>S</summary>\n> a\n>\n> b\n> </details>\n> c", "quote(details S(p(a) p(b)) p(c))"},
		{"quote", "<blockquote><p>a</p><p>b</p></blockquote>c", "quote(p(a) p(b)) p(c)"},
		{"pre", "<pre><code class=\"language-go\">a &lt; <b>b</b>\n  c\n</code></pre>", "code:go[a < b⏎  c⏎]"},
		{"headings", `<h2 id="x">A <em>b</em></h2>`, "h2(A em(b))"},
		{"figure", "<figure>\n<img src=\"a.png\">\n<figcaption>c</figcaption>\n</figure>", "p(img<a.png>()) p(c)"},
		{"frame", `<iframe src="https://www.youtube.com/embed/1"></iframe>`, "p(link<https://www.youtube.com/embed/1>([video: youtube.com]))"},
		{"video", `<video controls><source src="/a.mp4"></video>`, "p(link</a.mp4>([media: a.mp4]))"},
		{"dropped", "a<script>x *y*</script>b<style>\n\np{}\n</style>c", "p(abc)"},
		{"not tags", "Vec<T> a < b <x@y.z> Map<K, V>", "p(Vec<T> a < b <x@y.z> Map<K, V>)"},
		{"unclosed", "<div><b>a\n\nb</i></p>c", "p(a) p(b) p(c)"},
		{"in a list item", "- a <div>b</div>\n- c", "ul(li(p(a) p(b)) li(p(c)))"},
		{"rule", "a<hr>b", "p(a) rule() p(b)"},
		{"callout by class", "<div class=\"alert alert-warning\">\na\n</div>", "callout:warning(p(a))"},
	})
}

func TestFranklin(t *testing.T) {
	constructs(t, Franklin, []construct{
		{"definitions", "@def a = 1\n+++\nb = 2\n+++\ntext {{a}} {{fill b}} {{c}}", "p(text 1 2)"},
		{"definitions in code", "```\n@def a = 1\n+++\n```\n`@def b`", "code:[@def a = 1⏎+++⏎] p(`(@def b))"},
		{"raw html", "~~~<b>a*b*</b>~~~ c ~~~<br/>~~~ d\n~~~\n<hr>\n~~~\ne", "p(strong(a*b*) c⏎d) rule() p(e)"},
		{"entity in raw html", "~~~&#10094; &amp;~~~", "p(❮ &)"},
		{"break", "a\\\\\nb", "p(a⏎b)"},
		{"command", `\newcommand{\x}[2]{**#1** !#2}a \x{b}{c $y_1$}`, "p(a strong(b) c math[y_1])"},
		{"command in a command", `\newcommand{\x}[1]{<#1>}\newcommand{\y}[1]{\x{\x{#1}}}\y{z}`, "p(<<z>>)"},
		{"endless command", `\newcommand{\x}{\x}a \x b`, "p(a … b)"},
		{"environment", `\newenvironment{e}[1]{**#1** }{ end}\begin{e}{a}b\end{e}`, "p(strong(a) b end)"},
		{"unknown command", `a \unknown{b} \other c`, "p(a b \\other c)"},
		{"callout", "@@note\na\n@@\nb", "callout:note(p(a)) p(b)"},
		{"callout with a title", "@@warning @@title Look@@ @@content a@@ @@", "callout:warning Look(p(a))"},
		{"nested divs", "@@a,b x @@c y @@ z @@", "p(x) p(y) p(z)"},
		{"dead contents", "<!-- \\toc -->\n# A", "h1(A)"},
		{"contents", "@def mintoclevel = 2\n\\toc\n## A", "contents2-6 h2(A)"},
		{"equations", "$$ x \\label{e} $$\n$$ y \\label{f} $$\nsee \\eqref{e,f}", "MATH1[x] MATH2[y] p(see (1, 2))"},
		{"display in a sentence", "a $$x$$ b", "p(a) MATH[x] p(b)"},
		{"citations", "\\citep{k} \\citet{k} \\cite{z}\n* \\biblabel{k}{Name (2000)} **Name**", "p((Name (2000)) Name (2000) z) ul(li(p(strong(Name))))"},
		{"figures", `\fig{/a.png} \figalt{A b}{c.svg}`, "p(img</a.png>() img<c.svg>(A b))"},
		{"output", "```julia:x\na # hide\nb\n```\n\\output{x}", "code:julia[b⏎] p(em([output of x]))"},
		{"hidden code", "```julia:x\n#hideall\nb\n```\nc", "p(c)"},
		{"conditions", "@def a = true\n{{if a}}x{{else}}y{{end}} {{isdef b}}z{{end}} {{if b}}p{{elseif a}}q{{end}}", "p(x  q)"},
		{"escapes", `\$5 \@ \{ \* \_`, "p($5 @ { * _)"},
		{"indented text", "a\n\n    just text\n", "p(a) p(just text)"},
		{"indented code", "a\n\n    x = f(1)\n    end\n", "p(a) code:[x = f(1)⏎end⏎]"},
		{"list under text", "a:\n* b\n* c", "p(a:) ul(li(p(b)) li(p(c)))"},
		{"dollar always opens math", "a $ x $ b", "p(a math[ x ] b)"},
	})
}

func TestTemplates(t *testing.T) {
	constructs(t, Hugo, []construct{
		{"figure", `{{< figure src="/a.png" caption="C *d*" alt="A" >}}`, "p(img</a.png>(A)) p(C em(d))"},
		{"callout", "{{< notice tip \"T\" >}}\na\n\n- b\n{{< /notice >}}\nc", "callout:tip T(p(a) ul(li(p(b)))) p(c)"},
		{"details", "{{% details \"S\" %}}\na\n{{% /details %}}", "details S(p(a))"},
		{"highlight", "{{< highlight go \"x=1\" >}}\na < b\n{{< /highlight >}}", "code:go[a < b⏎]"},
		{"reference", `[a]({{< ref "p/a b.md#c" >}})`, "p(link<p/a%20b.md#c>(a))"},
		{"services", "{{< youtube abc >}} {{< gist me 123 >}}", "p(link<https://www.youtube.com/watch?v=abc>([video: youtube.com])) p(link<https://gist.github.com/me/123>([code: gist]))"},
		{"shown", `{{</* figure src="x" */>}}`, "p({{< figure src=\"x\" >}})"},
		{"unknown", "{{< x a=1 >}}b{{< /x >}} {{< y >}}c", "p(b c)"},
		{"in code", "```\n{{< x >}}\n```\n`{{< y >}}`", "code:[{{< x >}}⏎] p(`({{< y >}}))"},
		{"more", "a\n\n<!--more-->\n\nb", "p(a) p(b)"},
	})
	constructs(t, Jekyll, []construct{
		{"highlight", "{% highlight ruby linenos %}\nx <b>\n{% endhighlight %}\na", "code:ruby[x <b>⏎] p(a)"},
		{"raw", "{% raw %}{{ x }}\n```\n{{ y }}\n```\n{% endraw %}", "p({{ x }}) code:[{{ y }}⏎]"},
		{"values", `a {{ site.x }} {{ "/p" | relative_url }} [b]({{ site.baseurl }}/c)`, "p(a  /p link</c>(b))"},
		{"tags", "{% if x %}\na\n{% endif %}\n{% comment %}b{% endcomment %}c {% include x.html %}", "p(a) p(c)"},
		{"post", "[a]({% post_url 2020-01-02-x %}) [b]({% link _posts/y.md %})", "p(link<2020-01-02-x>(a) link<_posts/y.md>(b))"},
		{"attributes", "# A {#b}\n{: .c}\ntext *d*{: .e}\n{: #f }", "h1(A) p(text em(d))"},
		{"contents", "* TOC\n{:toc}\n\n# A", "contents1-6 h1(A)"},
		{"abbreviation", "HTML\n\n*[HTML]: Hyper", "p(HTML)"},
	})
	constructs(t, Zola, []construct{
		{"functions", `{{ youtube(id="abc") }} {{ other(x=1) }}`, "p(link<https://www.youtube.com/watch?v=abc>([video: youtube.com]))"},
		{"with a body", "{% quote(author=\"a\") %}\nb\n{% end %}\nc", "quote(p(b)) p(c)"},
		{"internal link", "[a](@/p/x.md#y)", "p(link</p/x.md#y>(a))"},
	})
	constructs(t, Eleventy, []construct{
		{"filter", `[a]({{ "/x/" | url }})`, "p(link</x/>(a))"},
		{"image", `{% image "a.png" "Alt" %}`, "p(img<a.png>(Alt))"},
	})
	constructs(t, MDX, []construct{
		{"imports", "import A from 'a';\nimport {\n  B,\n} from \"b\";\n\nexport const x = {\n  y: 1,\n};\n\ntext", "p(text)"},
		{"component", "<A b={c} />d <E f=\"g\">h</E>\n\n<Aside type=\"tip\" title=\"T\">\n  a\n</Aside>", "p(d h) callout:tip T(p(a))"},
		{"expressions", "a {/* b */}{\" \"}{c} {\"d\"}", "p(a   d)"},
		{"image", `<Image src={"./a.png"} alt="A" />`, "p(img<./a.png>(A))"},
	})
	constructs(t, Obsidian, []construct{
		{"links", "[[A]] [[A|b]] [[A#H i]] [[#H]] ![[p.png|300]] ![[N]]", "p(link<A>(A) link<A>(b) link<A#h-i>(A › H i) link<#h>(H) img<p.png>() link<N>(N))"},
		{"in a table", "| a |\n|---|\n| [[A\\|b]] |", "table(tableheader(tablecell(a)) tablerow(tablecell(link<A>(b))))"},
		{"marks", "==a== b==c ^id\n%%d\n\ne%%f", "p(mark(a) b==c↵f)"},
		{"in code", "`[[A]]`", "p(`([[A]]))"},
	})
}
