package typeset

import (
	"strconv"
	"strings"
)

// raised and lowered are the characters Unicode has above and below the line.
var raised = pairs("0⁰1¹2²3³4⁴5⁵6⁶7⁷8⁸9⁹+⁺-⁻−⁻=⁼(⁽)⁾aᵃbᵇcᶜdᵈeᵉfᶠgᵍhʰiⁱjʲkᵏlˡmᵐnⁿoᵒpᵖrʳsˢtᵗuᵘvᵛwʷxˣyʸzᶻ" +
	"AᴬBᴮDᴰEᴱGᴳHᴴIᴵJᴶKᴷLᴸMᴹNᴺOᴼPᴾRᴿTᵀUᵁVⱽWᵂ")

var lowered = pairs("0₀1₁2₂3₃4₄5₅6₆7₇8₈9₉+₊-₋−₋=₌(₍)₎aₐeₑhₕiᵢjⱼkₖlₗmₘnₙoₒpₚrᵣsₛtₜuᵤvᵥxₓ")

func pairs(s string) map[rune]rune {
	m := make(map[rune]rune)
	var from rune
	for i, r := range []rune(s) {
		if i%2 == 0 {
			from = r
		} else {
			m[from] = r
		}
	}
	return m
}

// superscript writes a number above the line.
func superscript(n int) string {
	var b strings.Builder
	for _, r := range strconv.Itoa(n) {
		b.WriteRune(raised[r])
	}
	return b.String()
}

// formula chooses how to show math. Its Unicode form, where there is one, reads
// better; it is taken when the formula has no TeX in it. Anything else is shown
// as its author wrote it: nothing is lost, and every reader of TeX can check
// it.
func formula(tex, unicode string) string {
	tex = strings.TrimSpace(tex)
	if unicode != "" && !strings.ContainsAny(tex, `\_^{`) {
		return unicode
	}
	return tex
}
