package widget

import (
	"testing"

	"charm.land/lipgloss/v2"
)

func TestStyleLooksAsLipglossDrawsIt(t *testing.T) {
	plain := lipgloss.NewStyle()
	accent := plain.Foreground(lipgloss.Color("#4FC1D9"))
	shade := plain.Background(lipgloss.Color("#24414A")).Bold(true)
	for name, c := range map[string]struct {
		style Style
		want  lipgloss.Style
	}{
		"nothing":        {Style{}, plain},
		"nothing at all": {NewStyle(plain), plain},
		"colour":         {NewStyle(accent), accent},
		"bold":           {NewStyle(accent).Bold(), accent.Bold(true)},
		"sixteen": {NewStyle(plain.Foreground(lipgloss.BrightCyan).Reverse(true)),
			plain.Foreground(lipgloss.BrightCyan).Reverse(true)},
		"over another": {NewStyle(accent).Inherit(NewStyle(shade)), accent.Inherit(shade)},
		"over nothing": {NewStyle(accent).Inherit(Style{}), accent},
	} {
		for _, text := range []string{"steps", "a b", "…", "排水", ""} {
			if got, want := c.style.Render(text), c.want.Render(text); got != want && text != "" {
				t.Errorf("%s: %q, lipgloss has %q", name, got, want)
			}
		}
		if c.style.Render("") != "" {
			t.Errorf("%s: nothing becomes %q", name, c.style.Render(""))
		}
	}
}
