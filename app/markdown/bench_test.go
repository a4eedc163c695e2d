package markdown

import (
	"strings"
	"testing"
)

// sample is a post of about ten kilobytes with some of everything.
var sample = []byte("---\ntitle: Sample\ndate: 2024-01-02\n---\n" + strings.Repeat(`## A section with *some* markup

Prose of an ordinary kind, with a [link](https://example.org/a_b), `+"`code`"+`, math $x_i^2$ and **strong words**,
hard-wrapped as many people do. It goes on for a while<sup>1</sup>, and <em>ends</em> here[^1].

- one item
- another, with <a href="https://example.org">an address</a>

> A quote of two lines
> that says little.

`+"```go\nfunc main() {\n\tprintln(\"hello\")\n}\n```"+`

| a | b |
|---|---|
| 1 | 2 |

`, 16) + "[^1]: a note\n")

func BenchmarkParse(b *testing.B) {
	b.SetBytes(int64(len(sample)))
	for b.Loop() {
		Parse(sample, Options{Dialect: Hugo})
	}
}

func BenchmarkRead(b *testing.B) {
	b.SetBytes(int64(len(sample)))
	for b.Loop() {
		Read(sample, Options{})
	}
}
