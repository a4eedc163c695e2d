package tex

import "testing"

func TestUnicode(t *testing.T) {
	for formula, want := range map[string]string{
		`x^2`: "x²", `a_1 + b_2`: "a₁ + b₂", `\frac{1}{2}`: "1/2", `\alpha \leq \beta`: "α ≤ β", `\sqrt{x+1}`: "√(x+1)",
		`\unknown`: "", `x^{\text{Q}}`: "", `x^Q`: "", `\frac{a}{b+1}`: "a/(b+1)", `{`: "", `a}`: "",
	} {
		if got := Unicode(formula); got != want {
			t.Errorf("%s: %q, want %q", formula, got, want)
		}
	}
}
