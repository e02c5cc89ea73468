package widget

// Toast is one sentence in a line of its own.
type Toast struct {
	Text string
	Tone Tone // Warning goes with !
}

// View draws the sentence in w cells.
func (s Toast) View(t *Theme, w int) string {
	sign := "✓ "
	if s.Tone == Warning {
		sign = "! "
	}
	return Left(" "+t.Tone(s.Tone).Render(Cut(sign+Clean(s.Text), w-2)), w)
}
