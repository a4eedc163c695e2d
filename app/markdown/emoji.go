package markdown

import (
	"strings"

	"github.com/yuin/goldmark-emoji/definition"
)

// maxEmojiName bounds the name between two colons; GitHub's longest has 36
// bytes.
const maxEmojiName = 40

// otherEmoji are names of Slack and Discord that GitHub does not have.
var otherEmoji = map[string]string{
	"clock":             "🕐",
	"face_with_monocle": "🧐",
	"medal":             "🏅",
	"party_popper":      "🎉",
	"robot_face":        "🤖",
	"slight_smile":      "🙂",
	"sun":               "☀️",
	"thinking_face":     "🤔",
	"tools":             "🛠️",
	"tree":              "🌳",
}

// emojiAt returns the emoji of the :name: s begins with and the length of that
// name with its colons; n is 0 if there is none. GitHub's table of names is
// made when the first name is looked up: it takes half a millisecond and some
// 400 KB, which a blog without emoji never pays.
func emojiAt(s string) (emoji string, n int) {
	end := strings.IndexByte(s[1:min(len(s), maxEmojiName+2)], ':')
	if end <= 0 {
		return "", 0
	}
	name := s[1 : 1+end]
	if strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_+-") != "" {
		return "", 0
	}
	if e, ok := otherEmoji[name]; ok {
		return e, end + 2
	}
	if e, ok := definition.Github().Get(name); ok && e.IsUnicode() {
		return string(e.Unicode), end + 2
	}
	return "", 0
}
