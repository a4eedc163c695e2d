package app_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What the pages for developers name in backquotes is there: tests, and the files
// and folders of the repository.
func TestDocumentsNameWhatIsThere(t *testing.T) {
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)\w+)\(`)
	tests := map[string]bool{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		src, err := os.ReadFile(path)
		for _, m := range function.FindAllSubmatch(src, -1) {
			tests[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	exists := func(path string) bool { _, err := os.Stat(path); return err == nil }
	quoted := regexp.MustCompile("`([^`\n]+)`")
	for _, name := range []string{".github/SECURITY.md", ".github/CONTRIBUTING.md", "app/ARCHITECTURE.md"} {
		text, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range quoted.FindAllSubmatch(text, -1) {
			word := string(m[1])
			switch script, isScript := strings.CutPrefix(word, "TestScripts/"); {
			case isScript:
				if script != "" && !exists(filepath.Join("testdata", "script", script+".txtar")) {
					t.Errorf("%s names %s, and there is no such script", name, word)
				}
			case function.MatchString("func " + word + "("):
				if !tests[word] {
					t.Errorf("%s names %s, and there is no such test", name, word)
				}
			case strings.HasPrefix(word, "app/") || strings.HasPrefix(word, ".ci/") || strings.HasPrefix(word, ".github/"):
				path, _, _ := strings.Cut(word, " ")
				path = strings.TrimSuffix(path, "...")
				if !exists(filepath.Join("..", path)) {
					t.Errorf("%s names %s, which is not there", name, path)
				}
			}
		}
	}
}
