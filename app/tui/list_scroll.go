package tui

// A spot is a position in a list: a row of an item. Item 0 is what stands above
// the posts, item i+1 is the post i.
type spot struct{ item, row int }

func (s spot) before(t spot) bool { return s.item < t.item || s.item == t.item && s.row < t.row }

// clamp moves selection and top to the nearest place where there is something.
func (l *list) clamp() {
	l.sel = max(min(l.sel, len(l.posts)-1), 0)
	if l.top.item > len(l.posts) {
		l.top = spot{len(l.posts), 0}
	}
	l.top.row = min(l.top.row, max(l.height(l.top.item)-1, 0))
	if last := l.last(l.b.geo.body()); last.before(l.top) {
		l.top = last
	}
}

// height counts the rows of an item.
func (l *list) height(item int) int {
	if item == 0 {
		n := l.b.geo.lead
		if l.query != "" {
			return n
		}
		if l.intro != nil && len(l.intro.Lines) > 0 {
			n += len(l.intro.Lines) + 1
		}
		if len(l.notices) > 0 {
			n += len(l.notices) + 1
		}
		if len(l.all) == 0 && n > l.b.geo.lead {
			n-- // nothing is below
		}
		return n
	}
	return len(l.yearLine(item-1)) + len(l.titleLines(item-1))
}

// last is the lowest spot at which the top of the screen may be.
func (l *list) last(height int) spot {
	for item := len(l.posts); item >= 0; item-- {
		n := l.height(item)
		if n >= height {
			return spot{item, n - height}
		}
		height -= n
	}
	return spot{}
}

// step moves the top by rows, without regard to the last spot.
func (l *list) step(rows int) {
	for ; rows > 0; rows-- {
		if l.top.row++; l.top.row >= l.height(l.top.item) {
			if l.top.item == len(l.posts) {
				l.top.row--
				return
			}
			l.top = spot{l.top.item + 1, 0}
		}
	}
	for ; rows < 0; rows++ {
		for l.top.row == 0 {
			if l.top.item == 0 {
				return
			}
			l.top = spot{l.top.item - 1, l.height(l.top.item - 1)}
		}
		l.top.row--
	}
}

// scroll moves the text, and the selection with it when it would leave the
// screen. It reports whether anything moved.
func (l *list) scroll(rows int) bool {
	h, was := l.b.geo.body(), l.top
	l.step(rows)
	if last := l.last(h); last.before(l.top) {
		l.top = last
	}
	if first, last := l.visible(h); first <= last {
		l.sel = min(max(l.sel, first), last)
	}
	return was != l.top
}

// visible returns the first and the last post whose title is on the screen. If
// there is none, first is greater than last.
func (l *list) visible(height int) (first, last int) {
	first, last = 0, -1
	at := -l.top.row
	for item := l.top.item; item <= len(l.posts) && at < height; item++ {
		n := l.height(item)
		if item > 0 && at+len(l.yearLine(item-1)) >= 0 && at+n <= height {
			if last < 0 {
				first = item - 1
			}
			last = item - 1
		}
		at += n
	}
	return first, last
}

// lineOf tells on which line of the screen a post begins.
func (l *list) lineOf(post int) int {
	at := -l.top.row
	for item := l.top.item; item < post+1; item++ {
		if at > l.b.geo.body() {
			return 0
		}
		at += l.height(item)
	}
	return max(at, 0)
}

// ensure scrolls until the selection is on the screen.
func (l *list) ensure() {
	h := l.b.geo.body()
	if first, last := l.visible(h); l.sel >= first && l.sel <= last {
		return
	}
	item := l.sel + 1
	begin := spot{item, 0}
	if !l.top.before(begin) {
		l.top = begin
		return
	}
	l.top = begin
	if n := l.height(item); n < h {
		l.step(n - h)
	}
}

// lineDown selects the next post. What stands above the posts is read first.
func (l *list) lineDown() {
	if _, last := l.visible(l.b.geo.body()); l.sel > last && l.scroll(1) {
		return
	}
	if l.sel+1 < len(l.posts) {
		l.sel++
		l.ensure()
	} else {
		l.scroll(1)
	}
}

// lineUp selects the post before, or scrolls to what stands above the first.
func (l *list) lineUp() {
	if first, last := l.visible(l.b.geo.body()); l.sel > 0 && l.sel >= first && l.sel <= last {
		l.sel--
		l.ensure()
	} else {
		l.scroll(-1)
	}
}

// jump scrolls by many rows. Where the text cannot be scrolled any further, it
// selects the first or the last post on the screen.
func (l *list) jump(rows int) {
	if l.scroll(rows) {
		return
	}
	first, last := l.visible(l.b.geo.body())
	if first > last {
		return
	}
	if rows > 0 {
		l.sel = last
	} else {
		l.sel = first
	}
}
