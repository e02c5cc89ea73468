package recipe

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"finetui/core/printable"
)

// Text is the loss-mass table as plain lines.
func (t Table) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "class weights %s · condition weights %s · sampling %s\n", t.ClassWeights, t.ConditionWeights,
		t.Sampling)
	counts := "samples"
	if t.InTokens {
		counts = "the tokens of their answers"
	}
	fmt.Fprintf(&b, "samples of an epoch %d → %.0f · imbalance of the loss mass %.1f× → %.1f× (the loss counts %s)\n",
		t.SamplesBefore, t.SamplesAfter, t.ImbalanceBefore, t.ImbalanceAfter, counts)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "class\tn\tweight\tcopies\ttokens\tshare before\tof samples\tof loss mass\t")
	for _, rows := range [][]Row{t.Classes, t.Conditions} {
		for _, r := range rows {
			name := r.Class
			if name == "" {
				name = "all " + r.Condition
			}
			fmt.Fprintf(w, "%s\t%d\t%s\t%.2f\t%.1f\t%.1f %%\t%.1f %%\t%.1f %%\t\n", printable.Line(name), r.N, r.Weight,
				r.Copies, r.Tokens, 100*r.ShareBefore, 100*r.ShareSamples, 100*r.ShareMass)
		}
	}
	w.Flush()
	return b.String()
}
